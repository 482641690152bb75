// Making a network, and finding one that is there.

import { throwIfAborted } from '../../abort.ts'
import { type Address, type Cidr, type Family, formatCidr, parseCidr } from '../../cidr.ts'
import { isWarned, warn } from '../../diagnostics/warning.ts'
import { isSameDns } from '../../dns/options.ts'
import { serveDns } from '../../dns/serve.ts'
import { NetlinkError } from '../../errors.ts'
import { send } from '../../exchange.ts'
import { fields } from '../../invalid.ts'
import type { Message } from '../../native.ts'
import { Netns, netnsOption } from '../../netns/netns.ts'
import { host as ownHost } from '../../netns/registry.ts'
import { readPolicies } from '../../policy/read.ts'
import { concerns } from '../../policy/select.ts'
import { syncPolicies } from '../../policy/sync.ts'
import { rolledBack } from '../../roll-back.ts'
import { addressMessage } from '../../rtnetlink/address.ts'
import * as c from '../../rtnetlink/constants.ts'
import type { Route } from '../../rtnetlink/route/route.ts'
import { claimBridge, groupMessage, openingMessages, releaseBridge } from '../adopt/adopt.ts'
import { addressesLacking, type FoundBridge, findBridge, gatewaysOn, refuseTaken, subnetOn } from '../adopt/found.ts'
import { createLanNetwork } from '../driver/create-lan.ts'
import type { LanNetwork } from '../driver/lan.ts'
import { isLanSpec, type LanNetworkSpec } from '../driver/lan-spec.ts'
import { NetworkError } from '../errors.ts'
import { findNetwork, findOrMake, networkNotFound } from '../find.ts'
import { freeGroup } from '../group.ts'
import { foreignChains, fullNeighborTables } from '../host/diagnose.ts'
import { enableForwarding, forwardingBefore, restoreForwarding } from '../host/forwarding.ts'
import { wayOut } from '../host/way-out.ts'
import type { NetworkLabel } from '../label.ts'
import { Network } from '../network.ts'
import { removeOrphans } from '../state/remove-orphans.ts'
import { restoreFirewall } from '../state/restore.ts'
import { bearBridge } from './birth.ts'
import { completed } from './complete.ts'
import { addressesOf, routeLocalnetMessage, settingsOf } from './device.ts'
import {
  type CheckedSpec,
  checkNetworkName,
  checkSpec,
  hostAddresses,
  leastMtu6,
  type NetworkSpec,
  refuseSmallSix,
  requireWithin,
} from './spec.ts'
import { freeSubnet, refuseConflict, routedNetworks } from './subnet.ts'
import { addToTable, removeFromTable } from './table.ts'

/**
 * Makes a container network on a host: a bridge with the gateways' addresses (without ports if the driver is `ptp`), and what the firewall
 * needs to know of it. Turns forwarding of its families on, unless the network is internal. All or nothing.
 *
 * An equal network that is there already, or that another makes at the same time, is opened, and finished where it is half there: the
 * process that made it died before, or somebody flushed the ruleset. What a network whose bridge was deleted has left in the firewall is
 * taken over. NETWORK_DIFFERS when one of that name is another, or somebody changed the alias of its bridge, SUBNET_CONFLICT when the host
 * routes the subnet already, EEXIST when the bridge's interface name is somebody else's. With `dns`, resolves when its names are answered:
 * by a resolver in this process, or by the one that there is already.
 *
 * With `bridge: { existing: 'br0' }` it joins a bridge that is there, with its addresses, its uplink and whatever else is plugged in. The
 * default subnet is that of the bridge's address, the default gateway that address; one that is added goes with the network. The bridge
 * gets a group, alternative names and `route_localnet`, all of which `Network.delete` takes back. BRIDGE_NOT_FOUND; BRIDGE_IN_USE by
 * another network; BRIDGE_UNFIT, with what to do: no bridge, down, in a group, without a MAC, with IPv6 or forwarding turned off;
 * ADDRESS_IN_USE when a container could get an address of the host or of a router of its.
 */
export async function createNetwork(spec: NetworkSpec): Promise<Network>
/**
 * With the drivers `macvlan` and `ipvlan`: makes a device that remembers the network, and a table of its leases. Nothing of the host's
 * forwarding and firewall is touched. PARENT_NOT_FOUND; PARENT_IN_USE and SUBNET_CONFLICT beside another network of the parent.
 */
