// What policies are to the firewall table: sets of who is meant, chains that look at every packet of the networks concerned, and rules in
// them, one or few for each rule of a policy. A connection is judged by who began it and who answers it, which conntrack knows for
// packets of either direction, before and after addresses are translated.

import type { Family } from '../cidr.ts'
import type { FirewalledNetwork } from '../network/firewall/index.ts'
import type { Expression, SetElement, SetFlag, Statement } from '../nftables/schema.ts'
import type { Peer, Policy, PolicyRule } from './policy.ts'
import { concerns } from './select.ts'
import {
  cidrRanges,
  cidrSet,
  cidrsOf,
  isOf,
  isPolicySet,
  memberSet,
  picked,
  portRanges,
  portSet,
  ruleSet,
  type Side,
  type SideName,
  sidesOf,
  subnetRanges,
  subnetSet,
  wholeNetworks,
} from './sets.ts'
import type { PolicyProtocol } from './spec.ts'
import { digestOf, policyText } from './text.ts'

export interface PolicySet {
  readonly name: string
  readonly type: string
  readonly flags?: SetFlag
  /** Those that the policies make, and the subnets of networks. */
  readonly elements: readonly SetElement[]
  /** Has an element for each container that is meant, and no others. */
  readonly isOfContainers?: boolean
}

export interface PolicyChain {
  readonly hook?: { readonly type: 'filter'; readonly hook: 'input' | 'output'; readonly prio: number }
  readonly rules: readonly PolicyRuleOfChain[]
}

export interface PolicyRuleOfChain {
  readonly expr: readonly Statement[]
  readonly comment?: string
}

/** What the table has more than without policies. */
export interface PolicyPart {
  readonly sets: readonly PolicySet[]
  readonly chains: Readonly<Record<string, PolicyChain>>
  /** Rules in front of those that the chain `forward` always has. */
  readonly head: readonly (readonly Statement[])[]
}

export const noPolicies: PolicyPart = { sets: [], chains: {}, head: [] }

/** Has one element, which every change of policies replaces: of two at the same time one is refused. */
export const versionSet = 'policies_version'
const policed = 'policed'
const restricted = 'restricted'
const chainNames = [
  ...['policies', 'denied', 'denied_turned', 'isolated_senders', 'isolated_receivers', 'allowed'],
  ...['policy_input', 'policy_output', 'to_host', 'from_host'],
]

export const isOfPolicies = (set: string): boolean => isPolicySet(set) || [versionSet, policed, restricted].includes(set)
export const isPolicyChain = (chain: string): boolean => chainNames.includes(chain)

const families: readonly Family[] = [2, 10]
const wordOf = { 2: 'ip', 10: 'ip6' } as const
const typeOf = { 2: 'ipv4_addr', 10: 'ipv6_addr' } as const

const is = (left: Expression, right: string | number): Statement => ({ match: { op: '==', left, right } })
const isNot = (left: Expression, right: string): Statement => ({ match: { op: '!=', left, right } })
const state = (word: string): Statement => ({ match: { op: 'in', left: { ct: { key: 'state' } }, right: word } })
const meta = (key: string): Expression => ({ meta: { key } })
const drop: Statement = { drop: null }
const accept: Statement = { accept: null }
const back: Statement = { return: null }
const jump = (target: string): Statement => ({ jump: { target } })
const to = (target: string): Statement => ({ goto: { target } })

/** Where a side of a rule is looked for. */
interface Place {
  /** The host is there: in the chains of what it sends and gets itself. */
  readonly isHost: boolean
  /** As if who answers had begun the connection. */
  readonly isTurned: boolean
}

/** Who began the connection, or who answers it: at its own address, whatever it was called by. */
const end = (side: SideName, { isTurned }: Place): 'original' | 'reply' => ((side === 'from') === isTurned ? 'reply' : 'original')
const addressOf = (side: SideName, family: Family, place: Place): Expression => ({
  ct: { key: 'saddr', dir: end(side, place), family: wordOf[family] },
})

