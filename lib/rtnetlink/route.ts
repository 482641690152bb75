// Routes of the IPv4 and IPv6 tables; see ip-route(8).

import { fields, oneOf } from '../invalid.ts'
import type { Body, Message, NamespaceHandle } from '../native.ts'
import { familyName, familyNumber } from './address.ts'
import * as c from './constants.ts'
import { dump, nested, number, optionalNumber, optionalText, send } from './exchange.ts'
import { indexOf, type LinkRef, refBody } from './link.ts'
import {
  devicesOf,
  preferences,
  protocolOf,
  type ResolveLink,
  type RouteSpec,
  type RouteTable,
  type RouteType,
  routeBody,
  tableOf,
} from './route-spec.ts'

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
  readonly nexthops?: readonly {
    readonly via?: string
    readonly dev: number
    readonly weight: number
    readonly onlink: boolean
  }[]
  readonly nexthop?: number
  readonly preference?: string
  /** Seconds that are left of an IPv6 route's life. */
  readonly expires?: number
}

export interface RouteFilter {
  readonly family?: 'inet' | 'inet6'
  /** @defaultValue 'main' */
  readonly table?: RouteTable
  readonly dev?: LinkRef
  readonly protocol?: keyof typeof c.RTPROT | number
  readonly type?: RouteType
}

/** Checks the whole route, then asks the kernel for the devices that are named by name. */
export async function resolver(handle: NamespaceHandle, spec: RouteSpec): Promise<ResolveLink> {
  routeBody(spec, () => 1)
  const refs = devicesOf(spec)
  for (const ref of refs) refBody(ref, 'route.dev')
  const found = new Map<LinkRef, number>()
  for (const ref of refs) if (!found.has(ref)) found.set(ref, await indexOf(handle, ref, 'route.dev'))
  return (ref) => found.get(ref) ?? 0
}

async function change(handle: NamespaceHandle, type: string, flags: number, verb: string, spec: RouteSpec): Promise<void> {
  const body = routeBody(spec, await resolver(handle, spec))
  const message: Message = { type, flags, body, step: `${verb} the route to ${spec.to}` }
  await send(handle, [message])
}

/** EEXIST when there is such a route. */
export const addRoute = (handle: NamespaceHandle, spec: RouteSpec): Promise<void> =>
  change(handle, 'RTM_NEWROUTE', c.NLM_F_CREATE | c.NLM_F_EXCL, 'add', spec)

/** Makes it, in place of one with the same destination, metric and table. */
export const replaceRoute = (handle: NamespaceHandle, spec: RouteSpec): Promise<void> =>
  change(handle, 'RTM_NEWROUTE', c.NLM_F_CREATE | c.NLM_F_REPLACE, 'replace', spec)

/** Makes it beside others with the same destination and metric: behind them in IPv4, as one more way in IPv6. */
export const appendRoute = (handle: NamespaceHandle, spec: RouteSpec): Promise<void> =>
  change(handle, 'RTM_NEWROUTE', c.NLM_F_CREATE | c.NLM_F_APPEND, 'append', spec)

/** Changes one that is there; ENOENT when there is none. */
export const changeRoute = (handle: NamespaceHandle, spec: RouteSpec): Promise<void> =>
  change(handle, 'RTM_NEWROUTE', c.NLM_F_REPLACE, 'change', spec)

/** ESRCH when there is none that matches what is given. */
export async function deleteRoute(handle: NamespaceHandle, spec: RouteSpec): Promise<void> {
  // The kernel matches what is given: an implied scope or protocol must not narrow it.
  const body = {
    ...routeBody(spec, await resolver(handle, spec)),
    scope: spec.scope === undefined ? c.RT_SCOPE.nowhere : c.RT_SCOPE[spec.scope],
    protocol: spec.protocol === undefined ? 0 : protocolOf(spec.protocol),
    ...(spec.type === undefined ? { type: 0 } : {}),
  }
  await send(handle, [{ type: 'RTM_DELROUTE', flags: 0, body, step: `delete the route to ${spec.to}` }])
}

function hopFrom(hop: Body): NonNullable<Route['nexthops']>[number] {
  const via = optionalText(hop, 'gateway') ?? optionalText(hop, 'via')
  return {
    dev: number(hop, 'oif'),
    weight: number(hop, 'weight') + 1,
    onlink: (number(hop, 'flags') & c.RTNH_F_ONLINK) !== 0,
    ...(via === undefined ? {} : { via }),
  }
}

/** The kernel counts the rest of a route's life in USER_HZ; 0 is forever. */
function secondsLeft(cache: Body | undefined): number | undefined {
  const left = cache === undefined ? 0 : number(cache, 'expires')
  return left > 0 ? left / 100 : undefined
}

export function routeFrom(body: Body): Route {
  const to = optionalText(body, 'to')
  const optional = {
    via: optionalText(body, 'gateway') ?? optionalText(body, 'via'),
    dev: optionalNumber(body, 'oif'),
    source: optionalText(body, 'preferredSource'),
    metric: optionalNumber(body, 'metric'),
    mtu: optionalNumber(nested(body, 'metrics') ?? {}, 'mtu'),
    nexthops: Array.isArray(body['multipath']) ? (body['multipath'] as readonly Body[]).map(hopFrom) : undefined,
    nexthop: optionalNumber(body, 'nexthopId'),
    preference: body['preference'] === undefined ? undefined : c.wordOf(preferences, number(body, 'preference')),
    expires: secondsLeft(nested(body, 'cacheInfo')),
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

/** The kernel filters by table, device, protocol and type; both families unless one is asked for. */
export async function listRoutes(handle: NamespaceHandle, filter: RouteFilter = {}): Promise<Route[]> {
  fields(filter, 'filter', ['family', 'table', 'dev', 'protocol', 'type'])
  const table = tableOf(filter.table, 'filter.table')
  const family = familyNumber(filter.family, 'filter.family')
  const oif = filter.dev === undefined ? undefined : await indexOf(handle, filter.dev, 'filter.dev')
  const protocol = filter.protocol === undefined ? 0 : protocolOf(filter.protocol, 'filter.protocol')
  const type = filter.type === undefined ? 0 : c.RTN[oneOf(filter.type, 'filter.type', Object.keys(c.RTN) as RouteType[])]
  const body = { headerTable: table < 256 ? table : 0, table, oif, protocol, type }
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
