// A container network of a host. The kernel is its only state: the bridge with its alias, the devices, the elements of the table.

import { type Cidr, formatAddress, formatCidr, offsetIn, parseAddress } from '../cidr.ts'
import { kernel, NetlinkError } from '../errors.ts'
import { fields, invalidType } from '../invalid.ts'
import { formatMac, macBytes, objectName } from '../names.ts'
import { type Attached, native } from '../native.ts'
import { Netns, type NetnsRef } from '../netns/netns.ts'
import { openNetnsOption } from '../netns/registry.ts'
import type { Link } from '../rtnetlink/link.ts'
import { type AttachSpec, type CheckedAttach, checkAttach } from './attach-spec.ts'
import { type AttachedEndpoint, Endpoint, type EndpointOwner } from './endpoint.ts'
import { NetworkError } from './errors.ts'
import { type FirewalledNetwork, pendingElements, portMaps, publishedSet, tableName } from './firewall/index.ts'
import { restoreForwarding } from './forwarding.ts'
import { Gather } from './gather.ts'
import { endpointAltname, formatEndpointLabel, parseEndpointLabel } from './label.ts'
import { Leases, leaseMac } from './lease.ts'
import { type Port, type PortSpec, parsePort, parsePorts } from './port.ts'
import { flowsOf, ownerOf, published } from './ports.ts'
import { endpointElements, findLinks, portsLeft, publishPorts, unpublishPorts, withReclaim } from './publish.ts'
import { removeFromTable } from './table.ts'
import { Turns } from './turns.ts'

export interface NetworkFacts {
  readonly name: string
  readonly subnet: Cidr
  readonly gateway: string
  readonly bridge: Link
  readonly mtu: number
  readonly internal: boolean
  readonly icc: boolean
  readonly masquerade: boolean
  readonly forwardingBefore: boolean
}

/** Host ends carry it, so that people and tools can tell them from other devices. */
const linkGroup = 0x6374
/** Leases tried in one call; more when those were taken, but never by a dump: in a busy host it would be torn. */
const firstCandidates = 2
const laterCandidates = 64

/** Made by createNetwork, found again by openNetwork. Several objects, in several processes, may stand for the same network. */
export class Network implements EndpointOwner {
  readonly name: string
  readonly driver: 'bridge' = 'bridge'
  readonly subnets: readonly string[]
  readonly gateways: readonly string[]
  /** Name of the bridge's interface. */
  readonly bridge: string
  readonly mtu: number
  readonly internal: boolean
  readonly icc: boolean
  readonly masquerade: boolean
  readonly #facts: NetworkFacts
  readonly #host: Netns
  readonly #leases: Leases
  /** Namespaces that attach made or opened, by the host end's index: held here until the detach, whoever forgets the Endpoint. */
  readonly #owned = new Map<number, Netns>()
  /** Changes of an endpoint's ports, by the host end's index. */
  readonly #changing = new Turns<number>()
  readonly #detaching = new Gather<Endpoint>((endpoints) => this.#detachAll(endpoints))

