// Networks that are there, whoever made them: all that they are stands on their devices.

import { NetlinkError } from '../errors.ts'
import type { Netns } from '../netns/netns.ts'
import type { Link } from '../rtnetlink/link/link.ts'
import { LanNetwork } from './driver/lan.ts'
import { NetworkError } from './errors.ts'
import { bridgeClaim, networkAltname, networkLabelOf } from './label.ts'
import { Network } from './network.ts'

/** The network whose device this is; undefined when it is none, or when somebody took away what it remembers. */
export function networkOn(host: Netns, bridge: Link): Network | undefined {
  const label = networkLabelOf(bridge)
  if (label === undefined || !bridge.altnames.includes(networkAltname(label.name))) return undefined
  return label.lan === undefined ? new Network(label, bridge, host) : new LanNetwork({ ...label, lan: label.lan }, bridge, host)
}

async function deviceOf(host: Netns, name: string): Promise<Link | undefined> {
  try {
    return await host.getLink(networkAltname(name))
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'ENODEV') return undefined
    throw error
  }
}

/** One question to the kernel. */
export async function findNetwork(host: Netns, name: string): Promise<Network | undefined> {
  const device = await deviceOf(host, name)
  return device && networkOn(host, device)
}

/** Of a bridge that was there before the network. */
const isJoined = (device: Link): boolean => device.altnames.includes(bridgeClaim(device))

function changedMemory(device: Link, name: string): string {
  const memory = isJoined(device) ? 'alternative name' : 'alias'
  return `the device ${device.name} is called ${networkAltname(name)}, but its ${memory}, which says what the network is, was changed`
}

/** For whoever would make it otherwise: NETWORK_DIFFERS when a device has its name, and does not tell what network it is. */
export async function findOrMake(host: Netns, name: string): Promise<Network | undefined> {
  const device = await deviceOf(host, name)
  const network = device && networkOn(host, device)
  if (device === undefined || network !== undefined) return network
  const what = changedMemory(device, name)
  throw new NetworkError('NETWORK_DIFFERS', isJoined(device) ? what : `${what}: ip link delete ${device.name}`)
}

/** Says why there is no network of that name. */
export async function networkNotFound(host: Netns, name: string): Promise<never> {
  const device = await deviceOf(host, name)
  const why = device === undefined ? `the host has no network '${name}'` : changedMemory(device, name)
  throw new NetworkError('NETWORK_NOT_FOUND', why)
}