/** Each a way to be on that side of a connection: no statement where everybody is. */
function waysToBe(side: Side, name: SideName, family: Family, place: Place): Statement[][] {
  const address = addressOf(name, family, place)
  const ways: Statement[][] = []
  if (side.peers.includes('any') || (place.isHost && side.peers.includes('host'))) return [[]]
  if (cidrsOf(side).some(({ cidr }) => isOf(cidr, family))) ways.push([is(address, `@${cidrSet(side, family)}`)])
  // The host has an address of every subnet, and is neither a container nor the world.
  if (place.isHost) return ways
  if (picked(side).length > 0) ways.push([is(address, `@${memberSet(side, family)}`)])
  if (wholeNetworks(side).length > 0) ways.push([is(address, `@${subnetSet(side, family)}`)])
  if (side.peers.includes('world')) ways.push([isNot(address, `@subnets${family === 2 ? 4 : 6}`)])
  return ways
}

const protocolWord = (protocol: PolicyProtocol, family: Family): string =>
  protocol === 'icmp' && family === 10 ? 'ipv6-icmp' : protocol

function portWays(rule: PolicyRule, set: string, family: Family, place: Place): Statement[][] {
  const ports = [...portRanges(rule)]
  if (ports.length === 0) return [[]]
  return ports.map(([protocol, ranges]) => {
    const own = is(meta('l4proto'), protocolWord(protocol, family))
    return ranges === 'all' ? [own] : [own, is({ ct: { key: 'proto-src', dir: end('to', place) } }, `@${portSet(set, protocol)}`)]
  })
}

interface Numbered {
  readonly policy: Policy
  readonly rule: PolicyRule
  readonly set: string
}

const numbered = (policies: readonly Policy[]): Numbered[] =>
  policies.flatMap((policy) => policy.rules.map((rule, at) => ({ policy, rule, set: ruleSet(policy, at) })))

interface Situation {
  /** Where the host is one of the two. */
  readonly host?: SideName
  readonly isTurned?: boolean
}

/** The rules of a chain that do `verdict` with the connections that a rule is about. */
function rulesFor({ policy, rule, set }: Numbered, verdict: Statement, situation: Situation = {}): PolicyRuleOfChain[] {
  const { host, isTurned = false } = situation
  const { from, to } = sidesOf(rule, set)
  const placeOf = (name: SideName): Place => ({ isHost: host === name, isTurned })
  return families.flatMap((family) =>
    waysToBe(from, 'from', family, placeOf('from')).flatMap((sender) =>
      waysToBe(to, 'to', family, placeOf('to')).flatMap((receiver) => {
        // Without an address nothing else tells the family.
        const bare = sender.length + receiver.length === 0
        const own = bare ? [is(meta('nfproto'), family === 2 ? 'ipv4' : 'ipv6')] : [...sender, ...receiver]
        return portWays(rule, set, family, placeOf('to')).map((ports) => ({
          expr: [...own, ...ports, verdict],
          comment: policy.name,
        }))
      }),
    ),
  )
}

/** Of one side only: who is isolated. */
function isolation({ policy, rule, set }: Numbered, name: SideName, target: string): PolicyRuleOfChain[] {
  const side = sidesOf(rule, set)[name]
  return families.flatMap((family) =>
    waysToBe(side, name, family, { isHost: false, isTurned: false }).map((who) => ({
      expr: [...who, jump(target)],
      comment: policy.name,
    })),
  )
}

const isFor = (rule: PolicyRule, direction: 'ingress' | 'egress'): boolean =>
  rule.action !== 'deny' && (rule.direction === undefined || rule.direction === direction)

const bare = (...expr: readonly Statement[]): PolicyRuleOfChain => ({ expr })

const comesFromElsewhere: Statement = {
  match: { op: '==', left: { fib: { result: 'oif', flags: ['saddr', 'iif'] } }, right: 0 },
}
const neighborDiscovery = ['nd-neighbor-solicit', 'nd-neighbor-advert'].map((type) =>
  bare(is({ payload: { protocol: 'icmpv6', field: 'type' } }, type), state('untracked'), accept),
)
const addressType = (type: string): Statement => is({ fib: { result: 'type', flags: 'daddr' } }, type)
const linkLocal = { prefix: { addr: 'fe80::', len: 10 } }
const isLinkLocal = (field: 'saddr' | 'daddr'): Statement => ({
  match: { op: '==', left: { payload: { protocol: 'ip6', field } }, right: linkLocal },
})

/** Errors about a connection; whether they pass is as without policies. */
const aboutConnections = ['icmp', 'ipv6-icmp'].map((protocol) => bare(is(meta('l4proto'), protocol), state('related'), back))

