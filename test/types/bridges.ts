// Bridges, their ports, VLANs and multicast databases. Compiled, never run.

import type { BridgeVlan, Link, MdbEntry, Netns } from '../../lib/index.ts'
import { expectType } from './expect.ts'

export async function bridges(ns: Netns): Promise<void> {
  expectType<Link>()(await ns.setBridge('br0', { stp: true, igmpVersion: 3, vlanProtocol: '802.1ad' }))
  // @ts-expect-error no such version
  await ns.setBridge('br0', { igmpVersion: 4 })
  // @ts-expect-error it is read, not set
  await ns.setBridge('br0', { rootPort: 1 })
  expectType<Link>()(await ns.setBridgePort('v0', { hairpin: true, backupPort: null }))
  // @ts-expect-error no such state
  await ns.setBridgePort('v0', { state: 'up' })
  await ns.createLink({ kind: 'ifb', name: 'i0', master: 'br0', bridgePort: { isolated: true } })
  // @ts-expect-error a new device has no carrier
  await ns.createLink({ kind: 'ifb', name: 'i0', master: 'br0', bridgePort: { state: 'learning' } })
}

export async function vlans(ns: Netns): Promise<void> {
  await ns.addBridgeVlans('v0', [1, { start: 4, end: 6 }], { untagged: true })
  // @ts-expect-error a range has an end
  await ns.addBridgeVlans('v0', { start: 4 })
  // @ts-expect-error no such setting
  await ns.setBridgeVlans('v0', 4, { pvid: true })
  // @ts-expect-error what it was added as is of no account
  await ns.deleteBridgeVlans('v0', 4, { untagged: true })
  expectType<BridgeVlan[]>()(await ns.listBridgeVlans({ link: 'v0' }))
  // @ts-expect-error no such filter
  await ns.listBridgeVlans({ bridge: 'br0' })
}

export async function multicast(ns: Netns): Promise<void> {
  await ns.addMdbEntry({ bridge: 'br0', port: 'v0', group: '239.1.1.1', sources: ['10.0.0.1'], filterMode: 'include' })
  // @ts-expect-error no port
  await ns.addMdbEntry({ bridge: 'br0', group: '239.1.1.1' })
  // @ts-expect-error no such mode
  await ns.replaceMdbEntry({ bridge: 'br0', port: 'v0', group: '239.1.1.1', filterMode: 'only' })
  // @ts-expect-error no group
  await ns.deleteMdbEntry({ bridge: 'br0', port: 'v0' })
  // @ts-expect-error no such filter
  await ns.flushMdb('br0', { group: '239.1.1.1' })
  expectType<MdbEntry[]>()(await ns.listMdb({ bridge: 'br0' }))
  // @ts-expect-error no such filter
  await ns.listMdb({ port: 'v0' })
}
