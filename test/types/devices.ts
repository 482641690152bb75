// Links, addresses, neighbors and forwarding entries. Compiled, never run.

import {
  type AddressInfo,
  createNetwork,
  type DeviceSettings,
  type FdbEntry,
  type LanNetwork,
  type Link,
  type Neighbor,
  type Netns,
  type Tun,
} from '../../lib/index.ts'
import { expectType } from './expect.ts'

export async function links(ns: Netns): Promise<void> {
  expectType<Link>()(await ns.createLink({ kind: 'dummy', name: 'd0' }))
  expectType<Link>()(await ns.createLink({ kind: 'vlan', name: 'v5', link: 'eth0', id: 5, netns: ns }))
  await ns.createLink({ kind: 'other', type: 'gtp', name: 'g0', data: new Uint8Array() })
  // @ts-expect-error an option of another kind
  await ns.createLink({ kind: 'dummy', name: 'd0', id: 5 })
  // @ts-expect-error an option of another kind
  await ns.createLink({ kind: 'bridge', name: 'b0', mode: 'l2' })
  // @ts-expect-error a vlan needs an id
  await ns.createLink({ kind: 'vlan', name: 'v0', link: 'eth0' })
  // @ts-expect-error a vrf needs a table
  await ns.createLink({ kind: 'vrf', name: 'v0' })
  // @ts-expect-error no such kind
  await ns.createLink({ kind: 'dumy', name: 'd0' })
  // @ts-expect-error no such mode
  await ns.createLink({ kind: 'macvlan', name: 'm0', link: 'eth0', mode: 'l3' })
  // @ts-expect-error a number for a string
  await ns.createLink({ kind: 'dummy', name: 5 })
  // @ts-expect-error no name
  await ns.createLink({ kind: 'dummy' })
  // @ts-expect-error no kind
  await ns.createLink({ name: 'd0' })
  // @ts-expect-error a kind of its own needs its name
  await ns.createLink({ kind: 'other', name: 'g0' })
  // @ts-expect-error undefined is no value of an option
  await ns.createLink({ kind: 'dummy', name: 'd0', mtu: undefined })
  // @ts-expect-error a namespace is given as it was opened
  await ns.createLink({ kind: 'dummy', name: 'd0', netns: 'blue' })

  expectType<Link>()(await ns.createBridge({ name: 'br0', stp: true }))
  // @ts-expect-error no such option
  await ns.createBridge({ name: 'br0', id: 5 })
  expectType<[Link, Link]>()(await ns.createVethPair({ name: 'v0', peer: { name: 'v1', netns: ns } }))
  // @ts-expect-error no peer
  await ns.createVethPair({ name: 'v0' })

  const link = await ns.getLink({ index: 1 })
  expectType<Link>()(link)
  expectType<number>()(link.mtu)
  expectType<string | undefined>()(link.kind)
  expectType<readonly string[]>()(link.altnames)
  // @ts-expect-error results do not change
  link.mtu = 9000
  // @ts-expect-error nor what they hold
  link.altnames.push('other')
  // @ts-expect-error no such field
  link.isUp
  // @ts-expect-error no device
  await ns.getLink(null)

  expectType<Link[]>()(await ns.listLinks({ master: link, kind: 'veth' }))
  // @ts-expect-error no such filter
  await ns.listLinks({ name: 'eth0' })
  expectType<Link>()(await ns.setLink('eth0', { up: true, master: null }))
  await ns.setLink('eth0', { netns: ns, name: 'eth1' })
  // @ts-expect-error a word for a boolean
  await ns.setLink('eth0', { up: 'yes' })
  // @ts-expect-error no such option
  await ns.setLink('eth0', { kind: 'dummy' })
  // @ts-expect-error no device
  await ns.deleteLink()
  expectType<number | undefined>()((await ns.getLink('eth0', { statistics: true })).statistics?.rxBytes)
  await ns.deleteLinks(['eth0', link, 5])
  await ns.deleteLinks({ group: 7 })
  // @ts-expect-error neither a list nor a group
  await ns.deleteLinks('eth0')
  // @ts-expect-error an index goes with a namespace
  await ns.setLink('eth0', { newIndex: 5 })
}

