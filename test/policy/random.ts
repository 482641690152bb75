// Policies at random, and the smallest of them that still show what is wrong.

import type { PolicyRule } from '../../lib/index.ts'
import { checkPolicy, type PolicyRuleSpec } from '../../lib/policy/spec.ts'

/** mulberry32: the same sequence for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const containers = [
  'x',
  'q',
  'i',
  'p',
  'x/x1',
  'x/x2',
  'x/x3',
  'q/q1',
  'q/q2',
  'i/i1',
  'i/i2',
  'p/p1',
  'p/p2',
  'x/nobody',
  'nowhere',
  { labels: { app: 'web' } },
  { labels: { app: ['web', 'db'] } },
  { labels: { tier: false } },
  { network: 'x', labels: { app: { not: 'db' } } },
  { network: 'p', labels: { tier: true } },
  {},
] as const // prettier-ignore

const others = [
  'world',
  'any',
  '192.0.2.0/24',
  '192.0.2.9',
  { cidr: '10.0.0.0/8', except: ['10.1.0.3/32', '10.2.0.0/24'] },
  '10.1.0.2/31',
  'fd00:1::/64',
  { cidr: '::/0', except: ['2001:db8:1::/64', 'fd00:1::4/128'] },
  '0.0.0.0/0',
  '203.0.113.0/24',
] as const

const ports = ['80', '81', '80-81', '53/udp', 'udp', 'tcp', 'icmp', '1-65535/tcp'] as const

export function randomRules(random: () => number): PolicyRuleSpec[] {
  const below = (count: number): number => Math.floor(random() * count)
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T
  const some = <T>(from: readonly T[], most: number): T[] => Array.from({ length: 1 + below(most) }, () => pick(from))
  const peers = (
    isHostToo: boolean,
  ): PolicyRuleSpec['action'] extends never ? never : (typeof containers | typeof others)[number][] => {
    const all = [...containers, ...others, ...(isHostToo ? (['host'] as const) : [])]
    return some(all, 2) as (typeof containers | typeof others)[number][]
  }
  const direction = (): { direction?: 'ingress' | 'egress' } =>
    pick([{}, {}, { direction: 'ingress' }, { direction: 'egress' }] as const)
  const portsOf = (): { ports?: string[] } => (below(2) === 0 ? {} : { ports: some(ports, 3) })
  const rule = (): PolicyRuleSpec => {
    switch (pick(['allow', 'allow', 'deny', 'deny', 'isolate'] as const)) {
      case 'allow':
        return { action: 'allow', from: peers(false), to: peers(false), ...portsOf(), ...direction() }
      case 'deny':
        return { action: 'deny', from: peers(true), to: peers(true), ...portsOf() }
      default:
        return { action: 'isolate', containers: some(containers, 2), ...direction() }
    }
  }
  // Something that is there must remember them.
  const anchor: PolicyRuleSpec = { action: 'allow', from: 'x/nobody', to: 'x/nobody' }
  return [anchor, ...Array.from({ length: 1 + below(4) }, rule)]
}

export const completed = (rules: readonly PolicyRuleSpec[]): readonly PolicyRule[] => checkPolicy({ name: 'p', rules }).rules

/** Leaves out rules, one after the other, as long as `isWrong` holds; the first one remains. */
export async function shrunk(
  rules: readonly PolicyRuleSpec[],
  isWrong: (rules: readonly PolicyRuleSpec[]) => Promise<boolean>,
): Promise<readonly PolicyRuleSpec[]> {
  let least = rules
  for (let at = least.length - 1; at > 0; at--) {
    const fewer = least.filter((_, index) => index !== at)
    if (await isWrong(fewer)) least = fewer
  }
  return least
}
