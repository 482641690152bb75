// Which addresses nobody has.

import { type Address, type Cidr, contains, formatAddress, parseAddress, parseCidr } from '../../cidr.ts'
import type { Body } from '../../native.ts'
import type { Present } from './elements.ts'
import type { Survey } from './survey.ts'

const plain = (cidr: string): string => cidr.split('/')[0] ?? ''

/** Where orphaned ports led. */
function formerAddresses(orphaned: readonly Present[]): string[] {
  return orphaned.flatMap(({ set, body }) => {
    const field = set.startsWith('published') ? 'key' : set.startsWith('ports') ? 'data' : undefined
    const { value } = ((field && body[field]) ?? {}) as Body
    return value instanceof Uint8Array ? [formatAddress(value.slice(0, set.includes('6') ? 16 : 4))] : []
  })
}

/** Of a network, or where an orphaned port led, but neither a container's nor the host's. */
export function deadAddresses(
  { networks, strays, leaving, unnamed, mute }: Survey,
  orphaned: readonly Present[],
): (address: string) => boolean {
  const former = new Set(formerAddresses(orphaned))
  const living = new Set<string>()
  const subnets: Cidr[] = []
  for (const { network, ends } of networks.values()) {
    for (const gateway of network.gateways) living.add(gateway)
    for (const { endpoint } of ends) for (const address of endpoint.addresses) living.add(plain(address))
    const names = [...strays, ...leaving, ...unnamed].map((one) => one.network)
    // Of a network whose host ends cannot be told nothing is concluded, nor of a bridge on which there are others.
    if (!network.adopted && !names.includes(network.name) && !mute.has(network.name))
      subnets.push(...network.subnets.map((subnet) => parseCidr(subnet, 'subnet')))
  }
  return (text) => {
    if (living.has(text)) return false
    const address: Address = parseAddress(text, 'address')
    return former.has(text) || subnets.some((subnet) => contains(subnet, address))
  }
}
