// Networks whose containers are on the wire of one of the host's devices, the parent: macvlan and ipvlan. The host has no end of their links.

import { type Abortable, onlySignal, signalOf, throwIfAborted } from '../../abort.ts'
import { formatAddress, offsetIn, parseAddress } from '../../cidr.ts'
import { NetlinkError } from '../../errors.ts'
import { fields, invalidType, list } from '../../invalid.ts'
import { formatMac, objectName } from '../../names.ts'
import type { Netns } from '../../netns/netns.ts'
import { createNetns, givenNetns } from '../../netns/registry.ts'
import { rolledBack } from '../../roll-back.ts'
import type { Link } from '../../rtnetlink/link/link.ts'
import type { AttachedEndpoint, Endpoint } from '../attach/endpoint.ts'
import { eraseTraces, finish, forgetRefusals } from '../attach/finish.ts'
import { isRefusal, type PlanRoute, unicast } from '../attach/inside.ts'
import { Leases, type Place } from '../attach/lease.ts'
import { type NetworkFacts, reservedNumbers } from '../attach/site.ts'
import type { AttachSpec, CheckedAttach } from '../attach/spec.ts'
import { allOf } from '../concurrency/all-of.ts'
import { absentLink, NetworkError } from '../errors.ts'
import { type NetworkLabel, networkAltname } from '../label.ts'
import { type DeleteOptions, Network, type NetworkJson } from '../network.ts'
import type { Port } from '../port/port.ts'
import { checkWatchOptions, NetworkWatch, type NetworkWatchOptions } from '../state/watch.ts'
import { hostAddresses, makeDevice, unfinishedGroup } from './lan-device.ts'
import { checkLanAttach, LanEndpoint, wordsOf } from './lan-endpoint.ts'
import { configure } from './lan-inside.ts'
import type { LanDeviceOptions, LanDriver, LanLabel, LanMode } from './lan-label.ts'
import { isRouted } from './lan-spec.ts'
import { deadAmong, deleteDevice, nsidOf } from './lease-life.ts'
import { LeaseNews } from './lease-news.ts'
import { leaseAlias, refuseLongAlias, surveyLeases } from './lease-survey.ts'
import { existing, type Lease, LeaseTable } from './lease-table.ts'
import { parentLink } from './parent.ts'
import { unleasedDevices } from './unleased.ts'

type OnLan = NetworkLabel & { readonly lan: LanLabel }
type LanFacts = NetworkFacts & OnLan

const isCode = (error: unknown, code: string): error is NetlinkError => error instanceof NetlinkError && error.code === code

/** One attempt with one place. */
interface Attempt {
  readonly parent: Link
  readonly place: Place
  readonly signal: AbortSignal | undefined
}

/** What this object keeps of an endpoint until the detach. */
interface Held {
  readonly netns: Netns
  /** Whether attach made or opened it. */
  readonly isOurs: boolean
  /** Those that do not go with the device. */
  readonly routes: readonly PlanRoute[]
}

/** What a LanNetwork is as JSON. */
export interface LanNetworkJson extends NetworkJson {
  readonly parent: string
  readonly mode: LanMode
  readonly device: LanDeviceOptions
}

/**
 * A network of containers that are neighbors of the host on a wire of its own, with the driver `macvlan` or `ipvlan`. By the kernel's rules
 * the host and these containers do not reach each other through the parent.
 */
export class LanNetwork extends Network {
  declare readonly driver: LanDriver
  /** Name of the device that the containers' devices stand on. */
  readonly parent: string
  readonly mode: LanMode
  /** How the containers' devices are made beside the mode; what is not there is as usual. */
  readonly device: LanDeviceOptions
  readonly #facts: LanFacts
  readonly #host: Netns
  readonly #leases: Leases
  readonly #table: LeaseTable
  /** By the device. */
  readonly #held = new Map<string, Held>()

  /** @internal use createNetwork or openNetwork */
  constructor(label: OnLan, bridge: Link, host: Netns) {
    super(label, bridge, host, [])
    const { subnets, gateways } = label.lan
    const facts: LanFacts = { ...label, subnets, gateways, bridge }
    this.parent = facts.lan.parent
    this.mode = facts.lan.mode
    this.device = facts.lan.device
    this.#facts = facts
    this.#host = host
    this.#leases = new Leases(facts.name, facts.subnets, reservedNumbers(facts))
    this.#table = new LeaseTable(host, facts.name)
  }

