// The options of createNetwork, checked and completed.

import { type Abortable, checkSignal } from '../../abort.ts'
import {
  type Address,
  addressAt,
  type Cidr,
  contains,
  type Family,
  formatAddress,
  formatCidr,
  networkOf,
  offsetIn,
  parseAddress,
  parseCidr,
  sizeOf,
} from '../../cidr.ts'
import { checkDns, type DnsOptions, type NetworkDns } from '../../dns/options.ts'
import { fields, integer, invalidType, invalidValue, oneOf } from '../../invalid.ts'
import { interfaceName, objectName } from '../../names.ts'
import { type Netns, netnsOption } from '../../netns/netns.ts'
import { mtuOf } from '../../rtnetlink/link/settings.ts'
import { shortHash } from '../attach/lease.ts'
import { type Driver, formatNetworkLabel, type GatewayMode, type GatewayModes, labelAltnames, type Masquerade } from '../label.ts'
import { hostBits, type Pool } from './subnet.ts'

/** Subnets of one size, cut from a larger network: Docker's default-address-pools. */
export interface AddressPool {
  /** `'10.90.0.0/16'` */
  readonly base: string
  /** Prefix length of the subnets: 24. */
  readonly size: number
}

/**
 * A bridge that is there, which the network joins and leaves as it was: see `createNetwork`. It may have addresses, an uplink and
 * other ports, which stay whose they are.
 */
export interface ExistingBridge {
  /** Name of its interface: `'br0'`. */
  readonly existing: string
}

export interface NetworkSpec extends Abortable {
  /** Letters, digits, `_`, `.` and `-`; at most 32. */
  readonly name: string
  /**
   * `'bridge'`: containers are ports of a bridge, neighbors of each other; at most 1023. `'ptp'`: each has a link of its own, and the host
   * routes between them; no limit, no broadcasts. @defaultValue 'bridge'
   */
  readonly driver?: 'bridge' | 'ptp'
  /** At most one IPv4 and one IPv6 subnet: `['172.18.0.0/16', 'fd00::/64']`. @defaultValue one for each family that is on, see there */
  readonly subnets?: readonly string[]
  /** The host's address in a subnet, at most one for each. @defaultValue the subnet's first */
  readonly gateways?: readonly string[]
  /**
   * Whether it has an IPv4 subnet. Without one in `subnets`, the first of `addressPools`, or of 172.18.0.0/16 … 172.31.0.0/16, that
   * the host does not route. @defaultValue true, and false when `subnets` has an IPv6 one only
   */
  readonly ipv4?: boolean
  /**
   * Whether it has an IPv6 subnet. Without one in `subnets`, the first of `addressPools` that the host does not route, or the first /64
   * of a random fd…/48 (RFC 4193). @defaultValue whether `subnets` has one
   */
  readonly ipv6?: boolean
  /** Where subnets come from that are not given: `[{ base: '10.90.0.0/16', size: 24 }]`. Of families that none is of: the defaults */
  readonly addressPools?: readonly AddressPool[]
  /**
   * Parts of the subnets whose addresses containers get only if they ask for them: `['172.18.0.128/25']`. On an existing bridge: those of
   * the other machines on it; no container gets them, and the firewall leaves them alone. @defaultValue none
   */
  readonly reserved?: readonly string[]
  /** Name of the bridge's interface; with `'ptp'` of the device that has the gateways' addresses. @defaultValue `br-<name>`, or `br-` and 12 letters that stand for a longer name */
  readonly bridge?: string | ExistingBridge
  /**
   * Of the bridge and both ends of the containers' links. @defaultValue that of the default route's device; 1500 for an internal network.
   * Not for an existing bridge: its own.
   */
  readonly mtu?: number
  /** No way out, and none to other networks. @defaultValue false */
  readonly internal?: boolean
  /** Whether its containers reach each other. @defaultValue true */
  readonly icc?: boolean
  /**
   * Whether its containers go out under the host's address; `{ ipv4: '192.0.2.7' }`: under that one, which the host should have or be
   * sent answers for. @defaultValue true, and false for an internal network
   */
  readonly masquerade?: Masquerade
  /**
   * How its containers are reached from outside, in all families or by family. `'nat'`: by ports of the host. `'routed'`: by their own
   * addresses, on the ports that they publish and by ping, and they go out under their own: whoever asks needs a route to the subnet.
   * @defaultValue 'nat'
   */
  readonly gatewayMode?: GatewayMode | GatewayModes
  /** Interfaces of the host, there or not yet, from which every port of its containers is reached: `['wg0']`. @defaultValue none */
  readonly trusted?: readonly string[]
  /**
   * Whether its containers may send as themselves only, under their own MAC and addresses: packets and claims (ARP, neighbor discovery) of
   * others are dropped, router advertisements, and what is neither IP nor ARP. See docs/security.md. @defaultValue false
   */
  readonly antiSpoofing?: boolean
  /**
   * Whether its containers have names: a resolver in this process answers on the gateways, and asks others for the rest. It does not keep
   * the process alive; `serveDns` starts one elsewhere. A network that is there already and served is left as it is. @defaultValue false
   */
  readonly dns?: boolean | DnsOptions
  /** The namespace that plays the host. @defaultValue the one where this process lives */
  readonly host?: Netns
}

