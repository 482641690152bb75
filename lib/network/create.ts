// Making a network, and finding one that is there.

import { formatCidr, networkOf, parseCidr } from '../cidr.ts'
import { NetlinkError } from '../errors.ts'
import { fields } from '../invalid.ts'
import type { Message } from '../native.ts'
import { Netns, netnsOption } from '../netns/netns.ts'
import { host as ownHost } from '../netns/registry.ts'
import { addressMessage } from '../rtnetlink/address.ts'
import { createBridge } from '../rtnetlink/bridge/create.ts'
import * as c from '../rtnetlink/constants.ts'
import { send } from '../rtnetlink/exchange.ts'
import type { Link } from '../rtnetlink/link.ts'
import { rolledBack } from '../rtnetlink/roll-back.ts'
import { NetworkError } from './errors.ts'
import { enableForwarding, forwardingBefore, restoreForwarding } from './forwarding.ts'
import { formatNetworkLabel, networkAltname, parseNetworkLabel } from './label.ts'
import { Network, type NetworkFacts } from './network.ts'
import { type CheckedSpec, checkNetworkName, checkSpec, firstAddress, type NetworkSpec } from './spec.ts'
import { freeSubnet, refuseConflict } from './subnet.ts'
import { addToTable, removeFromTable } from './table.ts'

/** IPV4_DEVCONF_ROUTE_LOCALNET: without it the host drops what it sends from 127.0.0.1 to a published port. */
const routeLocalnet = 26

/**
 * Makes a container network on a host: a bridge with the gateway's address, and what the firewall needs to know of it. Turns IPv4
 * forwarding on, unless the network is internal. All or nothing.
 *
 * An equal network that is there already is opened; one of that name that differs is refused (NETWORK_DIFFERS). A subnet that the
 * host routes already is refused (SUBNET_CONFLICT). EEXIST when the bridge's interface name is somebody else's.
 */
export async function createNetwork(spec: NetworkSpec): Promise<Network> {
  const checked = checkSpec(spec)
  const host = spec.host ?? ownHost
  const existing = await find(host, checked.name)
  if (existing !== undefined) return refuseDifference(existing, checked)

  const subnet = checked.subnet ?? (await freeSubnet(host))
  await refuseConflict(host, subnet)
  const gateway = checked.gateway ?? firstAddress(subnet)
  const before = await forwardingBefore(host)
  const { name, internal, icc, masquerade, mtu } = checked
  const made = await createBridge(Netns.handleOf(host), {
    name: checked.bridge,
    // Flooding costs less than keeping track for every port that comes and goes; IPv4 multicast reaches every container either way.
    multicastSnooping: false,
    ...(mtu === 0 ? {} : { mtu }),
  })
  const facts = (bridge: Link): NetworkFacts => ({
    name,
    subnet,
    gateway,
    bridge,
    mtu,
    internal,
    icc,
    masquerade,
    forwardingBefore: before,
  })
  const network = new Network(facts(made), host, [])
  return rolledBack(
    async () => {
      await withoutIpv6(host, checked.bridge)
      const alias = formatNetworkLabel({ name, internal, icc, masquerade, forwardingBefore: before })
      await send(Netns.handleOf(host), bridgeMessages(made.index, alias, name, `${gateway}/${subnet.prefixLength}`))
      await admit(host, network, made.index)
      await rolledBack(
        async () => internal || (await enableForwarding(host)),
        () => removeFromTable(host, network.firewalled()),
      )
      return network
    },
    async () => {
      await host.deleteLink(made.index)
      await restoreForwarding(host, before)
    },
  )
}

/** Lets the network into the firewall, in place of what may stand there of one whose bridge somebody deleted. */
async function admit(host: Netns, network: Network, bridge: number): Promise<void> {
  try {
    await addToTable(host, network.firewalled())
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === 'EEXIST' && error.syscall === 'NFT_MSG_NEWSETELEM')) throw error
    // Unless it is another living one's, made at the same time.
    for (const subnet of network.subnets) await refuseConflict(host, parseCidr(subnet, 'subnet'), bridge)
    await removeFromTable(host, network.firewalled())
    await addToTable(host, network.firewalled())
  }
}

