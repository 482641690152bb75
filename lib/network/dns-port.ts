// Where the resolver of a network listens, in what the network's device remembers.

import type { NetworkDns } from '../dns/options.ts'
import type { Netns } from '../netns/netns.ts'
import { NetworkError } from './errors.ts'
import { formatNetworkLabel, labelAltnames, networkAltname, networkLabelOf } from './label.ts'

/** Changes the port in what the device says now; resolves to what it says then. */
export async function rememberDnsPort(host: Netns, name: string, port: number): Promise<NetworkDns> {
  const device = await host.getLink(networkAltname(name))
  const label = networkLabelOf(device)
  if (label?.dns === undefined) throw new NetworkError('DNS_OFF', `the network '${name}' does not remember that it has dns`)
  const moved = { ...label, dns: { ...label.dns, port } }
  // In one submission: nobody finds the old words gone and the new ones not there, unless he looks between two of its messages.
  if (label.adopted === undefined) await host.setLink(device.index, { alias: formatNetworkLabel(moved) })
  else await host.setLink(device.index, { deleteAltnames: labelAltnames(label), addAltnames: labelAltnames(moved) })
  return moved.dns
}
