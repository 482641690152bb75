// The options of attach, checked and completed.

import { type Abortable, checkSignal } from '../../abort.ts'
import {
  type Address,
  addressAt,
  type Cidr,
  contains,
  type Family,
  formatAddress,
  formatCidr,
  offsetIn,
  parseCidr,
  sizeOf,
} from '../../cidr.ts'
import { checkAliases } from '../../dns/options.ts'
import { fields, integer, invalidType, invalidValue } from '../../invalid.ts'
import { interfaceName, macAddress, objectName } from '../../names.ts'
import type { Netns, NetnsRef } from '../../netns/netns.ts'
import { type BandwidthSpec, checkBandwidth } from '../../rtnetlink/traffic/bandwidth.ts'
import { checkLabels, type Labels } from '../label.ts'
import { type PortSpec, type PortWish, parsePorts, settleIn } from '../port/port.ts'
import {
  type AttachRoute,
  checkRoutes,
  checkSysctls,
  largestMetric,
  type PlanRoute,
  type PlanSysctls,
  type Sysctls,
} from './inside.ts'
import type { Leases, Place } from './lease.ts'

export interface AttachSpec extends Abortable {
  /** The container's name, unique in the network. Letters, digits, `_`, `.` and `-`; at most 64. */
  readonly name: string
  /** Where the container lives. @defaultValue a new namespace, which lives as long as the endpoint is attached (or a process in it) */
  readonly netns?: Netns | NetnsRef
  /**
   * A static address of a subnet, with its prefix: `['172.18.0.10/16']`; at most one for each subnet. @defaultValue the next free one;
   * where one of two is given, the other is as far behind the start of its subnet if IPv4 was given
   */
  readonly addresses?: readonly string[]
  /** @defaultValue derived from the address */
  readonly mac?: string
  /** Of the interface inside. @defaultValue 'eth0' */
  readonly ifname?: string
  /**
   * `['8080:80', '127.0.0.1:53:53/udp', '[2001:db8::1]:8080:80', '8000-8009:9000-9009', '8081:80?from=192.0.2.0/24']`; on a port of the host
   * that is free: `['80', '127.0.0.1::80', '8000-8100:80']`
   */
  readonly publish?: readonly PortSpec[]
  /** Whether the default route goes through this network. @defaultValue true, and false in an internal network */
  readonly defaultRoute?: boolean
  /**
   * Of its default route and of `routes`. A container in several networks goes out through the one with the lowest, and when that is
   * detached through the next: Docker's `gw-priority`, the other way round. @defaultValue the kernel's: 0, and 1024 for IPv6
   */
  readonly metric?: number
  /** More routes inside: `[{ to: '10.0.0.0/8' }, { to: '192.0.2.0/24', type: 'blackhole' }]` */
  readonly routes?: readonly AttachRoute[]
  /**
   * Settings below `net.`, written inside in this order before the link comes up; `IFNAME` stands for the interface's name:
   * `{ 'net.ipv4.conf.IFNAME.rp_filter': 2, 'net.core.somaxconn': 1024 }`. Those that are no device's outlive the endpoint.
   */
  readonly sysctls?: Sysctls
  /** What is limited for the container, by `setBandwidth`: `egress` is what it sends. `{ egress: '10mbit', ingress: '100mbit' }` */
  readonly bandwidth?: BandwidthSpec
  /**
   * Tells the neighbors where the address is now, by unsolicited ARP and neighbor advertisement: those who knew it elsewhere need not
   * find out. @defaultValue false
   */
  readonly announce?: boolean
  /**
   * What it is called, too, in a network with `dns`: `['db', 'sql.shop.test']`. Several containers may have one alias, and are then named in
   * turns. An id of 64 hexadecimal digits, as container engines give, stands for its first twelve.
   */
  readonly aliases?: readonly string[]
  /** A few words to remember, in the 255 characters that the kernel keeps for the endpoint: `{ app: 'shop', tier: 'db' }` */
  readonly labels?: Labels
}

export interface CheckedAttach {
  readonly name: string
  /** What was asked for; both open for the next free number. */
  readonly place: Partial<Place>
  readonly mac: string | undefined
  readonly ifname: string
  readonly ports: readonly PortWish[]
  readonly defaultRoute: boolean
  readonly metric: number
  readonly routes: readonly PlanRoute[]
  readonly sysctls: PlanSysctls
  /** As the container sees it. */
  readonly bandwidth: BandwidthSpec | undefined
  readonly announce: boolean
  readonly aliases: readonly string[]
  readonly labels: Labels
}

export interface AttachSite {
  readonly subnets: readonly Cidr[]
  /** Parts of them that are others'. */
  readonly foreign: readonly Cidr[]
  /** Of the addresses inside. */
  readonly prefixLengths: readonly number[]
  readonly gateways: readonly Address[]
  readonly internal: boolean
  /** In which the network is routed. */
  readonly routed: readonly Family[]
  readonly driver: string
  readonly mtu: number
  readonly leases: Pick<Leases, 'isNameable'>
  /** Whether names are answered in it. */
  readonly hasNames?: boolean
  /** See RouteSite. */
  readonly isDeviceTheWay?: boolean
}

