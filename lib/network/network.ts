// A container network of a host. The kernel is its only state: the bridge with its alias, the devices, the elements of the table.

import { type Abortable, onlySignal, signalOf, throwIfAborted } from '../abort.ts'
import { formatAddress, formatCidr, networkOf, parseCidr } from '../cidr.ts'
import type { NetworkDns } from '../dns/options.ts'
import { kernel, NetlinkError } from '../errors.ts'
import { fields, invalidType, invalidValue, list } from '../invalid.ts'
import { formatMac, macBytes, objectName } from '../names.ts'
import { type Attached, native } from '../native.ts'
import { Netns } from '../netns/netns.ts'
import { givenNetns } from '../netns/registry.ts'
import { forgetPolicies } from '../policy/bridge.ts'
import { KnownPolicies } from '../policy/read.ts'
import { syncPolicies } from '../policy/sync.ts'
import { rolledBack } from '../roll-back.ts'
import type { Link } from '../rtnetlink/link/link.ts'
import { closeBridge, releaseBridge } from './adopt/adopt.ts'
import { type AttachedEndpoint, Endpoint, type EndpointFacts, type EndpointOwner, type PortChange } from './attach/endpoint.ts'
import { finish, forgetRefusals, hasFinish, limitersOf, takeBack } from './attach/finish.ts'
import { isRefusal, type PlanRoute } from './attach/inside.ts'
import { type Joined, Joiner, type Newcomer, type SettledAttach } from './attach/join.ts'
import { Leases, type Place } from './attach/lease.ts'
import { tellAttached, tellDeleted, tellDetached } from './attach/news.ts'
import { type NetworkFacts, reservedNumbers, Site } from './attach/site.ts'
import { type AttachSpec, type CheckedAttach, checkAttach } from './attach/spec.ts'
import { allOf } from './concurrency/all-of.ts'
import { Gather } from './concurrency/gather.ts'
import { inLanes } from './concurrency/lanes.ts'
import { Turns } from './concurrency/turns.ts'
import { moveResolver, removeFromTable } from './create/table.ts'
import { rememberDnsPort } from './dns-port.ts'
import { absentLink, NetworkError } from './errors.ts'
import type { FirewalledNetwork } from './firewall/index.ts'
import { groupOn } from './group.ts'
import { restoreForwarding } from './host/forwarding.ts'
import { know } from './known.ts'
import {
  type Driver,
  type EndpointLabel,
  endpointAltname,
  formatEndpointLabel,
  type GatewayModes,
  type Masquerade,
  type NetworkLabel,
  parseEndpointLabel,
} from './label.ts'
import { choosePorts } from './port/choose.ts'
import { ownerOf } from './port/elements.ts'
import { type ExposedPort, portsOf } from './port/exposed.ts'
import { isSettled, type Port, type PortSpec, parsePort, parsePorts, settleIn } from './port/port.ts'
import { findLinks, portsLeft, publishPorts, requireProtocols, unpublishPorts, withdrawal, withReclaim } from './port/publish.ts'
import { check } from './state/check.ts'
import type { Finding } from './state/finding.ts'
import { type RepairReport, repairAll } from './state/repair.ts'
import { HostEndNews, NetworkWatch, type NetworkWatchOptions } from './state/watch.ts'

export interface DeleteOptions extends Abortable {
  /** Whether its endpoints are detached. @defaultValue false */
  readonly force?: boolean
}

