// A network namespace and the verbs of the network stack in it.

import type { ChildProcess, SpawnOptions } from 'node:child_process'
import type { Socket as DatagramSocket } from 'node:dgram'
import type { Server, Socket } from 'node:net'
import { type Abortable, onlySignal } from '../abort.ts'
import { Conntrack } from '../conntrack/conntrack.ts'
import { kernel } from '../errors.ts'
import { type NamespaceHandle, native } from '../native.ts'
import { Nftables } from '../nftables/nftables.ts'
import * as address from '../rtnetlink/address.ts'
import { Batch, type BatchResult } from '../rtnetlink/batch.ts'
import { type BridgeSpec, createBridge } from '../rtnetlink/bridge/create.ts'
import * as mdb from '../rtnetlink/bridge/mdb.ts'
import type { BridgeOptions } from '../rtnetlink/bridge/options.ts'
import { setBridgePort } from '../rtnetlink/bridge/port.ts'
import type { BridgePortOptions } from '../rtnetlink/bridge/port-options.ts'
import { setBridge } from '../rtnetlink/bridge/set.ts'
import * as vlan from '../rtnetlink/bridge/vlan.ts'
import { createLink, type LinkSpec } from '../rtnetlink/link/create.ts'
import { deleteLinks, type LinksToDelete } from '../rtnetlink/link/delete-many.ts'
import * as settings from '../rtnetlink/link/device-settings.ts'
import * as link from '../rtnetlink/link/link.ts'
import { type LinkMove, moveLink } from '../rtnetlink/link/move.ts'
import { attachTun, createTun, openTun, type Tun, type TunSpec } from '../rtnetlink/link/tun.ts'
import { createVethPair, type VethSpec } from '../rtnetlink/link/veth.ts'
import * as fdb from '../rtnetlink/neighbor/fdb.ts'
import * as neighbor from '../rtnetlink/neighbor/neighbor.ts'
import * as neighborTable from '../rtnetlink/neighbor/table.ts'
import * as nsid from '../rtnetlink/nsid.ts'
import { type LookupOptions, lookupRoute } from '../rtnetlink/route/lookup.ts'
import * as nexthop from '../rtnetlink/route/nexthop.ts'
import * as route from '../rtnetlink/route/route.ts'
import * as rule from '../rtnetlink/route/rule.ts'
import type { RouteSpec } from '../rtnetlink/route/spec.ts'
import * as bandwidth from '../rtnetlink/traffic/bandwidth.ts'
import * as trafficClass from '../rtnetlink/traffic/class.ts'
import * as trafficFilter from '../rtnetlink/traffic/filter.ts'
import { pruneBandwidth } from '../rtnetlink/traffic/ifb.ts'
import * as qdisc from '../rtnetlink/traffic/qdisc.ts'
import * as wait from '../rtnetlink/wait-for.ts'
import { type Watch, type WatchOptions, watch } from '../rtnetlink/watch/watch.ts'
import { inspect, type NetnsSnapshot } from './inspect.ts'
import { onRemoval } from './removal.ts'
import { type BindUdpOptions, bindUdp, type ConnectOptions, connect, type ListenOptions, listen } from './sockets.ts'
import { spawnInside } from './spawn.ts'
import { sysctlPath, sysctlValue } from './sysctl.ts'

/** A namespace by its name under /run/netns, or by a path, a process in it, or a descriptor. */
export type NetnsRef = string | { readonly path: string } | { readonly pid: number } | { readonly fd: number }

// An unnamed namespace that nobody closed and nobody holds: its containers vanish with the garbage. Worth a word.
const forgotten = new FinalizationRegistry<{ readonly name: string | undefined; readonly handle: NamespaceHandle }>(
  ({ name, handle }) => {
    const what = `the network namespace ${name ?? native.describe(handle).inode}`
    native.close(handle)
    process.emitWarning(`${what} was collected without close(): close it, or use \`await using\``, { code: 'NETLINK_CT_LEAK' })
  },
)

/**
 * A network namespace held open by this process. It exists as long as somebody holds it: this object until `close()`, a process
 * inside, a name under /run/netns. Every verb acts in this namespace, whichever namespace the process itself lives in.
 *
 * All verbs check their arguments before the first system call (`TypeError`, `RangeError` with a Node code), reject with
 * `NetlinkError` when the kernel refuses, and leave nothing half-made.
 */
export class Netns implements AsyncDisposable {
  /** The name under /run/netns, when it was made or opened by one. */
  declare readonly name?: string
  readonly #handle: NamespaceHandle
  readonly #isHost: boolean
  #closed = false
  #inFlight = 0
  #idle: (() => void) | undefined
  readonly #watches = new Set<() => void>()
  #conntrack: Conntrack | undefined
  #nftables: Nftables | undefined