  /** @internal use createNetwork or openNetwork */
  constructor(facts: NetworkFacts, host: Netns, ports: readonly Link[]) {
    this.#facts = facts
    this.#host = host
    this.name = facts.name
    this.subnets = [formatCidr(facts.subnet)]
    this.gateways = [facts.gateway]
    this.bridge = facts.bridge.name
    this.mtu = facts.bridge.mtu
    this.internal = facts.internal
    this.icc = facts.icc
    this.masquerade = facts.masquerade
    this.#leases = new Leases(facts.name, facts.subnet, [offsetIn(facts.subnet, parseAddress(facts.gateway, 'gateway'))])
    const highest = Math.max(-1, ...this.#takenOffsets(ports))
    if (highest >= 0) this.#leases.advance(highest)
  }

  #takenOffsets(ports: readonly Link[]): Set<number> {
    return new Set(ports.map((port) => this.#leases.offsetOf(port.name)).filter((offset) => offset !== undefined))
  }

  /**
   * Joins a container to the network: a veth pair with its host end on the bridge, an address, the default route, published ports.
   * All or nothing, in one call to the native side and one submission per namespace for what is made.
   *
   * Rejects with EEXIST when the name is taken in the network (or the interface name, the default route inside),
   * SUBNET_FULL, ADDRESS_IN_USE, PORT_IN_USE; the error's `operation` names the step.
   */
  async attach(spec: AttachSpec): Promise<AttachedEndpoint> {
    const { subnet, gateway, internal } = this.#facts
    const checked = checkAttach(spec, { subnet, gateway, internal, isUsable: (offset) => this.#leases.isUsable(offset) })
    const alias = formatEndpointLabel(checked)
    const given = await resolveNetns(spec.netns)
    try {
      const { attached, offset } = await withReclaim(this.#host, ownerOf(this.name, checked.name), checked.ports, () =>
        this.#lease(checked, alias, given?.netns),
      )
      const netns = given?.netns ?? new Netns(attached.inside)
      if (given !== undefined) native.close(attached.inside)
      if (given === undefined || given.opened) this.#owned.set(attached.hostIndex, netns)
      return this.#endpoint(checked, attached.hostIndex, offset, netns) as AttachedEndpoint
    } catch (error) {
      if (given?.opened) await given.netns.close()
      throw error
    }
  }

  #endpoint(checked: CheckedAttach, hostIndex: number, offset: number, netns: Netns): Endpoint {
    const address = this.#leases.address(offset)
    return new Endpoint(
      {
        name: checked.name,
        network: this.name,
        netns,
        ifname: checked.ifname,
        hostIfname: this.#leases.nameOf(offset),
        hostIndex,
        mac: checked.mac ?? formatMac(leaseMac(address)),
        addresses: [`${formatAddress(address)}/${this.#facts.subnet.prefixLength}`],
        gateways: this.gateways,
        ports: checked.ports,
      },
      this,
    )
  }

  async #lease(
    checked: CheckedAttach,
    alias: string,
    inside: Netns | undefined,
  ): Promise<{ attached: Attached; offset: number }> {
    if (checked.offset !== undefined) {
      const offset = checked.offset
      const attached = await this.#tryLeases([offset], checked, alias, inside)
      if (attached !== undefined) return { attached, offset }
      const address = formatAddress(this.#leases.address(offset))
      throw new NetworkError('ADDRESS_IN_USE', `${address} is leased already, to the device ${this.#leases.nameOf(offset)}`)
    }
    const taken = new Set<number>()
    for (let count = firstCandidates; ; count = laterCandidates) {
      const offsets = this.#leases.candidates(count, taken)
      const [next] = offsets
      if (next === undefined)
        throw new NetworkError('SUBNET_FULL', `all ${this.#leases.capacity} addresses of ${this.subnets[0]} are leased`)
      // Before the wait: an attach that starts meanwhile tries other ones.
      this.#leases.advance(next)
      const attached = await this.#tryLeases(offsets, checked, alias, inside)
      if (attached !== undefined) {
        const offset = offsets[attached.lease] as number
        // Behind what others hold: the next attach need not ask for it again.
        if (attached.lease > 0) this.#leases.advance(offset)
        return { attached, offset }
      }
      for (const offset of offsets) taken.add(offset)
    }
  }

  /** undefined when every one of the leases was taken. */
  async #tryLeases(
    offsets: readonly number[],
    checked: CheckedAttach,
    alias: string,
    inside: Netns | undefined,
  ): Promise<Attached | undefined> {
    const { gateway, subnet, bridge, mtu, icc } = this.#facts
    try {
      return await kernel(
        native.attach({
          host: Netns.handleOf(this.#host),
          inside: inside === undefined ? undefined : Netns.handleOf(inside),
          ipv6: false,
          master: bridge.index,
          mtu,
          group: linkGroup,
          isolated: !icc,
          index: 0,
          ifname: checked.ifname,
          alias,
          altname: endpointAltname(this.name, checked.name),
          prefixLength: subnet.prefixLength,
          leases: offsets.map((offset) => {
            const address = this.#leases.address(offset)
            const mac = checked.mac === undefined ? leaseMac(address) : macBytes(checked.mac)
            return { hostIfname: this.#leases.nameOf(offset), address, mac }
          }),
          routes: checked.defaultRoute
            ? [{ to: new Uint8Array(0), prefixLength: 0, gateway: parseAddress(gateway, 'gateway').bytes }]
            : [],
          elements: pendingElements(checked.ports.map(published), ownerOf(this.name, checked.name)),
          flows: flowsOf(checked.ports),
          table: tableName,
          publishedSet,
          portMaps,
        }),
      )
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error
      if (error.code === 'EADDRNOTAVAIL' && error.operation === 'lease an address') return undefined
      // All that the kernel says of a master that is not there.
      if (error.code === 'EINVAL' && error.syscall === 'RTM_NEWLINK') await this.#expectBridge(error)
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
    return this.#host.listLinks({ master: this.#facts.bridge.index, kind: 'veth' })
  }

  /** By its alternative name, which no other device can have; the alias may be lost. */
  #found(link: Link): Endpoint | undefined {
    const prefix = endpointAltname(this.name, '')
    const name = link.altnames.find((altname) => altname.startsWith(prefix))?.slice(prefix.length)
    const offset = this.#leases.offsetOf(link.name)
    if (name === undefined || offset === undefined) return undefined
    const label = parseEndpointLabel(link.alias)
    const address = this.#leases.address(offset)
    return new Endpoint(
      {
        name,
        network: this.name,
        netns: undefined,
        ifname: undefined,
        hostIfname: link.name,
        hostIndex: link.index,
        mac: label?.mac ?? formatMac(leaseMac(address)),
        addresses: [`${formatAddress(address)}/${this.#facts.subnet.prefixLength}`],
        gateways: this.gateways,
        ports: label?.ports ?? [],
      },
      this,
    )
  }

  /** The endpoint of that name, whoever attached it; one question to the kernel. ENDPOINT_NOT_FOUND. */
  async endpoint(name: string): Promise<Endpoint> {
    const found = await this.#find(objectName(name, 'name'))
    if (found === undefined) throw new NetworkError('ENDPOINT_NOT_FOUND', `the network '${this.name}' has no endpoint '${name}'`)
    return found
  }

  async #find(name: string): Promise<Endpoint | undefined> {
    try {
      return this.#found(await this.#host.getLink(endpointAltname(this.name, name)))
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
    const found = links.map((link) => this.#found(link)).filter((endpoint) => endpoint !== undefined)
    const offset = (endpoint: Endpoint): number => this.#leases.offsetOf(endpoint.hostIfname) ?? 0
    return found.sort((a, b) => offset(a) - offset(b))
  }

  /** Detaches the endpoint of that name, whoever attached it. One that is not there is no error. */
  async detach(name: string): Promise<void> {
    const found = await this.#find(objectName(name, 'name'))
    if (found !== undefined) await found.detach()
  }

  /** @internal Endpoint.detach */
  async detachEndpoint(endpoint: Endpoint): Promise<void> {
    await this.#detaching.add(endpoint)
    await this.#owned.get(endpoint.hostIndex)?.close()
    this.#owned.delete(endpoint.hostIndex)
  }

  async #detachAll(endpoints: readonly Endpoint[]): Promise<void> {
    const held = await portsLeft(this.#host, endpoints)
    await kernel(
      native.detach({
        host: Netns.handleOf(this.#host),
        hostIndexes: endpoints.map((endpoint) => endpoint.hostIndex),
        elements: endpoints.flatMap((endpoint, at) => endpointElements(endpoint, held[at] ?? [], true)),
        flows: held.flatMap(flowsOf),
        table: tableName,
      }),
    )
  }

  /** @internal Endpoint.publish and unpublish */
  async changePorts(endpoint: Endpoint, specs: PortSpec | readonly PortSpec[], publish: boolean): Promise<readonly Port[]> {
    const ports = Array.isArray(specs) ? parsePorts(specs, 'ports') : parsePort(specs as PortSpec, 'port')
    if (publish && this.internal) throw invalidType('ports', 'none: nothing gets into an internal network', specs)
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
    await removeFromTable(this.#host, this.firewalled())
    await this.#host.deleteLink(bridge.index).catch(absentLink)
    await restoreForwarding(this.#host, forwardingBefore)
  }

  /** @internal as the firewall sees it */
  firewalled(): FirewalledNetwork {
    const { name, bridge, subnets, internal, icc, masquerade } = this
    return { name, bridge, subnets, internal, icc, masquerade }
  }

  toJSON(): Pick<Network, 'name' | 'driver' | 'subnets' | 'gateways' | 'bridge' | 'mtu' | 'internal' | 'icc' | 'masquerade'> {
    const { name, driver, subnets, gateways, bridge, mtu, internal, icc, masquerade } = this
    return { name, driver, subnets, gateways, bridge, mtu, internal, icc, masquerade }
  }
}

function absentLink(error: unknown): void {
  if (!(error instanceof NetlinkError && error.code === 'ENODEV')) throw error
}

async function resolveNetns(
  ref: Netns | NetnsRef | undefined,
): Promise<{ readonly netns: Netns; readonly opened: boolean } | undefined> {
  if (ref === undefined) return undefined
  if (ref instanceof Netns) return { netns: ref, opened: false }
  return { netns: await openNetnsOption(ref, 'netns'), opened: true }
}
