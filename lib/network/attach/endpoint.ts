// A container's place in a network.

import { type Abortable, onlySignal } from '../../abort.ts'
import type { Family } from '../../cidr.ts'
import type { Netns } from '../../netns/netns.ts'
import type { Sender } from '../firewall/index.ts'
import type { EndpointLabel, Labels } from '../label.ts'
import type { Port, PortSpec } from '../port/port.ts'

/** What an endpoint asks of its network. */
export interface EndpointOwner {
  detachEndpoint(endpoint: Endpoint, signal?: AbortSignal): Promise<void>
  changePorts(endpoint: Endpoint, specs: PortSpec | readonly PortSpec[], change: PortChange): Promise<readonly Port[]>
}

export interface PortChange {
  /** Or withdraw. */
  readonly publish: boolean
  readonly signal: AbortSignal | undefined
}

export interface EndpointFacts {
  readonly name: string
  readonly network: string
  readonly netns: Netns | undefined
  readonly ifname: string | undefined
  readonly hostIfname: string
  readonly hostIndex: number
  readonly mac: string
  readonly addresses: readonly string[]
  readonly gateways: readonly string[]
  readonly ports: readonly Port[]
}

/** What only the library needs to know of it. */
interface EndpointOrigin {
  readonly label: EndpointLabel
  readonly isBridgePort: boolean
  readonly routed: readonly Family[]
  /** Where the network asks who sends. */
  readonly sender: Sender | undefined
}

/**
 * One container's link to one network. Attached by `Network.attach`, or found in the kernel by `Network.endpoint`, in which case
 * `netns` and `ifname`, which the kernel does not tell, are undefined.
 */
export class Endpoint implements AsyncDisposable {
  readonly name: string
  /** Name of the network. */
  readonly network: string
  readonly netns: Netns | undefined
  /** Of the interface inside. */
  readonly ifname: string | undefined
  readonly hostIfname: string
  /** Index of the host end: it tells this endpoint from a later one of the same name. */
  readonly hostIndex: number
  readonly mac: string
  /** `['172.18.0.2/16', 'fd00::2/64']`: IPv4 first. */
  readonly addresses: readonly string[]
  readonly gateways: readonly string[]
  /** What it is called, too, where its network has names. */
  readonly aliases: readonly string[]
  /** What it was given to remember at its attach. */
  readonly labels: Labels
  /** @internal as its alias tells, but for the ports */
  readonly label: EndpointLabel
  /** @internal whether the host end has options of a bridge's port */
  readonly isBridgePort: boolean
  /** @internal in which families it is reached by its own address */
  readonly routed: readonly Family[]
  /** @internal as what it may send, where its bridge asks */
  readonly sender: Sender | undefined
  readonly #owner: EndpointOwner
  #ports: readonly Port[]

  /** @internal use Network.attach or Network.endpoint */
  constructor(facts: EndpointFacts & EndpointOrigin, owner: EndpointOwner) {
    this.name = facts.name
    this.network = facts.network
    this.netns = facts.netns
    this.ifname = facts.ifname
    this.hostIfname = facts.hostIfname
    this.hostIndex = facts.hostIndex
    this.mac = facts.mac
    this.addresses = facts.addresses
    this.gateways = facts.gateways
    this.#ports = facts.ports
    this.label = facts.label
    this.aliases = facts.label.aliases ?? []
    this.labels = facts.label.labels ?? {}
    this.isBridgePort = facts.isBridgePort
    this.routed = facts.routed
    this.sender = facts.sender
    this.#owner = owner
  }

  /** What it publishes now, as far as this object knows. */
  get ports(): readonly Port[] {
    return this.#ports
  }

  /**
   * Publishes more ports, all or none; `ports` then has their numbers on the host. Ports that it publishes already are no error, and
   * are put back into the firewall where somebody took them out. PORT_IN_USE names the owner of one that is taken, ENDPOINT_NOT_FOUND when
   * it is detached, NETWORK_NOT_FOUND when its bridge is gone. None is changed after an error.
   * Called off, it publishes none; a signal that comes while the firewall is written to is too late.
   */
  async publish(specs: PortSpec | readonly PortSpec[], options: Abortable = {}): Promise<void> {
    this.#ports = await this.#owner.changePorts(this, specs, { publish: true, signal: onlySignal(options) })
  }

  /**
   * Withdraws ports; ones that it does not publish are no error, nor is a bridge or a firewall that is gone. ENDPOINT_NOT_FOUND when it is
   * detached. `'80'`, without a number on the host, stands for all that lead to the
   * container's port 80. Connections in conntrack's memory go for UDP. It can be called off until the first is withdrawn.
   */
  async unpublish(specs: PortSpec | readonly PortSpec[], options: Abortable = {}): Promise<void> {
    this.#ports = await this.#owner.changePorts(this, specs, { publish: false, signal: onlySignal(options) })
  }

  /**
   * Withdraws the ports and deletes the link. Never fails because a part is gone already. Detaches that run at the same time share
   * one deletion in the kernel, which costs tens of milliseconds however many links it takes; one that waits for its turn can be called off.
   */
  async detach(options: Abortable = {}): Promise<void> {
    await this.#owner.detachEndpoint(this, onlySignal(options))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.detach()
  }

  toJSON(): EndpointJson {
    const { name, network, netns, ifname, hostIfname, hostIndex, mac, addresses, gateways, ports, aliases, labels } = this
    return {
      name,
      network,
      netns: netns?.closed ? undefined : netns?.path,
      ifname,
      hostIfname,
      hostIndex,
      mac,
      addresses,
      gateways,
      ports,
      aliases,
      labels,
    }
  }
}

/** What an Endpoint is as JSON. */
interface EndpointJson extends Omit<EndpointFacts, 'netns'> {
  readonly netns: string | undefined
  readonly aliases: readonly string[]
  readonly labels: Labels
}

/** What attach gives: it knows the container's side. */
export interface AttachedEndpoint extends Endpoint {
  readonly netns: Netns
  readonly ifname: string
}