/** An IPv4 network listens to no router advertisement of a container, and sends no neighbor discovery. */
async function withoutIpv6(host: Netns, bridge: string): Promise<void> {
  try {
    await host.setSysctl(`net/ipv6/conf/${bridge}/disable_ipv6`, 1)
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === 'ENOENT')) throw error // a kernel without IPv6 has nothing to turn off
  }
}

function bridgeMessages(index: number, alias: string, name: string, gateway: string): Message[] {
  const conf = new Array<number | undefined>(routeLocalnet - 1).fill(undefined)
  return [
    { type: 'RTM_SETLINK', flags: 0, body: { index, alias }, step: "write the network's alias" },
    {
      type: 'RTM_NEWLINKPROP',
      flags: c.NLM_F_CREATE | c.NLM_F_EXCL | c.NLM_F_APPEND,
      body: { index, altnames: [networkAltname(name)] },
      step: `claim the name ${networkAltname(name)}`,
    },
    {
      type: 'RTM_SETLINK',
      flags: 0,
      body: { index, afSpec: { inet: { conf: [...conf, 1] } } },
      step: 'let localhost reach published ports',
    },
    addressMessage(index, gateway, {}, 'gateway'),
    { type: 'RTM_SETLINK', flags: 0, body: { index, flags: c.IFF_UP, change: c.IFF_UP }, step: 'set the bridge up' },
  ]
}

async function find(host: Netns, name: string): Promise<Network | undefined> {
  let bridge: Link
  try {
    bridge = await host.getLink(networkAltname(name))
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'ENODEV') return undefined
    throw error
  }
  const label = parseNetworkLabel(bridge.alias)
  const [address] = await host.listAddresses({ link: bridge.index, family: 'inet' })
  if (label === undefined || address === undefined) return undefined
  const gateway = parseCidr(address.address, 'the gateway')
  const facts = { ...label, subnet: networkOf(gateway), gateway: gateway.text, bridge, mtu: bridge.mtu === 1500 ? 0 : bridge.mtu }
  return new Network(facts, host, await host.listLinks({ master: bridge.index, kind: 'veth' }))
}

function refuseDifference(existing: Network, wanted: CheckedSpec): Network {
  const differences = [
    wanted.subnet !== undefined &&
      formatCidr(wanted.subnet) !== existing.subnets[0] &&
      `subnet ${existing.subnets[0]}, not ${formatCidr(wanted.subnet)}`,
    wanted.gateway !== undefined &&
      wanted.gateway !== existing.gateways[0] &&
      `gateway ${existing.gateways[0]}, not ${wanted.gateway}`,
    wanted.mtu !== 0 && wanted.mtu !== existing.mtu && `mtu ${existing.mtu}, not ${wanted.mtu}`,
    wanted.bridge !== existing.bridge && `bridge ${existing.bridge}, not ${wanted.bridge}`,
    ...(['internal', 'icc', 'masquerade'] as const).map(
      (option) => wanted[option] !== existing[option] && `${option} ${existing[option]}, not ${wanted[option]}`,
    ),
  ].filter((difference) => difference !== false)
  if (differences.length === 0) return existing
  throw new NetworkError('NETWORK_DIFFERS', `there is a network '${existing.name}' with ${differences.join('; ')}`)
}

/** Opens a network that is there, whoever made it. NETWORK_NOT_FOUND. */
export async function openNetwork(name: string, options: { readonly host?: Netns } = {}): Promise<Network> {
  checkNetworkName(name)
  fields(options, 'options', ['host'])
  const host = options.host === undefined ? ownHost : netnsOption(options.host, 'options.host')
  const found = await find(host, name)
  if (found === undefined) throw new NetworkError('NETWORK_NOT_FOUND', `the host has no network '${name}'`)
  return found
}
