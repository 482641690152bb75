// What an attach sets inside beside the device, its addresses and the default routes: settings of the kernel, and more routes.

import { type Address, type Cidr, contains, formatAddress, formatCidr, networkOf, parseAddress, parseCidr } from '../../cidr.ts'
import { fields, integer, invalidType, invalidValue, oneOf } from '../../invalid.ts'
import type { AttachPlan } from '../../native.ts'
import { sysctlPath, sysctlValue } from '../../netns/sysctl.ts'
import type { RouteSpec } from '../../rtnetlink/route/spec.ts'

/** A route inside, beside the default ones. */
export interface AttachRoute {
  /** `'10.0.0.0/8'`, `'::/0'`, or one address. */
  readonly to: string
  /** A neighbor in a subnet of the network. @defaultValue the gateway; none for a refusal */
  readonly via?: string
  /** Of several ways to the same place the lowest counts. @defaultValue that of the endpoint */
  readonly metric?: number
  /** `'blackhole'` drops, `'unreachable'` and `'prohibit'` refuse. @defaultValue 'unicast' */
  readonly type?: 'unicast' | 'blackhole' | 'unreachable' | 'prohibit'
}

export type Sysctls = Readonly<Record<string, string | number>>

export type PlanRoute = AttachPlan['routes'][number]
export type PlanSysctls = AttachPlan['sysctls']
type RouteType = keyof typeof types

/** RTN_UNICAST and its like. */
const types = { unicast: 1, blackhole: 6, unreachable: 7, prohibit: 8 } as const
const nothing = new Uint8Array(0)

export const largestMetric = 0xffffffff

export interface RouteSite {
  readonly driver: string
  readonly subnets: readonly Cidr[]
  readonly gateways: readonly Address[]
  readonly metric: number
  /** Nobody is a neighbor: all that is sent is given to the device. @defaultValue false */
  readonly isDeviceTheWay?: boolean
}

function destination(value: unknown, path: string): Cidr {
  if (value === 'default') throw invalidValue(path, "must say of which family it is: '0.0.0.0/0' or '::/0'", value)
  if (typeof value === 'string' && !value.includes('/')) {
    const address = parseAddress(value, path)
    return { ...address, prefixLength: address.bytes.length * 8 }
  }
  const cidr = parseCidr(value, path)
  const exact = networkOf(cidr)
  if (exact.text !== cidr.text) throw invalidValue(path, `has bits behind its prefix: write '${formatCidr(exact)}'`, value)
  return exact
}

/** undefined where the device itself is the way. */
function gatewayOf(value: unknown, path: string, to: Cidr, site: RouteSite): Address | undefined {
  const { driver, subnets, gateways } = site
  if (!subnets.some(({ family }) => family === to.family))
    throw invalidValue(path, 'is of a family that the network has no subnet of: only a refusal can lead there', to.text)
  if (site.isDeviceTheWay) {
    if (value === undefined) return undefined
    throw invalidValue(`${path}.via`, 'makes no sense where the device itself is the way', value)
  }
  const own = gateways.find(({ family }) => family === to.family)
  if (value === undefined) {
    if (own !== undefined) return own
    throw invalidValue(path, 'needs via, a neighbor: the network has no gateway', to.text)
  }
  const via = parseAddress(value, `${path}.via`)
  if (!subnets.some((subnet) => subnet.family === to.family && contains(subnet, via)))
    throw invalidValue(`${path}.via`, `is no neighbor: it must lie in ${subnets.map(formatCidr).join(' or ')}`, value)
  if (driver === 'ptp' && via.text !== own?.text)
    throw invalidValue(
      `${path}.via`,
      `can be nobody but the gateway ${own?.text}: point to point there is no other neighbor`,
      value,
    )
  return via
}

function routeOf(value: unknown, path: string, site: RouteSite): PlanRoute {
  const given = fields(value, path, ['to', 'via', 'metric', 'type'])
  const to = destination(given['to'], `${path}.to`)
  const type = given['type'] === undefined ? 'unicast' : oneOf(given['type'], `${path}.type`, Object.keys(types) as RouteType[])
  const metric = given['metric'] === undefined ? site.metric : integer(given['metric'], `${path}.metric`, 0, largestMetric)
  if (type !== 'unicast' && given['via'] !== undefined)
    throw invalidValue(`${path}.via`, `makes no sense with the type ${type}: nothing goes anywhere`, given['via'])
  const gateway = type === 'unicast' ? (gatewayOf(given['via'], path, to, site)?.bytes ?? nothing) : nothing
  return {
    to: to.bytes,
    prefixLength: to.prefixLength,
    gateway,
    onlink: type === 'unicast' && site.driver === 'ptp',
    metric,
    type: types[type],
  }
}

/** Whether a route goes with the device that it leads through. */
export const isRefusal = ({ type }: PlanRoute): boolean => type !== types.unicast

/** The same for a verb of Netns; `dev` is the device that routes which are no refusals lead through. */
export function routeSpec({ to, prefixLength, gateway, onlink, metric, type }: PlanRoute, dev: number): RouteSpec {
  const [name] = Object.entries(types).find(([, number]) => number === type) as [RouteType, number]
  return {
    to: `${formatAddress(to)}/${prefixLength}`,
    type: name,
    ...(metric === 0 ? {} : { metric }),
    ...(type === types.unicast ? { dev, onlink } : {}),
    ...(gateway.length === 0 ? {} : { via: formatAddress(gateway) }),
  }
}

export const unicast: number = types.unicast

export function checkRoutes(value: unknown, site: RouteSite): PlanRoute[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw invalidType('routes', "an array such as [{ to: '10.0.0.0/8' }]", value)
  return value.map((route: unknown, at) => routeOf(route, `routes[${at}]`, site))
}

/** `IFNAME` in a key is the interface inside, as in Docker's. */
export function checkSysctls(value: unknown, ifname: string): PlanSysctls {
  if (value === undefined) return []
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidType('sysctls', "an object such as { 'net.ipv4.conf.IFNAME.rp_filter': 2 }", value)
  return Object.entries(value as Record<string, unknown>).map(([key, setting]) => {
    const option = `sysctls['${key}']`
    const parts = sysctlPath(key, option)
      .split('/')
      .map((part) => (part === 'IFNAME' ? ifname : part))
    const [, table = '', device] = parts
    const ofDevice = device === ifname && ['conf', 'neigh'].includes(table)
    return { path: parts.join('/'), value: sysctlValue(setting, option), ofDevice }
  })
}

/** Then theirs counts, and not the loose one that a container in several networks needs. */
export const setsReversePathFilter = (sysctls: PlanSysctls): boolean =>
  sysctls.some(({ path, ofDevice }) => ofDevice && path.endsWith('/rp_filter'))
