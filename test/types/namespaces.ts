// Namespaces, what happens in them, and networks of containers. Compiled, never run.

import type { Server } from 'node:net'
import {
  type AddressInfo,
  check,
  createNetns,
  createNetwork,
  deleteNetns,
  diagnose,
  diffSnapshots,
  type Endpoint,
  type ExposedPort,
  explain,
  exposedPorts,
  gc,
  inspect,
  keepRepaired,
  type Link,
  listNetns,
  listNetworks,
  type Neighbor,
  NetlinkError,
  type Netns,
  type NetnsSnapshot,
  type Network,
  NetworkError,
  openNetns,
  openNetwork,
  type RepairReport,
  repair,
  type Stats,
  stats,
} from '../../lib/index.ts'
import { expectType } from './expect.ts'

export async function snapshots(ns: Netns): Promise<void> {
  const snapshot = await ns.inspect()
  expectType<NetnsSnapshot>()(snapshot)
  expectType<readonly AddressInfo[]>()(snapshot.addresses)
  expectType<string | undefined>()(snapshot.links[0]?.kind === 'gtp' ? snapshot.links[0].raw : undefined)
  // @ts-expect-error there may be none to be seen
  snapshot.firewall.length
  // @ts-expect-error parts are not chosen
  await inspect({ links: true })
  // @ts-expect-error it is a reading
  snapshot.links.pop()
  // @ts-expect-error it takes two
  diffSnapshots(snapshot)
  for (const change of diffSnapshots(snapshot, snapshot)) {
    if (change.part === 'links' && change.change === 'changed') expectType<number>()(change.after.mtu)
    // @ts-expect-error what was added is one object
    if (change.change === 'added') change.before
  }
}

export async function explanations(ns: Netns): Promise<void> {
  const told = await explain(() => ns.inspect())
  expectType<string | undefined>()(told.sent[0]?.words)
  if (told.status === 'fulfilled') expectType<NetnsSnapshot>()(told.value)
  // @ts-expect-error it is a function that is watched, not a promise
  await explain(ns.inspect())
}

export async function namespaces(server: Server): Promise<void> {
  const ns = await createNetns('blue')
  expectType<Netns>()(ns)
  expectType<bigint>()(ns.inode)
  // @ts-expect-error a number for a string
  await createNetns(5)
  // @ts-expect-error no namespace
  await openNetns()
  // @ts-expect-error a process is given by its number
  await openNetns({ pid: 'self' })
  // @ts-expect-error by name only
  await deleteNetns(ns)
  // @ts-expect-error a row has no handle
  for (const { handle } of await listNetns()) return handle
  // @ts-expect-error it takes nothing
  await ns.close(true)
  // @ts-expect-error results do not change
  ns.inode = 5n
  expectType<number | undefined>()(await ns.getNsid(ns))
  // @ts-expect-error a namespace as it was opened
  await ns.getNsid('blue')
  // @ts-expect-error a word for a number
  expectType<number>()(await ns.setNsid(ns, '5'))
  // @ts-expect-error it takes nothing
  expectType<number[]>()(await ns.listNsids(ns))
  // @ts-expect-error a number for a string
  expectType<string>()(await ns.getSysctl(5))
  // @ts-expect-error a value is a word or a number
  await ns.setSysctl('net.ipv4.ip_forward', true)
  // @ts-expect-error arguments are a list
  await ns.spawn('ip', 'link')
  // @ts-expect-error no such option
  await ns.listen(server, { address: '0.0.0.0' })
  // @ts-expect-error no port
  await ns.connect({ host: '10.0.0.1' })
  // @ts-expect-error no such option
  await ns.bindUdp({ host: '0.0.0.0' })
  expectType<Stats>()(stats())
  // @ts-expect-error results do not change
  stats().queued = 5
}

