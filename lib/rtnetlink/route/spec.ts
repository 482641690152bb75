// A route as it is asked for, and as the body of its message.

import { type Cidr, type Family, networkOf, parseAddress, parseCidr } from '../../cidr.ts'
import { fields, integer, invalidType, invalidValue, oneOf } from '../../invalid.ts'
import type { Body } from '../../native.ts'
import * as c from '../constants.ts'
import { familyNumber } from '../family.ts'
import type { LinkRef } from '../link/ref.ts'
import type { ResolveLink } from '../operation.ts'
import { metricNames, metricsBody, type RouteMetrics } from './metrics.ts'
import { type Realm, realmNumber } from './realm.ts'

export type RouteType = keyof typeof c.RTN
export type RouteTable = keyof typeof c.RT_TABLE | number

/** Who made a route, a rule or a neighbor's entry: a mark that the kernel keeps. */
export type RouteProtocol = keyof typeof c.RTPROT | number

/** What a route has whichever way it goes. */
export interface CommonRouteSpec extends RouteMetrics {
  /** `'default'`, a network `'10.0.0.0/8'` (its host bits must be zero), or one address. */
  readonly to: string
  /** IPv6: only for packets from this network. */
  readonly from?: string
  /** IPv4: only for packets of this type of service; the two lowest bits must be zero. @defaultValue 0, for any */
  readonly tos?: number
  /** Preferred source address. */
  readonly source?: string
  readonly metric?: number
  /** @defaultValue 'main' */
  readonly table?: RouteTable
  /** @defaultValue 'unicast' */
  readonly type?: RouteType
  /** @defaultValue what the type and gateway imply, as `ip route` does */
  readonly scope?: keyof typeof c.RT_SCOPE
  /** @defaultValue 'static' */
  readonly protocol?: RouteProtocol
  /** The gateway is on the link, though no route says so. */
  readonly onlink?: boolean
  /** IPv4. */
  readonly realm?: Realm
  /** IPv6: RFC 4191. */
  readonly preference?: keyof typeof preferences
  /** IPv6: seconds until the route goes by itself. */
  readonly expires?: number
  /** Only to tell the family of a `default` route without `via`. */
  readonly family?: 'inet' | 'inet6'
}

/** One way, of which a route to nowhere has neither part. */
export interface OneWay {
  /** The gateway. */
  readonly via?: string
  readonly dev?: LinkRef
  readonly nexthops?: never
  readonly nexthop?: never
}

/** Several gateways that share the traffic. */
export interface SeveralWays {
  readonly nexthops: readonly RouteHop[]
  readonly via?: never
  readonly dev?: never
  readonly nexthop?: never
}

/** The way of a nexthop object. */
export interface SharedWay {
  /** Its id. */
  readonly nexthop: number
  readonly via?: never
  readonly dev?: never
  readonly nexthops?: never
}

export type RouteSpec = CommonRouteSpec & (OneWay | SeveralWays | SharedWay)

/** One way of several. */
export interface RouteHop {
  readonly via?: string
  readonly dev?: LinkRef
  /** Its share, from 1 to 256. @defaultValue 1 */
  readonly weight?: number
  readonly onlink?: boolean
  /** IPv4. */
  readonly realm?: Realm
}

/** ICMPV6_ROUTER_PREF_*. */
export const preferences = { medium: 0, high: 1, low: 3 } as const

export const preferenceNames = ['medium', 'high', 'low'] as const

export const routeNames: readonly string[] = [
  ...['to', 'via', 'dev', 'source', 'metric', 'table', 'type', 'scope', 'protocol', 'onlink', 'family'],
  ...['from', 'tos', 'realm', 'nexthops', 'nexthop', 'preference', 'expires'],
  ...metricNames,
]

export function tableOf(table: RouteTable | undefined, path: string): number {
  if (table === undefined) return c.RT_TABLE.main
  if (typeof table === 'number') return integer(table, path, 1, 0xffffffff)
  return c.RT_TABLE[oneOf(table, path, Object.keys(c.RT_TABLE) as (keyof typeof c.RT_TABLE)[])]
}