export async function createNetwork(spec: LanNetworkSpec): Promise<LanNetwork>
export async function createNetwork(spec: NetworkSpec | LanNetworkSpec): Promise<Network>
export async function createNetwork(spec: NetworkSpec | LanNetworkSpec): Promise<Network> {
  if (isLanSpec(spec)) return createLanNetwork(spec)
  const checked = checkSpec(spec)
  const { host = ownHost, signal } = spec
  throwIfAborted(signal)
  const existing = await findOrMake(host, checked.name)
  if (existing !== undefined) return opened(host, existing, checked)
  try {
    return await make(host, checked, signal)
  } catch (error) {
    const isTaken = error instanceof NetlinkError && error.code === 'EEXIST' && error.syscall.startsWith('RTM_NEWLINK')
    const meanwhile = isTaken ? await findNetwork(host, checked.name) : undefined
    if (meanwhile === undefined) throw error
    return opened(host, meanwhile, checked)
  }
}

/** One that is there, or comes into being. */
async function opened(host: Netns, existing: Network, checked: CheckedSpec): Promise<Network> {
  refuseDifference(existing, checked)
  const network = await completed(host, existing)
  if (checked.serve) await serveUnlessServed(network)
  return network
}

async function make(host: Netns, checked: CheckedSpec, signal: AbortSignal | undefined): Promise<Network> {
  const found = checked.existing ? await findBridge(host, checked) : undefined
  const routes = await host.listRoutes({ signal })
  const subnets = await chooseSubnets(host, checked, routes, found)
  const addresses = hostAddresses(subnets, [...checked.gateways, ...(found === undefined ? [] : gatewaysOn(found, subnets))])
  if (found !== undefined) refuseTaken(found, routes, { subnets, gateways: addresses, reserved: checked.reserved })
  const before: Partial<Record<Family, boolean>> = {}
  for (const family of checked.families) before[family] = await forwardingBefore(host, family)
  const { name, driver, internal, icc, masquerade, gatewayMode, trusted, antiSpoofing, dns } = checked
  const reserved = checked.reserved.map(formatCidr)
  const options = { driver, internal, icc, masquerade, gatewayMode, trusted, antiSpoofing, dns }
  const adopted = found && { added: addressesLacking(found, name, addresses), routeLocalnet: found.routeLocalnet }
  const label: NetworkLabel = { name, ...options, reserved, forwardingBefore: before, addresses, adopted }
  const group = await freeGroup(host, name)
  throwIfAborted(signal)
  const device =
    found === undefined ? await makeBridge(host, checked, label, group, routes) : await joinBridge(host, found, label, group)
  const { network } = device
  await rolledBack(
    async () => {
      throwIfAborted(signal)
      await device.settle()
      throwIfAborted(signal)
      await admit(host, network, device.index)
      await rolledBack(
        async () => {
          throwIfAborted(signal)
          for (const family of network.forwards ? checked.families : []) await enableForwarding(host, family)
          await device.open()
          if (checked.serve) await serveUnlessServed(network)
          throwIfAborted(signal)
        },
        () => removeFromTable(host, network.firewalled()),
      )
    },
    async () => {
      await device.undo()
      // Somebody may have restored the firewall, and this network with it.
      await removeOrphans(host, (owner) => owner === name)
      for (const family of checked.families) await restoreForwarding(host, family, before[family] ?? true)
    },
  )
  // Some may have been made for it before it was there.
  if ((await readPolicies(host)).some((policy) => concerns(policy, name))) await syncPolicies(host)
  if (isWarned()) await warnOfHost(host, name)
  return network
}

/** The network is there, and its names are answered either way. */
async function serveUnlessServed(network: Network): Promise<void> {
  try {
    await serveDns(network, { persistent: false })
  } catch (error) {
    if (!(error instanceof NetworkError && error.code === 'DNS_SERVED')) throw error
  }
}

/** A network whose device is called its, and nothing more. */
interface Begun {
  readonly network: Network
  readonly index: number
  /** Before the firewall knows it. */
  settle(): Promise<void>
  /** When it does, and the host forwards. */
  open(): Promise<void>
  undo(): Promise<void>
}

