// Where the resolver of a network listens, in the network's alias.

import type { NetworkDns } from '../dns/options.ts'
import type { Netns } from '../netns/netns.ts'
import { NetworkError } from './errors.ts'
import { formatNetworkLabel, networkAltname, parseNetworkLabel } from './label.ts'

/** Changes the port in the alias as it is now; resolves to what it says then. */
export async function rememberDnsPort(host: Netns, name: string, port: number): Promise<NetworkDns> {
  const device = await host.getLink(networkAltname(name))
  const label = parseNetworkLabel(device.alias)
  if (label?.dns === undefined) throw new NetworkError('DNS_OFF', `the network '${name}' does not remember that it has dns`)
  const dns = { ...label.dns, port }
  await host.setLink(device.index, { alias: formatNetworkLabel({ ...label, dns }) })
  return dns
}