function destinationOf(spec: RouteSpec): Cidr {
  const { to } = spec
  if (typeof to !== 'string') throw invalidType('route.to', "'default' or a network such as '10.0.0.0/8'", to)
  if (to === 'default') {
    const via = spec.via === undefined ? undefined : parseAddress(spec.via, 'route.via').family
    const family = familyNumber(spec.family, 'route.family') || (via ?? c.AF_INET)
    if (family === c.AF_INET6 && via === c.AF_INET) {
      throw invalidValue('route.family', 'must be the family of route.to and route.via', spec.family)
    }
    return { family: family as Family, bytes: new Uint8Array(family === c.AF_INET ? 4 : 16), text: '', prefixLength: 0 }
  }
  if (!to.includes('/')) {
    const address = parseAddress(to, 'route.to')
    return { ...address, prefixLength: address.family === c.AF_INET ? 32 : 128 }
  }
  const cidr = parseCidr(to, 'route.to')
  const network = networkOf(cidr)
  if (network.text !== cidr.text)
    throw invalidValue('route.to', `has bits behind its prefix: write '${network.text}/${cidr.prefixLength}'`, to)
  return cidr
}

function scopeOf(spec: RouteSpec, type: RouteType): number {
  if (spec.scope !== undefined)
    return c.RT_SCOPE[oneOf(spec.scope, 'route.scope', Object.keys(c.RT_SCOPE) as (keyof typeof c.RT_SCOPE)[])]
  if (type === 'local') return c.RT_SCOPE.host
  if (['broadcast', 'multicast', 'anycast'].includes(type)) return c.RT_SCOPE.link
  return type === 'unicast' && [spec.via, spec.nexthops, spec.nexthop].every((way) => way === undefined)
    ? c.RT_SCOPE.link
    : c.RT_SCOPE.global
}

export function protocolOf(protocol: RouteSpec['protocol'], path = 'route.protocol'): number {
  if (protocol === undefined) return c.RTPROT.static
  if (typeof protocol === 'number') return integer(protocol, path, 0, 255)
  return c.RTPROT[oneOf(protocol, path, Object.keys(c.RTPROT) as (keyof typeof c.RTPROT)[])]
}

/** A gateway of the route's own family, or of the other one (RFC 5549). */
function gatewayBody(via: string | undefined, family: Family, path: string): Body {
  if (via === undefined) return {}
  const gateway = parseAddress(via, path)
  if (gateway.family === family) return { gateway: gateway.text }
  if (family !== c.AF_INET)
    throw invalidValue(path, 'must be of the same family as route.to: only IPv4 goes through a gateway of the other one', via)
  return { via: gateway.text }
}

function onlinkFlag(onlink: unknown, path: string): number {
  if (onlink !== undefined && typeof onlink !== 'boolean') throw invalidType(path, 'a boolean', onlink)
  return onlink ? c.RTNH_F_ONLINK : 0
}

function realmOf(realm: Realm | undefined, family: Family, path: string): number | undefined {
  if (realm === undefined) return undefined
  if (family !== c.AF_INET) throw invalidValue(path, 'is for IPv4 routes', realm)
  return realmNumber(realm, path)
}

function hopBody(hop: RouteHop, family: Family, path: string): (resolve: ResolveLink) => Body {
  fields(hop, path, ['via', 'dev', 'weight', 'onlink', 'realm'])
  if (hop.via === undefined && hop.dev === undefined) throw invalidValue(path, 'needs via, dev or both', hop)
  const { dev } = hop
  const body = {
    ...gatewayBody(hop.via, family, `${path}.via`),
    weight: integer(hop.weight ?? 1, `${path}.weight`, 1, 256) - 1,
    flags: onlinkFlag(hop.onlink, `${path}.onlink`),
    realm: realmOf(hop.realm, family, `${path}.realm`),
  }
  return (resolve) => (dev === undefined ? body : { ...body, oif: resolve(dev) })
}