async function makeBridge(
  host: Netns,
  checked: CheckedSpec,
  label: NetworkLabel,
  group: number,
  routes: readonly Route[],
): Promise<Begun> {
  const mtu = checked.mtu ?? (await usualMtu(host, checked, routes))
  const made = await bearBridge(host, label, {
    name: checked.bridge,
    group,
    // What is sent to a link-local MAC address passes no hook, and would teach the bridge all the same.
    ...(checked.antiSpoofing && { noLinkLocalLearn: true }),
    ...(mtu === undefined ? {} : { mtu }),
  }).catch((error: unknown) => {
    if (error instanceof NetlinkError && error.code === 'EEXIST')
      error.message += `; bridge: { existing: '${checked.bridge}' } joins a bridge that is there`
    throw error
  })
  const network = new Network(label, made, host, [])
  return {
    network,
    index: made.index,
    settle: async () => {
      await settleIpv6(host, network)
      await send(Netns.handleOf(host), bridgeMessages(made.index, network))
    },
    open: () => Promise.resolve(),
    undo: () => host.deleteLink(made.index),
  }
}

async function joinBridge(host: Netns, found: FoundBridge, label: NetworkLabel, group: number): Promise<Begun> {
  const { link } = found
  await claimBridge(host, found, label)
  const network = new Network(label, { ...link, group }, host, [])
  return {
    network,
    index: link.index,
    settle: async () => {
      await send(Netns.handleOf(host), [groupMessage(found, group)])
    },
    open: async () => {
      await send(Netns.handleOf(host), openingMessages(found, network))
    },
    undo: () => releaseBridge(host, link.index, label, group),
  }
}

/** Of what may stop the network's packets, though it was made. */
async function warnOfHost(host: Netns, name: string): Promise<void> {
  const tell = (message: string): void =>
    warn({ source: 'library', operation: `make the network ${name}`, netns: host.inode, message })
  try {
    for (const { message } of [...(await foreignChains(host)), ...(await fullNeighborTables(host))]) tell(message)
  } catch (error) {
    // The network stands.
    tell(`what else is on the host could not be looked at: ${String(error)}`)
  }
}

/** Those given, and one from a pool for each other family. IPv4 first. */
async function chooseSubnets(
  host: Netns,
  { families, subnets, pools, reserved }: CheckedSpec,
  routes: readonly Route[],
  found: FoundBridge | undefined,
): Promise<Cidr[]> {
  const routed = routedNetworks(routes)
  const chosen: Cidr[] = []
  for (const family of families) {
    const given = subnets.find((subnet) => subnet.family === family) ?? (found && subnetOn(found, family))
    if (given !== undefined) await refuseConflict(host, given, routed, found?.link.index)
    chosen.push(given ?? freeSubnet(family, pools, routed))
  }
  refuseSmallSix(chosen, 'subnets')
  requireWithin(chosen, reserved)
  return chosen
}

/** What the way out takes: a tunnel or a cloud's network may take less than 1500. Undefined for the kernel's default. */
async function usualMtu(host: Netns, { internal, families }: CheckedSpec, routes: readonly Route[]): Promise<number | undefined> {
  if (internal) return undefined
  const way = wayOut(routes)
  if (way?.dev === undefined) return undefined
  const { mtu } = await host.getLink(way.dev)
  const least = families.includes(10) ? leastMtu6 : 68
  return mtu === 1500 ? undefined : Math.min(Math.max(mtu, least), 65535)
}

/** Lets the network into the firewall, in place of what may stand there of one whose bridge somebody deleted. */
async function admit(host: Netns, network: Network, bridge: number): Promise<void> {
  try {
    // Somebody flushed the ruleset: what the other networks had in it comes back.
    if (await addToTable(host, network.firewalled())) await restoreFirewall(host)
  } catch (error) {
    if (error instanceof NetworkError && error.code === 'TABLE_IN_USE') return mendTable(host, error)
    if (!(error instanceof NetlinkError && error.code === 'EEXIST' && error.syscall === 'NFT_MSG_NEWSETELEM')) throw error
    // Unless it is another living one's, made at the same time.
    const routed = routedNetworks(await host.listRoutes())
    for (const subnet of network.subnets) await refuseConflict(host, parseCidr(subnet, 'subnet'), routed, bridge)
    await removeOrphans(host, (owner) => owner !== network.name)
    await removeFromTable(host, network.firewalled())
    await addToTable(host, network.firewalled())
  }
}

