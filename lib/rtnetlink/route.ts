// Routes of the IPv4 and IPv6 tables.

import { type Cidr, type Family, networkOf, parseAddress, parseCidr } from '../cidr.ts'
import { fields, integer, invalidType, invalidValue, oneOf } from '../invalid.ts'
import type { Body, Message, NamespaceHandle } from '../native.ts'
import { familyName, familyNumber } from './address.ts'
import * as c from './constants.ts'
import { dump, nested, number, optionalNumber, optionalText, send } from './exchange.ts'
import { indexOf, type LinkRef, refBody } from './link.ts'

export type RouteType = keyof typeof c.RTN
export type RouteTable = keyof typeof c.RT_TABLE | number

export interface RouteSpec {
  /** `'default'`, a network `'10.0.0.0/8'` (its host bits must be zero), or one address. */
  readonly to: string
  /** The gateway. */
  readonly via?: string
  readonly dev?: LinkRef
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
  readonly protocol?: keyof typeof c.RTPROT | number
  /** The gateway is on the link, though no route says so. */
  readonly onlink?: boolean
  readonly mtu?: number
  /** Only to tell the family of a `default` route without `via`. */
  readonly family?: 'inet' | 'inet6'
}

export interface Route {
  /** `'default'` or a network with its prefix. */
  readonly to: string
  readonly family: 'inet' | 'inet6'
  readonly via?: string
  /** Index of the device. */
  readonly dev?: number
  readonly source?: string
  readonly metric?: number
  /** 254 is the main table. */
  readonly table: number
  readonly type: string
  readonly scope: string
  readonly protocol: string
  readonly onlink: boolean
  readonly mtu?: number
}

export interface RouteFilter {
  readonly family?: 'inet' | 'inet6'
  /** @defaultValue 'main' */
  readonly table?: RouteTable
  readonly dev?: LinkRef
}

export const routeNames = [
  'to',
  'via',
  'dev',
  'source',
  'metric',
  'table',
  'type',
  'scope',
  'protocol',
  'onlink',
  'mtu',
  'family',
] as const

function tableOf(table: RouteTable | undefined, path: string): number {
  if (table === undefined) return c.RT_TABLE.main
  if (typeof table === 'number') return integer(table, path, 1, 0xffffffff)
  return c.RT_TABLE[oneOf(table, path, Object.keys(c.RT_TABLE) as (keyof typeof c.RT_TABLE)[])]
}

