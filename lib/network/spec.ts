// The options of createNetwork, checked and completed.

import {
  addressAt,
  type Cidr,
  contains,
  formatAddress,
  formatCidr,
  networkOf,
  offsetIn,
  parseAddress,
  parseCidr,
} from '../cidr.ts'
import { fields, invalidType, invalidValue, oneOf } from '../invalid.ts'
import { interfaceName, objectName } from '../names.ts'
import { type Netns, netnsOption } from '../netns/netns.ts'
import { mtuOf } from '../rtnetlink/link-settings.ts'
import { shortHash } from './lease.ts'

export interface NetworkSpec {
  /** Letters, digits, `_`, `.` and `-`; at most 32. */
  readonly name: string
  /** @defaultValue 'bridge' */
  readonly driver?: 'bridge'
  /** One IPv4 subnet: `['172.18.0.0/16']`. @defaultValue the first of 172.18.0.0/16 … 172.31.0.0/16 that the host does not route */
  readonly subnets?: readonly string[]
  /** The host's address in the subnet. @defaultValue its first one */
  readonly gateways?: readonly string[]
  /** Name of the bridge's interface. @defaultValue `br-<name>`, or `br-` and 12 letters that stand for a longer name */
  readonly bridge?: string
  /** Of the bridge and both ends of the containers' links. @defaultValue the kernel's, 1500 */
  readonly mtu?: number
  /** No way out, and none to other networks. @defaultValue false */
  readonly internal?: boolean
  /** Whether its containers reach each other. @defaultValue true */
  readonly icc?: boolean
  /** Whether its containers go out under the host's address. @defaultValue true, and false for an internal network */
  readonly masquerade?: boolean
  /** The namespace that plays the host. @defaultValue the one where this process lives */
  readonly host?: Netns
}

/** The same, complete; the subnet may still be open. */
export interface CheckedSpec {
  readonly name: string
  readonly subnet: Cidr | undefined
  readonly gateway: string | undefined
  readonly bridge: string
  readonly mtu: number
  readonly internal: boolean
  readonly icc: boolean
  readonly masquerade: boolean
}

const names = ['name', 'driver', 'subnets', 'gateways', 'bridge', 'mtu', 'internal', 'icc', 'masquerade', 'host'] as const

function single(value: unknown, path: string): unknown {
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw invalidType(path, 'an array', value)
  if (value.length !== 1) throw invalidValue(path, 'must have exactly one IPv4 entry', value)
  return value[0]
}

function subnetOf(value: unknown): Cidr | undefined {
  if (value === undefined) return undefined
  const cidr = parseCidr(value, 'subnets[0]')
  if (cidr.family !== 2) throw invalidValue('subnets[0]', 'must be an IPv4 network', value)
  if (cidr.prefixLength < 8 || cidr.prefixLength > 30)
    throw invalidValue('subnets[0]', 'must have a prefix from /8 to /30', value)
  const network = networkOf(cidr)
  if (network.text !== cidr.text)
    throw invalidValue('subnets[0]', `has bits behind its prefix: write '${formatCidr(network)}'`, value)
  return network
}

/** The gateway is an address for hosts of the subnet: not its first nor its last. */
function gatewayOf(value: unknown, subnet: Cidr | undefined): string | undefined {
  if (value === undefined) return undefined
  const gateway = parseAddress(value, 'gateways[0]')
  if (subnet === undefined) throw invalidValue('gateways', 'needs subnets: a gateway lies in one', value)
  const offset = contains(subnet, gateway) ? offsetIn(subnet, gateway) : 0
  if (offset < 1 || offset > 2 ** (32 - subnet.prefixLength) - 2)
    throw invalidValue('gateways[0]', `must be a host address of ${formatCidr(subnet)}`, value)
  return gateway.text
}

function flag(value: unknown, path: string, fallback: boolean): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw invalidType(path, 'a boolean', value)
  return value ?? fallback
}

export const firstAddress = (subnet: Cidr): string => formatAddress(addressAt(subnet, 1))

export function checkNetworkName(name: unknown): string {
  return objectName(name, 'name', 32)
}

export function bridgeNameOf(name: string): string {
  const plain = `br-${name}`
  return plain.length <= 15 ? plain : `br-${shortHash(name, 12)}`
}

export function checkSpec(spec: NetworkSpec): CheckedSpec {
  fields(spec, 'network', names)
  const name = checkNetworkName(spec.name)
  if (spec.driver !== undefined) oneOf(spec.driver, 'driver', ['bridge'])
  if (spec.host !== undefined) netnsOption(spec.host, 'host')
  const subnet = subnetOf(single(spec.subnets, 'subnets'))
  const internal = flag(spec.internal, 'internal', false)
  if (internal && spec.masquerade === true)
    throw invalidValue('masquerade', 'makes no sense for an internal network: nothing leaves it', true)
  return {
    name,
    subnet,
    gateway: gatewayOf(single(spec.gateways, 'gateways'), subnet),
    bridge: spec.bridge === undefined ? bridgeNameOf(name) : interfaceName(spec.bridge, 'bridge'),
    mtu: spec.mtu === undefined ? 0 : mtuOf(spec.mtu, 'mtu'),
    internal,
    icc: flag(spec.icc, 'icc', true),
    masquerade: flag(spec.masquerade, 'masquerade', !internal),
  }
}
