// All that is in a namespace, in one value.

import { type Abortable, onlySignal } from '../abort.ts'
import { NetlinkError, TornDumpError } from '../errors.ts'
import type { Listed } from '../nftables/schema.ts'
import type { AddressInfo } from '../rtnetlink/address.ts'
import type { MdbEntry } from '../rtnetlink/bridge/mdb.ts'
import type { BridgeVlan } from '../rtnetlink/bridge/vlan.ts'
import type { Link } from '../rtnetlink/link/link.ts'
import type { FdbEntry } from '../rtnetlink/neighbor/fdb.ts'
import type { Neighbor } from '../rtnetlink/neighbor/neighbor.ts'
import type { Nexthop } from '../rtnetlink/route/nexthop.ts'
import type { Route } from '../rtnetlink/route/route.ts'
import type { Rule } from '../rtnetlink/route/rule.ts'
import type { Qdisc } from '../rtnetlink/traffic/qdisc.ts'
import type { Netns } from './netns.ts'

/** As JSON has it: bytes are hexadecimal digits, 64-bit integers decimal ones. */
export type Plain<T> = T extends Uint8Array | bigint ? string : { [K in keyof T]: Plain<T[K]> }

/** What `Netns.inspect` resolves to. */
export interface NetnsSnapshot {
  /** Under /run/netns, when the namespace was made or opened by one. */
  readonly name?: string
  readonly inode: number
  readonly links: readonly Plain<Link>[]
  readonly addresses: readonly AddressInfo[]
  /** Of all tables, IPv4 first. */
  readonly routes: readonly Route[]
  /** IPv4 first, by priority. */
  readonly rules: readonly Rule[]
  readonly nexthops: readonly Nexthop[]
  /** Proxy entries last. */
  readonly neighbors: readonly Neighbor[]
  /** Of bridges and vxlan devices. */
  readonly fdb: readonly FdbEntry[]
  readonly bridgeVlans: readonly BridgeVlan[]
  readonly mdb: readonly MdbEntry[]
  readonly qdiscs: readonly Plain<Qdisc>[]
  /** By which this namespace calls others. */
  readonly nsids: readonly number[]
  /** The ruleset, as `nftables.list` has it; null when this process may not read it, for which it takes CAP_NET_ADMIN. */
  readonly firewall: readonly Plain<Listed>[] | null
  /** Parts that changed during each of their readings: objects of different moments, of which some may be missing. */
  readonly torn: readonly SnapshotPart[]
}

export type SnapshotPart = Exclude<keyof NetnsSnapshot, 'name' | 'inode' | 'torn'>

/** Of a kernel without VLANs, multicast databases, nexthop objects, nf_tables, IPv6: there is none of it. */
const lacking: readonly string[] = ['ENOTSUP', 'EOPNOTSUPP', 'EAFNOSUPPORT', 'EPROTONOSUPPORT']

export async function inspect(netns: Netns, options: Abortable = {}): Promise<NetnsSnapshot> {
  const signal = onlySignal(options)
  const torn: SnapshotPart[] = []
  const part = async <T>(name: SnapshotPart, listing: Promise<T[]>): Promise<T[]> => {
    try {
      return await listing
    } catch (error) {
      if (error instanceof NetlinkError && lacking.includes(error.code)) return []
      if (!(error instanceof TornDumpError)) throw error
      if (!torn.includes(name)) torn.push(name)
      return error.data as T[]
    }
  }
  const [links, addresses, routes, rules, nexthops, neighbors, proxies, fdb, bridgeVlans, mdb, qdiscs, nsids, firewall] =
    await Promise.all([
      part('links', netns.listLinks({ signal })),
      part('addresses', netns.listAddresses({ signal })),
      part('routes', netns.listRoutes({ table: 'all', signal })),
      part('rules', netns.listRules({ signal })),
      part('nexthops', netns.listNexthops({ signal })),
      part('neighbors', netns.listNeighbors({ signal })),
      part('neighbors', netns.listNeighbors({ proxy: true, signal })),
      part('fdb', netns.listFdb({ signal })),
      part('bridgeVlans', netns.listBridgeVlans({ signal })),
      part('mdb', netns.listMdb({ signal })),
      part('qdiscs', netns.listQdiscs({ signal })),
      part('nsids', netns.listNsids({ signal })),
      part('firewall', netns.nftables.list({ signal })).catch(forbidden),
    ])
  return {
    ...(netns.name === undefined ? {} : { name: netns.name }),
    inode: Number(netns.inode),
    links: links.map(plain),
    ...{ addresses, routes, rules, nexthops, neighbors: [...neighbors, ...proxies], fdb, bridgeVlans, mdb },
    qdiscs: qdiscs.map(plain),
    nsids,
    firewall: firewall === null ? null : firewall.map(plain),
    torn,
  }
}

function forbidden(error: unknown): null {
  if (error instanceof NetlinkError && error.code === 'EPERM') return null
  throw error
}

function plain<T>(value: T): Plain<T> {
  return plainValue(value) as Plain<T>
}

function plainValue(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plainValue)
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plainValue(one)]))
}