/** The same, complete; subnets may still be open. IPv4 comes first everywhere. */
export interface CheckedSpec {
  readonly name: string
  readonly driver: Driver
  readonly families: readonly Family[]
  readonly subnets: readonly Cidr[]
  readonly gateways: readonly Address[]
  readonly pools: readonly Pool[]
  readonly reserved: readonly Cidr[]
  readonly bridge: string
  /** Whether the bridge is there already, and not the network's. */
  readonly existing: boolean
  readonly mtu: number | undefined
  readonly internal: boolean
  readonly icc: boolean
  readonly masquerade: Masquerade
  readonly gatewayMode: GatewayModes
  readonly trusted: readonly string[]
  readonly dns: NetworkDns | undefined
  /** Whether this process is to serve its names. */
  readonly serve: boolean
  readonly antiSpoofing: boolean
}

const names = [
  ...['name', 'driver', 'subnets', 'gateways', 'ipv4', 'ipv6', 'addressPools', 'reserved', 'bridge', 'mtu', 'internal', 'icc'],
  ...['masquerade', 'gatewayMode', 'trusted', 'antiSpoofing', 'dns', 'host', 'signal'],
]

const lanNames = ['parent', 'mode']

/** RFC 8200, section 5; the kernel turns IPv6 off on devices with less. */
export const leastMtu6 = 1280

const drivers: readonly Driver[] = ['bridge', 'ptp', 'macvlan', 'ipvlan']

const nameOf = (family: Family): string => (family === 2 ? 'IPv4' : 'IPv6')

function array(value: unknown, path: string): readonly unknown[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw invalidType(path, 'an array', value)
  return value
}

/** IPv4 first. */
function onePerFamily<T extends Address>(items: readonly T[], path: string, value: unknown): T[] {
  for (const family of [2, 10] as const) {
    if (items.filter((item) => item.family === family).length > 1)
      throw invalidValue(path, 'must have at most one entry of IPv4 and one of IPv6', value)
  }
  return [...items].sort((a, b) => a.family - b.family)
}

/** A network without bits behind its prefix. */
function network(value: unknown, path: string): Cidr {
  const cidr = parseCidr(value, path)
  const exact = networkOf(cidr)
  if (exact.text !== cidr.text) throw invalidValue(path, `has bits behind its prefix: write '${formatCidr(exact)}'`, value)
  return exact
}

function subnetOf(value: unknown, path: string): Cidr {
  const cidr = parseCidr(value, path)
  const longest = cidr.family === 2 ? 30 : 126
  if (cidr.prefixLength < 8 || cidr.prefixLength > longest)
    throw invalidValue(path, `must have a prefix from /8 to /${longest}`, value)
  return network(value, path)
}

