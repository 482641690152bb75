// Removing what belongs to nobody.

import { signalOf, throwIfAborted } from '../../abort.ts'
import { kernel } from '../../errors.ts'
import { fields, invalidType, invalidValue } from '../../invalid.ts'
import { objectName } from '../../names.ts'
import { native } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import type { Policy } from '../../policy/policy.ts'
import type { LanNetwork } from '../driver/lan.ts'
import { restoreForgotten } from '../host/forwarding.ts'
import { type HostOptions, hostOf } from '../list.ts'
import { ownerOf } from '../port/elements.ts'
import { withdrawal } from '../port/publish.ts'
import { removeConnections } from './connections.ts'
import { removeLostLans } from './lan.ts'
import { describeOwners } from './orphans.ts'
import { removeOrphans } from './remove-orphans.ts'
import { removeEmptyTable } from './remove-table.ts'
import { neededTables, type SeenEnd, type Stray, type Survey, survey } from './survey.ts'

/** An endpoint: `'lab/web'`, or the same in two words. */
export type EndpointRef = string | { readonly network: string; readonly name: string }

export interface GcOptions extends HostOptions {
  /** The endpoints that somebody still knows: all others are detached. @defaultValue all of networks that are there */
  readonly keep?: readonly EndpointRef[]
}

export interface GcReport {
  readonly removed: {
    /** Detached: `'lab/web'`. */
    readonly endpoints: readonly string[]
    /** Of the firewall, with whose they were: `'ports4: lab/web'`. */
    readonly elements: readonly string[]
    /** Whether a table of the firewall went, because the host has no network that needs it. */
    readonly table: boolean
    /** Tables of leases of macvlan and ipvlan networks that are gone: `'netlink-ct/lab'`. */
    readonly leaseTables: readonly string[]
    /** Left by limits of bandwidth, and by attaches to a wire whose process was killed before it leased an address. */
    readonly devices: readonly string[]
    /** Tracked connections from and to addresses that nobody has. */
    readonly connections: number
    /** What networks had turned on and none needs any more. */
    readonly settings: readonly string[]
  }
}

function refOf(ref: unknown, path: string): string {
  if (typeof ref === 'string') {
    const [network, name, ...rest] = ref.split('/')
    if (rest.length > 0 || name === undefined) throw invalidValue(path, "must be '<network>/<endpoint>'", ref)
    return ownerOf(objectName(network, path, 32), objectName(name, path))
  }
  const given = fields(ref, path, ['network', 'name'])
  return ownerOf(objectName(given['network'], `${path}.network`, 32), objectName(given['name'], `${path}.name`))
}

function keptOf(keep: unknown): ReadonlySet<string> | undefined {
  if (keep === undefined) return undefined
  if (!Array.isArray(keep)) throw invalidType('options.keep', "an array such as ['lab/web']", keep)
  return new Set(keep.map((ref, at) => refOf(ref, `options.keep[${at}]`)))
}

/** In one deletion, with the ports that they have in the firewall. */
async function remove(
  host: Netns,
  ends: readonly SeenEnd[],
  strays: readonly Stray[],
  policies: readonly Policy[],
): Promise<string[]> {
  if (ends.length + strays.length === 0) return []
  const endpoints = ends.map(({ endpoint }) => endpoint)
  await kernel(
    native.detach(Netns.handleOf(host), {
      hostIndexes: [...ends, ...strays].map(({ link }) => link.index),
      ...withdrawal(
        endpoints.map((endpoint) => ({ endpoint, ports: endpoint.ports })),
        policies,
      ),
    }),
  )
  return [
    ...endpoints.map(({ network, name }) => ownerOf(network, name)),
    ...strays.map(({ network, endpoint }) => ownerOf(network, endpoint)),
  ].sort()
}

async function removeEndpoints(
  host: Netns,
  { networks, strays, leaving, policies }: Survey,
  keep?: ReadonlySet<string>,
): Promise<string[]> {
  const ends = keep === undefined ? [] : [...networks.values()].flatMap((one) => one.ends)
  const unknown = ends.filter(({ endpoint }) => !keep?.has(ownerOf(endpoint.network, endpoint.name)))
  return remove(host, unknown, [...strays, ...leaving], policies)
}

/** Leases of containers that died, and of those that nobody knows. */
async function removeFromWire(network: LanNetwork, keep?: ReadonlySet<string>): Promise<string[]> {
  const dead = await network.reclaim()
  const names = keep === undefined ? [] : (await network.endpoints()).map(({ name }) => name)
  const unknown = names.filter((name) => !keep?.has(ownerOf(network.name, name)))
  await network.detachMany(unknown)
  return [...dead, ...unknown].map((name) => ownerOf(network.name, name))
}

/** Those that no network needs. Whether one went. */
async function removeTables(host: Netns, seen: Survey): Promise<boolean> {
  const { networks, mute, nameless } = seen
  const needed = neededTables(seen)
  const isBare = networks.size + mute.size + nameless.length === 0
  const frames = !needed.has('bridge') && (await removeEmptyTable(host, 'bridge'))
  return (isBare && (await removeEmptyTable(host, 'inet'))) || frames
}

/**
 * Removes what belongs to nobody, whoever made it, and nothing else: host ends whose network is gone, and with `keep` those that nobody
 * knows any more; leases of containers on a wire that died, and devices that never had one; elements of the firewall whose network or container is gone; a table that no network needs; devices of
 * bandwidth limits; connections of addresses that nobody has; forwarding of IPv6 that a lost network had turned on. Others may attach
 * and detach at the same time: an element goes only if nothing of the ruleset changed since its owner was looked for. Called off, it stops
 * between two of these; what it has removed was nobody's.
 */
export async function gc(options: GcOptions = {}): Promise<GcReport> {
  const host = hostOf(options, ['keep'])
  const keep = keptOf(options.keep)
  const signal = signalOf(options, 'options')
  const seen = await survey(host, signal)
  const endpoints = await removeEndpoints(host, seen, keep)
  const unleased: string[] = []
  for (const network of seen.lans.values()) {
    throwIfAborted(signal)
    endpoints.push(...(await removeFromWire(network, keep)))
    unleased.push(...(await network.removeUnleased()))
  }
  throwIfAborted(signal)
  const { endpoints: lost, tables: leaseTables } = await removeLostLans(host, seen)
  endpoints.push(...lost)
  throwIfAborted(signal)
  const { removed: orphaned, connections: answered } = await removeOrphans(host)
  const table = await removeTables(host, await survey(host, signal))
  throwIfAborted(signal)
  const devices = [...unleased, ...(await host.pruneBandwidth())]
  throwIfAborted(signal)
  const connections = answered + (await removeConnections(host, orphaned))
  throwIfAborted(signal)
  const settings = await restoreForgotten(host)
  const elements = describeOwners(orphaned).map(({ what }) => what)
  return { removed: { endpoints, elements, table, leaseTables, devices, connections, settings } }
}
