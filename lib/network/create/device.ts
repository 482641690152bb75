// What the device of a network needs beside its alias: addresses, and settings of the kernel.

import type { Message } from '../../native.ts'
import type { AddressOptions } from '../../rtnetlink/address.ts'
import type { Network } from '../network.ts'

/** Who asks for a neighbor on behalf of a packet that is forwarded; fixed, for the kernel would take a second to make sure of one. */
const linkLocal = 'fe80::1/64'

/** What a bridge without a MAC of its own has once its last port has left. */
export const noMac = '00:00:00:00:00:00'

export interface DeviceAddress {
  readonly address: string
  readonly options: AddressOptions
  /** That was there before the network, and is not its to put back. */
  readonly isForeign?: boolean
}

type Facts = Pick<Network, 'subnets' | 'gateways' | 'bridge' | 'driver' | 'label'>

/** Of an existing bridge: the gateways, and what was added beside them. */
function addressesOfExisting({ label }: Facts): DeviceAddress[] {
  const added = label.adopted?.added ?? []
  return [...new Set([...label.addresses, ...added])].map((address) => ({
    address,
    options: address.includes(':') ? { nodad: true } : {},
    isForeign: !added.includes(address),
  }))
}

export function addressesOf(facts: Facts): DeviceAddress[] {
  if (facts.label.adopted !== undefined) return addressesOfExisting(facts)
  const { subnets, gateways } = facts
  return subnets.flatMap((subnet, at): DeviceAddress[] => {
    const address = `${gateways[at]}/${subnet.split('/')[1]}`
    if (!address.includes(':')) return [{ address, options: {} }]
    return [address, linkLocal].map((one) => ({ address: one, options: { nodad: true } }))
  })
}

/** IPV4_DEVCONF_ROUTE_LOCALNET: without it the host drops what it sends from 127.0.0.1 to a published port. */
const routeLocalnet = 26

export function routeLocalnetMessage(index: number, on: boolean): Message {
  const conf = new Array<number | undefined>(routeLocalnet - 1).fill(undefined)
  const afSpec = { inet: { conf: [...conf, on ? 1 : 0] } }
  const step = on ? 'let localhost reach published ports' : 'let localhost reach them no more'
  return { type: 'RTM_SETLINK', flags: 0, body: { index, afSpec }, step }
}

export interface Setting {
  readonly key: string
  readonly value: number
}

/**
 * Of the network's device, or of a host end without a bridge; none of a bridge's port. It listens to no router advertisement of a
 * container; without IPv6 it sends no neighbor discovery either. An existing bridge keeps what it does with IPv6.
 */
export function settingsOf({ subnets, bridge, driver, label }: Facts, hostEnd?: string): Setting[] {
  if (hostEnd !== undefined && driver === 'bridge') return []
  const device = hostEnd ?? bridge
  const six = subnets.some((subnet) => subnet.includes(':'))
  const routeLocalnet = { key: `net/ipv4/conf/${device}/route_localnet`, value: 1 }
  if (label.adopted !== undefined) return [routeLocalnet]
  const settings = six
    ? [
        { key: 'accept_ra', value: 0 },
        { key: 'addr_gen_mode', value: 1 },
        { key: 'disable_ipv6', value: 0 },
      ]
    : [{ key: 'disable_ipv6', value: 1 }]
  return [routeLocalnet, ...settings.map(({ key, value }) => ({ key: `net/ipv6/conf/${device}/${key}`, value }))]
}