/** Where somebody may not talk to somebody else, nobody talks to all at once, nor by an address that tells nothing of who it is. */
const toMany: readonly PolicyRuleOfChain[] = [
  bare(is(meta('iifgroup'), '@restricted'), addressType('broadcast'), drop),
  bare(is(meta('iifgroup'), '@restricted'), addressType('multicast'), drop),
  bare(is(meta('iifgroup'), '@restricted'), isLinkLocal('saddr'), drop),
  bare(is(meta('iifgroup'), '@restricted'), isLinkLocal('daddr'), drop),
]

/** A sender that calls itself by an address from elsewhere would have what is allowed to that one. */
const honest: readonly PolicyRuleOfChain[] = [
  bare(is(meta('iifgroup'), '@networks'), state('new'), comesFromElsewhere, drop),
  bare(is({ payload: { protocol: 'ip', field: 'saddr' } }, '@subnets4'), state('new'), comesFromElsewhere, drop),
  bare(is({ payload: { protocol: 'ip6', field: 'saddr' } }, '@subnets6'), state('new'), comesFromElsewhere, drop),
]

const [FIN, SYN, RST, ACK] = [1, 2, 4, 16]

/**
 * The middle of a connection that conntrack did not see begin, as on a bridge that it sees only now: whoever sends next is taken for
 * who began it, so it must be nobody's that is denied the one way or the other.
 */
const midway = bare(
  {
    match: {
      op: '!=',
      left: { '&': [{ payload: { protocol: 'tcp', field: 'flags' } }, FIN | SYN | RST | ACK] },
      right: 'syn',
    },
  },
  state('new'),
  jump('denied_turned'),
)

const LEAVING = 0xf0000000
const leaving = (key: 'iifgroup' | 'oifgroup'): Statement => is({ '&': [meta(key), LEAVING] }, LEAVING)

/** Some packets that the host itself sends and gets, which no rule of the networks looks at. */
function hostChains(rules: readonly Numbered[]): Record<string, PolicyChain> {
  const denials = rules.filter(({ rule }) => rule.action === 'deny')
  const toHost = denials.flatMap((one) => rulesFor(one, drop, { host: 'to' }))
  const fromHost = denials.flatMap((one) => rulesFor(one, drop, { host: 'from' }))
  if (toHost.length + fromHost.length === 0) return {}
  const way = (word: string): Statement => is({ ct: { key: 'direction' } }, word)
  const chain = (hook: 'input' | 'output', group: string, begun: string, answered: string): PolicyChain => ({
    hook: { type: 'filter', hook, prio: 0 },
    rules: [
      bare(is(meta(group), '@policed'), way('original'), to(begun)),
      bare(is(meta(group), '@policed'), way('reply'), to(answered)),
    ],
  })
  return {
    to_host: { rules: toHost },
    from_host: { rules: fromHost },
    policy_input: chain('input', 'iifgroup', 'to_host', 'from_host'),
    policy_output: chain('output', 'oifgroup', 'from_host', 'to_host'),
  }
}

function chainsOf(rules: readonly Numbered[], isRestricting: boolean): Record<string, PolicyChain> {
  const of = (action: PolicyRule['action']): Numbered[] => rules.filter(({ rule }) => rule.action === action)
  const [allowed, isolated] = [of('allow'), of('isolate')]
  const isolatedFor = (direction: 'ingress' | 'egress', name: SideName, target: string): PolicyRuleOfChain[] =>
    isolated.filter(({ rule }) => isFor(rule, direction)).flatMap((one) => isolation(one, name, target))
  const exceptions = (direction: 'ingress' | 'egress'): PolicyRuleOfChain[] => [
    // Nobody gets here without.
    ...(isolated.some(({ rule }) => isFor(rule, direction)) ? allowed : [])
      .filter(({ rule }) => isFor(rule, direction))
      .flatMap((one) => rulesFor(one, back)),
    bare(drop),
  ]
  return {
    denied: { rules: of('deny').flatMap((one) => rulesFor(one, drop)) },
    denied_turned: { rules: of('deny').flatMap((one) => rulesFor(one, drop, { isTurned: true })) },
    isolated_senders: { rules: exceptions('egress') },
    isolated_receivers: { rules: exceptions('ingress') },
    allowed: { rules: allowed.flatMap((one) => rulesFor(one, accept)) },
    policies: {
      rules: [
        ...neighborDiscovery,
        bare(state('invalid'), drop),
        bare(state('untracked'), drop),
        ...honest,
        bare(jump('denied')),
        ...(of('deny').length > 0 ? [midway] : []),
        ...aboutConnections,
        ...isolatedFor('egress', 'from', 'isolated_senders'),
        ...isolatedFor('ingress', 'to', 'isolated_receivers'),
        bare(jump('allowed')),
        ...(isRestricting ? toMany : []),
      ],
    },
    ...hostChains(rules),
  }
}

