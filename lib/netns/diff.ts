// What changed between two moments of a namespace.

import type { Listed, SetElement } from '../nftables/schema.ts'
import type { NetnsSnapshot, Plain, SnapshotPart } from './inspect.ts'

/** An element of a set or map, as nft(8)'s JSON writes it in commands. */
export interface SnapshotElement {
  readonly element: { readonly family: string; readonly table: string; readonly name: string; readonly elem: Plain<SetElement> }
}

type Objects = {
  readonly [P in SnapshotPart]: P extends 'firewall' ? Plain<Listed> | SnapshotElement : NonNullable<NetnsSnapshot[P]>[number]
}

export type SnapshotChange = {
  [P in SnapshotPart]: {
    readonly part: P
    /** For people, with names of devices: `route 10.0.0.0/8 via 172.18.0.2 dev br0`. */
    readonly what: string
  } & (
    | { readonly change: 'added' | 'removed'; readonly object: Objects[P] }
    | {
        readonly change: 'changed'
        readonly before: Objects[P]
        readonly after: Objects[P]
        /** Those that differ. */
        readonly fields: readonly string[]
      }
  )
}[SnapshotPart]

type Plainest = string | number | boolean | null | undefined | readonly Plainest[] | { readonly [key: string]: Plainest }
type Row = Readonly<Record<string, Plainest>>

/** What the kernel counts, and the time that is left: they change without anybody's doing. */
const drifting = new Set([
  ...['statistics', 'ages', 'probes', 'expires', 'validLifetime', 'preferredLifetime', 'packets', 'bytes', 'handle'],
])

const order: readonly SnapshotPart[] = [
  ...(['links', 'addresses', 'routes', 'rules', 'nexthops', 'neighbors', 'fdb', 'bridgeVlans', 'mdb'] as const),
  ...(['qdiscs', 'nsids', 'firewall'] as const),
]

type NameOf = (index: Plainest) => string

/** The words that tell an object from the others of its part. */
const identities: {
  readonly [P in Exclude<SnapshotPart, 'firewall' | 'nsids' | 'rules'>]: (one: Row, name: NameOf) => Plainest[]
} = {
  links: ({ index }, name) => ['link', name(index)],
  addresses: ({ address, link }, name) => ['address', address, 'dev', name(link)],
  routes: ({ type, family, to, via, dev, table, metric }, name) => [
    ...['route', type === 'unicast' ? undefined : type, to === 'default' ? `default (${family})` : to],
    ...(via === undefined ? [] : ['via', typeof via === 'string' ? via : JSON.stringify(via)]),
    ...(dev === undefined ? [] : ['dev', name(dev)]),
    ...(table === 254 ? [] : ['table', table]),
    ...(metric === 0 ? [] : ['metric', metric]),
  ],
  nexthops: ({ id }) => ['nexthop', id],
  neighbors: ({ address, link, flags }, name) => [
    ...['neighbor', Array.isArray(flags) && flags.includes('proxy') ? 'proxy' : undefined, address, 'dev', name(link)],
  ],
  fdb: ({ mac, link, master, vlan, remote, vni }, name) => [
    ...['fdb', mac, 'dev', name(link), master === undefined ? 'self' : 'master', vlan && `vlan ${vlan}`],
    ...[remote && `dst ${remote}`, vni && `vni ${vni}`],
  ],
  bridgeVlans: ({ link, start, end }, name) => ['vlan', start === end ? start : `${start}-${end}`, 'dev', name(link)],
  mdb: ({ bridge, port, group, source, vlan }, name) => [
    ...['mdb', group, source && `source ${source}`, 'dev', name(bridge), 'port', name(port), vlan && `vlan ${vlan}`],
  ],
  qdiscs: ({ kind, link, parent, handle }, name) => ['qdisc', kind, handle, 'dev', name(link), 'parent', parent],
}

const steady = (value: Plainest): string => JSON.stringify(value, (key, one) => (drifting.has(key) ? undefined : one)) ?? ''

