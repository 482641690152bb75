// Calling off. Compiled, never run.

import {
  check,
  createNetns,
  createNetwork,
  diagnose,
  type Endpoint,
  exposedPorts,
  gc,
  type Link,
  listNetworks,
  type Netns,
  type Network,
  repair,
} from '../../lib/index.ts'
import { expectType } from './expect.ts'

export async function signals(ns: Netns, signal: AbortSignal, perhaps: { readonly signal?: AbortSignal }): Promise<void> {
  expectType<Link[]>()(await ns.listLinks({ kind: 'veth', signal }))
  // What was handed on may be none.
  await ns.listRoutes({ table: 'all', signal: perhaps.signal })
  // @ts-expect-error a controller is no signal
  await ns.listLinks({ signal: new AbortController() })
  // @ts-expect-error nor is a number of milliseconds
  await ns.listRules({ signal: 500 })
  // @ts-expect-error it is named
  await ns.listNsids(signal)
  // @ts-expect-error one message, which nobody can call off
  await ns.addRoute({ to: 'default', via: '10.0.0.1', signal })
  // @ts-expect-error one question
  await ns.getLink('eth0', { signal })
  await ns.batch((batch) => batch.deleteLink('eth0'), { signal })
  // @ts-expect-error it is for all
  await ns.batch((batch) => batch.addRoute({ to: 'default', signal }))
  expectType<Netns>()(await createNetns('blue', { signal }))
  await createNetns(undefined, { signal })
  // @ts-expect-error behind the name
  await createNetns({ signal })
  await ns.nftables.apply([], { signal, handles: false })
  await ns.conntrack.delete({ protocol: 'udp', signal })
}

export async function networks(network: Network, endpoint: Endpoint, signal: AbortSignal): Promise<void> {
  await createNetwork({ name: 'lab', signal })
  await createNetwork({ name: 'wire', driver: 'macvlan', parent: 'eth0', subnets: ['10.0.0.0/24'], signal })
  // @ts-expect-error in the object that says what is wanted
  await createNetwork({ name: 'lab' }, { signal })
  await network.attach({ name: 'web', signal })
  // @ts-expect-error in the object that says what is wanted
  await network.attach({ name: 'web' }, { signal })
  expectType<number>()((await network.attachMany([{ name: 'web' }], { signal })).length)
  // @ts-expect-error it is for all
  await network.attachMany([{ name: 'web', signal }])
  await network.detachMany(['web'], { signal })
  // @ts-expect-error no such option
  await network.detach('web', { force: true })
  await network.delete({ force: true, signal })
  await endpoint.publish('8080:80', { signal })
  // @ts-expect-error it is named
  await endpoint.unpublish('8080:80', signal)
  await endpoint.detach({ signal })
  // @ts-expect-error one question
  await network.endpoint('web', { signal })
  await Promise.all([listNetworks, exposedPorts, check, repair, gc, diagnose].map((verb) => verb({ signal })))
}