export const attachNames: readonly string[] = [
  ...['name', 'netns', 'addresses', 'mac', 'ifname', 'publish', 'defaultRoute', 'metric', 'routes', 'sysctls', 'bandwidth'],
  ...['announce', 'aliases', 'labels', 'signal'],
]

function flag(value: unknown, path: string, fallback: boolean): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw invalidType(path, 'a boolean', value)
  return value ?? fallback
}

/** The number of a static address in its subnet. */
function numberOf(
  value: unknown,
  path: string,
  { subnets, foreign, prefixLengths, gateways }: AttachSite,
): readonly [Cidr, bigint] {
  const address = parseCidr(value, path)
  const subnet = subnets.find((one) => contains(one, address))
  const all = subnets.map(formatCidr).join(' and ')
  if (subnet === undefined)
    throw invalidValue(path, `lies outside of the network's ${subnets.length > 1 ? 'subnets' : 'subnet'} ${all}`, value)
  if (![subnet.prefixLength, prefixLengths[subnets.indexOf(subnet)]].includes(address.prefixLength))
    throw invalidValue(path, `must have the prefix of the subnet ${formatCidr(subnet)}`, value)
  if (gateways.some(({ text }) => text === address.text)) throw invalidValue(path, "is the network's gateway", value)
  const others = foreign.find((part) => contains(part, address))
  if (others !== undefined)
    throw invalidValue(path, `lies in ${formatCidr(others)}, which is reserved for other machines on the bridge`, value)
  const number = offsetIn(subnet, address)
  if (number === 0n || (subnet.family === 2 && number === sizeOf(subnet) - 1n))
    throw invalidValue(path, `is the first or the last address of ${formatCidr(subnet)}`, value)
  return [subnet, number]
}

function placeOf(addresses: unknown, site: AttachSite): Partial<Place> {
  if (addresses === undefined) return {}
  if (!Array.isArray(addresses)) throw invalidType('addresses', "an array such as ['172.18.0.10/16']", addresses)
  const numbers = addresses.map((address, at) => numberOf(address, `addresses[${at}]`, site))
  const of = (family: Family): bigint | undefined => numbers.find(([subnet]) => subnet.family === family)?.[1]
  if (numbers.length === 0 || new Set(numbers.map(([subnet]) => subnet)).size < numbers.length)
    throw invalidValue('addresses', 'must have one address of a subnet, at most one of each', addresses)
  const [four, six] = [of(2), of(10)]
  if (four === undefined) {
    // Of an IPv6 network the address itself names the device, if it can.
    const alone = site.subnets.length === 1 && six !== undefined && site.leases.isNameable(six)
    return alone ? { number: Number(six) } : { six }
  }
  const other = site.subnets.find(({ family }) => family === 10)
  if (six === undefined && other !== undefined) {
    const address = formatAddress(addressAt(other, four))
    if (site.gateways.some(({ text }) => text === address))
      throw invalidValue('addresses', `needs an IPv6 address: the one that goes with it, ${address}, is the gateway`, addresses)
  }
  return { number: Number(four), six }
}

export function checkAttach(spec: AttachSpec, site: AttachSite): CheckedAttach {
  fields(spec, 'endpoint', attachNames)
  checkSignal(spec.signal, 'signal')
  const name = objectName(spec.name, 'name')
  const defaultRoute = flag(spec.defaultRoute, 'defaultRoute', !site.internal)
  if (site.internal && spec.defaultRoute === true)
    throw invalidValue('defaultRoute', 'makes no sense in an internal network: nothing leaves it', true)
  const wishes = spec.publish === undefined ? [] : parsePorts(spec.publish, 'publish')
  if (site.internal && wishes.length > 0)
    throw invalidValue('publish', 'makes no sense in an internal network: nothing gets into it', spec.publish)
  const ports = settleIn({ families: site.subnets.map(({ family }) => family), routed: site.routed }, wishes, 'publish')
  const ifname = spec.ifname === undefined ? 'eth0' : interfaceName(spec.ifname, 'ifname')
  const metric = spec.metric === undefined ? 0 : integer(spec.metric, 'metric', 0, largestMetric)
  return {
    name,
    place: placeOf(spec.addresses, site),
    mac: spec.mac === undefined ? undefined : macAddress(spec.mac, 'mac'),
    ifname,
    ports,
    defaultRoute,
    metric,
    routes: checkRoutes(spec.routes, { ...site, metric }),
    sysctls: checkSysctls(spec.sysctls, ifname),
    bandwidth: spec.bandwidth === undefined ? undefined : checkBandwidth(spec.bandwidth, site.mtu),
    announce: flag(spec.announce, 'announce', false),
    aliases: checkAliases(spec.aliases, site.hasNames === true),
    labels: checkLabels(spec.labels),
  }
}