  /**
   * Joins a container to the wire, whose machines are told of its address unless `announce` is false: a device on the parent, made in the
   * container's namespace, with an address and the default route. All or nothing. Leases of containers that died are taken back where
   * they are in the way.
   *
   * Rejects with EEXIST when the name is taken in the network (or the interface name, the default route inside), SUBNET_FULL,
   * ADDRESS_IN_USE, PARENT_NOT_FOUND, PARENT_IN_USE; the error's `operation` names the step.
   */
  override async attach(spec: AttachSpec): Promise<AttachedEndpoint> {
    const checked = this.checkAttach(spec)
    throwIfAborted(spec.signal)
    const given = await givenNetns(spec.netns, 'netns')
    const netns = given?.netns ?? (await createNetns())
    const isOurs = given === undefined || given.opened
    try {
      const lease = await this.#lease(checked, netns, spec.signal)
      this.#held.set(keyOf(lease), { netns, isOurs, routes: checked.routes.filter(isRefusal) })
      return this.#endpoint(lease, netns) as AttachedEndpoint
    } catch (error) {
      if (isOurs) await netns.close()
      throw error
    }
  }

  /** @internal */
  override checkAttach(spec: AttachSpec): CheckedAttach {
    const prefixLengths = this.#facts.subnets.map(({ prefixLength }) => prefixLength)
    const { driver, mode, mtu, name } = this
    const checked = checkLanAttach(spec, { ...this.#facts, foreign: [], driver, mode, mtu, prefixLengths, leases: this.#leases })
    refuseLongAlias(this.#host, name, { name: checked.name, words: wordsOf(checked) })
    return checked
  }

  #endpoint(lease: Lease, netns: Netns | undefined): LanEndpoint {
    return new LanEndpoint(this, lease, lease.addresses.map(this.#withPrefix), netns)
  }

  readonly #withPrefix = (text: string): string => {
    const { family } = parseAddress(text, 'address')
    return `${text}/${this.#facts.subnets.find((subnet) => subnet.family === family)?.prefixLength}`
  }

  async #parentLink(): Promise<Link> {
    return parentLink(this.#host, this.parent)
  }

  async #lease(checked: CheckedAttach, netns: Netns, signal: AbortSignal | undefined): Promise<Lease> {
    /** Numbers whose addresses the kernel knows elsewhere on the parent. */
    const refused = new Set<number>()
    for (;;) {
      const parent = await this.#parentLink()
      const place = await this.#choose(checked, parent, refused)
      throwIfAborted(signal)
      const isOpen = checked.place.number === undefined
      try {
        return await this.#join(checked, netns, { parent, place, signal })
      } catch (error) {
        const wanted = this.#wanted(checked)
        if (isCode(error, 'EEXIST') && error.syscall === 'NFT_MSG_NEWSETELEM') {
          const leased = /^lease the address (.*)$/.exec(error.operation ?? '')?.[1]
          if (leased === undefined) throw error // the name
          if (wanted.includes(leased)) throw inUse(`${leased} is leased already`, error)
          continue // somebody was faster
        }
        if (!isCode(error, 'EADDRINUSE')) throw error
        // A MAC, or with ipvlan an address, is on the parent already: of a container that nobody here can see, or of another network.
        if (!isOpen || checked.mac !== undefined)
          throw inUse(`${this.parent} has a device with this address or MAC already`, error)
        refused.add(place.number)
      }
    }
  }

  #addressesAt(place: Place): string[] {
    return this.#leases.at(place).addresses.map(formatAddress)
  }

  /** Addresses that were asked for, directly or by what goes with them. */
  #wanted({ place: { number, six } }: CheckedAttach): string[] {
    if (number !== undefined) return this.#addressesAt({ number, six })
    return six === undefined ? [] : this.#addressesAt({ number: 0, six }).slice(-1)
  }

