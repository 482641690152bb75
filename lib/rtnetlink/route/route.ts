// Routes of the IPv4 and IPv6 tables; see ip-route(8).

import { type Abortable, signalOf } from '../../abort.ts'
import { dump, nested, number, optionalNumber, optionalText, present, sweep } from '../../exchange.ts'
import { fields, oneOf } from '../../invalid.ts'
import type { Mutable } from '../../mutable.ts'
import type { Body, Message, NamespaceHandle } from '../../native.ts'
import * as c from '../constants.ts'
import { familyName, familyNumber } from '../family.ts'
import { indexOf, type LinkRef } from '../link/ref.ts'
import { type Operation, perform } from '../operation.ts'
import { metricsFrom, type RouteMetrics } from './metrics.ts'
import { type Realm, realmFrom } from './realm.ts'
import {
  devicesOf,
  preferences,
  protocolOf,
  type RouteProtocol,
  type RouteSpec,
  type RouteTable,
  type RouteType,
  routeBody,
  tableOf,
} from './spec.ts'

export interface Route extends RouteMetrics {
  /** `'default'` or a network with its prefix. */
  readonly to: string
  readonly family: 'inet' | 'inet6'
  /** Of an IPv6 route for packets from there only. */
  readonly from?: string
  /** Absent for any. */
  readonly tos?: number
  readonly via?: string
  /** Index of the device. */
  readonly dev?: number
  readonly source?: string
  readonly metric?: number
  /** 254 is the main table. */
  readonly table: number
  readonly type: string
  readonly scope: string
  readonly protocol: RouteProtocol
  readonly onlink: boolean
  readonly realm?: Realm
  readonly nexthops?: readonly {
    readonly via?: string
    readonly dev: number
    readonly weight: number
    readonly onlink: boolean
    readonly realm?: Realm
  }[]
  readonly nexthop?: number
  readonly preference?: string
  /** Seconds that are left of an IPv6 route's life. */
  readonly expires?: number
}

export interface RouteFilter extends Abortable {
  readonly family?: 'inet' | 'inet6'
  /** @defaultValue 'main' */
  readonly table?: RouteTable | 'all'
  readonly dev?: LinkRef
  readonly protocol?: RouteProtocol
  readonly type?: RouteType
}

export type RouteVerb = 'add' | 'replace' | 'append' | 'change'
const flagsOf: Readonly<Record<RouteVerb, number>> = {
  add: c.NLM_F_CREATE | c.NLM_F_EXCL,
  replace: c.NLM_F_CREATE | c.NLM_F_REPLACE,
  append: c.NLM_F_CREATE | c.NLM_F_APPEND,
  change: c.NLM_F_REPLACE,
}

const devices = (spec: RouteSpec): Operation['devices'] => devicesOf(spec).map((ref) => ({ ref, path: 'route.dev' }))

export function routeChange(verb: RouteVerb, spec: RouteSpec): Operation {
  const body = routeBody(spec)
  const step = `${verb} the route to ${spec.to}`
  return {
    devices: devices(spec),
    build: (resolve) => [{ type: 'RTM_NEWROUTE', flags: flagsOf[verb], body: body(resolve), step }],
  }
}

/** The kernel matches what is given: an implied scope or protocol must not narrow it. */
export function routeDeletion(spec: RouteSpec): Operation {
  const body = routeBody(spec)
  const open: Body = {
    scope: spec.scope === undefined ? c.RT_SCOPE.nowhere : c.RT_SCOPE[spec.scope],
    protocol: spec.protocol === undefined ? 0 : protocolOf(spec.protocol),
    ...(spec.type === undefined ? { type: 0 } : {}),
  }
  return {
    devices: devices(spec),
    build: (resolve) => [
      { type: 'RTM_DELROUTE', flags: 0, body: { ...body(resolve), ...open }, step: `delete the route to ${spec.to}` },
    ],
  }
}

/** EEXIST when there is such a route. */
export async function addRoute(handle: NamespaceHandle, spec: RouteSpec): Promise<void> {
  await perform(handle, routeChange('add', spec))
}

/** Makes it, in place of one with the same destination, metric and table. */
export async function replaceRoute(handle: NamespaceHandle, spec: RouteSpec): Promise<void> {
  await perform(handle, routeChange('replace', spec))
}

/** Makes it beside others with the same destination and metric: behind them in IPv4, as one more way in IPv6. */
export async function appendRoute(handle: NamespaceHandle, spec: RouteSpec): Promise<void> {
  await perform(handle, routeChange('append', spec))
}

/** Changes one that is there; ENOENT when there is none. */
export async function changeRoute(handle: NamespaceHandle, spec: RouteSpec): Promise<void> {
  await perform(handle, routeChange('change', spec))
}

/** ESRCH when there is none that matches what is given. */
export async function deleteRoute(handle: NamespaceHandle, spec: RouteSpec): Promise<void> {
  await perform(handle, routeDeletion(spec))
}

function hopFrom(hop: Body): NonNullable<Route['nexthops']>[number] {
  return {
    dev: number(hop['oif']),
    weight: number(hop['weight']) + 1,
    onlink: (number(hop['flags']) & c.RTNH_F_ONLINK) !== 0,
    ...present({ via: optionalText(hop['gateway']) ?? optionalText(hop['via']), realm: realmFrom(optionalNumber(hop['realm'])) }),
  }
}