function destinationOf(spec: RouteSpec): Cidr {
  const { to } = spec
  if (typeof to !== 'string') throw invalidType('route.to', "'default' or a network such as '10.0.0.0/8'", to)
  if (to === 'default') {
    const family =
      spec.via === undefined ? familyNumber(spec.family, 'route.family') || c.AF_INET : parseAddress(spec.via, 'route.via').family
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
  return type === 'unicast' && spec.via === undefined ? c.RT_SCOPE.link : c.RT_SCOPE.global
}

function protocolOf(protocol: RouteSpec['protocol']): number {
  if (protocol === undefined) return c.RTPROT.static
  if (typeof protocol === 'number') return integer(protocol, 'route.protocol', 0, 255)
  return c.RTPROT[oneOf(protocol, 'route.protocol', Object.keys(c.RTPROT) as (keyof typeof c.RTPROT)[])]
}

/** `oif` is the index of the route's device, when it has one. */
export function routeBody(spec: RouteSpec, oif: number | undefined): Body {
  fields(spec, 'route', routeNames)
  const asked = familyNumber(spec.family, 'route.family')
  const to = destinationOf(spec)
  if (asked !== c.AF_UNSPEC && asked !== to.family)
    throw invalidValue('route.family', 'must be the family of route.to and route.via', spec.family)
  const type = spec.type === undefined ? 'unicast' : oneOf(spec.type, 'route.type', Object.keys(c.RTN) as RouteType[])
  const addressOf = (text: string | undefined, path: string): string | undefined => {
    if (text === undefined) return undefined
    const address = parseAddress(text, path)
    if (address.family !== to.family) throw invalidValue(path, 'must be of the same family as route.to', text)
    return address.text
  }
  if (spec.onlink !== undefined && typeof spec.onlink !== 'boolean') throw invalidType('route.onlink', 'a boolean', spec.onlink)
  const table = tableOf(spec.table, 'route.table')
  return {
    family: to.family,
    toLength: to.prefixLength,
    headerTable: table < 256 ? table : 0,
    protocol: protocolOf(spec.protocol),
    scope: to.family === c.AF_INET ? scopeOf(spec, type) : c.RT_SCOPE.global,
    type: c.RTN[type],
    flags: spec.onlink ? c.RTNH_F_ONLINK : 0,
    to: to.prefixLength === 0 ? undefined : to.text,
    gateway: addressOf(spec.via, 'route.via'),
    oif,
    preferredSource: addressOf(spec.source, 'route.source'),
    metric: spec.metric === undefined ? undefined : integer(spec.metric, 'route.metric', 0, 0xffffffff),
    table,
    metrics: spec.mtu === undefined ? undefined : { mtu: integer(spec.mtu, 'route.mtu', 68, 65535) },
  }
}

async function change(handle: NamespaceHandle, type: string, flags: number, verb: string, spec: RouteSpec): Promise<void> {
  routeBody(spec, undefined)
  if (spec.dev !== undefined) refBody(spec.dev, 'route.dev')
  const oif = spec.dev === undefined ? undefined : await indexOf(handle, spec.dev, 'route.dev')
  const message: Message = { type, flags, body: routeBody(spec, oif), step: `${verb} the route to ${spec.to}` }
  await send(handle, [message])
}

/** EEXIST when there is such a route. */
export const addRoute = (handle: NamespaceHandle, spec: RouteSpec): Promise<void> =>
  change(handle, 'RTM_NEWROUTE', c.NLM_F_CREATE | c.NLM_F_EXCL, 'add', spec)

/** Makes it, in place of one with the same destination, metric and table. */
export const replaceRoute = (handle: NamespaceHandle, spec: RouteSpec): Promise<void> =>
  change(handle, 'RTM_NEWROUTE', c.NLM_F_CREATE | c.NLM_F_REPLACE, 'replace', spec)

/** ESRCH when there is none that matches what is given. */
export async function deleteRoute(handle: NamespaceHandle, spec: RouteSpec): Promise<void> {
  // The kernel matches what is given: an implied scope or protocol must not narrow it.
  routeBody(spec, undefined)
  const oif = spec.dev === undefined ? undefined : await indexOf(handle, spec.dev, 'route.dev')
  const body = {
    ...routeBody(spec, oif),
    scope: spec.scope === undefined ? c.RT_SCOPE.nowhere : c.RT_SCOPE[spec.scope],
    protocol: spec.protocol === undefined ? 0 : protocolOf(spec.protocol),
    ...(spec.type === undefined ? { type: 0 } : {}),
  }
  await send(handle, [{ type: 'RTM_DELROUTE', flags: 0, body, step: `delete the route to ${spec.to}` }])
}

function routeFrom(body: Body): Route {
  const to = optionalText(body, 'to')
  const optional = {
    via: optionalText(body, 'gateway'),
    dev: optionalNumber(body, 'oif'),
    source: optionalText(body, 'preferredSource'),
    metric: optionalNumber(body, 'metric'),
    mtu: optionalNumber(nested(body, 'metrics') ?? {}, 'mtu'),
  }
  return {
    to: to === undefined ? 'default' : `${to}/${number(body, 'toLength')}`,
    family: familyName(number(body, 'family')),
    table: optionalNumber(body, 'table') ?? number(body, 'headerTable'),
    type: c.wordOf(c.RTN, number(body, 'type')),
    scope: c.wordOf(c.RT_SCOPE, number(body, 'scope')),
    protocol: c.wordOf(c.RTPROT, number(body, 'protocol')),
    onlink: (number(body, 'flags') & c.RTNH_F_ONLINK) !== 0,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  }
}

/** The kernel filters by table and device; both families unless one is asked for. */
export async function listRoutes(handle: NamespaceHandle, filter: RouteFilter = {}): Promise<Route[]> {
  fields(filter, 'filter', ['family', 'table', 'dev'])
  const table = tableOf(filter.table, 'filter.table')
  const family = familyNumber(filter.family, 'filter.family')
  const oif = filter.dev === undefined ? undefined : await indexOf(handle, filter.dev, 'filter.dev')
  const body = { headerTable: table < 256 ? table : 0, table, oif }
  const routes: Route[] = []
  for (const one of family === c.AF_UNSPEC ? [c.AF_INET, c.AF_INET6] : [family]) {
    routes.push(...(await dumpTable(handle, { ...body, family: one })))
  }
  return routes
}

async function dumpTable(handle: NamespaceHandle, body: Body): Promise<Route[]> {
  try {
    return await dump(handle, 'RTM_GETROUTE', body, 'the routes', routeFrom)
  } catch (error) {
    // A table that has never had a route does not exist yet: it has none.
    if ((error as { code?: unknown }).code === 'ENOENT') return []
    throw error
  }
}
