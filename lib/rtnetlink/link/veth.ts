// A veth pair, both ends complete.

import { send } from '../../exchange.ts'
import { fields, list } from '../../invalid.ts'
import { interfaceName } from '../../names.ts'
import { type Body, type Message, type NamespaceHandle, native } from '../../native.ts'
import { rolledBack } from '../../roll-back.ts'
import { backupResolver } from '../bridge/new-port.ts'
import * as c from '../constants.ts'
import type { ResolveLink } from '../operation.ts'
import { type CommonRouteSpec, type OneWay, type RouteSpec, routeBody, routeNames, type SharedWay } from '../route/spec.ts'
import { completion, type NewLink } from './completion.ts'
import { deleteLink, getLinkMessage, indexOf, type Link, linkFrom, refBody } from './link.ts'
import { optional, settingNames, settingsBody } from './settings.ts'

export interface VethEnd extends NewLink {
  readonly txQueues?: number
  readonly rxQueues?: number
  /** Routes through this end, unless they name another device of its namespace. Needs `up`. Several ways at once are for addRoute. */
  readonly routes?: readonly (CommonRouteSpec & (OneWay | SharedWay))[]
}

export interface VethSpec<Place> extends VethEnd {
  /** The other end, born in its namespace with its final name: it is never moved. */
  readonly peer: VethEnd & {
    /** @defaultValue the namespace of this end */
    readonly netns?: Place
  }
}

const endNames = [
  'name',
  ...settingNames,
  ...['altnames', 'addresses', 'up', 'txQueues', 'rxQueues', 'master', 'bridgePort', 'routes'],
] as const

function endBody(end: VethEnd, path: string): Body {
  interfaceName(end.name, `${path}.name`)
  if (end.routes !== undefined) list(end.routes, `${path}.routes`)
  if (end.master !== undefined) refBody(end.master, `${path}.master`)
  return {
    name: end.name,
    ...settingsBody(end, path),
    txQueues: optional(end.txQueues, `${path}.txQueues`, 1, 4096),
    rxQueues: optional(end.rxQueues, `${path}.rxQueues`, 1, 4096),
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

/** Completes an end, adds its routes, and looks at the result. `more`: what the message that made the pair did not take. */
function finish(end: VethEnd, index: number, devices: Devices, path: string, more?: Body, resolve?: ResolveLink): Message[] {
  const messages = completion(end, index, path, more, resolve)
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
      body: { ...routeBody(route)(() => index), oif: devices.get(route) ?? implied },
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
  fields(spec, 'veth', [...endNames, 'peer'])
  fields(spec.peer, 'veth.peer', [...endNames, 'netns'])
  const { peer } = spec
  const create: Body = {
    ...endBody(spec, 'veth'),
    info: { kind: 'veth', data: { peer: { ...endBody(peer, 'veth.peer'), netnsFd: native.describe(inside).fd } } },
  }
  const none: Devices = new Map()
  finish(spec, 1, none, 'veth')
  finish(peer, 1, none, 'veth.peer') // every argument is checked before the first message

  const devices = await otherDevices(host, spec, 'veth')
  const devicesInside = await otherDevices(inside, peer, 'veth.peer')
  const master = spec.master === undefined ? undefined : await indexOf(host, spec.master, 'veth.master')
  // The kernel overlooks the master of a peer while it makes the pair.
  const peerMaster = peer.master === undefined ? {} : { master: await indexOf(inside, peer.master, 'veth.peer.master') }
  const backup = await backupResolver(host, spec.bridgePort, 'veth.bridgePort')
  const peerBackup = await backupResolver(inside, peer.bridgePort, 'veth.peer.bridgePort')
  const outcomes = await send(host, [
    {
      type: 'RTM_NEWLINK',
      flags: c.NLM_F_CREATE | c.NLM_F_EXCL,
      body: { ...create, master },
      step: `make the veth pair ${spec.name} and ${peer.name}`,
    },
    getLinkMessage(spec.name, 'veth.name'),
  ])
  const made = linkFrom(outcomes[1]?.replies[0] ?? {})
  return rolledBack(
    async () => {
      const ask = async (handle: NamespaceHandle, messages: Message[]): Promise<Link> =>
        linkFrom((await send(handle, messages)).at(-1)?.replies[0] ?? {})
      const peerLink = await ask(inside, finish(peer, made.peer ?? 0, devicesInside, 'veth.peer', peerMaster, peerBackup))
      return [await ask(host, finish(spec, made.index, devices, 'veth', {}, backup)), peerLink] as [Link, Link]
    },
    () => deleteLink(host, made),
  )
}