/** Made by createNetwork, found again by openNetwork. Several objects, in several processes, may stand for the same network. */
export class Network implements EndpointOwner {
  readonly name: string
  readonly driver: Driver
  /** IPv4 first. */
  readonly subnets: readonly string[]
  /** One of each subnet. */
  readonly gateways: readonly string[]
  /** Parts of the subnets whose addresses are given to nobody who does not ask for them. */
  readonly reserved: readonly string[]
  /** Name of the bridge's interface. */
  readonly bridge: string
  /** Whether the bridge was there before, and stays when the network goes. */
  readonly adopted: boolean
  /** @internal what the bridge remembers */
  readonly label: NetworkLabel
  readonly mtu: number
  readonly internal: boolean
  readonly icc: boolean
  readonly masquerade: Masquerade
  /** Of the families that it has. */
  readonly gatewayMode: GatewayModes
  /** Interfaces of the host from which every port of its containers is reached. */
  readonly trusted: readonly string[]
  #dns: NetworkDns | undefined
  /** Whether its containers may send as themselves only. */
  readonly antiSpoofing: boolean
  readonly #facts: NetworkFacts
  readonly #host: Netns
  readonly #site: Site
  readonly #leases: Leases
  readonly #joiner: Joiner
  readonly #known: KnownPolicies
  #started = false
  #starting: Promise<void> | undefined
  /** Namespaces that attach made or opened, by the host end's index: held here until the detach, whoever forgets the Endpoint. */
  readonly #owned = new Map<number, Netns>()
  /** Routes that attach made inside and that do not go with the device, by the host end's index. */
  readonly #refusals = new Map<number, { readonly netns: Netns; readonly routes: readonly PlanRoute[] }>()
  /** Changes of an endpoint's ports, by the host end's index. */
  readonly #changing = new Turns<number>()
  readonly #detaching = new Gather<Endpoint>((endpoints) => this.#detachAll(endpoints))

  /** @internal use createNetwork or openNetwork */
  constructor(label: NetworkLabel, bridge: Link, host: Netns, ports?: readonly Link[]) {
    const addresses = label.addresses.map((address) => parseCidr(address, 'the alias'))
    const { subnets, gateways } = label.lan ?? { subnets: addresses.map(networkOf), gateways: addresses }
    const facts: NetworkFacts = { ...label, gateways, subnets, bridge: { ...bridge, group: groupOn(label.name, bridge) } }
    this.label = label
    this.#facts = facts
    this.#host = host
    this.name = facts.name
    this.subnets = facts.subnets.map(formatCidr)
    this.gateways = facts.gateways.map(({ text }) => text)
    this.reserved = facts.reserved
    this.driver = facts.driver
    this.bridge = facts.bridge.name
    this.adopted = label.adopted !== undefined
    this.mtu = facts.bridge.mtu
    this.internal = facts.internal
    this.icc = facts.icc
    this.masquerade = facts.masquerade
    this.gatewayMode = facts.gatewayMode
    this.trusted = facts.trusted
    this.#dns = facts.dns
    know(this)
    this.antiSpoofing = facts.antiSpoofing
    this.#site = new Site(facts)
    this.#leases = new Leases(facts.name, facts.subnets, reservedNumbers(facts))
    this.#known = new KnownPolicies(host, facts.name)
    this.#joiner = new Joiner(host, facts, this.#site, this.#leases, this.#known)
    if (ports !== undefined) this.#startBehind(ports)
  }

  /** The names of its containers; undefined for a network that was made without. */
  get dns(): NetworkDns | undefined {
    return this.#dns
  }

  /** @internal where its devices are */
  get host(): Netns {
    return this.#host
  }

  /** @internal */
  get bridgeIndex(): number {
    return this.#facts.bridge.index
  }

