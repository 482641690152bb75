// A container network of a host. The kernel is its only state: the bridge with its alias, the devices, the elements of the table.

import {
  type Address,
  type Cidr,
  type Family,
  familyBits,
  formatAddress,
  formatCidr,
  lastOf,
  networkOf,
  offsetIn,
  parseCidr,
} from '../cidr.ts'
import { kernel, NetlinkError } from '../errors.ts'
import { fields, invalidType, list } from '../invalid.ts'
import { formatMac, macBytes, objectName } from '../names.ts'
import { type Attached, native } from '../native.ts'
import { Netns, type NetnsRef } from '../netns/netns.ts'
import { openNetnsOption } from '../netns/registry.ts'
import { rolledBack } from '../roll-back.ts'
import type { Link } from '../rtnetlink/link/link.ts'
import { type AttachSpec, type CheckedAttach, checkAttach } from './attach-spec.ts'
import { choosePorts } from './choose.ts'
import { type AttachedEndpoint, Endpoint, type EndpointFacts, type EndpointOwner } from './endpoint.ts'
import { NetworkError } from './errors.ts'
import { type ExposedPort, portsOf } from './exposed.ts'
import { announceSysctls, finish, forgetRefusals, hasFinish, limitersOf, takeBack } from './finish.ts'
import { type FirewalledNetwork, networksSet, pendingElements, portSets, sourceSets, tableName } from './firewall/index.ts'
import { restoreForwarding } from './forwarding.ts'
import { Gather } from './gather.ts'
import { isRefusal, type PlanRoute, setsReversePathFilter, unicast } from './inside.ts'
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
import { Leases, type NumberRange, type Place } from './lease.ts'
import { isSettled, type Port, type PortSpec, parsePort, parsePorts, settleIn } from './port.ts'
import { containerPorts, flowsOf, hostPortsOf, ownerOf, translated } from './ports.ts'
import { findLinks, portsLeft, publishPorts, requireProtocols, unpublishPorts, withdrawal, withReclaim } from './publish.ts'
import { check } from './state/check.ts'
import type { Finding } from './state/finding.ts'
import { type RepairReport, repairAll } from './state/repair.ts'
import { NetworkWatch, type NetworkWatchOptions } from './state/watch.ts'
import { removeFromTable } from './table.ts'
import { Turns } from './turns.ts'

export interface NetworkFacts extends Omit<NetworkLabel, 'addresses'> {
  /** IPv4 first. */
  readonly subnets: readonly Cidr[]
  /** One of each subnet. */
  readonly gateways: readonly Address[]
  readonly bridge: Link
}

/** Of host ends point to point, the same for all: each is alone on its link. */
const hostMac = Uint8Array.of(0x02, 0x42, 0, 0, 0, 1)
const nothing = new Uint8Array(0)

