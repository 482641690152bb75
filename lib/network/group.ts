// The group of a network's devices (IFLA_GROUP): how the firewall knows them, and people in `ip link`.

import { createHash } from 'node:crypto'
import type { Netns } from '../netns/netns.ts'
import type { Link } from '../rtnetlink/link/link.ts'

const firstGroup = 0x40000000

/**
 * From 2³⁰ to 2³¹ - 1, where nobody counts up to. By the name, so that a network that is made again finds what the one before may have
 * left in the firewall.
 */
export function groupOf(name: string, attempt: number): number {
  const digest = createHash('sha256')
    .update(attempt === 0 ? name : `${name} ${attempt}`)
    .digest()
  return (digest.readUInt32BE() & 0x3fffffff) | firstGroup
}

/** That of a network's device. One that somebody took out of it is not to take all of the host's along. */
export const groupOn = (name: string, { group }: Pick<Link, 'group'>): number =>
  group >= firstGroup && group < firstGroup * 2 ? group : groupOf(name, 0)

/** One that no other bridge is in. */
export async function freeGroup(host: Netns, name: string): Promise<number> {
  const taken = new Set((await host.listLinks({ kind: 'bridge' })).map(({ group }) => group))
  for (let attempt = 0; ; attempt++) {
    const group = groupOf(name, attempt)
    if (!taken.has(group)) return group
  }
}

/** The groups in which detach deletes devices; see detach.cc. */
export const firstLeaving = 0xf0000000