function setsOf({ rule, set }: Numbered, networks: readonly FirewalledNetwork[]): PolicySet[] {
  const { from, to } = sidesOf(rule, set)
  const subnetsOf = (names: readonly string[]): string[] =>
    networks.filter(({ name }) => names.includes(name)).flatMap(({ subnets }) => subnets)
  const sides = [...new Set([from, to])].flatMap((side) =>
    families.flatMap((family): PolicySet[] => {
      const type = typeOf[family]
      const whole = wholeNetworks(side)
      const cidrs = cidrRanges(cidrsOf(side), family)
      return [
        ...(picked(side).length > 0 ? [{ name: memberSet(side, family), type, elements: [], isOfContainers: true }] : []),
        ...(whole.length > 0
          ? [
              {
                name: subnetSet(side, family),
                type,
                flags: 'interval' as const,
                elements: subnetRanges(subnetsOf(whole), family),
              },
            ]
          : []),
        ...(cidrsOf(side).some(({ cidr }) => isOf(cidr, family))
          ? [{ name: cidrSet(side, family), type, flags: 'interval' as const, elements: cidrs }]
          : []),
      ]
    }),
  )
  const ports = [...portRanges(rule)].flatMap(([protocol, ranges]): PolicySet[] => {
    if (ranges === 'all') return []
    const elements = ranges.map(([first, last]) => (first === last ? first : { range: [first, last] as const }))
    return [{ name: portSet(set, protocol), type: 'inet_service', flags: 'interval', elements }]
  })
  return [...sides, ...ports]
}

/** Of the policies, whoever's they are: what a change goes by. */
export const versionOf = (policies: readonly Policy[]): number =>
  Number.parseInt(
    digestOf(
      policies
        .map((policy) => `${policy.name}=${policyText(policy)}`)
        .sort()
        .join('\n'),
    ),
    16,
  )

/** Of the policies that may be about a network's containers; empty for none. What an attach goes by. */
export function digestFor(policies: readonly Policy[], network: string): string {
  const own = policies.filter((policy) => concerns(policy, network))
  return own.length === 0 ? '' : versionOf(own).toString(16).padStart(8, '0')
}

const reaches = (peers: readonly Peer[], network: string): boolean =>
  peers.some((peer) =>
    typeof peer === 'string' ? peer === 'any' : 'cidr' in peer || peer.network === undefined || peer.network === network,
  )

/** Whether the policies may let containers of a network talk to each other, so that the bridge must not keep them apart. */
export const opensNetwork = (policies: readonly Policy[], network: string): boolean =>
  policies.some(({ rules }) =>
    rules.some((rule) => rule.action === 'allow' && reaches(rule.from, network) && reaches(rule.to, network)),
  )

export function policyPart(policies: readonly Policy[], networks: readonly FirewalledNetwork[]): PolicyPart {
  if (policies.length === 0) return noPolicies
  const rules = numbered(policies)
  const groupsOf = (isMeant: (policy: Policy) => boolean): number[] =>
    networks.filter(({ name }) => policies.some((policy) => isMeant(policy) && concerns(policy, name))).map(({ group }) => group)
  const restrictions = policies.filter((policy) => policy.rules.some(({ action }) => action !== 'allow'))
  return {
    sets: [
      { name: versionSet, type: 'mark', elements: [versionOf(policies)] },
      { name: policed, type: 'devgroup', elements: groupsOf(() => true) },
      { name: restricted, type: 'devgroup', elements: groupsOf((policy) => restrictions.includes(policy)) },
      ...rules.flatMap((one) => setsOf(one, networks)),
    ],
    chains: chainsOf(rules, restrictions.length > 0),
    head: [
      [leaving('iifgroup'), drop],
      [leaving('oifgroup'), drop],
      [is(meta('iifgroup'), '@policed'), jump('policies')],
      [isNot(meta('iifgroup'), '@policed'), is(meta('oifgroup'), '@policed'), jump('policies')],
    ],
  }
}
