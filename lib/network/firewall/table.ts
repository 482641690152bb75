// The one table, in the words of libnftables-json(5). Its rules never change while networks and containers come and go: what differs
// between them are elements of its sets and maps, so that a packet and an operation cost the same with one container and with thousands.

import type { Family } from '../../cidr.ts'
import { type Compiled, compile } from '../../nftables/compile/compile.ts'
import { families } from '../../nftables/message.ts'
import type { Command, Expression, MapElement, SetElement, Statement } from '../../nftables/schema.ts'
import { noPolicies, type PolicyPart } from '../../policy/firewall.ts'
import {
  accept,
  field as address,
  type ChainDefinition,
  commandsOf,
  drop,
  is,
  isNot,
  jump,
  leaving,
  meta,
  type SetDefinition,
  TABLE_NAME,
  type TableFamily,
} from './definition.ts'
import { type SenderSetName, senderTable } from './senders.ts'

/** As the hot path names it. */
export const tableName: { readonly family: number; readonly name: string } = { family: families.inet, name: TABLE_NAME }

/** In a connection's mark: it comes from a container and goes to an address of the host, so a container must not see its own address answer. */
const FROM_CONTAINER = 0x2000

const port = 'inet_proto . inet_service'
const addressType = { ip: 'ipv4_addr', ip6: 'ipv6_addr' } as const

const ct = (key: string): Expression => ({ ct: { key } })
const transportPort: Expression = { payload: { protocol: 'th', field: 'dport' } }
const loopback = { prefix: { addr: '127.0.0.0', len: 8 } }
const loopback6 = '::1'
const linkLocal6 = { prefix: { addr: 'fe80::', len: 10 } }

const has = (left: Expression, right: string | readonly string[]): Statement => ({ match: { op: 'in', left, right } })
const destinationFrom = (family: 'ip' | 'ip6', map: string, ...key: Expression[]): Statement => ({
  dnat: { family, addr: { map: { key: { concat: [...key, meta('l4proto'), transportPort] }, data: map } } },
})
/** Drops what asks for a port that not everybody may ask for, unless it comes from who may. */
const refuseOthers = (family: 'ip' | 'ip6', limited: string, allowed: string, ...key: Expression[]): Statement[] => {
  const asked = [...key, meta('l4proto'), transportPort]
  return [is({ concat: asked }, limited), isNot({ concat: [...asked, address(family, 'saddr')] }, allowed), drop]
}
/** Accepts what asks for a port of a container by its own address. */
const openPort = (family: 'ip' | 'ip6', set: string, ...from: Expression[]): Statement[] => [
  is({ concat: [address(family, 'daddr'), meta('l4proto'), transportPort, ...from] }, set),
  accept,
]
/** Leads who asks the gateway of its own network for names to where the resolver listens; nobody else gets there. */
const askResolver = (family: 'ip' | 'ip6', resolvers: string, served: string): Statement[][] => {
  const asked = [address(family, 'daddr'), meta('l4proto'), transportPort]
  return [
    [destinationFrom(family, resolvers, meta('iifgroup'), address(family, 'daddr'))],
    [is({ concat: asked }, served), isNot(meta('iifname'), 'lo'), drop],
  ]
}
const sourceFrom = (family: 'ip' | 'ip6', key: 'iifgroup' | 'oifgroup', map: string, flags?: 'fully-random'): Statement => ({
  snat: { family, addr: { map: { key: meta(key), data: map } }, ...(flags && { flags }) },
})
const fromNetwork = is(meta('iifgroup'), '@networks')
const outOfNetworks = isNot(meta('oifgroup'), '@networks')
const goTo = (target: string): Statement => ({ goto: { target } })
/**
 * `verdict` for what has an address of a container on a bridge that others have, too, and the next rule for what has another's: those in the
 * subnet are in `others4` and `others6`.
 */
