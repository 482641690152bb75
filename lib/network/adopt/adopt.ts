// What a network changes about a bridge that was there before, and how that is taken back.

import { contains, networkOf, parseCidr } from '../../cidr.ts'
import { NetlinkError } from '../../errors.ts'
import { send } from '../../exchange.ts'
import type { Message } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import { rolledBack } from '../../roll-back.ts'
import { type AddressInfo, addressMessage } from '../../rtnetlink/address.ts'
import { altnamesAddition } from '../../rtnetlink/link/completion.ts'
import type { Link } from '../../rtnetlink/link/link.ts'
import { addressesOf, routeLocalnetMessage } from '../create/device.ts'
import { adoptedAltnames, bridgeClaim, labelAltnames, type NetworkLabel, networkAltname, networkLabelOf } from '../label.ts'
import type { Network } from '../network.ts'
import { type FoundBridge, refuseUsed } from './found.ts'

/**
 * The bridge is the network's from here on, for every process. In one message, of which the kernel takes the names in their order until it
 * refuses one, and which no SIGKILL divides.
 */
export async function claimBridge(host: Netns, { link }: FoundBridge, label: NetworkLabel): Promise<void> {
  const claim = bridgeClaim(link)
  const names = [claim, networkAltname(label.name), ...labelAltnames(label)]
  // Left by one whose network's name turned out to be taken, and who died before he could take it back.
  if (link.altnames.includes(claim)) await host.setLink(link.index, { deleteAltnames: [claim] })
  const step = `claim the bridge ${link.name} and the name ${networkAltname(label.name)}`
  try {
    await send(Netns.handleOf(host), [{ ...altnamesAddition(link.index, names), step }])
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === 'EEXIST')) throw error
    const now = await host.getLink(link.index)
    refuseUsed(now)
    await rolledBack(
      () => Promise.reject(error),
      () => host.setLink(link.index, { deleteAltnames: [claim] }),
    )
  }
}

/** Before the firewall is told of the group. */
export function groupMessage({ link, isEmpty }: FoundBridge, group: number): Message {
  const { index, mac } = link
  // The first port that leaves would take an unfixed MAC along.
  const fixed = isEmpty && mac !== undefined ? { mac } : {}
  return { type: 'RTM_SETLINK', flags: 0, body: { index, group, ...fixed }, step: "put the bridge into the network's group" }
}

/**
 * Behind the firewall, without which others on the bridge would reach the host's loopback; and where the host forwards already: an IPv6
 * address that is added just before becomes an anycast router twice in the kernel's books, and never stops to be one.
 */
export function openingMessages({ link: { index } }: FoundBridge, network: Network): Message[] {
  const added = addressesOf(network).filter(({ isForeign }) => !isForeign)
  return [
    ...added.map(({ address, options }) => addressMessage(index, address, options, 'gateway', 'replace')),
    routeLocalnetMessage(index, true),
  ]
}

async function unlessGone(change: Promise<unknown>): Promise<void> {
  try {
    await change
  } catch (error) {
    if (!(error instanceof NetlinkError && ['ENODEV', 'ENOENT', 'EADDRNOTAVAIL'].includes(error.code))) throw error
  }
}

/** With the first address of a subnet the kernel takes the others of it, unless it may promote the next one. */
async function removeAddress(host: Netns, link: Link, address: string): Promise<void> {
  const own = parseCidr(address, 'address')
  const isHeir = (one: AddressInfo): boolean =>
    one.address !== address && one.flags.includes('secondary') && contains(networkOf(own), parseCidr(one.address, 'address'))
  const heirs = own.family === 2 && (await host.listAddresses({ link: link.index, family: 'inet' })).some(isHeir)
  const key = `net/ipv4/conf/${link.name}/promote_secondaries`
  const promotes = !heirs || (await host.getSysctl(key)) === '1'
  if (!promotes) await host.setSysctl(key, 1)
  await unlessGone(host.deleteAddress(link.index, address))
  if (!promotes) await host.setSysctl(key, 0)
}

async function owned(host: Netns, index: number, { name }: NetworkLabel): Promise<Link | undefined> {
  try {
    const link = await host.getLink(index)
    return networkLabelOf(link)?.name === name ? link : undefined
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'ENODEV') return undefined
    throw error
  }
}

/** Takes back `openingMessages`, while there is a firewall, and the host forwards. What is gone already, the bridge too, is no error. */
export async function closeBridge(host: Netns, index: number, label: NetworkLabel): Promise<void> {
  const link = await owned(host, index, label)
  if (link === undefined) return
  const { added = [], routeLocalnet = true } = label.adopted ?? {}
  if (!routeLocalnet) await unlessGone(send(Netns.handleOf(host), [routeLocalnetMessage(index, false)]))
  for (const address of added) await removeAddress(host, link, address)
}

/**
 * Gives the bridge back as it was. What it remembers goes last, so that a process that dies here leaves a network that can be deleted
 * again. What is gone already, the bridge too, is no error.
 */
export async function releaseBridge(host: Netns, index: number, label: NetworkLabel, group: number): Promise<void> {
  await closeBridge(host, index, label)
  const link = await owned(host, index, label)
  if (link === undefined) return
  // Somebody may have chosen another since.
  if (link.group === group) await unlessGone(host.setLink(index, { group: 0 }))
  await unlessGone(host.setLink(index, { deleteAltnames: adoptedAltnames(label, link) }))
}