/** Leases tried in one call; more when those were taken, but never by a dump: in a busy host it would be torn. */
const firstCandidates = 2
const laterCandidates = 64

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
  readonly mtu: number
  readonly internal: boolean
  readonly icc: boolean
  readonly masquerade: Masquerade
  /** Of the families that it has. */
  readonly gatewayMode: GatewayModes
  /** Interfaces of the host from which every port of its containers is reached. */
  readonly trusted: readonly string[]
  readonly #facts: NetworkFacts
  readonly #host: Netns
  readonly #leases: Leases
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
    const facts: NetworkFacts = { ...label, gateways, subnets, bridge }
    this.#facts = facts
    this.#host = host
    this.name = facts.name
    this.subnets = facts.subnets.map(formatCidr)
    this.gateways = facts.gateways.map(({ text }) => text)
    this.reserved = facts.reserved
    this.driver = facts.driver
    this.bridge = facts.bridge.name
    this.mtu = facts.bridge.mtu
    this.internal = facts.internal
    this.icc = facts.icc
    this.masquerade = facts.masquerade
    this.gatewayMode = facts.gatewayMode
    this.trusted = facts.trusted
    this.#leases = new Leases(facts.name, facts.subnets, reservedNumbers(facts))
    if (ports !== undefined) this.#startBehind(ports)
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

  get #families(): Family[] {
    return this.#facts.subnets.map(({ family }) => family)
  }

  /** The families in which containers are reached by their own addresses. */
  get #routed(): Family[] {
    return this.#families.filter((family) => this.gatewayMode[family === 2 ? 'ipv4' : 'ipv6'] === 'routed')
  }

  /** Those in which they are reached by ports of the host. */
  get #translated(): Family[] {
    return translated({ families: this.#families, routed: this.#routed })
  }

  /**
   * Joins a container to the network: a veth pair with its host end on the bridge, an address, the default route, published ports.
   * All or nothing, in one call to the native side and one submission per namespace for what is made.
   *
   * Rejects with EEXIST when the name is taken in the network (or the interface name, the default route inside),
   * SUBNET_FULL, ADDRESS_IN_USE, PORT_IN_USE, PROTOCOL_UNSUPPORTED; the error's `operation` names the step.
   */
  async attach(spec: AttachSpec): Promise<AttachedEndpoint> {
    const checked = this.#checked(spec)
    await requireProtocols(this.#host, checked.ports)
    return choosePorts(this.#host, checked.ports, this.#translated, (ports) => this.#attach(spec, checked, ports))
  }

  async #attach(spec: AttachSpec, checked: CheckedAttach, ports: readonly Port[]): Promise<AttachedEndpoint> {
    const label = labelOf(checked, ports)
    const alias = formatEndpointLabel(label)
    const given = await resolveNetns(spec.netns)
    try {
      const owner = ownerOf(this.name, checked.name)
      const { attached, place } = await withReclaim(this.#host, owner, ports, this.#translated, () =>
        this.#lease({ ...checked, ports }, alias, given?.netns),
      )
      const netns = given?.netns ?? new Netns(attached.inside)
      if (given !== undefined) native.close(attached.inside)
      const { ifname, routes } = checked
      const { hostIndex } = attached
      const endpoint = this.#endpoint(place, { label, ifname, ports, netns, hostIndex }) as AttachedEndpoint
      if (hasFinish(checked)) {
        await rolledBack(
          () => this.#finish(endpoint, checked, attached),
          async () => (given === undefined ? netns.close() : undefined),
        )
      }
      if (given === undefined || given.opened) this.#owned.set(hostIndex, netns)
      if (routes.some(isRefusal)) this.#refusals.set(hostIndex, { netns, routes })
      return endpoint
    } catch (error) {
      if (given?.opened) await given.netns.close()
      throw error
    }
  }

  async #finish(endpoint: AttachedEndpoint, checked: CheckedAttach, attached: Attached): Promise<void> {
    const host = Netns.handleOf(this.#host)
    const { netns } = endpoint
    await rolledBack(
      () => finish(this.#host, netns, { checked, endpoint, index: attached.index }),
      async () => {
        const { ports } = endpoint
        await takeBack(
          { host, hostIndexes: [attached.hostIndex], ...withdrawal([{ endpoint, ports }]) },
          attached,
          netns,
          checked.routes,
        )
      },
    )
  }

  #endpoint(
    place: Place,
    { label, ...facts }: Pick<EndpointFacts, 'ifname' | 'ports' | 'netns' | 'hostIndex'> & { readonly label: EndpointLabel },
  ): Endpoint {
    const { addresses, hostIfname, mac } = this.#leases.at(place)
    return new Endpoint(
      {
        ...facts,
        label,
        name: label.name,
        isBridgePort: this.driver === 'bridge',
        routed: this.#routed,
        network: this.name,
        hostIfname,
        mac: label.mac ?? formatMac(mac),
        addresses: addresses.map((address, at) => `${formatAddress(address)}/${this.#prefixLengths[at]}`),
        gateways: this.gateways,
      },
      this,
    )
  }

  async #lease(checked: SettledAttach, alias: string, inside: Netns | undefined): Promise<{ attached: Attached; place: Place }> {
    const { number, six } = checked.place
    if (number !== undefined) {
      const place = { number, six }
      const attached = await this.#tryLeases([place], checked, alias, inside)
      if (attached !== undefined) return { attached, place }
      const [address = new Uint8Array(4)] = this.#leases.at(place).addresses
      throw addressInUse(address, this.#leases.nameOf(number))
    }
    if (!this.#started) await this.#start()
    const taken = new Set<number>()
    for (let count = firstCandidates; ; count = laterCandidates) {
      const places = this.#leases.candidates(count, taken).map((candidate): Place => ({ number: candidate, six }))
      const [next] = places
      if (next === undefined)
        throw new NetworkError(
          'SUBNET_FULL',
          `all ${this.#leases.capacity} addresses of ${this.subnets.join(' and ')} are leased`,
        )
      // Before the wait: an attach that starts meanwhile tries other ones.
      this.#leases.advance(next.number)
      const attached = await this.#tryLeases(places, checked, alias, inside)
      if (attached !== undefined) {
        const place = places[attached.lease] as Place
        // Behind what others hold: the next attach need not ask for it again.
        if (attached.lease > 0) this.#leases.advance(place.number)
        return { attached, place }
      }
      for (const place of places) taken.add(place.number)
    }
  }

  /** Inside: the way out, and without a bridge, where nobody is a neighbor, the way to the other containers. */
  #routes({ defaultRoute, metric, routes }: CheckedAttach): readonly PlanRoute[] {
    const { driver, subnets, gateways } = this.#facts
    const onlink = driver === 'ptp'
    const rest = { onlink, metric, type: unicast }
    if (defaultRoute)
      return [...gateways.map(({ bytes }) => ({ to: nothing, prefixLength: 0, gateway: bytes, ...rest })), ...routes]
    if (!onlink) return routes
    const neighbors = subnets.map(({ bytes, prefixLength }, at) => {
      return { to: bytes, prefixLength, gateway: gateways[at]?.bytes ?? nothing, ...rest }
    })
    return [...neighbors, ...routes]
  }

  /** Of addresses inside. Point to point the container shares its link with nobody. */
  get #prefixLengths(): number[] {
    const { driver, subnets } = this.#facts
    return subnets.map(({ family, prefixLength }) => (driver === 'ptp' ? familyBits(family) : prefixLength))
  }

  /** undefined when every one of the leases was taken. */
  async #tryLeases(
    places: readonly Place[],
    checked: SettledAttach,
    alias: string,
    inside: Netns | undefined,
  ): Promise<Attached | undefined> {
    const { driver, gateways, subnets, bridge, icc } = this.#facts
    const families = this.#families
    const hasBridge = driver !== 'ptp'
    try {
      return await kernel(
        native.attach({
          host: Netns.handleOf(this.#host),
          inside: inside === undefined ? undefined : Netns.handleOf(inside),
          ipv6: families.includes(10),
          master: hasBridge ? bridge.index : 0,
          hostMac: hasBridge ? nothing : hostMac,
          mtu: bridge.mtu === 1500 ? 0 : bridge.mtu,
          group: bridge.group,
          loose: !setsReversePathFilter(checked.sysctls),
          isolated: !icc,
          index: 0,
          ifname: checked.ifname,
          alias,
          altname: endpointAltname(this.name, checked.name),
          families: subnets.map(({ family }, at) => {
            const { any, one, open, openFrom, published } = portSets[family]
            const maps = [any, one].map((map) => ({ map, ...sourceSets[map] }))
            const ports = { published, maps, open: [open, openFrom] }
            return { prefixLength: this.#prefixLengths[at] ?? 0, ports, gateway: gateways[at]?.bytes ?? nothing }
          }),
          leases: places.map((place) => {
            const lease = this.#leases.at(place)
            return checked.mac === undefined ? lease : { ...lease, mac: macBytes(checked.mac) }
          }),
          routes: this.#routes(checked),
          sysctls: checked.announce
            ? [...announceSysctls(checked.ifname, families.includes(10)), ...checked.sysctls]
            : checked.sysctls,
          hostPorts: hostPortsOf(checked.ports, this.#translated),
          elements: pendingElements(
            containerPorts(checked.ports, { families, routed: this.#routed }),
            ownerOf(this.name, checked.name),
            families,
          ),
          flows: flowsOf(checked.ports, this.#translated),
          table: tableName,
          networksSet,
        }),
      )
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error
      if (error.code === 'EADDRNOTAVAIL' && error.operation === 'lease an address') return undefined
      if (error.code === 'EEXIST' && error.operation === 'claim an address') {
        const [place] = places
        const address = place && this.#leases.at(place).addresses.at(-1)
        throw addressInUse(address ?? new Uint8Array(16), this.#leases.nameOf(place?.six ?? 0n), error)
      }
      if (error.code === 'EXFULL') {
        const why = `the bridge ${bridge.name} has as many ports as a bridge can have, 1023; the driver ptp has no such limit`
        throw new NetworkError('BRIDGE_FULL', `${why}: ${error.message}`, { cause: error })
      }
      // All that the kernel says of a master, or of a gateway as the source of what the host sends, that is not there.
      if (error.code === 'EINVAL' && ['RTM_NEWLINK', 'RTM_NEWROUTE'].includes(error.syscall)) await this.#expectBridge(error)
      throw error
    }
  }

  async #expectBridge(cause: NetlinkError): Promise<void> {
    const { name, bridge } = this
    const [link] = await findLinks(this.#host, [bridge])
    if (link?.index === this.#facts.bridge.index) return
    throw new NetworkError('NETWORK_NOT_FOUND', `the bridge ${bridge} of the network '${name}' is gone: ${cause.message}`, {
      cause,
    })
  }

  async #ports(): Promise<Link[]> {
    return hostEnds(this.#host, this.#facts)
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
  async endpoints(): Promise<Endpoint[]> {
    return this.#among(await this.#ports())
  }

  #among(links: readonly Link[]): Endpoint[] {
    const found = links.map((link) => this.endpointOn(link)).filter((endpoint) => endpoint !== undefined)
    const number = (endpoint: Endpoint): number => this.#leases.placeOf(endpoint.hostIfname)?.number ?? 0
    return found.sort((a, b) => number(a) - number(b))
  }

  /** The ports of the host that lead to its containers, and who gets there: what the firewall does, not what was asked for. */
  async exposed(): Promise<ExposedPort[]> {
    return portsOf(this.#host, this.name)
  }

  /** Detaches the endpoint of that name, whoever attached it. One that is not there is no error. */
  async detach(name: string): Promise<void> {
    const found = await this.#find(objectName(name, 'name'))
    if (found !== undefined) await found.detach()
  }

  /** @internal Endpoint.detach */
  async detachEndpoint(endpoint: Endpoint): Promise<void> {
    const { hostIndex } = endpoint
    await this.#detaching.add(endpoint)
    const refusals = this.#refusals.get(hostIndex)
    if (refusals !== undefined) await forgetRefusals(refusals.netns, refusals.routes)
    this.#refusals.delete(hostIndex)
    await this.#owned.get(hostIndex)?.close()
    this.#owned.delete(hostIndex)
  }

  async #detachAll(endpoints: readonly Endpoint[]): Promise<void> {
    const held = await portsLeft(this.#host, endpoints)
    await kernel(
      native.detach({
        host: Netns.handleOf(this.#host),
        hostIndexes: [...endpoints.map((endpoint) => endpoint.hostIndex), ...(await limitersOf(this.#host, endpoints))],
        ...withdrawal(endpoints.map((endpoint, at) => ({ endpoint, ports: held[at] ?? [] }))),
      }),
    )
  }

  /** @internal Endpoint.publish and unpublish */
  async changePorts(endpoint: Endpoint, specs: PortSpec | readonly PortSpec[], publish: boolean): Promise<readonly Port[]> {
    const wishes = Array.isArray(specs) ? parsePorts(specs, 'ports') : parsePort(specs as PortSpec, 'port')
    const ports = publish ? settleIn({ families: this.#families, routed: this.#routed }, wishes, 'ports') : wishes
    if (publish && this.internal) throw invalidType('ports', 'none: nothing gets into an internal network', specs)
    if (publish) await requireProtocols(this.#host, ports)
    return this.#changing.take(endpoint.hostIndex, () => (publish ? publishPorts : unpublishPorts)(this.#host, endpoint, ports))
  }

  /**
   * Removes the network: its elements of the firewall, its bridge, and with the last network the table and the host's forwarding, if
   * that was off before. NETWORK_IN_USE when it has endpoints, unless `force`, which detaches them. What is gone already is no error.
   */
  async delete(options: { readonly force?: boolean } = {}): Promise<void> {
    fields(options, 'options', ['force'])
    if (options.force !== undefined && typeof options.force !== 'boolean')
      throw invalidType('options.force', 'a boolean', options.force)
    // Not by the bridge: that may be gone, or a device taken off it.
    const endpoints = this.#among(await this.#host.listLinks({ kind: 'veth' }))
    if (endpoints.length > 0) {
      if (options.force !== true) {
        const names = endpoints.map((endpoint) => endpoint.name)
        throw new NetworkError(
          'NETWORK_IN_USE',
          `the network '${this.name}' has ${endpoints.length} endpoints (${names.slice(0, 5).join(', ')}): detach them, or pass force`,
        )
      }
      await Promise.all(endpoints.map((endpoint) => endpoint.detach()))
    }
    const { bridge, forwardingBefore } = this.#facts
    const restore = async (going?: string): Promise<void> => {
      for (const family of this.#families) await restoreForwarding(this.#host, family, forwardingBefore[family] ?? true, going)
    }
    await removeFromTable(this.#host, this.firewalled())
    // While the bridge remembers what it was, so that a process that dies here leaves it to the next delete; and again after it, should
    // another network have gone at the same time.
    await restore(this.name)
    await this.#host.deleteLink(bridge.index).catch(absentLink)
    await restore()
  }

  /** @internal whether its containers need the host to forward: without a bridge even neighbors reach each other through it */
  get forwards(): boolean {
    return !this.internal || (this.driver === 'ptp' && this.icc)
  }

  /**
   * Attaches several, all or none: where one is refused the others are detached again, and its error is thrown. All are checked before
   * the first is attached; their work in the kernel overlaps. For an outcome of each: `Promise.allSettled(specs.map(…))` with `attach`,
   * which overlap as well.
   */
  async attachMany(specs: readonly AttachSpec[]): Promise<AttachedEndpoint[]> {
    for (const [at, spec] of list(specs, 'specs').entries()) this.#check(spec as AttachSpec, at)
    const outcomes = await Promise.allSettled(specs.map((spec) => this.attach(spec)))
    const refusal = outcomes.find((outcome) => outcome.status === 'rejected')
    const made = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    if (refusal === undefined) return made
    return rolledBack(
      () => Promise.reject(refusal.reason),
      () => Promise.all(made.map((endpoint) => endpoint.detach())),
    )
  }

  #checked(spec: AttachSpec): CheckedAttach {
    const { subnets, gateways, internal } = this.#facts
    const { driver, mtu } = this
    const routed = this.#routed
    const site = { subnets, prefixLengths: this.#prefixLengths, gateways, internal, routed, driver, mtu, leases: this.#leases }
    const checked = checkAttach(spec, site)
    // Whether the kernel can remember what is known already.
    formatEndpointLabel(labelOf(checked, checked.ports.filter(isSettled)))
    return checked
  }

  #check(spec: AttachSpec, at: number): void {
    try {
      this.#checked(spec)
    } catch (error) {
      if (error instanceof Error) error.message = `specs[${at}]: ${error.message}`
      throw error
    }
  }

  /** Detaches those of these names, whoever attached them, in one deletion. Those that are not there are no error. */
  async detachMany(names: readonly string[]): Promise<void> {
    const altnames = list(names, 'names').map((name, at) => endpointAltname(this.name, objectName(name, `names[${at}]`)))
    const links = await findLinks(this.#host, [...new Set(altnames)])
    const found = links.flatMap((link) => (link && this.endpointOn(link)) ?? [])
    await Promise.all(found.map((endpoint) => endpoint.detach()))
  }

  /** What is missing or different of this network, and of what all networks share; see `check`. */
  async check(): Promise<Finding[]> {
    return (await check({ host: this.#host })).filter((finding) => this.#concerns(finding))
  }

  /** Puts back what `Network.check` finds; see `repair`. */
  async repair(): Promise<RepairReport> {
    return repairAll(this.#host, (finding) => this.#concerns(finding))
  }

  #concerns({ network }: Finding): boolean {
    return network === undefined || network === this.name
  }

  /**
   * Endpoints as they come, change their ports and go, whoever makes them: first those that there are, then 'synced', then the news.
   * NETWORK_NOT_FOUND when the network is not there any more; ends when it is deleted.
   */
  watch(options: NetworkWatchOptions = {}): NetworkWatch {
    return new NetworkWatch(this.#host, this, this.#facts.bridge.index, options)
  }

  /** @internal as the firewall sees it */
  firewalled(): FirewalledNetwork {
    const { name, driver, subnets, gateways, internal, icc, masquerade, gatewayMode, trusted } = this
    const { group } = this.#facts.bridge
    return { name, driver, gateways, group, subnets, internal, icc, masquerade, gatewayMode, trusted }
  }

  toJSON(): NetworkJson {
    const { name, driver, subnets, gateways, reserved, bridge, mtu, internal, icc, masquerade, gatewayMode, trusted } = this
    return { name, driver, subnets, gateways, reserved, bridge, mtu, internal, icc, masquerade, gatewayMode, trusted }
  }
}

/** With all ports of the host chosen. */
type SettledAttach = Omit<CheckedAttach, 'ports'> & { readonly ports: readonly Port[] }

const labelOf = (checked: CheckedAttach, ports: readonly Port[]): EndpointLabel => ({
  ...checked,
  ports,
  limited: checked.bandwidth?.egress !== undefined,
})

/** The devices of a network's containers on the host. */
export async function hostEnds(host: Netns, { driver, bridge }: Pick<NetworkFacts, 'driver' | 'bridge'>): Promise<Link[]> {
  if (driver === 'bridge') return host.listLinks({ master: bridge.index, kind: 'veth' })
  // The kernel cannot filter by group.
  return (await host.listLinks({ kind: 'veth' })).filter(({ group }) => group === bridge.group)
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
  | 'mtu'
  | 'internal'
  | 'icc'
  | 'masquerade'
  | 'gatewayMode'
  | 'trusted'
>

/** The gateways and what was reserved, as numbers of either family: a number is one in both. */
export function reservedNumbers({ subnets, gateways, reserved }: NetworkFacts): NumberRange[] {
  return subnets.flatMap((subnet) => {
    const isOfFamily = ({ family }: Address): boolean => family === subnet.family
    const parts = reserved.map((part) => parseCidr(part, 'reserved')).filter(isOfFamily)
    return [
      ...gateways.filter(isOfFamily).map((gateway): NumberRange => [offsetIn(subnet, gateway), offsetIn(subnet, gateway)]),
      ...parts.map((part): NumberRange => [offsetIn(subnet, part), offsetIn(subnet, { ...part, bytes: lastOf(part) })]),
    ]
  })
}

function addressInUse(address: Uint8Array, device: string, cause?: NetlinkError): NetworkError {
  return new NetworkError('ADDRESS_IN_USE', `${formatAddress(address)} is leased already, to the device ${device}`, { cause })
}

export function absentLink(error: unknown): void {
  if (!(error instanceof NetlinkError && error.code === 'ENODEV')) throw error
}

export async function resolveNetns(
  ref: Netns | NetnsRef | undefined,
): Promise<{ readonly netns: Netns; readonly opened: boolean } | undefined> {
  if (ref === undefined) return undefined
  if (ref instanceof Netns) return { netns: ref, opened: false }
  return { netns: await openNetnsOption(ref, 'netns'), opened: true }
}
