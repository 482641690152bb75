// All networks of a host and their containers, from one dump of its devices.

import type { Netns } from '../../netns/netns.ts'
import { type PolicyPart, policyPart } from '../../policy/firewall.ts'
import type { Policy } from '../../policy/policy.ts'
import { policiesOn } from '../../policy/text.ts'
import type { Link } from '../../rtnetlink/link/link.ts'
import type { Endpoint } from '../attach/endpoint.ts'
import { LanNetwork } from '../driver/lan.ts'
import { networkOn } from '../find.ts'
import { type TableFamily, tablesFor } from '../firewall/index.ts'
import { firstLeaving } from '../group.ts'
import { networkLabelOf, parseEndpointLabel } from '../label.ts'
import type { Network } from '../network.ts'

export interface SeenEnd {
  readonly link: Link
  readonly endpoint: Endpoint
  /** Whether its alias tells its ports. */
  readonly isLabelled: boolean
}

export interface SeenNetwork {
  readonly network: Network
  readonly link: Link
  readonly ends: readonly SeenEnd[]
}

/** A host end whose network is not there. */
export interface Stray {
  readonly link: Link
  readonly network: string
  readonly endpoint: string
}

export interface Survey {
  readonly networks: ReadonlyMap<string, SeenNetwork>
  readonly strays: readonly Stray[]
  /** Host ends that a detach is about to delete, or that one left behind when its process was killed. */
  readonly leaving: readonly (Stray & { readonly end?: SeenEnd })[]
  /** Networks by names that their devices have, without telling what they are, or tell, without having them. */
  readonly mute: ReadonlyMap<string, Link>
  /** Networks on a wire, whose containers have no device on the host, and which the firewall does not know. */
  readonly lans: ReadonlyMap<string, LanNetwork>
  /** Devices that say what network they are, but are not called so. */
  readonly nameless: readonly Link[]
  /** Host ends that say what they are, but are not called so. */
  readonly unnamed: readonly Stray[]
  readonly links: readonly Link[]
  /** By name, whichever was changed last. */
  readonly policies: readonly Policy[]
  /** Policies of which the device of their network no longer says what they are. */
  readonly forgotten: readonly { readonly network: string; readonly policy: string }[]
}

/** The tables that the networks need. */
export const neededTables = ({ networks }: Survey): ReadonlySet<TableFamily> =>
  new Set([...networks.values()].flatMap(({ network }) => tablesFor(network)))

/** The parts of a device's alternative name, if it is one of ours: `[network]` or `[network, endpoint]`. */
export function ourName({ altnames }: Link): readonly [network: string, endpoint?: string] | undefined {
  for (const altname of altnames) {
    const [mark, network, endpoint, ...rest] = altname.split('/')
    // Not of a device that forwarding marked, which is nobody's end.
    if (mark !== 'netlink-ct' || network === undefined || network.includes('=') || rest.length > 0) continue
    return endpoint === undefined ? [network] : [network, endpoint]
  }
  return undefined
}

export async function survey(host: Netns, signal?: AbortSignal): Promise<Survey> {
  const links = await host.listLinks({ signal })
  const devices = new Map<string, { network: Network; link: Link; ends: SeenEnd[] }>()
  const mute = new Map<string, Link>()
  const lans = new Map<string, LanNetwork>()
  const policies: Policy[] = []
  const forgotten: { network: string; policy: string }[] = []
  const nameless = links.filter((link) => ourName(link) === undefined && networkLabelOf(link) !== undefined)
  for (const link of nameless) mute.set(networkLabelOf(link)?.name ?? '', link)
  for (const link of links) {
    const network = networkOn(host, link)
    const [name, endpoint] = ourName(link) ?? []
    if (network instanceof LanNetwork) lans.set(network.name, network)
    else if (network !== undefined) {
      devices.set(network.name, { network, link, ends: [] })
      const remembered = policiesOn(link, network.name)
      policies.push(...remembered.policies)
      forgotten.push(...remembered.unreadable.map((policy) => ({ network: network.name, policy })))
    }
    if (network === undefined && name !== undefined && endpoint === undefined) mute.set(name, link)
  }
  policies.sort((a, b) => (a.name < b.name ? -1 : 1))
  const strays: Stray[] = []
  const leaving: (Stray & { end?: SeenEnd })[] = []
  for (const link of links) {
    const [network, endpoint] = ourName(link) ?? []
    if (network === undefined || endpoint === undefined) continue
    const seen = devices.get(network)
    const found = seen?.network.endpointOn(link)
    const end = found && { link, endpoint: found, isLabelled: parseEndpointLabel(link.alias)?.name === endpoint }
    if (link.group >= firstLeaving) leaving.push({ link, network, endpoint, ...(end && { end }) })
    else if (seen === undefined || end === undefined) {
      if (!mute.has(network) && !lans.has(network)) strays.push({ link, network, endpoint })
    } else seen.ends.push(end)
  }
  const unnamed = links
    .filter((link) => ourName(link) === undefined)
    .flatMap((link): Stray[] => {
      const label = parseEndpointLabel(link.alias)
      const seen = [...devices.values()].find(({ network }) => network.isLease(link))
      return label === undefined || seen === undefined ? [] : [{ link, network: seen.network.name, endpoint: label.name }]
    })
  return { networks: devices, strays, leaving, mute, lans, nameless, unnamed, links, policies, forgotten }
}

/** What policies add to the firewall table. */
export const policiesSeen = ({ policies, networks }: Survey): PolicyPart =>
  policyPart(
    policies,
    Array.from(networks.values(), ({ network }) => network.firewalled()),
  )
