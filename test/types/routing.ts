// Routes, rules, nexthops and batches. Compiled, never run.

import type { BatchResult, NetlinkError, Netns, Nexthop, Route, Rule } from '../../lib/index.ts'
import { expectType } from './expect.ts'

export async function routes(ns: Netns): Promise<void> {
  await ns.addRoute({ to: 'default', via: '10.0.0.1', table: 'main' })
  // @ts-expect-error no destination
  await ns.addRoute({ via: '10.0.0.1' })
  // @ts-expect-error no such option
  await ns.addRoute({ to: 'default', gateway: '10.0.0.1' })
  // @ts-expect-error no such type
  await ns.replaceRoute({ to: 'default', type: 'drop' })
  // @ts-expect-error no such table
  await ns.appendRoute({ to: 'default', dev: 'eth0', table: 'mine' })
  // @ts-expect-error a number for a string
  await ns.changeRoute({ to: 'default', via: 10 })
  // @ts-expect-error one way of several is an object
  await ns.addRoute({ to: 'default', nexthops: ['10.0.0.1'] })
  await ns.addRoute({ to: '10.0.0.0/8', nexthop: 5, table: 100 })
  // @ts-expect-error one way or several
  await ns.addRoute({ to: 'default', via: '10.0.0.1', nexthops: [{ via: '10.0.0.2' }] })
  // @ts-expect-error a way of its own or a shared one
  await ns.addRoute({ to: 'default', dev: 'eth0', nexthop: 5 })
  // @ts-expect-error several ways or a shared one
  await ns.addRoute({ to: 'default', nexthops: [{ via: '10.0.0.2' }], nexthop: 5 })
  // @ts-expect-error several ways at once are for addRoute
  await ns.createVethPair({ name: 'v0', peer: { name: 'v1', routes: [{ to: 'default', nexthops: [{ via: '10.0.0.2' }] }] } })
  // @ts-expect-error no destination
  await ns.deleteRoute({ dev: 'eth0' })
  // @ts-expect-error no such filter
  await ns.listRoutes({ to: 'default' })
  // @ts-expect-error all routes are flushed by asking for them
  await ns.flushRoutes()
  const route = await ns.lookupRoute('10.0.0.1', { from: '10.0.0.2' })
  expectType<Route>()(route)
  // @ts-expect-error results do not change
  route.metric = 5
  // @ts-expect-error no such option
  await ns.lookupRoute('10.0.0.1', { dev: 'eth0' })
}

export async function rules(ns: Netns): Promise<void> {
  await ns.addRule({ from: '10.0.0.0/8', table: 100, sourcePorts: { start: 1, end: 2 } })
  // @ts-expect-error no such action
  await ns.addRule({ action: 'reject' })
  // @ts-expect-error a range has two ends
  await ns.addRule({ sourcePorts: { start: 1 } })
  // @ts-expect-error a word for a number
  await ns.deleteRule({ priority: '100' })
  // @ts-expect-error no such filter
  expectType<Rule[]>()(await ns.listRules({ table: 100 }))
}

export async function nexthops(ns: Netns): Promise<void> {
  await ns.addNexthop({ id: 1, dev: 'eth0' })
  await ns.addNexthop({ id: 2, blackhole: true })
  // @ts-expect-error no way at all
  await ns.addNexthop({ id: 3 })
  // @ts-expect-error a hole that is none
  await ns.addNexthop({ id: 3, blackhole: false })
  // @ts-expect-error a hole is no group
  await ns.addNexthop({ id: 3, blackhole: true, group: [{ id: 1 }] })
  // @ts-expect-error a group has the devices of its members
  await ns.addNexthop({ id: 3, group: [{ id: 1 }], dev: 'eth0' })
  // @ts-expect-error nothing leaves a hole
  await ns.addNexthop({ id: 3, blackhole: true, dev: 'eth0' })
  // @ts-expect-error a gateway needs its device
  await ns.replaceNexthop({ id: 3, via: '10.0.0.1' })
  // @ts-expect-error a word for a number
  await ns.deleteNexthop('3')
  // @ts-expect-error no such filter
  expectType<Nexthop[]>()(await ns.listNexthops({ id: 3 }))
}

export async function batches(ns: Netns): Promise<void> {
  const result = await ns.batch((batch) =>
    batch.createLink({ kind: 'dummy', name: 'd0' }).addAddress('d0', '10.0.0.1/24').addRoute({ to: 'default', dev: 'd0' }),
  )
  expectType<BatchResult>()(result)
  // @ts-expect-error a batch acts in one namespace
  await ns.batch((batch) => batch.createLink({ kind: 'dummy', name: 'd0', netns: ns }))
  // @ts-expect-error what looks is not collected
  await ns.batch((batch) => batch.getLink('d0'))
  // @ts-expect-error a vlan needs an id
  await ns.batch((batch) => batch.createLink({ kind: 'vlan', name: 'v0', link: 'd0' }))
  // @ts-expect-error what is to be done is told by a function
  await ns.batch([])
  expectType<NetlinkError | undefined>()(result.error)
  for (const item of result.items) {
    // @ts-expect-error only a failed one has an error
    item.error
    if (item.status === 'failed') expectType<NetlinkError>()(item.error)
    if (item.status === 'skipped') expectType<number>()(item.because)
    // @ts-expect-error no such status
    if (item.status === 'ok') return
  }
  // @ts-expect-error results do not change
  result.ok = true
}