export function subnetsOf(value: unknown): Cidr[] {
  if (value !== undefined && array(value, 'subnets').length === 0)
    throw invalidValue('subnets', 'must have an IPv4 subnet, an IPv6 subnet or both', value)
  const subnets = array(value, 'subnets').map((subnet, at) => subnetOf(subnet, `subnets[${at}]`))
  return onePerFamily(subnets, 'subnets', value)
}

/** A container has the same number in both subnets. */
export function refuseSmallSix(subnets: readonly Cidr[], path: string): void {
  const [four, six] = subnets
  if (four !== undefined && six !== undefined && hostBits(six) < hostBits(four))
    throw invalidValue(
      path,
      'must have an IPv6 subnet with as many addresses as the IPv4 subnet, or more',
      subnets.map(formatCidr),
    )
}

/** The gateway is an address for hosts of the subnet: not its first nor, of IPv4, its last. */
function gatewayOf(value: unknown, path: string, subnets: readonly Cidr[]): Address {
  const gateway = parseAddress(value, path)
  const subnet = subnets.find(({ family }) => family === gateway.family)
  if (subnet === undefined) throw invalidValue(path, `lies in no subnet: name the ${nameOf(gateway.family)} subnet, too`, value)
  const offset = contains(subnet, gateway) ? offsetIn(subnet, gateway) : 0n
  if (offset < 1n || offset > sizeOf(subnet) - (subnet.family === 2 ? 2n : 1n))
    throw invalidValue(path, `must be a host address of ${formatCidr(subnet)}`, value)
  return gateway
}

export function gatewaysOf(value: unknown, subnets: readonly Cidr[]): Address[] {
  if (value !== undefined && subnets.length === 0) throw invalidValue('gateways', 'needs subnets: a gateway lies in one', value)
  const gateways = array(value, 'gateways').map((gateway, at) => gatewayOf(gateway, `gateways[${at}]`, subnets))
  return onePerFamily(gateways, 'gateways', value)
}

export function reservedOf(value: unknown, subnets: readonly Cidr[]): Cidr[] {
  if (value !== undefined && subnets.length === 0) throw invalidValue('reserved', 'needs subnets: it is a part of one', value)
  const reserved = networksOf(value)
  requireWithin(subnets, reserved)
  return reserved
}

const networksOf = (value: unknown): Cidr[] => array(value, 'reserved').map((part, at) => network(part, `reserved[${at}]`))

export function requireWithin(subnets: readonly Cidr[], reserved: readonly Cidr[]): void {
  for (const [at, part] of reserved.entries()) {
    if (!subnets.some((subnet) => contains(subnet, part) && subnet.prefixLength <= part.prefixLength))
      throw invalidValue(`reserved[${at}]`, `lies outside of ${subnets.map(formatCidr).join(' and ')}`, formatCidr(part))
  }
}

/** Which bridge, and whether it is there already. */
function bridgeOf(spec: NetworkSpec, name: string, driver: Driver, internal: boolean): { bridge: string; existing: boolean } {
  const { bridge } = spec
  if (bridge === undefined) return { bridge: bridgeNameOf(name), existing: false }
  if (typeof bridge === 'string') return { bridge: interfaceName(bridge, 'bridge'), existing: false }
  const given = fields(bridge, 'bridge', ['existing'])
  const existing = interfaceName(given['existing'], 'bridge.existing')
  if (driver !== 'bridge') throw invalidValue('bridge.existing', 'is for the driver bridge', existing)
  if (spec.mtu !== undefined) throw invalidValue('mtu', 'is for a bridge that is made: an existing one keeps its own', spec.mtu)
  if (internal) throw invalidValue('internal', 'makes no sense on an existing bridge: its other ports are a way out', true)
  if (spec.antiSpoofing === true) {
    const why = 'is for a bridge that is made: an existing one keeps learning from frames that pass no hook (no_linklocal_learn)'
    throw invalidValue('antiSpoofing', why, true)
  }
  return { bridge: existing, existing: true }
}

function poolOf(value: unknown, path: string): Pool {
  const given = fields(value, path, ['base', 'size'])
  const base = subnetOf(given['base'], `${path}.base`)
  return { base, size: integer(given['size'], `${path}.size`, base.prefixLength, base.family === 2 ? 30 : 126) }
}

