// How much is tried: everything with NETLINK_CT_CRASHES=500, else a part that a seed chooses, another one each time.

import { run } from '../../support/command.ts'
import { randomFrom } from '../../support/random.ts'

const asked = process.env['NETLINK_CT_CRASHES']

/** Every step of everything, and not only of what is most usual. */
export const isFull: boolean = asked !== undefined
export const randomInstants: number = Number(asked ?? 40)
/** NETLINK_CT_SEED repeats a run. */
export const seed: number = Number(process.env['NETLINK_CT_SEED'] ?? Date.now() % 1_000_000)

export const random: () => number = randomFrom(seed)
export const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T

export const noStrace: string | false =
  (await run('strace', ['-V']).catch(() => undefined)) === undefined && 'strace is not installed'