/** A table of ours that lost its sets is made anew, with the network that is being made: its device tells of it already. */
async function mendTable(host: Netns, reason: NetworkError): Promise<void> {
  try {
    await restoreFirewall(host)
  } catch (error) {
    throw error instanceof NetworkError ? reason : error
  }
}

/** Before the device has an address. */
async function settleIpv6(host: Netns, network: Network): Promise<void> {
  const ipv6 = network.subnets.some((subnet) => subnet.includes(':'))
  for (const { key, value } of settingsOf(network).filter(({ key }) => key.startsWith('net/ipv6/'))) {
    try {
      await host.setSysctl(key, value)
    } catch (error) {
      // A kernel without IPv6 has nothing to turn off.
      if (ipv6 || !(error instanceof NetlinkError && error.code === 'ENOENT')) throw error
    }
  }
}

/** Whoever finds the network half made may do the same at the same time. */
function bridgeMessages(index: number, network: Network): Message[] {
  return [
    routeLocalnetMessage(index, true),
    ...addressesOf(network).map(({ address, options }) => addressMessage(index, address, options, 'gateway', 'replace')),
    { type: 'RTM_SETLINK', flags: 0, body: { index, flags: c.IFF_UP, change: c.IFF_UP }, step: 'set the bridge up' },
  ]
}

function refuseDifference(existing: Network, wanted: CheckedSpec): void {
  const isFamily = (text: string, family: Family): boolean => text.includes(':') === (family === 10)
  const differs = (what: string, family: Family, has: readonly string[], want: string | undefined): string | false => {
    const own = has.find((text) => isFamily(text, family))
    return want !== undefined && want !== own && `${what} ${own ?? 'none'}, not ${want}`
  }
  const given = (items: readonly Address[], family: Family) => items.find((item) => item.family === family)
  const differences = [
    ...([2, 10] as const).flatMap((family) => {
      const subnet = wanted.subnets.find((one) => one.family === family)
      const has = existing.subnets.some((text) => isFamily(text, family))
      const name = family === 2 ? 'ipv4' : 'ipv6'
      return [
        has !== wanted.families.includes(family) && `${name} ${has}, not ${!has}`,
        differs('subnet', family, existing.subnets, subnet && formatCidr(subnet)),
        differs('gateway', family, existing.gateways, given(wanted.gateways, family)?.text),
      ]
    }),
    wanted.mtu !== undefined && wanted.mtu !== existing.mtu && `mtu ${existing.mtu}, not ${wanted.mtu}`,
    wanted.bridge !== existing.bridge && `bridge ${existing.bridge}, not ${wanted.bridge}`,
    wanted.existing !== existing.adopted && `a bridge that ${existing.adopted ? 'was there before' : 'was made for it'}`,
    listDifference('reserved', existing.reserved, wanted.reserved.map(formatCidr)),
    listDifference('trusted', existing.trusted, wanted.trusted),
    !isSameDns(existing.dns, wanted.dns) &&
      `dns ${JSON.stringify(existing.dns) ?? false}, not ${JSON.stringify(wanted.dns) ?? false}`,
    ...(['driver', 'internal', 'icc', 'masquerade', 'gatewayMode', 'antiSpoofing'] as const).map((option) => {
      const [has, want] = [existing, wanted].map((one) =>
        typeof one[option] === 'object' ? JSON.stringify(one[option]) : one[option],
      )
      return has !== want && `${option} ${has}, not ${want}`
    }),
  ].filter((difference) => difference !== false)
  if (differences.length === 0) return
  throw new NetworkError('NETWORK_DIFFERS', `there is a network '${existing.name}' with ${differences.join('; ')}`)
}

function listDifference(what: string, has: readonly string[], wanted: readonly string[]): string | false {
  const [own, other] = [has, wanted].map((parts) => [...parts].sort().join(', ') || 'nothing')
  return own !== other && `${what} ${own}, not ${other}`
}

/** Opens a network that is there, whoever made it. NETWORK_NOT_FOUND. */
export async function openNetwork(name: string, options: { readonly host?: Netns } = {}): Promise<Network> {
  checkNetworkName(name)
  fields(options, 'options', ['host'])
  const host = options.host === undefined ? ownHost : netnsOption(options.host, 'options.host')
  return (await findNetwork(host, name)) ?? networkNotFound(host, name)
}