export async function watches(ns: Netns): Promise<void> {
  // @ts-expect-error what is to be watched is told
  ns.watch()
  // @ts-expect-error no such subject
  ns.watch({ conntrack: true })
  for await (const event of ns.watch({ links: true })) {
    // @ts-expect-error only a link's event has a link
    event.link
    if (event.type === 'link') {
      expectType<Link>()(event.link)
      expectType<Link | undefined>()(event.previous)
      // @ts-expect-error no such action
      if (event.action === 'remove') return
    } else if (event.type === 'nsid') {
      expectType<number>()(event.nsid)
    } else if (event.type === 'overrun') {
      // @ts-expect-error what was dropped has no name
      event.key
    }
    // @ts-expect-error no such type
    if (event.type === 'qdisc') return
  }
  // @ts-expect-error no such state
  expectType<Link>()(await ns.waitForLink('eth0', { operstate: 'UP' }))
  // @ts-expect-error a word for a number
  expectType<AddressInfo>()(await ns.waitForAddress('eth0', '10.0.0.1/24', { timeout: '5s' }))
  // @ts-expect-error no such state
  expectType<Neighbor>()(await ns.waitForNeighbor('10.0.0.1', { state: 'alive' }))
}

export async function networks(host: Netns): Promise<void> {
  const network = await createNetwork({ name: 'web', subnets: ['172.18.0.0/16'], host })
  // @ts-expect-error no name
  await createNetwork({ subnets: ['172.18.0.0/16'] })
  // @ts-expect-error a list, as the plural says
  await createNetwork({ name: 'web', subnets: '172.18.0.0/16' })
  // @ts-expect-error no such driver
  await createNetwork({ name: 'web', driver: 'overlay' })
  expectType<boolean>()((await createNetwork({ name: 'web', antiSpoofing: true })).antiSpoofing)
  // @ts-expect-error a switch
  await createNetwork({ name: 'web', antiSpoofing: 'strict' })
  // @ts-expect-error the host sees nothing of what these send
  await createNetwork({ name: 'web', driver: 'macvlan', parent: 'eth0', subnets: ['192.0.2.0/24'], antiSpoofing: true })
  expectType<boolean>()((await createNetwork({ name: 'web', bridge: { existing: 'br0' } })).adopted)
  // @ts-expect-error which bridge
  await createNetwork({ name: 'web', bridge: {} })
  // @ts-expect-error no name
  await openNetwork()
  expectType<Network[]>()(await listNetworks({ host }))
  // @ts-expect-error the host is a Netns
  await listNetworks({ host: 'host' })
  expectType<ExposedPort[]>()(await exposedPorts({ host }))
  // @ts-expect-error the host is a Netns
  await exposedPorts({ host: 'host' })
  // @ts-expect-error no such option
  await diagnose({ network: 'web' })
  // @ts-expect-error no such option
  await check({ network: 'web' })
  // @ts-expect-error no such option
  await repair({ network: 'web' })
  // @ts-expect-error keep is a list
  await gc({ keep: 'web' })
  for await (const report of keepRepaired({ host, interval: 100 })) expectType<RepairReport>()(report)
  // @ts-expect-error a number of milliseconds
  keepRepaired({ interval: '1s' })
  // @ts-expect-error results do not change
  network.name = 'other'
  const endpoint = await network.attach({ name: 'shop', publish: ['8080:80'] })
  // @ts-expect-error no name
  await network.attach({ publish: ['8080:80'] })
  // @ts-expect-error no such option
  await network.attach({ name: 'shop', ports: ['8080:80'] })
  // @ts-expect-error a boolean for a name
  await network.detach(true)
  // @ts-expect-error no name
  await network.endpoint()
  // @ts-expect-error it takes nothing
  expectType<Endpoint[]>()(await network.endpoints('shop'))
  // @ts-expect-error no such option
  await network.delete({ all: true })
  // @ts-expect-error no ports
  await endpoint.publish()
  // @ts-expect-error a number for a string
  await endpoint.unpublish(8080)
  // @ts-expect-error ports are published, not put there
  endpoint.ports.push({})
}

export function errors(error: unknown): void {
  if (error instanceof NetlinkError) {
    expectType<string>()(error.code)
    expectType<number>()(error.errno)
    expectType<string | undefined>()(error.extack)
    // @ts-expect-error what the kernel said stays as it was
    error.code = 'EEXIST'
  }
  if (error instanceof NetworkError) {
    // @ts-expect-error no such code
    if (error.code === 'NETWORK_FULL') return
  }
}
