// The one table, in the words of libnftables-json(5). Its rules never change while networks and containers come and go: what differs
// between them are elements of its sets and maps, so that a packet and an operation cost the same with one container and with thousands.

import type { Family } from '../../cidr.ts'
import { type Compiled, compile } from '../../nftables/compile/compile.ts'
import type {
  Command,
  Expression,
  MapElement,
  SetElement,
  SetFlag,
  Statement,
  Family as TableFamily,
} from '../../nftables/schema.ts'

/** Part of the table's comment: another version of this library can tell that the rules are not its own. */
export const TABLE_VERSION = 3
export const TABLE_COMMENT: string = `netlink-ct rules, version ${TABLE_VERSION}: networks and published ports are elements`

const family: TableFamily = 'inet'
const name = 'netlink-ct'
/** As the hot path names it; 1 is NFPROTO_INET. */
export const tableName: { readonly family: number; readonly name: string } = { family: 1, name }

/** In a connection's mark: it comes from a container and goes to an address of the host, so a container must not see its own address answer. */
const FROM_CONTAINER = 0x2000

/** The range of groups in which links are deleted; see detach.cc. */
const LEAVING = 0xf0000000

const port = 'inet_proto . inet_service'
const addressType = { ip: 'ipv4_addr', ip6: 'ipv6_addr' } as const

const meta = (key: string): Expression => ({ meta: { key } })
const address = (protocol: 'ip' | 'ip6', field: string): Expression => ({ payload: { protocol, field } })
const ct = (key: string): Expression => ({ ct: { key } })
const transportPort: Expression = { payload: { protocol: 'th', field: 'dport' } }
const loopback = { prefix: { addr: '127.0.0.0', len: 8 } }
const loopback6 = '::1'
const linkLocal6 = { prefix: { addr: 'fe80::', len: 10 } }

const is = (left: Expression, right: string | number | typeof loopback): Statement => ({ match: { op: '==', left, right } })
const isNot = (left: Expression, right: string): Statement => ({ match: { op: '!=', left, right } })
const has = (left: Expression, right: string | readonly string[]): Statement => ({ match: { op: 'in', left, right } })
const accept: Statement = { accept: null }
const drop: Statement = { drop: null }
const jump = (target: string): Statement => ({ jump: { target } })
const destinationFrom = (family: 'ip' | 'ip6', map: string, ...key: Expression[]): Statement => ({
  dnat: { family, addr: { map: { key: { concat: [...key, meta('l4proto'), transportPort] }, data: map } } },
})
const sourceFrom = (family: 'ip' | 'ip6', key: 'iifgroup' | 'oifgroup', map: string, flags?: 'fully-random'): Statement => ({
  snat: { family, addr: { map: { key: meta(key), data: map } }, ...(flags && { flags }) },
})
const leaving = (key: 'iifgroup' | 'oifgroup'): Statement => is({ '&': [meta(key), LEAVING] }, LEAVING)
const fromNetwork = is(meta('iifgroup'), '@networks')
const outOfNetworks = isNot(meta('oifgroup'), '@networks')
const markFromContainer: Statement = {
  mangle: { key: { ct: { key: 'mark' } }, value: { '|': [ct('mark'), FROM_CONTAINER] } },
}

const sameNetwork = is({ concat: [meta('iifgroup'), meta('oifgroup')] }, '@same')
const toThisHost = is({ fib: { result: 'type', flags: 'daddr' } }, 'local')
const comesFromElsewhere: Statement = {
  match: { op: '==', left: { fib: { result: 'oif', flags: ['saddr', 'iif'] } }, right: 0 },
}
const published = has(ct('status'), 'dnat')

interface ChainRules {
  readonly hook?: {
    readonly type: 'filter' | 'nat'
    readonly hook: 'prerouting' | 'forward' | 'output' | 'postrouting'
    readonly prio: number
  }
  readonly rules: readonly (readonly Statement[])[]
}

const chains: Readonly<Record<string, ChainRules>> = {
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
      [destinationFrom('ip', '@ports4_at', address('ip', 'daddr'))],
      [destinationFrom('ip', '@ports4')],
      [destinationFrom('ip6', '@ports6_at', address('ip6', 'daddr'))],
      [destinationFrom('ip6', '@ports6')],
    ],
  },
  prerouting: {
    hook: { type: 'nat', hook: 'prerouting', prio: -100 },
    rules: [
      // Else a neighbor on the LAN reaches what is published on loopback, by sending 127.0.0.1 to the host's MAC (moby#41872).
      [isNot(meta('iifname'), 'lo'), is(address('ip', 'daddr'), loopback), { return: null }],
      [toThisHost, jump('publish')],
    ],
  },
  output: { hook: { type: 'nat', hook: 'output', prio: -100 }, rules: [[toThisHost, jump('publish')]] },
  from_internal: { rules: [[sameNetwork, accept], [drop]] },
  into_network: { rules: [[has(ct('state'), 'invalid'), drop], [sameNetwork, accept], [published, accept], [drop]] },
  forward: {
    hook: { type: 'filter', hook: 'forward', prio: 0 },
    rules: [
      // First of all: an internal network has no part in others' connections, so that there is nothing to join by a forged address.
      [{ vmap: { key: meta('iifgroup'), data: '@from' } }],
      [has(ct('state'), ['established', 'related']), accept],
      [leaving('iifgroup'), drop],
      [leaving('oifgroup'), drop],
      [{ vmap: { key: meta('oifgroup'), data: '@into' } }],
      // Of new connections out of a network: else a container could have the answers sent to another one, and so open its network.
      [fromNetwork, comesFromElsewhere, drop],
    ],
  },
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
      [outOfNetworks, sourceFrom('ip', 'iifgroup', '@sources4', 'fully-random')],
      [outOfNetworks, sourceFrom('ip6', 'iifgroup', '@sources6', 'fully-random')],
      ...(['ipv4', 'ipv6'] as const).map((family) => [
        is(meta('nfproto'), family),
        is(meta('iifgroup'), family === 'ipv4' ? '@masqueraded4' : '@masqueraded6'),
        outOfNetworks,
        { masquerade: { flags: 'fully-random' } } satisfies Statement,
      ]),
    ],
  },
}

