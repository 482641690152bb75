// What the device of a network needs beside its alias: addresses, and settings of the kernel.

import type { AddressOptions } from '../rtnetlink/address.ts'
import type { Network } from './network.ts'

/** Who asks for a neighbor on behalf of a packet that is forwarded; fixed, for the kernel would take a second to make sure of one. */
const linkLocal = 'fe80::1/64'

export interface DeviceAddress {
  readonly address: string
  readonly options: AddressOptions
}

type Facts = Pick<Network, 'subnets' | 'gateways' | 'bridge' | 'driver'>

export const addressesOf = ({ subnets, gateways }: Facts): DeviceAddress[] =>
  subnets.flatMap((subnet, at): DeviceAddress[] => {
    const address = `${gateways[at]}/${subnet.split('/')[1]}`
    if (!address.includes(':')) return [{ address, options: {} }]
    return [address, linkLocal].map((one) => ({ address: one, options: { nodad: true } }))
  })

export interface Setting {
  readonly key: string
  readonly value: number
}

/**
 * Of the network's device, or of a host end without a bridge; none of a bridge's port. It listens to no router advertisement of a
 * container; without IPv6 it sends no neighbor discovery either.
 */
export function settingsOf({ subnets, bridge, driver }: Facts, hostEnd?: string): Setting[] {
  if (hostEnd !== undefined && driver === 'bridge') return []
  const device = hostEnd ?? bridge
  const six = subnets.some((subnet) => subnet.includes(':'))
  const settings = six
    ? [
        { key: 'accept_ra', value: 0 },
        { key: 'addr_gen_mode', value: 1 },
        { key: 'disable_ipv6', value: 0 },
      ]
    : [{ key: 'disable_ipv6', value: 1 }]
  return [
    { key: `net/ipv4/conf/${device}/route_localnet`, value: 1 },
    ...settings.map(({ key, value }) => ({ key: `net/ipv6/conf/${device}/${key}`, value })),
  ]
}
