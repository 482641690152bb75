// The options of attach, checked and completed.

import { type Cidr, contains, formatCidr, offsetIn, parseCidr } from '../cidr.ts'
import { fields, invalidType, invalidValue } from '../invalid.ts'
import { interfaceName, macAddress, objectName } from '../names.ts'
import type { Netns, NetnsRef } from '../netns/netns.ts'
import { type Port, type PortSpec, parsePorts } from './port.ts'

export interface AttachSpec {
  /** The container's name, unique in the network. Letters, digits, `_`, `.` and `-`; at most 64. */
  readonly name: string
  /** Where the container lives. @defaultValue a new namespace, which lives as long as the endpoint is attached (or a process in it) */
  readonly netns?: Netns | NetnsRef
  /** A static address of the subnet, with its prefix: `['172.18.0.10/16']`. @defaultValue the next free one */
  readonly addresses?: readonly string[]
  /** @defaultValue derived from the address */
  readonly mac?: string
  /** Of the interface inside. @defaultValue 'eth0' */
  readonly ifname?: string
  /** `['8080:80', '127.0.0.1:53:53/udp', '8000-8009:9000-9009']` */
  readonly publish?: readonly PortSpec[]
  /** Whether the default route goes through this network. @defaultValue true, and false in an internal network */
  readonly defaultRoute?: boolean
}

export interface CheckedAttach {
  readonly name: string
  /** Offset of a static address in the subnet. */
  readonly offset: number | undefined
  readonly mac: string | undefined
  readonly ifname: string
  readonly ports: readonly Port[]
  readonly defaultRoute: boolean
}

export interface AttachSite {
  readonly subnet: Cidr
  readonly gateway: string
  readonly internal: boolean
  isUsable(offset: number): boolean
}

const names = ['name', 'netns', 'addresses', 'mac', 'ifname', 'publish', 'defaultRoute'] as const

function offsetOf(addresses: unknown, site: AttachSite): number | undefined {
  if (addresses === undefined) return undefined
  if (!Array.isArray(addresses)) throw invalidType('addresses', "an array such as ['172.18.0.10/16']", addresses)
  if (addresses.length !== 1) throw invalidValue('addresses', 'must have exactly one IPv4 address', addresses)
  const address = parseCidr(addresses[0], 'addresses[0]')
  const subnet = formatCidr(site.subnet)
  if (!contains(site.subnet, address))
    throw invalidValue('addresses[0]', `lies outside of the network's subnet ${subnet}`, addresses[0])
  if (address.prefixLength !== site.subnet.prefixLength)
    throw invalidValue('addresses[0]', `must have the prefix of the subnet ${subnet}`, addresses[0])
  if (address.text === site.gateway) throw invalidValue('addresses[0]', "is the network's gateway", addresses[0])
  const offset = offsetIn(site.subnet, address)
  if (!site.isUsable(offset)) throw invalidValue('addresses[0]', `is the first or the last address of ${subnet}`, addresses[0])
  return offset
}

export function checkAttach(spec: AttachSpec, site: AttachSite): CheckedAttach {
  fields(spec, 'endpoint', names)
  const name = objectName(spec.name, 'name')
  if (spec.defaultRoute !== undefined && typeof spec.defaultRoute !== 'boolean')
    throw invalidType('defaultRoute', 'a boolean', spec.defaultRoute)
  if (site.internal && spec.defaultRoute === true)
    throw invalidValue('defaultRoute', 'makes no sense in an internal network: nothing leaves it', true)
  const ports = spec.publish === undefined ? [] : parsePorts(spec.publish, 'publish')
  if (site.internal && ports.length > 0)
    throw invalidValue('publish', 'makes no sense in an internal network: nothing gets into it', spec.publish)
  return {
    name,
    offset: offsetOf(spec.addresses, site),
    mac: spec.mac === undefined ? undefined : macAddress(spec.mac, 'mac'),
    ifname: spec.ifname === undefined ? 'eth0' : interfaceName(spec.ifname, 'ifname'),
    ports,
    defaultRoute: spec.defaultRoute ?? !site.internal,
  }
}