  /** @internal use createNetns or openNetns */
  constructor(handle: NamespaceHandle, options: { readonly name?: string | undefined; readonly host?: boolean } = {}) {
    this.#handle = handle
    this.#isHost = options.host === true
    if (options.name !== undefined) this.name = options.name
    if (!this.#isHost) forgotten.register(this, { name: options.name, handle }, this)
  }

  /** The connections that the namespace tracks. */
  get conntrack(): Conntrack {
    this.#conntrack ??= new Conntrack((operation) => this.#use(operation))
    return this.#conntrack
  }

  /** The packet filter of the namespace. */
  get nftables(): Nftables {
    this.#nftables ??= new Nftables((operation) => this.#use(operation))
    return this.#nftables
  }

  /** @internal for the parts of this library that compose native calls */
  static handleOf(netns: Netns): NamespaceHandle {
    return netns.#open()
  }

  #open(): NamespaceHandle {
    if (this.#closed) {
      throw Object.assign(new Error(`the network namespace ${this.name ?? ''} is closed`), { code: 'ERR_INVALID_STATE' })
    }
    return this.#handle
  }

  /** Runs an operation, of however many steps, with the handle kept open to its end. */
  async #use<T>(operation: (handle: NamespaceHandle) => Promise<T>): Promise<T> {
    const handle = this.#open()
    this.#inFlight++
    try {
      return await operation(handle)
    } finally {
      this.#inFlight--
      if (this.#inFlight === 0) this.#idle?.()
    }
  }