function onlyOneWay(spec: RouteSpec): void {
  const ways = [spec.via !== undefined || spec.dev !== undefined, spec.nexthops !== undefined, spec.nexthop !== undefined]
  if (ways.filter(Boolean).length > 1) throw invalidValue('route', 'has more than one of via or dev, nexthops, nexthop', spec)
  if (spec.nexthops !== undefined && (!Array.isArray(spec.nexthops) || spec.nexthops.length === 0)) {
    throw invalidType('route.nexthops', 'an array that is not empty', spec.nexthops)
  }
}

/** Every device that the route names, for the caller to resolve. */
export function devicesOf({ dev, nexthops = [] }: RouteSpec): LinkRef[] {
  const named = dev === undefined ? [] : [dev]
  for (const hop of nexthops) if (hop.dev !== undefined) named.push(hop.dev)
  return named
}

function sourceBody(from: string | undefined, family: Family): Body {
  if (from === undefined) return {}
  const cidr = parseCidr(from, 'route.from')
  if (family !== c.AF_INET6 || cidr.family !== family) throw invalidValue('route.from', 'is for IPv6 routes', from)
  return { from: networkOf(cidr).text, fromLength: cidr.prefixLength }
}

export function tosOf(tos: unknown, family: Family, path: string): number {
  const value = integer(tos, path, 0, 255)
  if (family !== c.AF_INET && value !== 0) throw invalidValue(path, 'is for IPv4', tos)
  return value
}

/** Throws on bad arguments. All but the devices, which the function that it gives puts in. */
export function routeBody(spec: RouteSpec): (resolve: ResolveLink) => Body {
  fields(spec, 'route', routeNames)
  const asked = familyNumber(spec.family, 'route.family')
  const to = destinationOf(spec)
  if (asked !== c.AF_UNSPEC && asked !== to.family) {
    throw invalidValue('route.family', 'must be the family of route.to and route.via', spec.family)
  }
  const type = spec.type === undefined ? 'unicast' : oneOf(spec.type, 'route.type', Object.keys(c.RTN) as RouteType[])
  const addressOf = (text: string | undefined, path: string): string | undefined => {
    if (text === undefined) return undefined
    const address = parseAddress(text, path)
    if (address.family !== to.family) throw invalidValue(path, 'must be of the same family as route.to', text)
    return address.text
  }
  onlyOneWay(spec)
  const table = tableOf(spec.table, 'route.table')
  const hops = spec.nexthops?.map((hop, at) => hopBody(hop, to.family, `route.nexthops[${at}]`))
  const body = {
    family: to.family,
    toLength: to.prefixLength,
    ...sourceBody(spec.from, to.family),
    tos: spec.tos === undefined ? 0 : tosOf(spec.tos, to.family, 'route.tos'),
    headerTable: table < 256 ? table : 0,
    protocol: protocolOf(spec.protocol),
    scope: to.family === c.AF_INET ? scopeOf(spec, type) : c.RT_SCOPE.global,
    type: c.RTN[type],
    flags: onlinkFlag(spec.onlink, 'route.onlink'),
    to: to.prefixLength === 0 ? undefined : to.text,
    ...gatewayBody(spec.via, to.family, 'route.via'),
    oif: undefined,
    multipath: undefined,
    nexthopId: spec.nexthop === undefined ? undefined : integer(spec.nexthop, 'route.nexthop', 1, 0xffffffff),
    preference:
      spec.preference === undefined ? undefined : preferences[oneOf(spec.preference, 'route.preference', preferenceNames)],
    expires: spec.expires === undefined ? undefined : integer(spec.expires, 'route.expires', 1, 0xffffffff),
    preferredSource: addressOf(spec.source, 'route.source'),
    metric: spec.metric === undefined ? undefined : integer(spec.metric, 'route.metric', 0, 0xffffffff),
    table,
    realm: realmOf(spec.realm, to.family, 'route.realm'),
    metrics: metricsBody(spec),
  }
  return (resolve) => ({
    ...body,
    oif: spec.dev === undefined ? undefined : resolve(spec.dev),
    multipath: hops?.map((hop) => hop(resolve)),
  })
}