const ifContainer = (field: 'saddr' | 'daddr', verdict: Statement): Statement[][] => [
  [is(address('ip', field), '@others4'), { return: null }],
  [is(address('ip6', field), '@others6'), { return: null }],
  [is(address('ip', field), '@subnets4'), verdict],
  [is(address('ip6', field), '@subnets6'), verdict],
]
const unlessContainer = (field: 'saddr' | 'daddr', verdict: Statement): Statement[][] => [
  [is(address('ip', field), '@others4'), verdict],
  [is(address('ip6', field), '@others6'), verdict],
  [isNot(address('ip', field), '@subnets4'), verdict],
  [isNot(address('ip6', field), '@subnets6'), verdict],
]
const markFromContainer: Statement = {
  mangle: { key: { ct: { key: 'mark' } }, value: { '|': [ct('mark'), FROM_CONTAINER] } },
}

const sameNetwork = is({ concat: [meta('iifgroup'), meta('oifgroup')] }, '@same')
const toThisHost = is({ fib: { result: 'type', flags: 'daddr' } }, 'local')
const comesFromElsewhere: Statement = {
  match: { op: '==', left: { fib: { result: 'oif', flags: ['saddr', 'iif'] } }, right: 0 },
}
const published = has(ct('status'), 'dnat')

