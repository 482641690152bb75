// The options of createNetwork with the drivers macvlan and ipvlan, checked and completed.

import { type Abortable, checkSignal } from '../../abort.ts'
import { type Address, type Cidr, formatCidr } from '../../cidr.ts'
import { fields, invalidType, invalidValue, oneOf } from '../../invalid.ts'
import { interfaceName } from '../../names.ts'
import { type Netns, netnsOption } from '../../netns/netns.ts'
import {
  bridgeNameOf,
  checkNetworkName,
  firstAddress,
  flag,
  gatewaysOf,
  mtu,
  refuseSmallSix,
  reservedOf,
  subnetsOf,
} from '../create/spec.ts'
import { formatNetworkLabel, type NetworkLabel } from '../label.ts'
import {
  checkDevice,
  deviceOptions,
  type LanDeviceOptions,
  type LanDriver,
  type LanLabel,
  type LanMode,
  lanModes,
} from './lan-label.ts'

interface CommonLanSpec extends Abortable {
  /** Letters, digits, `_`, `.` and `-`; at most 32. */
  readonly name: string
  /**
   * Name of the device on whose wire the containers are: `'eth0'`, or a VLAN of it that the caller made. @defaultValue the one of the
   * host's default route
   */
  readonly parent?: string
  /** Those of the wire; at most one IPv4 and one IPv6 subnet: `['192.168.1.0/24', 'fd00::/64']`. */
  readonly subnets: readonly string[]
  /** The LAN's routers, at most one for each subnet; never an address of the host. @defaultValue the subnet's first; none if `internal` */
  readonly gateways?: readonly string[]
  /** Parts of the subnets whose addresses containers get only if they ask for them: what the LAN's own DHCP server gives out. @defaultValue none */
  readonly reserved?: readonly string[]
  /** Name of the device that remembers the network, a bridge without ports. @defaultValue `br-<name>`, or `br-` and 12 letters */
  readonly bridge?: string
  /** Of the containers' devices; at most the parent's. @defaultValue the parent's */
  readonly mtu?: number
  /** Containers have no default route. @defaultValue false */
  readonly internal?: boolean
  /** The namespace that plays the host, where the parent is. @defaultValue the one where this process lives */
  readonly host?: Netns
}

export interface MacvlanNetworkSpec extends CommonLanSpec {
  readonly driver: 'macvlan'
  /**
   * `'bridge'`: containers of the parent reach each other without the wire; `'private'`: they do not reach each other; `'vepa'`: only
   * through a switch that sends back where it came from; `'passthru'`: one container, which has the parent to itself. @defaultValue 'bridge'
   */
  readonly mode?: 'bridge' | 'private' | 'vepa' | 'passthru'
  /** How many broadcasts may wait for a container: the largest of the parent's devices counts. @defaultValue the kernel's, 1000 */
  readonly broadcastQueue?: number
  /**
   * From how many receivers on a broadcast is queued, and not delivered at once; -1: none ever is. Linux 6.4; Podman's `bclim`.
   * @defaultValue the kernel's, 1
   */
  readonly broadcastCutoff?: number
  /** `false`, in the mode passthru: the parent hears what its MAC is for, and no more. @defaultValue true */
  readonly promiscuous?: boolean
}

export interface IpvlanNetworkSpec extends CommonLanSpec {
  readonly driver: 'ipvlan'
  /**
   * `'l2'`: neighbors on the wire under the parent's MAC; `'l3'`: the parent routes, without broadcasts and ARP, and has no gateways;
   * `'l3s'`: the same, seen by the host's firewall. @defaultValue 'l2'
   */
  readonly mode?: 'l2' | 'l3' | 'l3s'
  /**
   * Whether containers of the parent reach each other: `'bridge'` without the wire, `'private'` not at all, `'vepa'` only through a switch
   * that sends back where it came from. Docker's `ipvlan_flag`. @defaultValue 'bridge'
   */
  readonly isolation?: 'bridge' | 'private' | 'vepa'
}

export type LanNetworkSpec = MacvlanNetworkSpec | IpvlanNetworkSpec

export interface CheckedLan {
  /** Its parent is the one that was given; '' stands for one to be chosen. */
  readonly label: NetworkLabel & { readonly lan: LanLabel }
  /** Those that were given; the label has the default ones, too. */
  readonly gateways: readonly Address[]
  readonly bridge: string
  readonly mtu: number | undefined
}

const names = [
  'name',
  'driver',
  'parent',
  'mode',
  'subnets',
  'gateways',
  'reserved',
  'bridge',
  'mtu',
  'internal',
  'host',
  'signal',
  ...deviceOptions.macvlan,
  ...deviceOptions.ipvlan,
]