function familiesOf(spec: NetworkSpec, subnets: readonly Cidr[]): Family[] {
  const has = (family: Family): boolean => subnets.some((subnet) => subnet.family === family)
  const four = flag(spec.ipv4, 'ipv4', !has(10) || has(2))
  const six = flag(spec.ipv6, 'ipv6', has(10))
  if (has(2) && !four) throw invalidValue('ipv4', 'is off, and subnets has an IPv4 subnet', false)
  if (has(10) && !six) throw invalidValue('ipv6', 'is off, and subnets has an IPv6 subnet', false)
  if (!four && !six) throw invalidValue('ipv4', 'must be on, or ipv6', false)
  return [...(four ? ([2] as const) : []), ...(six ? ([10] as const) : [])]
}

export function flag(value: unknown, path: string, fallback: boolean): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw invalidType(path, 'a boolean', value)
  return value ?? fallback
}

const modes: readonly GatewayMode[] = ['nat', 'routed']
const words: Readonly<Record<Family, 'ipv4' | 'ipv6'>> = { 2: 'ipv4', 10: 'ipv6' }

function gatewayModeOf(value: unknown, families: readonly Family[], internal: boolean): GatewayModes {
  const same = typeof value === 'string' ? oneOf(value, 'gatewayMode', modes) : undefined
  const given = value === undefined || same !== undefined ? {} : fields(value, 'gatewayMode', Object.values(words))
  for (const family of [2, 10] as const) {
    if (given[words[family]] !== undefined && !families.includes(family))
      throw invalidValue(`gatewayMode.${words[family]}`, `needs an ${nameOf(family)} subnet`, given[words[family]])
  }
  const own = families.map((family): [keyof GatewayModes, GatewayMode] => {
    const word = words[family]
    return [word, given[word] === undefined ? (same ?? 'nat') : oneOf(given[word], `gatewayMode.${word}`, modes)]
  })
  if (internal && own.some(([, mode]) => mode === 'routed'))
    throw invalidValue('gatewayMode', 'makes no sense for an internal network: nothing gets into it', value)
  return Object.fromEntries(own)
}

function trustedOf(value: unknown, internal: boolean): string[] {
  const trusted = array(value, 'trusted').map((name, at) => interfaceName(name, `trusted[${at}]`))
  if (internal && trusted.length > 0)
    throw invalidValue('trusted', 'makes no sense for an internal network: nothing gets into it', value)
  const twice = trusted.find((name, at) => trusted.indexOf(name) < at)
  if (twice !== undefined) throw invalidValue('trusted', 'names a device twice', twice)
  return trusted
}

/** Of families in which containers are reached by their own address, and go out under it. */
function refuseRouted(masquerade: Masquerade, gatewayMode: GatewayModes, given: unknown): void {
  const routed = (['ipv4', 'ipv6'] as const).filter((family) => gatewayMode[family] === 'routed')
  const why = 'makes no sense where the network is routed: its containers go out under their own addresses'
  for (const family of routed) {
    if (typeof masquerade === 'object' && masquerade[family] !== undefined)
      throw invalidValue(`masquerade.${family}`, why, masquerade[family])
  }
  if (masquerade !== false && routed.length === Object.keys(gatewayMode).length) throw invalidValue('masquerade', why, given)
}

function masqueradeOf(value: unknown, families: readonly Family[], fallback: boolean): Masquerade {
  if (typeof value !== 'object' || value === null) return flag(value, 'masquerade', fallback)
  const given = fields(value, 'masquerade', ['ipv4', 'ipv6'])
  const sourceOf = (key: 'ipv4' | 'ipv6', family: Family): object => {
    if (given[key] === undefined) return {}
    const path = `masquerade.${key}`
    const address = parseAddress(given[key], path)
    if (address.family !== family) throw invalidValue(path, `must be an ${nameOf(family)} address`, given[key])
    if (!families.includes(family)) throw invalidValue(path, `needs an ${nameOf(family)} subnet`, given[key])
    return { [key]: address.text }
  }
  const sources = { ...sourceOf('ipv4', 2), ...sourceOf('ipv6', 10) }
  return Object.keys(sources).length === 0 ? true : sources
}