  /** Identifies the namespace among all that exist on this machine now; `ls -i /run/netns`. */
  get inode(): bigint {
    return native.describe(this.#open()).inode
  }

  /** Where other tools find it while this object is open: /run/netns/<name>, or a link of /proc for an unnamed one. */
  get path(): string {
    const { fd } = native.describe(this.#open())
    return this.name === undefined ? `/proc/${process.pid}/fd/${fd}` : `/run/netns/${this.name}`
  }

  get closed(): boolean {
    return this.#closed
  }

  /**
   * Makes a link of any kind but veth. EEXIST when the name is taken, ENOTSUP when the kernel lacks the kind. With `netns` it is
   * born there, on a device of this namespace. Resolves to the link as it is then.
   */
  async createLink(spec: LinkSpec<Netns>): Promise<link.Link> {
    const birth = spec?.netns === undefined ? this : netnsOption(spec.netns, 'link.netns')
    return this.#use((here) => birth.#use((there) => createLink(here, there, spec)))
  }

  /** Makes a bridge. EEXIST when the name is taken. One submission, and one more to complete it. */
  async createBridge(spec: BridgeSpec): Promise<link.Link> {
    return this.#use((handle) => createBridge(handle, spec))
  }

  /** Makes a veth pair, the peer in its own namespace from the start. Resolves to this end and the peer. */
  async createVethPair(spec: VethSpec<Netns>): Promise<[link.Link, link.Link]> {
    const inside = spec?.peer?.netns ?? this
    if (!(inside instanceof Netns))
      throw Object.assign(new TypeError('veth.peer.netns must be a Netns'), { code: 'ERR_INVALID_ARG_TYPE' })
    return this.#use((here) => inside.#use((there) => createVethPair(here, there, spec)))
  }

  /**
   * Makes a tun or tap device that stays until it is deleted, as `ip tuntap add` does: `createTun({ name: 'tap0', mode: 'tap', up: true })`.
   * It has no carrier until somebody attaches. EBUSY when the name or the index is taken. On any error nothing is left of it.
   * See /dev/net/tun in the kernel's `networking/tuntap.rst`.
   */
  async createTun(spec: TunSpec): Promise<link.Link> {
    return this.#use((handle) => createTun(handle, spec))
  }

  /**
   * Makes a tun or tap device that goes with its last descriptor, and opens it: `await using tun = await ns.openTun({ name: 'tun0', mode: 'tun',
   * up: true, addresses: ['10.0.0.1/24'] })`. EBUSY when the name or the index is taken. On any error nothing is left of it.
   */
  async openTun(spec: TunSpec): Promise<Tun> {
    return this.#use((handle) => openTun(handle, spec))
  }

  /**
   * Opens a queue of a tun or tap device that is there, with the headers that the device has. EBUSY when it is in use and was not made with
   * `multiQueue`, E2BIG when it has all queues that it may (256), EINVAL when it is of another kind, EPERM when it is somebody else's.
   */
  async attachTun(ref: link.LinkRef): Promise<Tun> {
    return this.#use((handle) => attachTun(handle, ref))
  }

  /**
   * One device, asked for by name, alternative name or index: never a dump. ENODEV when there is none. `{ statistics: true }`: with
   * what it has counted.
   */
  async getLink(ref: link.LinkRef, options?: link.LinkDetails): Promise<link.Link> {
    return this.#use((handle) => link.getLink(handle, ref, options))
  }

  /** The devices that match; the kernel filters. */
  async listLinks(filter?: link.LinkFilter): Promise<link.Link[]> {
    return this.#use((handle) => link.listLinks(handle, filter))
  }

  /**
   * Several changes at once. Resolves to the device as it is then. What is so already is no error, but for alternative names: EEXIST
   * when a device of the namespace has one of `addAltnames`, this one too. ENODEV when there is no such device. The kernel makes them one after the other and stops at the first
   * that it refuses: those before it stay. A change of `master` is itself two: the device leaves the old one first, and has none after
   * ENOTSUP, ELOOP or EBUSY.
   *
   * With `netns` the device moves there, and the other changes are made there, in the same message: `setLink('veth0', { netns,
   * name: 'eth0', up: true })`. Resolves to the device as it is there. It loses its addresses, routes and master. EEXIST when the name
   * or an alternative one is taken there, EBUSY when `newIndex` is, EINVAL for devices that belong to a namespace (the loopback). After
   * an error it is where it was, under its name and index; when it had to be moved back for that, without its addresses.
   */
  async setLink(ref: link.LinkRef, changes: link.LinkChanges | LinkMove<Netns>): Promise<link.Link> {
    const place = (changes as Partial<LinkMove<Netns>> | undefined)?.netns
    if (place === undefined) return this.#use((handle) => link.setLink(handle, ref, changes))
    const target = netnsOption(place, 'changes.netns')
    return this.#use((here) => target.#use((there) => moveLink(here, there, ref, { ...changes, netns: target })))
  }

  /** ENODEV when there is none. The kernel takes tens of milliseconds (RCU grace periods). */
  async deleteLink(ref: link.LinkRef): Promise<void> {
    return this.#use((handle) => link.deleteLink(handle, ref))
  }

  /**
   * Deletes many at once; the kernel waits for its readers once for all: `deleteLinks(['veth1', 'veth2'])`, or all of a group by `deleteLinks({ group: 7 })`;
   * group 0, where every device is at first, is refused. All or none: ENODEV when one of a list is not there, ENOTSUP when one
   * cannot be deleted (the loopback), and then none is. A group without devices is no error.
   */
  async deleteLinks(which: LinksToDelete): Promise<void> {
    return this.#use((handle) => deleteLinks(handle, which))
  }

  /**
   * `addAddress('eth0', '172.18.0.10/16')`. EEXIST when the device has it. When its subnet is routed through another device already, the
   * channel `netlink-ct:warning` is told, with that one's name; without a listener nobody looks.
   */
  async addAddress(ref: link.LinkRef, cidr: string, options?: address.AddressOptions): Promise<void> {
    return this.#use((handle) => address.addAddress(handle, ref, cidr, options))
  }

  /**
   * Like addAddress; an address that the device has with this prefix and peer gets the lifetimes, the metric and the protocol of
   * `options`, in IPv6 also the flags. What `options` leaves out is as it is for a new one: forever. Label and broadcast stay.
   */
  async replaceAddress(ref: link.LinkRef, cidr: string, options?: address.AddressOptions): Promise<void> {
    return this.#use((handle) => address.replaceAddress(handle, ref, cidr, options))
  }

  /** EADDRNOTAVAIL when the device does not have it with this prefix, and this peer, if it is a point-to-point one. */
  async deleteAddress(ref: link.LinkRef, cidr: string, options?: Pick<address.AddressOptions, 'peer'>): Promise<void> {
    return this.#use((handle) => address.deleteAddress(handle, ref, cidr, options))
  }

  async listAddresses(filter?: address.AddressFilter): Promise<address.AddressInfo[]> {
    return this.#use((handle) => address.listAddresses(handle, filter))
  }

  /**
   * Deletes the addresses that match, as `ip address flush` does; `{}` is all of them, the loopback's too. Resolves to what was found.
   * One reading, then one message for each, in one submission: not atomic. What somebody else deletes meanwhile is no error.
   */
  async flushAddresses(filter: address.AddressFilter): Promise<address.AddressInfo[]> {
    return this.#use((handle) => address.flushAddresses(handle, filter))
  }

  /** `addRoute({ to: 'default', via: '172.18.0.1' })`. EEXIST when there is such a route, ENETUNREACH when the gateway has none. */
  async addRoute(spec: RouteSpec): Promise<void> {
    return this.#use((handle) => route.addRoute(handle, spec))
  }

  /** Like addRoute, in place of a route with the same destination, metric and table. */
  async replaceRoute(spec: RouteSpec): Promise<void> {
    return this.#use((handle) => route.replaceRoute(handle, spec))
  }

  /**
   * One route that matches all that is given, the one of the lowest metric: `to`, the table (`main` unless it is named) and `tos`
   * always count, the rest only when given. An IPv6 route of several ways loses the one that `via` or `dev` names, or all of them.
   * ESRCH when none matches.
   */
  async deleteRoute(spec: RouteSpec): Promise<void> {
    return this.#use((handle) => route.deleteRoute(handle, spec))
  }

  /** Of the main table, unless another is asked for. */
  async listRoutes(filter?: route.RouteFilter): Promise<route.Route[]> {
    return this.#use((handle) => route.listRoutes(handle, filter))
  }

  /**
   * Deletes the routes that match, of the table `main` unless another, or `'all'`, is named, as `ip route flush` does; the kernel's own
   * too. Resolves to what was found. One reading a family, then one message for each route, in one submission: not atomic. What
   * somebody else deletes meanwhile is no error.
   */
  async flushRoutes(filter: route.RouteFilter): Promise<route.Route[]> {
    return this.#use((handle) => route.flushRoutes(handle, filter))
  }

  /** Beside routes with the same destination and metric, also beside an equal one: IPv4 has it twice then. */
  async appendRoute(spec: RouteSpec): Promise<void> {
    return this.#use((handle) => route.appendRoute(handle, spec))
  }

  /** Like replaceRoute, but ENOENT when there is none to change. */
  async changeRoute(spec: RouteSpec): Promise<void> {
    return this.#use((handle) => route.changeRoute(handle, spec))
  }

  /** The route that a packet to `address` would take; see ip-route(8), `get`. ENETUNREACH when there is none. */
  async lookupRoute(address: string, options?: LookupOptions): Promise<route.Route> {
    return this.#use((handle) => lookupRoute(handle, address, options))
  }

  /** A policy routing rule. EEXIST when there is an equal one, or one that has all these selectors and more. */
  async addRule(spec: rule.RuleSpec): Promise<void> {
    return this.#use((handle) => rule.addRule(handle, spec))
  }

  /** The first rule that matches what is given. ENOENT when none does. */
  async deleteRule(spec: rule.RuleSpec): Promise<void> {
    return this.#use((handle) => rule.deleteRule(handle, spec))
  }

  async listRules(filter?: rule.RuleFilter): Promise<rule.Rule[]> {
    return this.#use((handle) => rule.listRules(handle, filter))
  }

  /** An entry of the neighbor table (ARP, neighbor discovery). EEXIST when the device has one for the address. */
  async addNeighbor(spec: neighbor.NeighborSpec): Promise<void> {
    return this.#use((handle) => neighbor.addNeighbor(handle, spec))
  }

  /** Like addNeighbor, in place of the entry that the device has for the address. */
  async replaceNeighbor(spec: neighbor.NeighborSpec): Promise<void> {
    return this.#use((handle) => neighbor.replaceNeighbor(handle, spec))
  }

  /** ENOENT when there is none. */
  async deleteNeighbor(spec: neighbor.NeighborKey): Promise<void> {
    return this.#use((handle) => neighbor.deleteNeighbor(handle, spec))
  }

  async listNeighbors(filter?: neighbor.NeighborFilter): Promise<neighbor.Neighbor[]> {
    return this.#use((handle) => neighbor.listNeighbors(handle, filter))
  }

  /**
   * Deletes the entries that match, as `ip neighbour flush` does: without `states` not the permanent ones and those without ARP.
   * Resolves to what was found. One reading, then one message for each, in one submission: not atomic. What goes meanwhile is no error.
   */
  async flushNeighbors(filter: neighbor.NeighborFilter): Promise<neighbor.Neighbor[]> {
    return this.#use((handle) => neighbor.flushNeighbors(handle, filter))
  }

  /** The tables of ARP and neighbor discovery: limits, counters, and how each device of this namespace uses them. */
  async listNeighborTables(options?: Abortable): Promise<neighborTable.NeighborTable[]> {
    return this.#use((handle) => neighborTable.listNeighborTables(handle, options))
  }

  /**
   * `host.setNeighborTable('inet', { gcThresh3: 8192 })`, in one message. The limits, which all namespaces share, and what new devices
   * start with are changed in the initial namespace only: elsewhere ENOENT. The parameters of a `link` are its namespace's.
   */
  async setNeighborTable(family: 'inet' | 'inet6', changes: neighborTable.NeighborTableChanges): Promise<void> {
    return this.#use((handle) => neighborTable.setNeighborTable(handle, family, changes))
  }

  /** An entry of a bridge's or vxlan device's forwarding database; see bridge(8), `fdb`. EEXIST when a port of the bridge has the address, ENOTSUP when the device is no port. */
  async addFdbEntry(spec: fdb.FdbSpec): Promise<void> {
    return this.#use((handle) => fdb.addFdbEntry(handle, spec))
  }

  /** Like addFdbEntry; an address that another port of the bridge has moves to this one. */
  async replaceFdbEntry(spec: fdb.FdbSpec): Promise<void> {
    return this.#use((handle) => fdb.replaceFdbEntry(handle, spec))
  }

  /** One more remote end for an address of a vxlan device; one that it has already is no error. */
  async appendFdbEntry(spec: fdb.FdbSpec): Promise<void> {
    return this.#use((handle) => fdb.appendFdbEntry(handle, spec))
  }

  /** ENOENT when the device has no such entry, ENOTSUP when it is no port of a bridge. */
  async deleteFdbEntry(spec: fdb.FdbKey): Promise<void> {
    return this.#use((handle) => fdb.deleteFdbEntry(handle, spec))
  }

  /**
   * Deletes the forwarding entries of a bridge, of one of its ports, or of a vxlan device: those that were learned, unless `filter`
   * names another state, and only of one VLAN if it names one: EINVAL of a vxlan device, which has none. In one message; Linux 5.19,
   * before that ENOTSUP.
   */
  async flushFdb(ref: link.LinkRef, filter?: fdb.FdbFlush): Promise<void> {
    return this.#use((handle) => fdb.flushFdb(handle, ref, filter))
  }

  async listFdb(filter?: fdb.FdbFilter): Promise<fdb.FdbEntry[]> {
    return this.#use((handle) => fdb.listFdb(handle, filter))
  }

  /**
   * Changes options of a bridge that is there; those that are not named stay: `setBridge('br0', { vlanFiltering: true })`. Resolves to
   * the bridge as it is then. ENOTSUP when the device is no bridge, or the kernel lacks an option. The kernel takes one option after
   * the other and stops at the first that it refuses (ERANGE, EINVAL): those before it stay. See ip-link(8), `type bridge`.
   */
  async setBridge(ref: link.LinkRef, options: BridgeOptions): Promise<link.Link> {
    return this.#use((handle) => setBridge(handle, ref, options))
  }

  /**
   * Changes options of a bridge's port; those that are not named stay: `setBridgePort('veth0', { isolated: true })`. Resolves to the
   * port as it is then. ENOTSUP when the device is no port of a bridge. The kernel takes the switches together and then one option
   * after the other, and stops at the first that it refuses: ENETDOWN for a state of a port without a carrier, EBUSY while STP decides
   * it. See bridge(8), `link set`.
   */
  async setBridgePort(ref: link.LinkRef, options: BridgePortOptions): Promise<link.Link> {
    return this.#use((handle) => setBridgePort(handle, ref, options))
  }

  /**
   * Makes a port, or with `self` a bridge, member of VLANs: `addBridgeVlans('veth0', [2, { start: 4, end: 6 }])`. One message, however
   * many. A VLAN that it is a member of already is given the options. ENOTSUP when the device is no port (or without `self` a bridge),
   * or the kernel lacks VLAN filtering. Packets are told apart only with the bridge's `vlanFiltering`. See bridge(8), `vlan`.
   */
  async addBridgeVlans(ref: link.LinkRef, vlans: vlan.VlanIds, options?: vlan.BridgeVlanOptions): Promise<void> {
    return this.#use((handle) => vlan.addBridgeVlans(handle, ref, vlans, options))
  }

  /** Changes what VLANs are on one device: their state, neighbor suppression. ENOENT when it is not a member of one. Linux 5.6. */
  async setBridgeVlans(ref: link.LinkRef, vlans: vlan.VlanIds, settings: vlan.BridgeVlanSettings): Promise<void> {
    return this.#use((handle) => vlan.setBridgeVlans(handle, ref, vlans, settings))
  }

  /** The opposite of addBridgeVlans. A VLAN that the device is no member of is no error, nor is a kernel that has no VLANs. */
  async deleteBridgeVlans(ref: link.LinkRef, vlans: vlan.VlanIds, options?: vlan.BridgeVlanPlace): Promise<void> {
    return this.#use((handle) => vlan.deleteBridgeVlans(handle, ref, vlans, options))
  }

  /** The VLANs of one port or bridge, or of all, in ranges of VLANs that are alike. Linux 5.6; ENOTSUP without VLAN filtering. */
  async listBridgeVlans(filter?: vlan.BridgeVlanFilter): Promise<vlan.BridgeVlan[]> {
    return this.#use((handle) => vlan.listBridgeVlans(handle, filter))
  }

  /**
   * An entry of a bridge's multicast database: `addMdbEntry({ bridge: 'br0', port: 'veth0', group: '239.1.1.1' })`. EEXIST when there
   * is such a one; EINVAL while the bridge is down, does not snoop, or `port` is not its port. See bridge(8), `mdb`.
   */
  async addMdbEntry(spec: mdb.MdbSpec): Promise<void> {
    return this.#use((handle) => mdb.addMdbEntry(handle, spec))
  }

  /** Like addMdbEntry, in place of an entry that is there. Linux 6.2; before that EEXIST. */
  async replaceMdbEntry(spec: mdb.MdbSpec): Promise<void> {
    return this.#use((handle) => mdb.replaceMdbEntry(handle, spec))
  }

  /** EINVAL when the port has no such entry, and when it is no port of the bridge: the kernel tells only the latter in words. */
  async deleteMdbEntry(key: mdb.MdbKey): Promise<void> {
    return this.#use((handle) => mdb.deleteMdbEntry(handle, key))
  }

  /** Deletes the multicast database entries of a bridge that match, whoever made them, in one message. Linux 6.8, before that ENOTSUP. */
  async flushMdb(bridge: link.LinkRef, filter?: mdb.MdbFlush): Promise<void> {
    return this.#use((handle) => mdb.flushMdb(handle, bridge, filter))
  }

  async listMdb(filter?: mdb.MdbFilter): Promise<mdb.MdbEntry[]> {
    return this.#use((handle) => mdb.listMdb(handle, filter))
  }

  /** A nexthop object that routes share; see ip-nexthop(8). EEXIST when there is one with this id, ENETDOWN when its device is down. */
  async addNexthop(spec: nexthop.NexthopSpec): Promise<void> {
    return this.#use((handle) => nexthop.addNexthop(handle, spec))
  }

  /** Like addNexthop, in place of the one with this id. Its routes follow. */
  async replaceNexthop(spec: nexthop.NexthopSpec): Promise<void> {
    return this.#use((handle) => nexthop.replaceNexthop(handle, spec))
  }

  /** Its routes go with it. ENOENT when there is none. */
  async deleteNexthop(id: number): Promise<void> {
    return this.#use((handle) => nexthop.deleteNexthop(handle, id))
  }

  async listNexthops(filter?: nexthop.NexthopFilter): Promise<nexthop.Nexthop[]> {
    return this.#use((handle) => nexthop.listNexthops(handle, filter))
  }

  /**
   * Many operations, one submission, a result for each: `await netns.batch((b) => b.addRoute(…).addRoute(…))`. The kernel takes them
   * in order and goes on after a refusal, so this is not atomic: look at `ok`, `error` and `items`. Devices that are named by name
   * are looked up first, all in one more submission; until that is answered a signal calls all off, and after that nothing.
   */
  async batch(build: (batch: Batch) => unknown, options: Abortable = {}): Promise<BatchResult> {
    const signal = onlySignal(options)
    const batch = new Batch()
    build(batch)
    return this.#use((handle) => Batch.run(handle, batch, signal))
  }

  /** The number by which this namespace calls `other`; undefined when it has none for it. */
  async getNsid(other: Netns): Promise<number | undefined> {
    return this.#use((here) => netnsOption(other, 'other').#use((there) => nsid.getNsid(here, there)))
  }

  /** Gives `other` a number, the next free one unless it is named. EEXIST when it has one. */
  async setNsid(other: Netns, id?: number): Promise<number> {
    return this.#use((here) => netnsOption(other, 'other').#use((there) => nsid.setNsid(here, there, id)))
  }

  async listNsids(options?: Abortable): Promise<number[]> {
    return this.#use((handle) => nsid.listNsids(handle, options))
  }

  /**
   * Limits what a device sends and receives, in one call: `setBandwidth('veth0', { egress: '10mbit', ingress: '1mbit' })`. What
   * `spec` does not name has no limit; null removes both. On an error the limits are what they were.
   */
  async setBandwidth(ref: link.LinkRef, spec: bandwidth.BandwidthSpec | null): Promise<void> {
    return bandwidth.setBandwidth(this.#open(), ref, spec)
  }

  /** The limits of a device, as the kernel has them. */
  async getBandwidth(ref: link.LinkRef): Promise<bandwidth.Bandwidth> {
    return bandwidth.getBandwidth(this.#open(), ref)
  }

  /** Deletes what setBandwidth made for links that are gone by now. Resolves to the names of those devices. */
  async pruneBandwidth(): Promise<string[]> {
    return pruneBandwidth(this.#open())
  }

  /**
   * `addQdisc('eth0', { kind: 'tbf', rate: '8mbit', burst: '32kb', latency: '50ms' })`. EEXIST when its place is taken by one of this kind,
   * equal or not; one of another kind goes, with its classes and filters, as with tc(8).
   */
  async addQdisc(ref: link.LinkRef, spec: qdisc.QdiscSpec): Promise<void> {
    return qdisc.addQdisc(this.#open(), ref, spec)
  }

  /** Like addQdisc, in place of what is there. */
  async replaceQdisc(ref: link.LinkRef, spec: qdisc.QdiscSpec): Promise<void> {
    return qdisc.replaceQdisc(this.#open(), ref, spec)
  }

  /** The one at `'root'`, `'ingress'`, `'clsact'` or a class `'1:10'`, with all below it. ENOENT when nobody made one there. */
  async deleteQdisc(ref: link.LinkRef, parent: string): Promise<void> {
    return qdisc.deleteQdisc(this.#open(), ref, parent)
  }

  async listQdiscs(filter?: qdisc.QdiscFilter): Promise<qdisc.Qdisc[]> {
    return qdisc.listQdiscs(this.#open(), filter)
  }

  /** `addClass('eth0', { kind: 'htb', parent: '1:', classId: '1:10', rate: '5mbit' })`. EEXIST when there is one of that id, ENOENT when nothing at `parent` has classes. */
  async addClass(ref: link.LinkRef, spec: trafficClass.ClassSpec): Promise<void> {
    return trafficClass.addClass(this.#open(), ref, spec)
  }

  /** Like addClass, or changes the class of that id. */
  async replaceClass(ref: link.LinkRef, spec: trafficClass.ClassSpec): Promise<void> {
    return trafficClass.replaceClass(this.#open(), ref, spec)
  }

  /** ENOENT when there is none of that id; EBUSY while it has classes or filters of its own. */
  async deleteClass(ref: link.LinkRef, classId: string): Promise<void> {
    return trafficClass.deleteClass(this.#open(), ref, classId)
  }

  async listClasses(ref: link.LinkRef, filter?: trafficClass.ClassFilter): Promise<trafficClass.TrafficClass[]> {
    return trafficClass.listClasses(this.#open(), ref, filter)
  }

  /**
   * `addFilter('eth0', { kind: 'u32', parent: '1:', match: [{ ip: { destination: '10.0.0.0/8' } }], classId: '1:10' })`. Without a handle
   * an equal one is no error: there are two then. EEXIST when the handle is taken, EINVAL when nothing at `parent` takes filters.
   */
  async addFilter(ref: link.LinkRef, spec: trafficFilter.FilterSpec): Promise<void> {
    return trafficFilter.addFilter(this.#open(), ref, spec)
  }

  /** Like addFilter, or changes the filter with the same priority and handle. */
  async replaceFilter(ref: link.LinkRef, spec: trafficFilter.FilterSpec): Promise<void> {
    return trafficFilter.replaceFilter(this.#open(), ref, spec)
  }

  /** One filter, all of a priority, or all of a parent. ENOENT when there is none. */
  async deleteFilter(ref: link.LinkRef, which: trafficFilter.FilterRef): Promise<void> {
    return trafficFilter.deleteFilter(this.#open(), ref, which)
  }

  /** Those of one parent: `'ingress'`, `'egress'`, `'root'`, `'1:'`. */
  async listFilters(ref: link.LinkRef, place: { readonly parent: string } & Abortable): Promise<trafficFilter.Filter[]> {
    return trafficFilter.listFilters(this.#open(), ref, place)
  }

  /**
   * What happens in the namespace, from what there is now on: `for await (const event of netns.watch({ links: true }))`. See
   * docs/watching.md. It ends with `close()`, and when the name under /run/netns by which the namespace was opened is removed.
   */
  watch(options: WatchOptions): Watch {
    this.#open()
    const source = {
      use: <T>(operation: (handle: NamespaceHandle) => Promise<T>) => this.#use(operation),
      onEnd: (end: () => void) => this.#untilEnd(end),
    }
    return watch(source, options)
  }

  #untilEnd(end: () => void): () => void {
    this.#watches.add(end)
    const forget = this.name === undefined ? undefined : onRemoval(this.name, this.inode, end)
    return () => {
      this.#watches.delete(end)
      forget?.()
    }
  }

  /** Resolves to the device, once it is there and as `condition` says. WaitTimeoutError, with what was last seen, when it is not in time. */
  async waitForLink(ref: link.LinkRef, condition?: wait.LinkCondition): Promise<link.Link> {
    return wait.waitForLink((options) => this.watch(options), ref, condition)
  }

  /** Resolves to the address, once the device has it and duplicate address detection is over; EADDRINUSE when that found another. */
  async waitForAddress(
    ref: link.LinkRef,
    wanted: string | wait.AddressKind,
    condition?: wait.AddressCondition,
  ): Promise<address.AddressInfo> {
    return wait.waitForAddress((options) => this.watch(options), ref, wanted, condition)
  }

  /** Resolves to the neighbor's entry, once it is reachable. It asks nobody: something must send to the neighbor. */
  async waitForNeighbor(neighborAddress: string, condition?: wait.NeighborCondition): Promise<neighbor.Neighbor> {
    return wait.waitForNeighbor((options) => this.watch(options), neighborAddress, condition)
  }

  /**
   * The IPv4 and IPv6 settings of a device, in the camelCase of their sysctl names; see docs/rtnetlink.md. Of a device they are one
   * answer of the kernel; `'all'` and `'default'` are read file by file. ENODEV when there is no such device.
   */
  async getDeviceSettings(ref: settings.SettingsRef): Promise<settings.DeviceSettings> {
    return this.#use((handle) => settings.getDeviceSettings(handle, ref))
  }

  /**
   * Changes settings of a device: `setDeviceSettings('eth0', { ipv4: { rpFilter: 2 }, ipv6: { acceptRa: 0 } })`. What netlink takes goes
   * first, in one message, all or nothing; then one write to /proc/sys each, IPv4 before IPv6, in the order of the table. Not atomic:
   * what was done before a refusal stays. ENODEV when there is no such device, ENOENT when the kernel has no such setting,
   * EAFNOSUPPORT when the device has no IPv4.
   */
  async setDeviceSettings(ref: settings.SettingsRef, changes: settings.DeviceSettings): Promise<void> {
    return this.#use((handle) => settings.setDeviceSettings(handle, ref, changes))
  }

  /** A network setting: `getSysctl('net.ipv4.ip_forward')` → `'1'`. ENOENT when the kernel has none of that name. */
  async getSysctl(key: string): Promise<string> {
    return this.#use((handle) => kernel(native.getSysctl(handle, sysctlPath(key))))
  }

  async setSysctl(key: string, value: string | number): Promise<void> {
    return this.#use((handle) => kernel(native.setSysctl(handle, sysctlPath(key), sysctlValue(value))))
  }

  /**
   * All that is in the namespace, in one value that `JSON.stringify` takes: devices, addresses, the routes of all tables, rules, nexthops,
   * neighbors, forwarding entries, VLANs and multicast databases of bridges, queueing disciplines, namespace ids, and the packet filter. A
   * dozen dumps, one after the other, each as whole as by its own verb: not one instant, so what changes meanwhile may be in one part and
   * not in another. What the kernel does not have is empty; what this process may not read, the packet filter without CAP_NET_ADMIN,
   * is null. Classes and filters of queueing disciplines are left out: they are asked for by device.
   */
  async inspect(options?: Abortable): Promise<NetnsSnapshot> {
    return this.#use(() => inspect(this, options))
  }

  /**
   * Starts a process inside, as child_process.spawn does, without nsenter. Only its network is inside. Needs CAP_SYS_ADMIN.
   * `diagnostics_channel` subscribers of 'child_process' run with this thread inside: they must not use the network.
   */
  async spawn(command: string, args: readonly string[] = [], options: SpawnOptions = {}): Promise<ChildProcess> {
    return this.#use((handle) => spawnInside(handle, command, args, options))
  }

  /** Lets a server (net, http, https, http2, tls) listen inside: `await netns.listen(http.createServer(…), { port: 80 })`. */
  async listen<S extends Server>(server: S, options?: ListenOptions): Promise<S> {
    return this.#use((handle) => listen(handle, server, options))
  }

  /** A TCP connection from inside; `http.request({ createConnection: () => socket })` speaks HTTP over it. */
  async connect(options: ConnectOptions): Promise<Socket> {
    return this.#use((handle) => connect(handle, options))
  }

  /** A UDP socket bound inside. */
  async bindUdp(options?: BindUdpOptions): Promise<DatagramSocket> {
    return this.#use((handle) => bindUdp(handle, options))
  }

  /**
   * Lets go of the namespace. An unnamed one that holds no process ends, with its devices, a few milliseconds later. Operations in
   * flight finish first; new ones are refused at once. Closing twice is no error; `host` stays open.
   */
  async close(): Promise<void> {
    if (this.#closed || this.#isHost) return
    this.#closed = true
    forgotten.unregister(this)
    for (const end of [...this.#watches]) end()
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    }
    native.close(this.#handle)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** Checks that an option is a Netns. */
export function netnsOption(value: unknown, path: string): Netns {
  if (!(value instanceof Netns)) throw Object.assign(new TypeError(`${path} must be a Netns`), { code: 'ERR_INVALID_ARG_TYPE' })
  return value
}