  async #choose(checked: CheckedAttach, parent: Link, refused: ReadonlySet<number>): Promise<Place> {
    const { number, six } = checked.place
    const wanted = this.#wanted(checked)
    const own = await hostAddresses(this.#host, parent)
    const clash = wanted.find((address) => own.includes(address))
    if (clash !== undefined) throw inUse(`${clash} is the host's own, on ${this.parent}`)
    let leases = await this.#leasesNow()
    const isInTheWay = ({ name, addresses }: Lease): boolean =>
      name === checked.name || addresses.some((address) => wanted.includes(address))
    const living = await this.#livingOf(leases.filter(isInTheWay))
    const holder = living.find(({ addresses }) => addresses.some((address) => wanted.includes(address)))
    if (holder !== undefined && holder.name !== checked.name)
      throw inUse(`${holder.addresses.find((address) => wanted.includes(address))} is leased already, to '${holder.name}'`)
    if (number !== undefined) return { number, six }
    for (let reclaimed = false; ; reclaimed = true) {
      const [next] = this.#leases.candidates(1, new Set([...this.#numbersOf(leases, own), ...refused]))
      if (next !== undefined) {
        // Before the wait: an attach that starts meanwhile tries another one.
        this.#leases.advance(next)
        return { number: next, six }
      }
      if (reclaimed) throw this.#full()
      leases = await this.#livingOf(leases)
    }
  }