export function mtu(value: unknown, families: readonly Family[]): number | undefined {
  if (value === undefined) return undefined
  const bytes = mtuOf(value, 'mtu')
  return families.includes(10) ? integer(bytes, 'mtu of a network with IPv6', leastMtu6, 65535) : bytes
}

/** The first host address. */
export const firstAddress = (subnet: Cidr): Address => {
  const bytes = addressAt(subnet, 1)
  return { family: subnet.family, bytes, text: formatAddress(bytes) }
}

/** What the host is called in each subnet. */
export const hostAddresses = (subnets: readonly Cidr[], gateways: readonly Address[]): string[] =>
  subnets.map((subnet) => {
    const gateway = gateways.find(({ family }) => family === subnet.family) ?? firstAddress(subnet)
    return `${gateway.text}/${subnet.prefixLength}`
  })

export function checkNetworkName(name: unknown): string {
  return objectName(name, 'name', 32)
}

export function bridgeNameOf(name: string): string {
  const plain = `br-${name}`
  return plain.length <= 15 ? plain : `br-${shortHash(name, 12)}`
}

export function checkSpec(spec: NetworkSpec): CheckedSpec {
  const given = fields(spec, 'network', [...names, ...lanNames])
  checkSignal(spec.signal, 'signal')
  const name = checkNetworkName(spec.name)
  const driver = spec.driver === undefined ? 'bridge' : oneOf(spec.driver, 'driver', drivers)
  for (const option of lanNames)
    if (given[option] !== undefined) throw invalidValue(option, 'is for the drivers macvlan and ipvlan', given[option])
  if (spec.host !== undefined) netnsOption(spec.host, 'host')
  const subnets = subnetsOf(spec.subnets)
  refuseSmallSix(subnets, 'subnets')
  const families = familiesOf(spec, subnets)
  const internal = flag(spec.internal, 'internal', false)
  const gatewayMode = gatewayModeOf(spec.gatewayMode, families, internal)
  const isTranslated = Object.values(gatewayMode).includes('nat')
  const masquerade = masqueradeOf(spec.masquerade, families, !internal && isTranslated)
  if (internal && masquerade !== false)
    throw invalidValue('masquerade', 'makes no sense for an internal network: nothing leaves it', spec.masquerade)
  refuseRouted(masquerade, gatewayMode, spec.masquerade)
  const bridge = bridgeOf(spec, name, driver, internal)
  // The subnets of an existing bridge are known later.
  const isOpen = bridge.existing && subnets.length === 0
  const reserved = isOpen ? networksOf(spec.reserved) : reservedOf(spec.reserved, subnets)
  const { dns, serve } = checkDns(spec.dns, internal)
  const options = {
    driver,
    internal,
    icc: flag(spec.icc, 'icc', true),
    masquerade,
    gatewayMode,
    trusted: trustedOf(spec.trusted, internal),
    dns,
    antiSpoofing: flag(spec.antiSpoofing, 'antiSpoofing', false),
  }
  const forwardingBefore = Object.fromEntries(families.map((family) => [family, false]))
  const gateways = gatewaysOf(spec.gateways, subnets)
  // Of subnets that are not chosen yet nothing can be told; createNetwork looks again.
  const addresses = hostAddresses(subnets, gateways)
  const label = { name, ...options, reserved: reserved.map(formatCidr), forwardingBefore, addresses }
  if (bridge.existing) labelAltnames({ ...label, adopted: { added: [], routeLocalnet: false } })
  else formatNetworkLabel(label)
  return {
    name,
    families,
    subnets,
    gateways,
    pools: array(spec.addressPools, 'addressPools').map((pool, at) => poolOf(pool, `addressPools[${at}]`)),
    reserved,
    ...bridge,
    mtu: mtu(spec.mtu, families),
    serve,
    ...options,
  }
}
