// Forwarding of the host: turned on for the first network that needs it, put back when the last one of its family goes. What it was
// before is remembered in the alias of every network's bridge.
//
// A host that forwards IPv6 listens to no router, unless accept_ra is 2. So devices with 1, which learn their way out from routers, get 2;
// each of them remembers that by an alternative name of its own, which goes with the device and which no number of devices makes too long.

import type { Family } from '../../cidr.ts'
import { NetlinkError } from '../../errors.ts'
import type { Netns } from '../../netns/netns.ts'
import type { Link } from '../../rtnetlink/link/link.ts'
import { NetworkError } from '../errors.ts'
import { type NetworkLabel, networkLabelOf } from '../label.ts'

export const forwardingKeys: Readonly<Record<Family, string>> = { 2: 'net.ipv4.ip_forward', 10: 'net.ipv6.conf.all.forwarding' }

/** Of a device whose accept_ra was 1. */
const listenerAltname = (link: Link): string => `netlink-ct/accept_ra=1/${link.index}`

const acceptRa = (link: Link): string => `net/ipv6/conf/${link.name}/accept_ra`

export async function networkLabels(host: Netns): Promise<NetworkLabel[]> {
  const bridges = await host.listLinks({ kind: 'bridge' })
  return bridges.map(networkLabelOf).filter((label) => label !== undefined)
}

/** The value, and undefined where a kernel without IPv6, or a device that went, has none. */
export async function sysctlOf(host: Netns, key: string): Promise<string | undefined> {
  try {
    return await host.getSysctl(key)
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Whether the host forwarded before the first network: asked in this order, so that two processes agree (see enableForwarding). */
export async function forwardingBefore(host: Netns, family: Family): Promise<boolean> {
  if ((await sysctlOf(host, forwardingKeys[family])) !== '1') return false
  return (await networkLabels(host)).every((label) => label.forwardingBefore[family] !== false)
}

/** After the bridge's alias says what it was: whoever sees forwarding on sees the reason too. */
export async function enableForwarding(host: Netns, family: Family): Promise<void> {
  if ((await host.getSysctl(forwardingKeys[family])) !== '0') return
  if (family === 10) await keepListening(host)
  try {
    await host.setSysctl(forwardingKeys[family], 1)
  } catch (error) {
    if (!(error instanceof NetlinkError && ['EROFS', 'EACCES', 'EPERM'].includes(error.code))) throw error
    const name = family === 2 ? 'IPv4' : 'IPv6'
    const why = `the host does not forward ${name}, and this process may not change that; sysctl -w ${forwardingKeys[family]}=1 does`
    throw new NetworkError('FORWARDING_OFF', `${why}: ${error.message}`, { cause: error })
  }
}

/** Once no other network than `going` needs it. */
export async function restoreForwarding(host: Netns, family: Family, before: boolean, going?: string): Promise<void> {
  if (before) return
  const others = (await networkLabels(host)).filter(({ name }) => name !== going)
  if (others.some((label) => label.forwardingBefore[family] !== undefined)) return
  if ((await sysctlOf(host, forwardingKeys[family])) === '1') await host.setSysctl(forwardingKeys[family], 0)
  if (family === 10) await listenAsBefore(host)
}

/** After networks were lost with their bridges: that routers' listeners are marked tells that the host did not forward IPv6 before. */
export async function restoreForgotten(host: Netns): Promise<string[]> {
  const links = await host.listLinks()
  const isMarked = links.some((link) => link.altnames.includes(listenerAltname(link)))
  if (!isMarked || links.some((link) => networkLabelOf(link)?.forwardingBefore[10] !== undefined)) return []
  await restoreForwarding(host, 10, false)
  return [forwardingKeys[10]]
}

/** Nobody listens to a container that calls itself a router. */
const isOurs = (link: Link): boolean => link.alias?.startsWith('netlink-ct/1 ') === true

/** Devices that a router may be heard on: not what a bridge or a bond hears for them, nor the loopback. */
async function keepListening(host: Netns): Promise<void> {
  for (const link of await host.listLinks()) {
    if (link.master !== undefined || link.loopback || isOurs(link) || (await sysctlOf(host, acceptRa(link))) !== '1') continue
    // First that it was, so that whoever finds a 2 of ours knows.
    const changed = await ifThere(host.setLink(link.index, { addAltnames: [listenerAltname(link)] }))
    if (changed) await ifThere(host.setSysctl(acceptRa(link), 2))
  }
}

async function listenAsBefore(host: Netns): Promise<void> {
  for (const link of await host.listLinks()) {
    if (!link.altnames.includes(listenerAltname(link))) continue
    if ((await sysctlOf(host, acceptRa(link))) === '2') await ifThere(host.setSysctl(acceptRa(link), 1))
    await ifThere(host.setLink(link.index, { deleteAltnames: [listenerAltname(link)] }))
  }
}

/** Whether the device was still there, and not marked by another process at the same time. */
async function ifThere(change: Promise<unknown>): Promise<boolean> {
  try {
    await change
    return true
  } catch (error) {
    if (error instanceof NetlinkError && ['ENODEV', 'ENOENT', 'EEXIST'].includes(error.code)) return false
    throw error
  }
}