  #full(): NetworkError {
    const why = `all ${this.#leases.capacity} addresses of ${this.subnets.join(' and ')} are leased or the host's own`
    return new NetworkError('SUBNET_FULL', why)
  }

  #numbersOf(leases: readonly Lease[], own: readonly string[]): number[] {
    const taken = [...leases.flatMap(({ addresses }) => addresses), ...own].map((text) => parseAddress(text, 'address'))
    return taken.flatMap((address) =>
      this.#facts.subnets
        .filter(({ family }) => family === address.family)
        .map((subnet) => Number(offsetIn(subnet, address)))
        .filter(Number.isSafeInteger),
    )
  }

  /** The device first: a lease without one is nobody's. */
  async #join(checked: CheckedAttach, netns: Netns, { parent, place, signal }: Attempt): Promise<Lease> {
    const { name, ifname } = checked
    const { driver, mode, mtu } = this
    const hasOwnMac = driver === 'macvlan' && mode !== 'passthru'
    const mac = hasOwnMac ? (checked.mac ?? formatMac(this.#leases.at(place).mac)) : undefined
    const nsid = await nsidOf(this.#host, netns)
    const group = unfinishedGroup(this.name)
    const index = await makeDevice(this.#host, netns, { driver, mode, options: this.device, parent, ifname, mac, mtu, group })
    const addresses = this.#addressesAt(place)
    const words = wordsOf(checked)
    const lease: Lease = { name, nsid, inode: netns.inode, index, ifname, mac: mac ?? parent.mac ?? '', addresses, words }
    let isClaimed = false
    return rolledBack(
      async () => {
        throwIfAborted(signal)
        await this.#claim(lease)
        isClaimed = true
        await this.#expectNetwork()
        throwIfAborted(signal)
        await this.#configure(checked, netns, lease, signal)
        return lease
      },
      async () => {
        await deleteDevice(this.#host, lease)
        if (isClaimed) await this.#table.release(lease)
      },
    )
  }

  async #configure(checked: CheckedAttach, netns: Netns, lease: Lease, signal: AbortSignal | undefined): Promise<void> {
    const { index, ifname } = lease
    const { sysctls, announce } = checked
    const traces = await configure(netns, {
      index,
      ifname,
      alias: leaseAlias(this.#host, this.name, lease),
      addresses: lease.addresses.map(this.#withPrefix),
      routes: [...this.#ways(checked), ...checked.routes],
      sysctls,
      announce,
    })
    const endpoint = this.#endpoint(lease, netns)
    await rolledBack(
      () => finish(this.#host, netns, { checked, endpoint, index, signal }),
      () => eraseTraces(netns, traces),
    )
  }

  #ways({ defaultRoute, metric }: CheckedAttach): PlanRoute[] {
    if (!defaultRoute) return []
    const { subnets, gateways } = this.#facts
    const ways = isRouted(this.mode)
      ? subnets.map(({ bytes }) => ({ to: bytes.map(() => 0), gateway: nothing }))
      : gateways.map(({ bytes }) => ({ to: bytes.map(() => 0), gateway: bytes }))
    return ways.map((way) => ({ ...way, prefixLength: 0, onlink: false, metric, type: unicast }))
  }

  async #claim(lease: Lease): Promise<void> {
    try {
      await this.#table.claim(lease)
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error
      await this.#restore()
      await this.#table.claim(lease)
    }
  }

  async #leasesNow(): Promise<Lease[]> {
    try {
      return await this.#table.list()
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error
      await this.#restore()
      return this.#table.list()
    }
  }

  /** The table of leases went, with a flushed ruleset: its elements are read back from the containers. */
  async #restore(): Promise<void> {
    await this.#expectNetwork()
    const leases = await surveyLeases(this.#host, this.name, this.#facts.lan)
    await this.#table.create(leases).catch(existing)
  }

  async #expectNetwork(): Promise<void> {
    try {
      if ((await this.#host.getLink(networkAltname(this.name))).index === this.#facts.bridge.index) return
    } catch (error) {
      absentLink(error)
    }
    throw new NetworkError('NETWORK_NOT_FOUND', `the device ${this.bridge} of the network '${this.name}' is gone`)
  }

  /** Gives back those whose containers died, and resolves to the others. */
  async #livingOf(leases: readonly Lease[]): Promise<Lease[]> {
    const dead = await deadAmong(this.#host, leases)
    for (const lease of dead) await this.#giveBack(lease)
    return leases.filter((lease) => !dead.includes(lease))
  }

  /** The device first: a lease without one is taken back by whoever finds it. */
  async #giveBack(lease: Lease): Promise<void> {
    // Through the host's number for the namespace: it need not be open here.
    await deleteDevice(this.#host, lease)
    await this.#table.release(lease)
  }

  /**
   * Takes back the leases of containers that died without a detach; resolves to their names. An attach does so by itself where they are in
   * its way.
   */
  async reclaim(options: Abortable = {}): Promise<string[]> {
    const signal = onlySignal(options)
    const leases = await this.#leasesNow()
    throwIfAborted(signal)
    const living = await this.#livingOf(leases)
    return leases.filter((lease) => !living.includes(lease)).map(({ name }) => name)
  }

  /**
   * @internal Removes devices that a process which was killed has made and not leased, in namespaces that live on; resolves to
   * their names.
   */
  async removeUnleased(): Promise<string[]> {
    const { name: network, driver } = this
    const devices = await unleasedDevices(this.#host, { network, driver }, () => this.#leasesNow())
    for (const device of devices) await deleteDevice(this.#host, { ...device, words: [] })
    return devices.map(({ ifname }) => ifname)
  }

  /** @internal whose elements the leases are */
  get leases(): LeaseTable {
    return this.#table
  }

  /** @internal The table made anew, from the containers. */
  async restoreLeases(): Promise<void> {
    await this.#table.destroy()
    await this.#restore()
  }

  override async endpoint(name: string): Promise<Endpoint> {
    const found = await this.#find(objectName(name, 'name'))
    if (found === undefined || (await deadAmong(this.#host, [found.lease])).length > 0)
      throw new NetworkError('ENDPOINT_NOT_FOUND', `the network '${this.name}' has no endpoint '${name}'`)
    return found
  }

  /** @internal the number that the host has for the container's namespace */
  async namespaceNumber(name: string): Promise<number | undefined> {
    return (await this.#table.find(name))?.nsid
  }

  /** Also of a container that died. */
  async #find(name: string): Promise<LanEndpoint | undefined> {
    // The second look is for a table that has to be restored.
    const lease = (await this.#table.find(name)) ?? (await this.#leasesNow()).find((one) => one.name === name)
    return lease && this.#endpoint(lease, undefined)
  }

  /** All endpoints, whoever attached them, in the order of their addresses. Those of containers that died are not among them. */
  override async endpoints(options: Abortable = {}): Promise<LanEndpoint[]> {
    const signal = onlySignal(options)
    const leases = await this.#leasesNow()
    throwIfAborted(signal)
    const dead = new Set(await deadAmong(this.#host, leases))
    const number = (lease: Lease): number => this.#numbersOf([lease], [])[0] ?? 0
    return leases
      .filter((lease) => !dead.has(lease))
      .sort((a, b) => number(a) - number(b))
      .map((lease) => this.#endpoint(lease, undefined))
  }

  override async detach(name: string, options: Abortable = {}): Promise<void> {
    const signal = onlySignal(options)
    const found = await this.#find(objectName(name, 'name'))
    if (found !== undefined) await this.detachEndpoint(found, signal)
  }

  override async detachMany(names: readonly string[], options: Abortable = {}): Promise<void> {
    const signal = onlySignal(options)
    const checked = list(names, 'names').map((name, at) => objectName(name, `names[${at}]`))
    const found = await Promise.all([...new Set(checked)].map((name) => this.#find(name)))
    throwIfAborted(signal)
    await allOf(found.map((endpoint) => endpoint?.detach()))
  }

  override watch(options: NetworkWatchOptions = {}): NetworkWatch {
    checkWatchOptions(options)
    return new NetworkWatch(new LeaseNews(this.#host, this, this.#facts.bridge.index, options))
  }

  /** @internal what is on the wire does not pass the host */
  override get forwards(): boolean {
    return false
  }

  /** @internal Endpoint.detach */
  override async detachEndpoint(endpoint: Endpoint, signal?: AbortSignal): Promise<void> {
    if (!(endpoint instanceof LanEndpoint)) throw invalidType('endpoint', `one of the network '${this.name}'`, endpoint.name)
    throwIfAborted(signal)
    const { lease } = endpoint
    await this.#giveBack(lease)
    const held = this.#held.get(keyOf(lease))
    if (held === undefined) return
    await forgetRefusals(held.netns, held.routes)
    if (held.isOurs) await held.netns.close()
    this.#held.delete(keyOf(lease))
  }

  /** @internal Endpoint.publish and unpublish */
  override async changePorts(_endpoint: Endpoint, specs: unknown): Promise<readonly Port[]> {
    throw invalidType('ports', `none: with the driver ${this.driver} the LAN reaches the container itself`, specs)
  }

  /**
   * Removes the network: its device and its leases. NETWORK_IN_USE when a container of it lives, unless `force`, which detaches them.
   * What is gone already is no error.
   */
  override async delete(options: DeleteOptions = {}): Promise<void> {
    fields(options, 'options', ['force', 'signal'])
    if (options.force !== undefined && typeof options.force !== 'boolean')
      throw invalidType('options.force', 'a boolean', options.force)
    const signal = signalOf(options, 'options')
    const names = (await this.#livingOf(await this.#leasesLeft())).map(({ name }) => name)
    throwIfAborted(signal)
    if (names.length > 0 && options.force !== true) {
      const some = `${names.length} endpoint${names.length === 1 ? '' : 's'} (${names.slice(0, 5).join(', ')})`
      throw new NetworkError('NETWORK_IN_USE', `the network '${this.name}' has ${some}: detach them, or pass force`)
    }
    // First of all: from then on nobody joins.
    await this.#host.deleteLink(this.#facts.bridge.index).catch(absentLink)
    await allOf((await this.#leasesLeft()).map((lease) => this.detachEndpoint(this.#endpoint(lease, undefined))))
    await this.#table.destroy()
  }

  async #leasesLeft(): Promise<Lease[]> {
    try {
      return await this.#leasesNow()
    } catch (error) {
      // The device is gone, and so is the table: deleted already.
      if (error instanceof NetworkError && error.code === 'NETWORK_NOT_FOUND') return []
      throw error
    }
  }

  override toJSON(): LanNetworkJson {
    return { ...super.toJSON(), parent: this.parent, mode: this.mode, device: this.device }
  }
}

const nothing = new Uint8Array(0)
const keyOf = ({ nsid, index }: Lease): string => `${nsid}/${index}`

const inUse = (why: string, cause?: NetlinkError): NetworkError =>
  new NetworkError('ADDRESS_IN_USE', cause === undefined ? why : `${why}: ${cause.message}`, { cause })