export async function tuns(ns: Netns): Promise<void> {
  expectType<Link>()(await ns.createTun({ name: 'tap0', mode: 'tap', mac: '02:00:00:00:00:01', owner: 1000, up: true }))
  // @ts-expect-error no mode
  await ns.createTun({ name: 'tun0' })
  // @ts-expect-error a tun device has no link-layer address
  await ns.createTun({ name: 'tun0', mode: 'tun', mac: '02:00:00:00:00:01' })
  // @ts-expect-error no such mode
  await ns.openTun({ name: 'tun0', mode: 'tup' })
  // @ts-expect-error it is there already
  await ns.attachTun({ name: 'tun0', mode: 'tun' })
  const tun = await ns.attachTun('tun0')
  expectType<Tun>()(tun)
  expectType<number>()(tun.fd)
  // @ts-expect-error results do not change
  tun.fd = 5
}

export async function settings(ns: Netns): Promise<void> {
  await ns.setDeviceSettings('all', { ipv6: { acceptRa: 0 } })
  // @ts-expect-error no device
  expectType<DeviceSettings>()(await ns.getDeviceSettings())
  // @ts-expect-error no such setting
  await ns.setDeviceSettings('eth0', { ipv4: { rp_filter: 2 } })
}

export async function addresses(ns: Netns): Promise<void> {
  expectType<void>()(await ns.addAddress('eth0', '10.0.0.1/24', { broadcast: false, nodad: true }))
  // @ts-expect-error no such option
  await ns.addAddress('eth0', '10.0.0.1/24', { prefix: 24 })
  // @ts-expect-error no such scope
  await ns.addAddress('eth0', '10.0.0.1/24', { scope: 'world' })
  // @ts-expect-error no address
  await ns.addAddress('eth0')
  // @ts-expect-error a number for a string
  await ns.replaceAddress('eth0', 10)
  // @ts-expect-error only the peer tells addresses apart
  await ns.deleteAddress('eth0', '10.0.0.1/24', { label: 'eth0:1' })
  // @ts-expect-error no such family
  await ns.listAddresses({ family: 'ipv4' })
  // @ts-expect-error all addresses are flushed by asking for them
  await ns.flushAddresses()
  const [address] = await ns.listAddresses()
  expectType<AddressInfo | undefined>()(address)
  // @ts-expect-error results do not change
  if (address) address.scope = 'host'
}

export async function neighbors(ns: Netns): Promise<void> {
  await ns.addNeighbor({ address: '10.0.0.2', link: 'eth0', mac: '02:00:00:00:00:01' })
  // @ts-expect-error no device
  await ns.addNeighbor({ address: '10.0.0.2' })
  // @ts-expect-error no such state
  await ns.replaceNeighbor({ address: '10.0.0.2', link: 'eth0', state: 'alive' })
  // @ts-expect-error no part of what tells entries apart
  await ns.deleteNeighbor({ address: '10.0.0.2', link: 'eth0', mac: '02:00:00:00:00:01' })
  // @ts-expect-error no such filter
  expectType<Neighbor[]>()(await ns.listNeighbors({ dev: 'eth0' }))
  // @ts-expect-error all neighbors are flushed by asking for them
  expectType<Neighbor[]>()(await ns.flushNeighbors())
  // @ts-expect-error it takes nothing
  await ns.listNeighborTables({ table: 'arp' })
  // @ts-expect-error no changes
  await ns.setNeighborTable('inet')

  await ns.addFdbEntry({ mac: '02:00:00:00:00:01', link: 'vx0', remote: '10.0.0.2' })
  // @ts-expect-error no address
  await ns.addFdbEntry({ link: 'vx0' })
  // @ts-expect-error no such state
  await ns.replaceFdbEntry({ mac: '02:00:00:00:00:01', link: 'vx0', state: 'forever' })
  // @ts-expect-error a number for a string
  await ns.appendFdbEntry({ mac: '02:00:00:00:00:01', link: 'vx0', remote: 10 })
  // @ts-expect-error no device
  await ns.deleteFdbEntry({ mac: '02:00:00:00:00:01' })
  // @ts-expect-error no device
  await ns.flushFdb()
  // @ts-expect-error no such filter
  expectType<FdbEntry[]>()(await ns.listFdb({ bridge: 'br0' }))
}

export async function wires(): Promise<void> {
  expectType<LanNetwork>()(await createNetwork({ name: 'w', driver: 'macvlan', subnets: ['192.0.2.0/24'], broadcastCutoff: -1 }))
  await createNetwork({ name: 'w', driver: 'ipvlan', parent: 'eth0', subnets: ['192.0.2.0/24'], isolation: 'private' })
  // @ts-expect-error an option of the other driver
  await createNetwork({ name: 'w', driver: 'macvlan', subnets: ['192.0.2.0/24'], isolation: 'private' })
  // @ts-expect-error subnets of the wire must be named
  await createNetwork({ name: 'w', driver: 'macvlan' })
}