interface SetDefinition {
  readonly type: string
  readonly map?: string
  readonly flags?: SetFlag
}

const portMap = (family: 'ip' | 'ip6', ...key: string[]): SetDefinition => ({
  type: [...key, port].join(' . '),
  map: `${addressType[family]} . inet_service`,
})

const sets: Readonly<Record<SetName, SetDefinition>> = {
  ports4: portMap('ip'),
  ports4_at: portMap('ip', addressType.ip),
  ports6: portMap('ip6'),
  ports6_at: portMap('ip6', addressType.ip6),
  published4: { type: addressType.ip },
  published6: { type: addressType.ip6 },
  networks: { type: 'devgroup' },
  subnets4: { type: addressType.ip, flags: 'interval' },
  subnets6: { type: addressType.ip6, flags: 'interval' },
  gateways4: { type: 'devgroup', map: addressType.ip },
  gateways6: { type: 'devgroup', map: addressType.ip6 },
  sources4: { type: 'devgroup', map: addressType.ip },
  sources6: { type: 'devgroup', map: addressType.ip6 },
  masqueraded4: { type: 'devgroup' },
  masqueraded6: { type: 'devgroup' },
  same: { type: 'devgroup . devgroup' },
  from: { type: 'devgroup', map: 'verdict' },
  into: { type: 'devgroup', map: 'verdict' },
}

/**
 * What may differ while the rules stay. A network is known by the group of its devices, which br_netfilter leaves as it is and which
 * needs no element for a device of its own.
 * - `ports4`, `ports4_at`, `ports6`, `ports6_at`: published ports, of any address of the host and of one;
 * - `published4`, `published6`: addresses of containers that have elements in those: one look-up tells whether a dead one's still point
 *   there;
 * - `networks`: groups; `subnets4`, `subnets6`: what containers in them are called; `same`: those whose containers may talk to each other;
 * - `masqueraded4`, `masqueraded6`: those whose containers go out under the host's address; `from`: the internal ones, that have no way
 *   out;
 * - `gateways4`, `gateways6`: of networks without a bridge, where masquerading would find no address of the device's own;
 * - `sources4`, `sources6`: of networks whose containers go out under an address that was chosen;
 * - `into`: those that nothing gets into but replies, their own traffic and what was published: all of them.
 */
export type SetName =
  | `${'ports' | 'published' | 'subnets' | 'gateways' | 'sources' | 'masqueraded'}${4 | 6}`
  | `ports${4 | 6}_at`
  | 'networks'
  | 'same'
  | 'from'
  | 'into'

/** Has the group of each network. */
export const networksSet: SetName = 'networks'

/** Where the ports of a family are: those of any address of the host, those of one, and the addresses that have any. */
export interface PortSets {
  readonly any: SetName
  readonly one: SetName
  readonly published: SetName
}

export const portSets: Readonly<Record<Family, PortSets>> = {
  2: { any: 'ports4', one: 'ports4_at', published: 'published4' },
  10: { any: 'ports6', one: 'ports6_at', published: 'published6' },
}

function setCommand(setName: string, { type, map, flags }: SetDefinition): Command {
  const definition = { family, table: name, name: setName, type: type.split(' . '), ...(flags && { flags }) }
  return map === undefined ? { add: { set: definition } } : { add: { map: { ...definition, map } } }
}

/** Everything that is the same on every host: the table, its sets, its chains and rules, in an order that the kernel takes. */
export function tableCommands(): Command[] {
  const entries = Object.entries(chains)
  return [
    { create: { table: { family, name, comment: TABLE_COMMENT } } },
    ...Object.entries(sets).map(([setName, definition]) => setCommand(setName, definition)),
    ...entries.map(([chain, { hook }]): Command => {
      return { add: { chain: { family, table: name, name: chain, ...(hook && { ...hook, policy: 'accept' }) } } }
    }),
    ...entries.flatMap(([chain, { rules }]) =>
      rules.map((expr): Command => ({ add: { rule: { family, table: name, chain, expr } } })),
    ),
  ]
}

let compiled: Compiled | undefined

/**
 * The messages of {@link tableCommands}, compiled once. In a batch of their own they fail with EEXIST when the table is there already,
 * so that of two that make it at the same time one does.
 */
export function compiledTable(): Compiled {
  compiled ??= compile(tableCommands())
  return compiled
}

type ElementVerb = 'add' | 'create' | 'delete' | 'destroy'

/** A command that adds or removes elements of one of the table's sets. */
export function elementCommand(verb: ElementVerb, set: SetName, elem: readonly (SetElement | MapElement)[]): Command {
  const addition = { element: { family, table: name, name: set, elem } }
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