interface Named {
  readonly what: string
  readonly object: Plainest
}

/** Of sets and maps the elements are objects of their own. */
function firewallObjects(objects: readonly Row[]): Named[] {
  return objects.flatMap((object): Named[] => {
    const [[kind = '', body] = []] = Object.entries(object)
    const { elem, ...rest } = body as Row
    const { family, table, name, chain, expr, comment } = rest
    if (kind === 'table') return [{ what: `table ${family} ${name}`, object }]
    if (kind === 'rule') return [{ what: `rule ${family} ${table} ${chain} ${steady({ expr, comment })}`, object }]
    const elements = (elem === undefined ? [] : elem) as readonly Plainest[]
    return [
      { what: `${kind} ${family} ${table} ${name}`, object: { [kind]: rest } },
      ...elements.map((one) => ({
        what: `element ${family} ${table} ${name} ${steady(one)}`,
        object: { element: { family, table, name, elem: one } },
      })),
    ]
  })
}

function objectsOf(snapshot: NetnsSnapshot, part: SnapshotPart): Map<string, Named> {
  const names = new Map<Plainest, string>(snapshot.links.map(({ index, name }) => [index, name]))
  const nameOf: NameOf = (index) => names.get(index) ?? `#${index}`
  const rows = (snapshot[part] ?? []) as unknown as readonly Row[]
  const named = (): Named[] => {
    if (part === 'firewall') return firewallObjects(rows)
    if (part === 'nsids') return rows.map((object) => ({ what: `nsid ${object}`, object }))
    if (part === 'rules') return rows.map((object) => ({ what: `rule ${steady(object)}`, object }))
    const words = identities[part]
    return rows.map((object) => ({
      what: words(object, nameOf)
        .filter((word) => word !== undefined)
        .join(' '),
      object,
    }))
  }
  const found = new Map<string, Named>()
  const counts = new Map<string, number>()
  for (const one of named()) {
    // A device that has another name is the same.
    const key = part === 'links' ? String((one.object as Row)['index']) : one.what
    const alike = counts.get(key) ?? 0
    counts.set(key, alike + 1)
    found.set(`${key} #${alike}`, one)
  }
  return found
}

function differingFields(before: Plainest, after: Plainest): string[] {
  if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null) return []
  const [old, young] = [before as Row, after as Row]
  return [...new Set([...Object.keys(old), ...Object.keys(young)])].filter(
    (key) => !drifting.has(key) && steady(old[key]) !== steady(young[key]),
  )
}

function partChanges(before: NetnsSnapshot, after: NetnsSnapshot, part: SnapshotPart): SnapshotChange[] {
  const [old, young] = [objectsOf(before, part), objectsOf(after, part)]
  const removed = [...old].filter(([key]) => !young.has(key)).map(([, one]) => ({ change: 'removed', part, ...one }))
  const rest = [...young].flatMap(([key, { what, object }]): object[] => {
    const was = old.get(key)
    if (was === undefined) return [{ change: 'added', part, what, object }]
    const fields = differingFields(was.object, object)
    return fields.length === 0 ? [] : [{ change: 'changed', part, what, before: was.object, after: object, fields }]
  })
  return [...removed, ...rest] as unknown as SnapshotChange[]
}

/**
 * What was added, removed and changed between two snapshots of `Netns.inspect`, part by part, of each what went before what came. A device is the
 * same while its index is; a firewall rule that is another is one that went and one that came. Counters, ages and remaining lifetimes
 * are no changes, nor are handles. Asks no kernel: snapshots may come from files, or from two machines.
 *
 * ```ts
 * const before = await inspect()
 * await network.attach({ name: 'web', publish: ['8080:80'] })
 * for (const { change, what } of diffSnapshots(before, await inspect())) console.log(change, what)
 * ```
 */
export function diffSnapshots(before: NetnsSnapshot, after: NetnsSnapshot): SnapshotChange[] {
  return order.flatMap((part) => partChanges(before, after, part))
}
