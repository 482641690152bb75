// Devices that an attach made on a wire and did not lease, because its process was killed in between, in namespaces that live on.

import { dump } from '../../exchange.ts'
import { Netns } from '../../netns/netns.ts'
import * as c from '../../rtnetlink/constants.ts'
import { linkFrom } from '../../rtnetlink/link/link.ts'
import { unfinishedGroup } from './lan-device.ts'
import type { LanDriver } from './lan-label.ts'
import { endedOrClosed } from './lease-life.ts'

export interface UnleasedDevice {
  readonly nsid: number
  readonly index: number
  readonly ifname: string
}

/** Those of the network in all namespaces that the host has numbers for; leased or not. */
async function unfinishedDevices(host: Netns, network: string, driver: LanDriver): Promise<UnleasedDevice[]> {
  const group = unfinishedGroup(network)
  const found: UnleasedDevice[] = []
  for (const nsid of await host.listNsids()) {
    const question = { targetNetnsid: nsid, extMask: c.RTEXT_FILTER_SKIP_STATS, info: { kind: driver } }
    const links = await dump(Netns.handleOf(host), 'RTM_GETLINK', question, 'the links', linkFrom).catch(endedOrClosed)
    for (const link of links)
      if (link.kind === driver && link.group === group) found.push({ nsid, index: link.index, ifname: link.name })
  }
  return found
}

/**
 * What two looks in a row saw without a lease: an attach that is under way has one a moment later. `holders` tells who has one, and is
 * asked after the devices.
 */
export async function unleasedDevices(
  host: Netns,
  { network, driver }: { readonly network: string; readonly driver: LanDriver },
  holders: () => Promise<readonly { readonly nsid: number; readonly index: number }[]>,
): Promise<UnleasedDevice[]> {
  const look = async (): Promise<UnleasedDevice[]> => {
    const devices = await unfinishedDevices(host, network, driver)
    if (devices.length === 0) return []
    const leased = new Set((await holders()).map(keyOf))
    return devices.filter((device) => !leased.has(keyOf(device)))
  }
  const first = new Set((await look()).map(keyOf))
  return first.size === 0 ? [] : (await look()).filter((device) => first.has(keyOf(device)))
}

const keyOf = ({ nsid, index }: { readonly nsid: number; readonly index: number }): string => `${nsid}/${index}`
