// A veth pair, both ends complete.

import { fields, integer, invalidType, list } from '../invalid.ts'
import { interfaceName, macAddress } from '../names.ts'
import { type Body, type Message, type NamespaceHandle, native } from '../native.ts'
import { addressMessage } from './address.ts'
import * as c from './constants.ts'
import { send } from './exchange.ts'
import { deleteLink, getLinkMessage, indexOf, type Link, type LinkRef, linkFrom, mtuOf, refBody } from './link.ts'
import { rolledBack } from './roll-back.ts'
import { type RouteSpec, routeBody, routeNames } from './route-spec.ts'

export interface VethEnd {
  readonly name: string
  readonly mac?: string
  readonly mtu?: number
  readonly txqlen?: number
  /** @defaultValue false */
  readonly up?: boolean
  /** `172.18.0.10/16`, … */
  readonly addresses?: readonly string[]
  /** Routes through this end, unless they name another device of its namespace. Needs `up`. Several ways at once are for addRoute. */
  readonly routes?: readonly Omit<RouteSpec, 'nexthops'>[]
}

export interface VethSpec<Place> extends VethEnd {
  /** The device that this end becomes a port of. */
  readonly master?: LinkRef
  readonly group?: number
  /** The other end, born in its namespace with its final name: it is never moved. */
  readonly peer: VethEnd & {
    /** @defaultValue the namespace of this end */
    readonly netns?: Place
  }
}

const endNames = ['name', 'mac', 'mtu', 'txqlen', 'up', 'addresses', 'routes'] as const

function endBody(end: VethEnd, path: string): Body {
  interfaceName(end.name, `${path}.name`)
  if (end.up !== undefined && typeof end.up !== 'boolean') throw invalidType(`${path}.up`, 'a boolean', end.up)
  if (end.addresses !== undefined) list(end.addresses, `${path}.addresses`)
  if (end.routes !== undefined) list(end.routes, `${path}.routes`)
  return {
    name: end.name,
    mac: end.mac === undefined ? undefined : macAddress(end.mac, `${path}.mac`),
    mtu: end.mtu === undefined ? undefined : mtuOf(end.mtu, `${path}.mtu`),
    txqlen: end.txqlen === undefined ? undefined : integer(end.txqlen, `${path}.txqlen`, 0, 0xffffffff),
  }
}

/** The devices that routes of an end name and that are not the end itself, by their index. */
type Devices = ReadonlyMap<RouteSpec, number>

async function otherDevices(handle: NamespaceHandle, end: VethEnd, path: string): Promise<Devices> {
  const devices = new Map<RouteSpec, number>()
  for (const [at, route] of (end.routes ?? []).entries()) {
    if (route.dev !== undefined && route.dev !== end.name)
      devices.set(route, await indexOf(handle, route.dev, `${path}.routes[${at}].dev`))
  }
  return devices
}

// The kernel takes no device for these.
const nowhere: readonly unknown[] = ['blackhole', 'unreachable', 'prohibit', 'throw']

/** What an end gets once it is there: up, addresses, routes, and the look at the result. */
function completion(end: VethEnd, index: number, devices: Devices, path: string): Message[] {
  const messages: Message[] = []
  if (end.up) {
    messages.push({
      type: 'RTM_SETLINK',
      flags: 0,
      step: `set ${end.name} up`,
      body: { index, flags: c.IFF_UP, change: c.IFF_UP },
    })
  }
  for (const [at, address] of (end.addresses ?? []).entries())
    messages.push(addressMessage(index, address, {}, `${path}.addresses[${at}]`))
  for (const [at, route] of (end.routes ?? []).entries()) {
    fields(
      route,
      `${path}.routes[${at}]`,
      routeNames.filter((name) => name !== 'nexthops'),
    )
    if (route.dev !== undefined) refBody(route.dev, `${path}.routes[${at}].dev`)
    const implied = nowhere.includes(route.type) || route.nexthop !== undefined ? undefined : index
    messages.push({
      type: 'RTM_NEWROUTE',
      flags: c.NLM_F_CREATE | c.NLM_F_EXCL,
      body: { ...routeBody(route, () => index), oif: devices.get(route) ?? implied },
      step: `add the route to ${route.to}`,
    })
  }
  messages.push(getLinkMessage(index, path))
  return messages
}

/**
 * Two submissions when the ends live in two namespaces and the peer is to be configured. EEXIST when a name is taken, in either
 * namespace; on any error nothing is left of the pair.
 */
export async function createVethPair(
  host: NamespaceHandle,
  inside: NamespaceHandle,
  spec: VethSpec<unknown>,
): Promise<[Link, Link]> {
  fields(spec, 'veth', [...endNames, 'master', 'group', 'peer'])
  fields(spec.peer, 'veth.peer', [...endNames, 'netns'])
  const { peer } = spec
  if (spec.master !== undefined) refBody(spec.master, 'veth.master')
  const create: Body = {
    ...endBody(spec, 'veth'),
    group: spec.group === undefined ? undefined : integer(spec.group, 'veth.group', 0, 0xffffffff),
    info: { kind: 'veth', data: { peer: { ...endBody(peer, 'veth.peer'), netnsFd: native.describe(inside).fd } } },
  }
  const none: Devices = new Map()
  completion(spec, 1, none, 'veth')
  completion(peer, 1, none, 'veth.peer') // every argument is checked before the first message

  const devices = await otherDevices(host, spec, 'veth')
  const devicesInside = await otherDevices(inside, peer, 'veth.peer')
  const master = spec.master === undefined ? undefined : await indexOf(host, spec.master, 'veth.master')
  const outcomes = await send(host, [
    {
      type: 'RTM_NEWLINK',
      flags: c.NLM_F_CREATE | c.NLM_F_EXCL,
      body: { ...create, master },
      step: `make the veth pair ${spec.name}`,
    },
    getLinkMessage(spec.name, 'veth.name'),
  ])
  const made = linkFrom(outcomes[1]?.replies[0] ?? {})
  return rolledBack(
    async () => {
      const finish = async (handle: NamespaceHandle, messages: Message[]): Promise<Link> =>
        linkFrom((await send(handle, messages)).at(-1)?.replies[0] ?? {})
      const peerLink = await finish(inside, completion(peer, made.peer ?? 0, devicesInside, 'veth.peer'))
      return [await finish(host, completion(spec, made.index, devices, 'veth')), peerLink] as [Link, Link]
    },
    () => deleteLink(host, made),
  )
}