const chains: Readonly<Record<string, ChainDefinition>> = {
  // A bridge has route_localnet, for ports published on 127.0.0.1: without this a container could reach the host's loopback through it.
  // For the same reason the kernel would take 127.0.0.2 from there as a source. br_netfilter asks here before the kernel has refused ::1 from
  // outside.
  guard: {
    hook: { type: 'filter', hook: 'prerouting', prio: -300 },
    rules: [
      [is(address('ip', 'daddr'), loopback), fromNetwork, drop],
      [is(address('ip6', 'daddr'), loopback6), fromNetwork, drop],
      [is(address('ip', 'saddr'), loopback), fromNetwork, drop],
      [is(address('ip6', 'saddr'), loopback6), fromNetwork, drop],
      [is(meta('iifgroup'), '@guarded'), { goto: { target: 'own_source' } }],
    ],
  },
  // Without a bridge each container has a route of its own, so that this says which address it has. On one the other table says that; what
  // comes in past it, to a link-local MAC address, comes from a device without a route.
  own_source: {
    rules: [
      [is(meta('nfproto'), 'ipv4'), comesFromElsewhere, drop],
      // Of duplicate address detection and multicast reports.
      [isNot(address('ip6', 'saddr'), '::'), comesFromElsewhere, drop],
    ],
  },
  publish: {
    rules: [
      // IPv6 has no route_localnet: what was sent to ::1 could be led to a container, but never answered.
      [is(address('ip6', 'daddr'), loopback6), { return: null }],
      // A link-local address says nothing behind the link.
      [is(address('ip6', 'saddr'), linkLocal6), { return: null }],
      [is(address('ip', 'saddr'), '@subnets4'), markFromContainer],
      [is(address('ip6', 'saddr'), '@subnets6'), markFromContainer],
      refuseOthers('ip', '@limited4_at', '@allowed4_at', address('ip', 'daddr')),
      [destinationFrom('ip', '@ports4_at', address('ip', 'daddr'))],
      refuseOthers('ip', '@limited4', '@allowed4'),
      [destinationFrom('ip', '@ports4')],
      refuseOthers('ip6', '@limited6_at', '@allowed6_at', address('ip6', 'daddr')),
      [destinationFrom('ip6', '@ports6_at', address('ip6', 'daddr'))],
      refuseOthers('ip6', '@limited6', '@allowed6'),
      [destinationFrom('ip6', '@ports6')],
    ],
  },
  prerouting: {
    hook: { type: 'nat', hook: 'prerouting', prio: -100 },
    rules: [
      // Else a neighbor on the LAN reaches what is published on loopback, by sending 127.0.0.1 to the host's MAC (moby#41872).
      [isNot(meta('iifname'), 'lo'), is(address('ip', 'daddr'), loopback), { return: null }],
      // Before the ports: a container that publishes port 53 of the host does not answer for the network's own resolver.
      ...askResolver('ip', '@resolvers4', '@served4'),
      ...askResolver('ip6', '@resolvers6', '@served6'),
      [toThisHost, jump('publish')],
    ],
  },
  output: { hook: { type: 'nat', hook: 'output', prio: -100 }, rules: [[toThisHost, jump('publish')]] },
  from_internal: { rules: [[sameNetwork, accept], [drop]] },
  into_network: {
    rules: [
      [has(ct('state'), 'invalid'), drop],
      [sameNetwork, accept],
      [published, accept],
      [is({ concat: [meta('iifname'), meta('oifgroup')] }, '@trusted'), accept],
      [drop],
    ],
  },
  into_routed: {
    rules: [
      [has(ct('state'), 'invalid'), drop],
      openPort('ip', '@open4'),
      openPort('ip', '@open4_from', address('ip', 'saddr')),
      openPort('ip6', '@open6'),
      openPort('ip6', '@open6_from', address('ip6', 'saddr')),
      [is({ payload: { protocol: 'icmp', field: 'type' } }, 'echo-request'), is(meta('oifgroup'), '@routed4'), accept],
      [is({ payload: { protocol: 'icmpv6', field: 'type' } }, 'echo-request'), is(meta('oifgroup'), '@routed6'), accept],
      [goTo('into_network')],
    ],
  },
  // Other machines on an existing bridge are reached as if there were no network on it.
  into_adopted: { rules: ifContainer('daddr', goTo('into_routed')) },
  forward: {
    hook: { type: 'filter', hook: 'forward', prio: 0 },
    rules: [
      // First of all: an internal network has no part in others' connections, so that there is nothing to join by a forged address.
      [{ vmap: { key: meta('iifgroup'), data: '@from' } }],
      [has(ct('state'), ['established', 'related']), accept],
      [leaving('iifgroup'), drop],
      [leaving('oifgroup'), drop],
      [{ vmap: { key: meta('oifgroup'), data: '@into' } }],
      // What others on an existing bridge send, from wherever they have it.
      [is(meta('iifgroup'), '@adopted'), isNot(address('ip', 'saddr'), '@subnets4'), accept],
      [is(meta('iifgroup'), '@adopted'), isNot(address('ip6', 'saddr'), '@subnets6'), accept],
      // Of new connections out of a network: else a container could have the answers sent to another one, and so open its network.
      [fromNetwork, comesFromElsewhere, drop],
    ],
  },
  hide: {
    rules: [
      [sourceFrom('ip', 'iifgroup', '@sources4', 'fully-random')],
      [sourceFrom('ip6', 'iifgroup', '@sources6', 'fully-random')],
      ...(['ipv4', 'ipv6'] as const).map((family) => [
        is(meta('nfproto'), family),
        is(meta('iifgroup'), family === 'ipv4' ? '@masqueraded4' : '@masqueraded6'),
        { masquerade: { flags: 'fully-random' } } satisfies Statement,
      ]),
    ],
  },
  // To other machines on an existing bridge, too, from its own containers as well: else they would answer past the host.
  out: {
    rules: [
      [outOfNetworks, goTo('hide')],
      [isNot(meta('oifgroup'), '@adopted'), { return: null }],
      ...unlessContainer('daddr', goTo('hide')),
    ],
  },
  out_of_adopted: { rules: ifContainer('saddr', goTo('out')) },
  // A host end without a bridge has no address of its own, and masquerading would take any of the host's.
  as_gateway: {
    rules: [[sourceFrom('ip', 'oifgroup', '@gateways4')], [sourceFrom('ip6', 'oifgroup', '@gateways6')], [{ masquerade: null }]],
  },
  postrouting: {
    hook: { type: 'nat', hook: 'postrouting', prio: 100 },
    rules: [
      // By mark and not by interface: br_netfilter calls this hook without an incoming device.
      [published, is({ '&': [ct('mark'), FROM_CONTAINER] }, FROM_CONTAINER), jump('as_gateway')],
      [published, is(address('ip', 'saddr'), loopback), jump('as_gateway')],
      [is(meta('iifgroup'), '@adopted'), goTo('out_of_adopted')],
      [goTo('out')],
    ],
  },
}

const portMap = (family: 'ip' | 'ip6', ...key: string[]): SetDefinition => ({
  type: [...key, port].join(' . '),
  map: `${addressType[family]} . inet_service`,
})

/** Who may ask for a port: of a map's keys those that are limited, and behind such a key a network. */
const sources = (family: 'ip' | 'ip6', ...key: string[]): SetDefinition => ({
  type: [...key, port, addressType[family]].join(' . '),
  flags: 'interval',
})