/** The kernel counts the rest of a route's life in USER_HZ; 0 is forever. */
function secondsLeft(cache: Body | undefined): number | undefined {
  const left = cache === undefined ? 0 : number(cache['expires'])
  return left > 0 ? left / 100 : undefined
}

/** Member by member, as a listing does it 10 000 times. */
export function routeFrom(body: Body): Route {
  const to = optionalText(body['to'])
  const from = optionalText(body['from'])
  const via = optionalText(body['gateway']) ?? optionalText(body['via'])
  const dev = optionalNumber(body['oif'])
  const source = optionalText(body['preferredSource'])
  const metric = optionalNumber(body['metric'])
  const tos = number(body['tos'])
  const realm = realmFrom(optionalNumber(body['realm']))
  const multipath = body['multipath']
  const nexthop = optionalNumber(body['nexthopId'])
  const preference = optionalNumber(body['preference'])
  const expires = secondsLeft(nested(body['cacheInfo']))
  const metrics = nested(body['metrics'])
  const route: Mutable<Route> = {
    to: to === undefined ? 'default' : `${to}/${number(body['toLength'])}`,
    family: familyName(number(body['family'])),
    table: optionalNumber(body['table']) ?? number(body['headerTable']),
    type: c.wordOf(c.RTN, number(body['type'])),
    scope: c.wordOf(c.RT_SCOPE, number(body['scope'])),
    protocol: c.wordOrNumber(c.RTPROT, number(body['protocol'])),
    onlink: (number(body['flags']) & c.RTNH_F_ONLINK) !== 0,
  }
  if (metrics !== undefined) Object.assign(route, metricsFrom(metrics))
  if (via !== undefined) route.via = via
  if (dev !== undefined) route.dev = dev
  if (source !== undefined) route.source = source
  if (metric !== undefined) route.metric = metric
  if (from !== undefined) route.from = `${from}/${number(body['fromLength'])}`
  if (tos !== 0) route.tos = tos
  if (realm !== undefined) route.realm = realm
  if (Array.isArray(multipath)) route.nexthops = (multipath as readonly Body[]).map(hopFrom)
  if (nexthop !== undefined) route.nexthop = nexthop
  if (preference !== undefined) route.preference = c.wordOf(preferences, preference)
  if (expires !== undefined) route.expires = expires
  return route
}

/** The kernel filters by table, device, protocol and type; both families unless one is asked for. */
async function find<T>(handle: NamespaceHandle, filter: RouteFilter, look: (body: Body) => T): Promise<T[]> {
  fields(filter, 'filter', ['family', 'table', 'dev', 'protocol', 'type', 'signal'])
  const signal = signalOf(filter, 'filter')
  const table = filter.table === 'all' ? undefined : tableOf(filter.table, 'filter.table')
  const family = familyNumber(filter.family, 'filter.family')
  const protocol = filter.protocol === undefined ? 0 : protocolOf(filter.protocol, 'filter.protocol')
  const type = filter.type === undefined ? 0 : c.RTN[oneOf(filter.type, 'filter.type', Object.keys(c.RTN) as RouteType[])]
  const oif = filter.dev === undefined ? undefined : await indexOf(handle, filter.dev, 'filter.dev')
  const body = { headerTable: table !== undefined && table < 256 ? table : 0, table, oif, protocol, type }
  const found: T[][] = []
  for (const one of family === c.AF_UNSPEC ? [c.AF_INET, c.AF_INET6] : [family]) {
    found.push(await dumpTable(handle, { ...body, family: one }, look, signal))
  }
  return found.flat() as T[]
}

async function dumpTable<T>(
  handle: NamespaceHandle,
  body: Body,
  look: (body: Body) => T,
  signal: AbortSignal | undefined,
): Promise<T[]> {
  try {
    return await dump(handle, 'RTM_GETROUTE', body, 'the routes', look, { signal })
  } catch (error) {
    // A table that has never had a route does not exist yet: it has none.
    if ((error as { code?: unknown }).code === 'ENOENT') return []
    throw error
  }
}

export const listRoutes = (handle: NamespaceHandle, filter: RouteFilter = {}): Promise<Route[]> => find(handle, filter, routeFrom)

interface Found {
  readonly body: Body
  readonly route: Route
}

/** By all that identifies it; the rest of what the kernel tells of a route is none of a deletion's business. */
function exactDeletion({ body, route }: Found): Message {
  const { family, toLength, fromLength, tos, headerTable, protocol, scope, type, to, from, metric, table } = body
  const ways = body['nexthopId'] === undefined ? ['gateway', 'via', 'oif', 'multipath', 'preferredSource'] : ['nexthopId']
  return {
    type: 'RTM_DELROUTE',
    flags: 0,
    body: {
      ...{ family, toLength, fromLength, tos, headerTable, protocol, scope, type, to, from, metric, table },
      ...Object.fromEntries(ways.map((way) => [way, body[way]])),
    },
    step: `delete the route to ${route.to}`,
  }
}

/** One dump a family and one submission. What goes meanwhile, or with another route, is no error. */
export async function flushRoutes(handle: NamespaceHandle, filter: RouteFilter): Promise<Route[]> {
  const found = await find(handle, filter, (body): Found => ({ body, route: routeFrom(body) }))
  await sweep(handle, found.map(exactDeletion), ['ESRCH', 'ENOENT', 'ENODEV'])
  return found.map(({ route }) => route)
}
