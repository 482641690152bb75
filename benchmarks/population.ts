// What there is to list, made by ip, so that all contenders find the same.

import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** A bridge: every kernel that has containers has it. */
export const device = 'bench0'

export const subjects = ['links', 'routes', 'addresses'] as const
export type Subject = (typeof subjects)[number]

const numbers = (count: number): number[] => Array.from({ length: count }, (_, number) => number)

/** The `number`-th address of 10.0.0.0/8. */
export const address = (number: number): string => `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`

const lines: Readonly<Record<Subject, (count: number) => string[]>> = {
  links: (count) => numbers(count / 2).map((number) => `link add veth${number} type veth peer name peer${number}`),
  routes: (count) => numbers(count).map((number) => `route add ${address(number)}/32 dev ${device}`),
  addresses: (count) => numbers(count).map((number) => `address add ${address(number)}/32 dev ${device}`),
}

/** Runs `ip -batch`. */
export async function ipBatch(batch: readonly string[]): Promise<void> {
  const child = spawn('ip', ['-batch', '-'], { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.end(batch.join('\n'))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`ip -batch ended with ${code}`)
}

export const makeDevice = (): Promise<void> => ipBatch([`link add ${device} type bridge`, `link set ${device} up`])

export const populate = (subject: Subject, count: number): Promise<void> => ipBatch(lines[subject](count))