const sets: Readonly<Record<PacketSetName, SetDefinition>> = {
  ports4: portMap('ip'),
  ports4_at: portMap('ip', addressType.ip),
  ports6: portMap('ip6'),
  ports6_at: portMap('ip6', addressType.ip6),
  limited4: { type: port },
  limited4_at: { type: `${addressType.ip} . ${port}` },
  limited6: { type: port },
  limited6_at: { type: `${addressType.ip6} . ${port}` },
  allowed4: sources('ip'),
  allowed4_at: sources('ip', addressType.ip),
  allowed6: sources('ip6'),
  allowed6_at: sources('ip6', addressType.ip6),
  open4: { type: `${addressType.ip} . ${port}` },
  open4_from: sources('ip', addressType.ip),
  open6: { type: `${addressType.ip6} . ${port}` },
  open6_from: sources('ip6', addressType.ip6),
  published4: { type: addressType.ip },
  published6: { type: addressType.ip6 },
  networks: { type: 'devgroup' },
  guarded: { type: 'devgroup' },
  subnets4: { type: addressType.ip, flags: 'interval' },
  subnets6: { type: addressType.ip6, flags: 'interval' },
  adopted: { type: 'devgroup' },
  others4: { type: addressType.ip, flags: 'interval' },
  others6: { type: addressType.ip6, flags: 'interval' },
  gateways4: { type: 'devgroup', map: addressType.ip },
  gateways6: { type: 'devgroup', map: addressType.ip6 },
  sources4: { type: 'devgroup', map: addressType.ip },
  sources6: { type: 'devgroup', map: addressType.ip6 },
  masqueraded4: { type: 'devgroup' },
  masqueraded6: { type: 'devgroup' },
  same: { type: 'devgroup . devgroup' },
  routed4: { type: 'devgroup' },
  routed6: { type: 'devgroup' },
  trusted: { type: 'ifname . devgroup' },
  resolvers4: portMap('ip', 'devgroup', addressType.ip),
  resolvers6: portMap('ip6', 'devgroup', addressType.ip6),
  served4: { type: `${addressType.ip} . ${port}` },
  served6: { type: `${addressType.ip6} . ${port}` },
  from: { type: 'devgroup', map: 'verdict' },
  into: { type: 'devgroup', map: 'verdict' },
}

/**
 * What may differ while the rules stay. A network is known by the group of its devices, which br_netfilter leaves as it is and which
 * needs no element for a device of its own.
 * - `ports4`, `ports4_at`, `ports6`, `ports6_at`: published ports, of any address of the host and of one;
 * - `limited4`, `limited4_at`, `limited6`, `limited6_at`: keys of those that not everybody may ask for; `allowed4`, `allowed4_at`, `allowed6`,
 *   `allowed6_at`: behind such a key the networks that may;
 * - `open4`, `open6`: ports of containers that are reached by their own address; `open4_from`, `open6_from`: those that only a network
 *   reaches;
 * - `published4`, `published6`: addresses of containers that have elements in those: one look-up tells whether a dead one's still point
 *   there;
 * - `networks`: groups; `subnets4`, `subnets6`: what containers in them are called; `same`: those whose containers may talk to each other;
 * - `guarded`: those whose containers send as themselves only;
 * - `adopted`: those on existing bridges; `others4`, `others6`: parts of their subnets that other machines on the bridge have;
 * - `masqueraded4`, `masqueraded6`: those whose containers go out under the host's address; `from`: the internal ones, that have no way
 *   out;
 * - `gateways4`, `gateways6`: of networks without a bridge, where masquerading would find no address of the device's own;
 * - `sources4`, `sources6`: of networks whose containers go out under an address that was chosen;
 * - `routed4`, `routed6`: those that answer an echo request; `trusted`: interfaces from which everything of a network is reached;
 * - `resolvers4`, `resolvers6`: where the names of a network are answered, for who asks its gateway from inside; `served4`, `served6`: those
 *   gateways' ports, for nobody else;
 * - `into`: those that nothing gets into but replies, their own traffic and what was published: all of them.
 */