  /** @internal its resolver listens at another port than whoever served it before */
  async moveDns(port: number): Promise<void> {
    this.#dns = await rememberDnsPort(this.#host, this.name, port)
    await moveResolver(this.#host, this.firewalled(), port)
  }

  /** Addresses are handed out round robin: the next one comes after all that are leased. */
  #startBehind(ports: readonly Link[]): void {
    const highest = ports.reduce((most, port) => Math.max(most, this.#leases.placeOf(port.name)?.number ?? -1), -1)
    if (highest >= 0) this.#leases.advance(highest)
    this.#started = true
  }

  /** Once, before the first lease of a network that was found. */
  async #start(): Promise<void> {
    this.#starting ??= this.#ports().then((ports) => this.#startBehind(ports))
    try {
      await this.#starting
    } finally {
      this.#starting = undefined
    }
  }

  /**
   * Joins a container to the network: a veth pair with its host end on the bridge, an address, the default route, published ports.
   * All or nothing, in one call to the native side and one submission per namespace for what is made.
   *
   * Rejects with EEXIST when the name is taken in the network (or the interface name, the default route inside),
   * SUBNET_FULL, ADDRESS_IN_USE, PORT_IN_USE, PROTOCOL_UNSUPPORTED; the error's `operation` names the step.
   */
  async attach(spec: AttachSpec): Promise<AttachedEndpoint> {
    const checked = this.checkAttach(spec)
    throwIfAborted(spec.signal)
    await requireProtocols(this.#host, checked.ports)
    return choosePorts(this.#host, checked.ports, this.#site.translated, (ports) => this.#attach(spec, checked, ports))
  }

  async #attach(spec: AttachSpec, checked: CheckedAttach, ports: readonly Port[]): Promise<AttachedEndpoint> {
    const label = labelOf(checked, ports)
    const alias = formatEndpointLabel(label)
    const given = await givenNetns(spec.netns, 'netns')
    try {
      const owner = ownerOf(this.name, checked.name)
      const { attached, place } = await withReclaim(this.#host, owner, ports, this.#site.translated, () =>
        this.#join({ ...checked, ports }, { alias, inside: given?.netns, signal: spec.signal }),
      )
      const netns = given?.netns ?? new Netns(attached.inside)
      if (given !== undefined) native.close(attached.inside)
      const { ifname, routes } = checked
      const { hostIndex } = attached
      const endpoint = this.#endpoint(place, { label, ifname, ports, netns, hostIndex }) as AttachedEndpoint
      if (hasFinish(checked) || spec.signal?.aborted) {
        await rolledBack(
          () => this.#finish(endpoint, checked, attached, spec.signal),
          async () => (given === undefined ? netns.close() : undefined),
        )
      }
      if (given === undefined || given.opened) this.#owned.set(hostIndex, netns)
      if (routes.some(isRefusal)) this.#refusals.set(hostIndex, { netns, routes })
      tellAttached(this.#host, endpoint)
      return endpoint
    } catch (error) {
      if (given?.opened) await given.netns.close()
      throw error
    }
  }

  async #finish(
    endpoint: AttachedEndpoint,
    checked: CheckedAttach,
    attached: Attached,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { netns, ports } = endpoint
    await rolledBack(
      () => finish(this.#host, netns, { checked, endpoint, index: attached.index, signal }),
      async () => {
        const plan = { hostIndexes: [attached.hostIndex], ...withdrawal([{ endpoint, ports }], this.#known.policies) }
        await takeBack(this.#host, plan, { attached, inside: netns, routes: checked.routes })
      },
    )
  }

  #endpoint(
    place: Place,
    { label, ...facts }: Pick<EndpointFacts, 'ifname' | 'ports' | 'netns' | 'hostIndex'> & { readonly label: EndpointLabel },
  ): Endpoint {
    const lease = this.#leases.at(place)
    const { addresses, hostIfname } = lease
    const mac = label.mac === undefined ? lease.mac : macBytes(label.mac)
    return new Endpoint(
      {
        ...facts,
        label,
        name: label.name,
        isBridgePort: this.driver === 'bridge',
        routed: this.#site.routed,
        network: this.name,
        hostIfname,
        mac: formatMac(mac),
        sender: this.#site.senderOf({ ...lease, mac }, label.mac !== undefined),
        addresses: addresses.map((address, at) => `${formatAddress(address)}/${this.#site.prefixLengths[at]}`),
        gateways: this.gateways,
      },
      this,
    )
  }

  async #join(checked: SettledAttach, rest: Omit<Newcomer, 'checked'>): Promise<Joined> {
    const { number, six } = checked.place
    const newcomer = { checked, ...rest }
    if (number !== undefined) return this.#joiner.joinAt({ number, six }, newcomer)
    if (!this.#started) await this.#start()
    return this.#joiner.join(newcomer)
  }

  async #ports(signal?: AbortSignal): Promise<Link[]> {
    return hostEnds(this.#host, this.#facts, signal)
  }

  /** @internal whether the device's name is one of a host end of this network */
  isLease(link: Link): boolean {
    return this.#leases.placeOf(link.name, link.altnames) !== undefined
  }

  /** @internal by its alternative name, which no other device can have; the alias may be lost */
  endpointOn(link: Link): Endpoint | undefined {
    const prefix = endpointAltname(this.name, '')
    const name = link.altnames.find((altname) => altname.startsWith(prefix))?.slice(prefix.length)
    const place = this.#leases.placeOf(link.name, link.altnames)
    if (name === undefined || place === undefined) return undefined
    const { ports = [], ...label } = parseEndpointLabel(link.alias) ?? {}
    return this.#endpoint(place, {
      label: { ...label, name, ports },
      ifname: undefined,
      ports,
      netns: undefined,
      hostIndex: link.index,
    })
  }

  /** The endpoint of that name, whoever attached it; one question to the kernel. ENDPOINT_NOT_FOUND. */
  async endpoint(name: string): Promise<Endpoint> {
    const found = await this.#find(objectName(name, 'name'))
    if (found === undefined) throw new NetworkError('ENDPOINT_NOT_FOUND', `the network '${this.name}' has no endpoint '${name}'`)
    return found
  }

  async #find(name: string): Promise<Endpoint | undefined> {
    try {
      return this.endpointOn(await this.#host.getLink(endpointAltname(this.name, name)))
    } catch (error) {
      if (error instanceof NetlinkError && error.code === 'ENODEV') return undefined
      throw error
    }
  }

  /** All endpoints, whoever attached them, in the order of their addresses. */
  async endpoints(options: Abortable = {}): Promise<Endpoint[]> {
    return this.#among(await this.#ports(onlySignal(options)))
  }

  #among(links: readonly Link[]): Endpoint[] {
    const found = links.map((link) => this.endpointOn(link)).filter((endpoint) => endpoint !== undefined)
    const number = (endpoint: Endpoint): number => this.#leases.placeOf(endpoint.hostIfname)?.number ?? 0
    return found.sort((a, b) => number(a) - number(b))
  }

  /** The ports of the host that lead to its containers, and who gets there: what the firewall does, not what was asked for. */
  async exposed(options: Abortable = {}): Promise<ExposedPort[]> {
    return portsOf(this.#host, { network: this.name, signal: onlySignal(options) })
  }

  /** Detaches the endpoint of that name, whoever attached it; see `Endpoint.detach`. One that is not there is no error. */
  async detach(name: string, options: Abortable = {}): Promise<void> {
    const signal = onlySignal(options)
    const found = await this.#find(objectName(name, 'name'))
    if (found !== undefined) await this.detachEndpoint(found, signal)
  }

  /** @internal Endpoint.detach */
  async detachEndpoint(endpoint: Endpoint, signal?: AbortSignal): Promise<void> {
    const { hostIndex } = endpoint
    const isBack = tellDetached(this.#host, endpoint)
    await this.#detaching.add(endpoint, signal).catch((error: unknown) => {
      isBack()
      throw error
    })
    const refusals = this.#refusals.get(hostIndex)
    if (refusals !== undefined) await forgetRefusals(refusals.netns, refusals.routes)
    this.#refusals.delete(hostIndex)
    await this.#owned.get(hostIndex)?.close()
    this.#owned.delete(hostIndex)
  }

  async #detachAll(endpoints: readonly Endpoint[]): Promise<void> {
    const held = await portsLeft(this.#host, endpoints)
    // Another process may have made policies. Beside the deletion of a link a look costs little.
    await this.#known.refresh()
    await kernel(
      native.detach(Netns.handleOf(this.#host), {
        hostIndexes: [...endpoints.map((endpoint) => endpoint.hostIndex), ...(await limitersOf(this.#host, endpoints))],
        ...withdrawal(held, this.#known.policies),
      }),
    )
  }

  /** @internal Endpoint.publish and unpublish */
  async changePorts(
    endpoint: Endpoint,
    specs: PortSpec | readonly PortSpec[],
    { publish, signal }: PortChange,
  ): Promise<readonly Port[]> {
    const wishes = Array.isArray(specs) ? parsePorts(specs, 'ports') : parsePort(specs as PortSpec, 'port')
    const ports = publish ? settleIn({ families: this.#site.families, routed: this.#site.routed }, wishes, 'ports') : wishes
    if (publish && this.internal) throw invalidType('ports', 'none: nothing gets into an internal network', specs)
    if (publish) await requireProtocols(this.#host, ports)
    const change = publish ? publishPorts : unpublishPorts
    return this.#changing.take(endpoint.hostIndex, () => change(this.#host, endpoint, ports, signal))
  }

  /**
   * Removes the network: its elements of the firewall, its bridge, and with the last network the table and the host's forwarding, if
   * that was off before. A bridge that was there before stays, as it was. NETWORK_IN_USE when it has endpoints, unless `force`, which
   * detaches them. What is gone already is no error. It can be called off while the endpoints are looked for, and then goes to its end.
   */
  async delete(options: DeleteOptions = {}): Promise<void> {
    fields(options, 'options', ['force', 'signal'])
    if (options.force !== undefined && typeof options.force !== 'boolean')
      throw invalidType('options.force', 'a boolean', options.force)
    const signal = signalOf(options, 'options')
    // Not by the bridge: that may be gone, or a device taken off it.
    const endpoints = this.#among(await this.#host.listLinks({ kind: 'veth', signal }))
    if (endpoints.length > 0) {
      if (options.force !== true) {
        const names = endpoints.map((endpoint) => endpoint.name)
        const count = `${names.length} endpoint${names.length === 1 ? '' : 's'}`
        throw new NetworkError(
          'NETWORK_IN_USE',
          `the network '${this.name}' has ${count} (${names.slice(0, 5).join(', ')}): detach them, or pass force`,
        )
      }
      await allOf(endpoints.map((endpoint) => endpoint.detach()))
    }
    await tellDeleted(this.#host, this.name)
    const { bridge, forwardingBefore } = this.#facts
    const restore = async (going?: string): Promise<void> => {
      for (const family of this.#site.families)
        await restoreForwarding(this.#host, family, forwardingBefore[family] ?? true, going)
    }
    await this.#known.refresh()
    if (this.adopted) await closeBridge(this.#host, bridge.index, this.label)
    await removeFromTable(this.#host, this.firewalled())
    // While the bridge remembers what it was, so that a process that dies here leaves it to the next delete; and again after it, should
    // another network have gone at the same time.
    await restore(this.name)
    if (this.adopted) await forgetPolicies(this.#host, bridge.index)
    if (this.adopted) await releaseBridge(this.#host, bridge.index, this.label, bridge.group)
    else await this.#host.deleteLink(bridge.index).catch(absentLink)
    await restore()
    if (this.#known.policies.length > 0) await syncPolicies(this.#host)
  }

  /** @internal whether its containers need the host to forward: without a bridge even neighbors reach each other through it */
  get forwards(): boolean {
    return !this.internal || (this.driver === 'ptp' && this.icc)
  }

  /**
   * Attaches several, all or none: where one is refused, or all are called off, the others are detached again, and its error is thrown.
   * All are checked before the first is attached; their work in the kernel overlaps. For an outcome of each: `Promise.allSettled(specs.map(…))`
   * with `attach`, which overlap as well.
   */
  async attachMany(specs: readonly Omit<AttachSpec, 'signal'>[], options: Abortable = {}): Promise<AttachedEndpoint[]> {
    for (const [at, spec] of list(specs, 'specs').entries()) this.#check(spec as AttachSpec, at)
    const signal = onlySignal(options)
    const { made, failures } = await inLanes(specs, (spec) => this.attach({ ...spec, signal }))
    if (failures.length === 0) return [...made]
    return rolledBack(
      () => Promise.reject(failures[0]),
      () => allOf(made.map((endpoint) => endpoint.detach())),
    )
  }

  /** @internal the options of an attach, checked and completed */
  checkAttach(spec: AttachSpec): CheckedAttach {
    const { subnets, gateways, internal } = this.#facts
    const { driver, mtu } = this
    const routed = this.#site.routed
    const foreign = this.adopted ? this.reserved.map((part) => parseCidr(part, 'reserved')) : []
    const site = {
      subnets,
      foreign,
      prefixLengths: this.#site.prefixLengths,
      gateways,
      internal,
      routed,
      driver,
      mtu,
      leases: this.#leases,
      hasNames: this.dns !== undefined,
    }
    const checked = checkAttach(spec, site)
    // Whether the kernel can remember what is known already.
    formatEndpointLabel(labelOf(checked, checked.ports.filter(isSettled)))
    return checked
  }

  #check(spec: AttachSpec, at: number): void {
    try {
      this.checkAttach(spec)
      if (spec.signal !== undefined)
        throw invalidValue('signal', 'belongs in the options behind: it is for all of them', spec.signal)
    } catch (error) {
      if (error instanceof Error) error.message = `specs[${at}]: ${error.message}`
      throw error
    }
  }

  /**
   * Detaches those of these names, whoever attached them, in one deletion. Those that are not there are no error. Where one is refused all the others
   * have gone when its error is thrown.
   */
  async detachMany(names: readonly string[], options: Abortable = {}): Promise<void> {
    const signal = onlySignal(options)
    const altnames = list(names, 'names').map((name, at) => endpointAltname(this.name, objectName(name, `names[${at}]`)))
    const links = await findLinks(this.#host, [...new Set(altnames)])
    const found = links.flatMap((link) => (link && this.endpointOn(link)) ?? [])
    throwIfAborted(signal)
    await allOf(found.map((endpoint) => endpoint.detach()))
  }

  /** What is missing or different of this network, and of what all networks share; see `check`. */
  async check(options: Abortable = {}): Promise<Finding[]> {
    const findings = await check({ host: this.#host, signal: onlySignal(options) })
    return findings.filter((finding) => this.#concerns(finding))
  }

  /** Puts back what `Network.check` finds; see `repair`. */
  async repair(options: Abortable = {}): Promise<RepairReport> {
    return repairAll(this.#host, { signal: onlySignal(options), isMeant: (finding) => this.#concerns(finding) })
  }

  #concerns({ network }: Finding): boolean {
    return network === undefined || network === this.name
  }

  /**
   * Endpoints as they come, change their ports and go, whoever makes them: first those that there are, then 'synced', then the news.
   * NETWORK_NOT_FOUND when the network is not there any more; ends when it is deleted.
   */
  watch(options: NetworkWatchOptions = {}): NetworkWatch {
    return new NetworkWatch(new HostEndNews(this.#host, this, this.#facts.bridge.index, options))
  }

  /** @internal as the firewall sees it */
  firewalled(): FirewalledNetwork {
    const { name, driver, adopted, reserved, subnets, gateways, internal, icc, masquerade, gatewayMode, trusted, antiSpoofing } =
      this
    const { group } = this.#facts.bridge
    return {
      name,
      driver,
      adopted,
      reserved,
      gateways,
      group,
      subnets,
      internal,
      icc,
      masquerade,
      gatewayMode,
      trusted,
      antiSpoofing,
      dnsPort: this.#dns?.port,
    }
  }

  toJSON(): NetworkJson {
    const { name, driver, subnets, gateways, reserved, bridge, adopted, mtu } = this
    const { internal, icc, masquerade, gatewayMode, trusted, antiSpoofing } = this
    const options = { internal, icc, masquerade, gatewayMode, trusted, antiSpoofing }
    const own = { name, driver, subnets, gateways, reserved, bridge, adopted, mtu, ...options }
    return this.#dns === undefined ? own : { ...own, dns: this.#dns }
  }
}

const labelOf = (checked: CheckedAttach, ports: readonly Port[]): EndpointLabel => ({
  ...checked,
  ports,
  limited: checked.bandwidth?.egress !== undefined,
})

/** The devices of a network's containers on the host. */
export async function hostEnds(
  host: Netns,
  { driver, bridge }: Pick<NetworkFacts, 'driver' | 'bridge'>,
  signal?: AbortSignal,
): Promise<Link[]> {
  if (driver === 'bridge') return host.listLinks({ master: bridge.index, kind: 'veth', signal })
  // The kernel cannot filter by group.
  return (await host.listLinks({ kind: 'veth', signal })).filter(({ group }) => group === bridge.group)
}

/** What a Network is as JSON. */
export type NetworkJson = Pick<
  Network,
  | 'name'
  | 'driver'
  | 'subnets'
  | 'gateways'
  | 'reserved'
  | 'bridge'
  | 'adopted'
  | 'mtu'
  | 'internal'
  | 'icc'
  | 'masquerade'
  | 'gatewayMode'
  | 'trusted'
  | 'antiSpoofing'
> & { readonly dns?: NetworkDns }