/** Options of other drivers, and why they are not there. */
const foreign: Readonly<Record<string, string>> = {
  icc: 'is for networks that the host forwards: here the mode decides (private keeps containers apart)',
  masquerade: 'makes no sense on the LAN: containers go out under their own addresses, and not through the host',
  gatewayMode: 'makes no sense on the LAN: containers are reached by their own addresses, and not through the host',
  trusted: 'is for networks that the host forwards: nothing of it filters what is on the wire',
  dns: 'is answered on a gateway of the host, and the LAN has its own',
  antiSpoofing: 'cannot be had: containers have no end on the host, which sees nothing of what they send',
  addressPools: 'makes no sense on the LAN: name its subnets',
  ipv4: 'is said by the subnets here',
  ipv6: 'is said by the subnets here',
}

/** Whether these are the options of a network on a LAN; anything else is for checkSpec. */
export function isLanSpec(spec: { readonly driver?: unknown }): spec is LanNetworkSpec {
  return typeof spec === 'object' && spec !== null && (spec.driver === 'macvlan' || spec.driver === 'ipvlan')
}

/** Without neighbors: there is nobody to send to but the device itself. */
export const isRouted = (mode: LanMode): boolean => mode === 'l3' || mode === 'l3s'

function gatewaysWith(driver: LanDriver, mode: LanMode, internal: boolean, given: unknown, subnets: readonly Cidr[]): Address[] {
  if (given !== undefined && isRouted(mode))
    throw invalidValue('gateways', `makes no sense for ${driver} in the mode ${mode}: the way out is the device itself`, given)
  if (given !== undefined && internal)
    throw invalidValue('gateways', 'makes no sense for an internal network: nothing leaves it', given)
  return gatewaysOf(given, subnets)
}

/** Stands for a name that is not chosen yet: of the 15 characters that the kernel allows. */
const longestParent = 'x'.repeat(15)

function deviceOf(spec: LanNetworkSpec, driver: LanDriver, mode: LanMode): LanDeviceOptions {
  const given = spec as LanDeviceOptions
  const other = driver === 'macvlan' ? 'ipvlan' : 'macvlan'
  for (const option of deviceOptions[other])
    if (given[option] !== undefined) throw invalidValue(option, `is for the driver ${other}`, given[option])
  return checkDevice(driver, mode, given, 'network')
}

export function checkLanSpec(spec: LanNetworkSpec): CheckedLan {
  const { driver } = spec
  for (const [option, value] of Object.entries(spec)) {
    const why = foreign[option]
    if (why !== undefined && value !== undefined) throw invalidValue(option, `(driver ${driver}) ${why}`, value)
  }
  fields(spec, 'network', [...names, ...Object.keys(foreign)])
  checkSignal(spec.signal, 'signal')
  const name = checkNetworkName(spec.name)
  if (spec.host !== undefined) netnsOption(spec.host, 'host')
  const parent = spec.parent === undefined ? '' : interfaceName(spec.parent, 'parent')
  const mode = spec.mode === undefined ? (driver === 'macvlan' ? 'bridge' : 'l2') : oneOf(spec.mode, 'mode', lanModes[driver])
  if (spec.subnets === undefined) throw invalidType('subnets', "those of the LAN, such as ['192.168.1.0/24']", spec.subnets)
  const subnets = subnetsOf(spec.subnets)
  refuseSmallSix(subnets, 'subnets')
  const internal = flag(spec.internal, 'internal', false)
  const given = gatewaysWith(driver, mode, internal, spec.gateways, subnets)
  const hasWayOut = !internal && !isRouted(mode)
  const gateways = hasWayOut
    ? subnets.map((subnet) => given.find(({ family }) => family === subnet.family) ?? firstAddress(subnet))
    : []
  const reserved = reservedOf(spec.reserved, subnets).map(formatCidr)
  const device = deviceOf(spec, driver, mode)
  const lan: LanLabel = { driver, parent, mode, subnets, gateways, device }
  const label = {
    name,
    driver,
    internal,
    icc: mode !== 'private' && device.isolation !== 'private',
    masquerade: false,
    gatewayMode: {},
    trusted: [],
    antiSpoofing: false,
    forwardingBefore: {},
    reserved,
    addresses: [],
    lan,
  }
  formatNetworkLabel({ ...label, lan: { ...lan, parent: parent || longestParent } })
  return {
    label,
    gateways: given,
    bridge: spec.bridge === undefined ? bridgeNameOf(name) : interfaceName(spec.bridge, 'bridge'),
    mtu: mtu(
      spec.mtu,
      subnets.map(({ family }) => family),
    ),
  }
}
