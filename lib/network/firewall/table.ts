// The one table, in the words of libnftables-json(5). Its rules never change while networks and containers come and go: what differs
// between them are elements of its sets and maps, so that a packet and an operation cost the same with one container and with thousands.

import { type Compiled, compile } from '../../nftables/compile/compile.ts'
import type { Command, Expression, Family, MapElement, SetElement, SetFlag, Statement } from '../../nftables/schema.ts'

/** Part of the table's comment: another version of this library can tell that the rules are not its own. */
export const TABLE_VERSION = 1
export const TABLE_COMMENT: string = `netlink-ct rules, version ${TABLE_VERSION}: networks and published ports are elements`

const family: Family = 'inet'
const name = 'netlink-ct'
/** As the hot path names it; 1 is NFPROTO_INET. */
export const tableName: { readonly family: number; readonly name: string } = { family: 1, name }

/** In a connection's mark: it comes from a container and goes to an address of the host, so a container must not see its own address answer. */
const FROM_CONTAINER = 0x2000

const port = 'inet_proto . inet_service'
const destination = 'ipv4_addr . inet_service'

const meta = (key: string): Expression => ({ meta: { key } })
const ip = (field: string): Expression => ({ payload: { protocol: 'ip', field } })
const ct = (key: string): Expression => ({ ct: { key } })
const transportPort: Expression = { payload: { protocol: 'th', field: 'dport' } }
const loopback = { prefix: { addr: '127.0.0.0', len: 8 } }

const is = (left: Expression, right: string | number | typeof loopback): Statement => ({ match: { op: '==', left, right } })
const isNot = (left: Expression, right: string): Statement => ({ match: { op: '!=', left, right } })
const has = (left: Expression, right: string | readonly string[]): Statement => ({ match: { op: 'in', left, right } })
const accept: Statement = { accept: null }
const drop: Statement = { drop: null }
const jump = (target: string): Statement => ({ jump: { target } })
const destinationFrom = (map: string, key: Expression): Statement => ({
  dnat: { family: 'ip', addr: { map: { key, data: map } } },
})

const sameNetwork = is({ concat: [meta('iifname'), meta('oifname')] }, '@same')
const toThisHost = is({ fib: { result: 'type', flags: 'daddr' } }, 'local')
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
  guard: {
    hook: { type: 'filter', hook: 'prerouting', prio: -300 },
    rules: [[is(ip('daddr'), loopback), is(meta('iifname'), '@networks'), drop]],
  },
  publish: {
    rules: [
      [is(ip('saddr'), '@subnets4'), { mangle: { key: { ct: { key: 'mark' } }, value: { '|': [ct('mark'), FROM_CONTAINER] } } }],
      [destinationFrom('@ports4_at', { concat: [ip('daddr'), meta('l4proto'), transportPort] })],
      [destinationFrom('@ports4', { concat: [meta('l4proto'), transportPort] })],
    ],
  },
  prerouting: {
    hook: { type: 'nat', hook: 'prerouting', prio: -100 },
    rules: [
      // Else a neighbor on the LAN reaches what is published on loopback, by sending 127.0.0.1 to the host's MAC (moby#41872).
      [isNot(meta('iifname'), 'lo'), is(ip('daddr'), loopback), { return: null }],
      [toThisHost, jump('publish')],
    ],
  },
  output: { hook: { type: 'nat', hook: 'output', prio: -100 }, rules: [[toThisHost, jump('publish')]] },
  from_internal: { rules: [[sameNetwork, accept], [drop]] },
  into_network: { rules: [[has(ct('state'), 'invalid'), drop], [sameNetwork, accept], [published, accept], [drop]] },
  forward: {
    hook: { type: 'filter', hook: 'forward', prio: 0 },
    rules: [
      [has(ct('state'), ['established', 'related']), accept],
      [{ vmap: { key: meta('iifname'), data: '@from' } }],
      [{ vmap: { key: meta('oifname'), data: '@into' } }],
    ],
  },
  postrouting: {
    hook: { type: 'nat', hook: 'postrouting', prio: 100 },
    rules: [
      // By mark and not by interface: br_netfilter calls this hook without an incoming device.
      [published, is({ '&': [ct('mark'), FROM_CONTAINER] }, FROM_CONTAINER), { masquerade: null }],
      [published, is(ip('saddr'), loopback), { masquerade: null }],
      [is(meta('iifname'), '@masqueraded'), isNot(meta('oifname'), '@networks'), { masquerade: { flags: 'fully-random' } }],
    ],
  },
}

interface SetDefinition {
  readonly type: string
  readonly map?: string
  readonly flags?: SetFlag
}

const sets: Readonly<Record<SetName, SetDefinition>> = {
  ports4: { type: port, map: destination },
  ports4_at: { type: `ipv4_addr . ${port}`, map: destination },
  published4: { type: 'ipv4_addr' },
  networks: { type: 'ifname' },
  subnets4: { type: 'ipv4_addr', flags: 'interval' },
  masqueraded: { type: 'ifname' },
  same: { type: 'ifname . ifname' },
  from: { type: 'ifname', map: 'verdict' },
  into: { type: 'ifname', map: 'verdict' },
}

/**
 * What may differ while the rules stay:
 * - `ports4`, `ports4_at`: published ports, of any address of the host and of one;
 * - `published4`: addresses of containers that have elements in those: one look-up tells whether a dead one's still point there;
 * - `networks`: bridges; `subnets4`: what containers on them are called; `same`: bridges whose containers may talk to each other;
 * - `masqueraded`: bridges whose containers go out under the host's address; `from`: the internal ones, that have no way out;
 * - `into`: bridges that nothing gets into but replies, their own traffic and what was published: all of them.
 */
export type SetName = 'ports4' | 'ports4_at' | 'published4' | 'networks' | 'subnets4' | 'masqueraded' | 'same' | 'from' | 'into'

/** The maps of published ports. */
export const portMaps: readonly ['ports4', 'ports4_at'] = ['ports4', 'ports4_at']
export const publishedSet: 'published4' = 'published4'

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