export type SetName = PacketSetName | SenderSetName
type PacketSetName =
  | `${'ports' | 'limited' | 'allowed'}${4 | 6}${'' | '_at'}`
  | `open${4 | 6}${'' | '_from'}`
  | `${'published' | 'subnets' | 'others' | 'gateways' | 'sources' | 'masqueraded' | 'routed' | 'resolvers' | 'served'}${4 | 6}`
  | 'networks'
  | 'guarded'
  | 'adopted'
  | 'trusted'
  | 'same'
  | 'from'
  | 'into'

/** Has the group of each network that a table is for. */
export const networksSets: Readonly<Record<TableFamily, SetName>> = { inet: 'networks', bridge: 'guarded_bridges' }

export type PortMapName = `ports${4 | 6}${'' | '_at'}`

/**
 * Where the ports of a family are: those of any address of the host, those of one, those of containers that are reached by their own
 * address, by everybody or from somewhere, and the addresses that have any.
 */
export interface PortSets {
  readonly any: PortMapName
  readonly one: PortMapName
  readonly open: SetName
  readonly openFrom: SetName
  readonly published: SetName
}

export const portSets: Readonly<Record<Family, PortSets>> = {
  2: { any: 'ports4', one: 'ports4_at', open: 'open4', openFrom: 'open4_from', published: 'published4' },
  10: { any: 'ports6', one: 'ports6_at', open: 'open6', openFrom: 'open6_from', published: 'published6' },
}

/** Beside a map of ports: which of its keys are limited, and who is allowed. */
export interface SourceSets {
  readonly limited: SetName
  readonly allowed: SetName
}

export const sourceSets: Readonly<Record<PortMapName, SourceSets>> = {
  ports4: { limited: 'limited4', allowed: 'allowed4' },
  ports4_at: { limited: 'limited4_at', allowed: 'allowed4_at' },
  ports6: { limited: 'limited6', allowed: 'allowed6' },
  ports6_at: { limited: 'limited6_at', allowed: 'allowed6_at' },
}

/**
 * Everything that is the same on every host, and what policies add to it: the table, its sets, its chains and rules, in an order that the
 * kernel takes.
 */
export function tableCommands(family: TableFamily = 'inet', policies: PolicyPart = noPolicies): Command[] {
  if (family === 'bridge') return commandsOf(senderTable)
  const forward = { ...chains['forward'], rules: [...policies.head, ...(chains['forward']?.rules ?? [])] }
  const policySets = Object.fromEntries(policies.sets.map(({ name, type, flags }) => [name, { type, ...(flags && { flags }) }]))
  return [
    ...commandsOf({ family, sets: { ...sets, ...policySets }, chains: { ...chains, forward, ...policies.chains } }),
    ...policies.sets
      .filter(({ elements }) => elements.length > 0)
      .map(({ name, elements }): Command => ({ add: { element: { family, table: TABLE_NAME, name, elem: elements } } })),
  ]
}

const compiled = new Map<TableFamily, Compiled>()

/**
 * The messages of {@link tableCommands}, without policies compiled once. In a batch of their own they fail with EEXIST when the table is
 * there already, so that of two that make it at the same time one does.
 */
export function compiledTable(family: TableFamily = 'inet', policies: PolicyPart = noPolicies): Compiled {
  if (policies !== noPolicies) return compile(tableCommands(family, policies))
  const known = compiled.get(family) ?? compile(tableCommands(family))
  compiled.set(family, known)
  return known
}

/** The sets of all tables have different names. */
export const tableOf = (set: string): TableFamily => (Object.hasOwn(senderTable.sets, set) ? 'bridge' : 'inet')

/** Of a set's table, as the kernel has it. */
export const familyNumber = (set: string): number => families[tableOf(set)]

type ElementVerb = 'add' | 'create' | 'delete' | 'destroy'

/** A command that adds or removes elements of one of the tables' sets. */
export function elementCommand(verb: ElementVerb, set: SetName, elem: readonly (SetElement | MapElement)[]): Command {
  const addition = { element: { family: tableOf(set), table: TABLE_NAME, name: set, elem } }
  switch (verb) {
    case 'add':
      return { add: addition }
    case 'create':
      return { create: addition }
    case 'delete':
      return { delete: addition }
    case 'destroy':
      return { destroy: addition }
  }
}
