// The attach itself: a lease that is free, and the call to the native side that makes everything on it.

import { throwIfAborted } from '../../abort.ts'
import { formatAddress } from '../../cidr.ts'
import { kernel, NetlinkError } from '../../errors.ts'
import { macBytes } from '../../names.ts'
import { type Attached, type AttachPlan, native } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import { digestFor, opensNetwork } from '../../policy/firewall.ts'
import { pendingMembers } from '../../policy/members.ts'
import type { KnownPolicies } from '../../policy/read.ts'
import { syncPolicies } from '../../policy/sync.ts'
import { NetworkError } from '../errors.ts'
import {
  knownComment,
  networksSets,
  noSenderSets,
  pendingElements,
  senderElements,
  senderSets,
  tableName,
} from '../firewall/index.ts'
import { endpointAltname } from '../label.ts'
import { containerPorts, flowsOf, hostPortsOf, ownerOf } from '../port/elements.ts'
import type { Port } from '../port/port.ts'
import { findLinks } from '../port/publish.ts'
import { announceSysctls } from './finish.ts'
import { setsReversePathFilter } from './inside.ts'
import type { Leases, Place } from './lease.ts'
import type { NetworkFacts, Site } from './site.ts'
import type { CheckedAttach } from './spec.ts'

/** Policies may change as fast as they are read. */
const mostAttempts = 16

const lacksPolicies = ({ code, operation }: NetlinkError): boolean =>
  code === 'ESTALE' && operation === 'find the policies of the network as they were'

/** With all ports of the host chosen. */
export type SettledAttach = Omit<CheckedAttach, 'ports'> & { readonly ports: readonly Port[] }

const nothing = new Uint8Array(0)

/** Leases tried in one call; more when those were taken, but never by a dump: in a busy host it would be torn. */
const firstCandidates = 2
const laterCandidates = 64

/** Who asks to be attached. */
export interface Newcomer {
  readonly checked: SettledAttach
  /** What is remembered of it. */
  readonly alias: string
  /** undefined: a new namespace. */
  readonly inside: Netns | undefined
  readonly signal: AbortSignal | undefined
}

export interface Joined {
  readonly attached: Attached
  readonly place: Place
}

export class Joiner {
  readonly #host: Netns
  readonly #facts: NetworkFacts
  readonly #site: Site
  readonly #leases: Leases
  readonly #known: KnownPolicies

  constructor(host: Netns, facts: NetworkFacts, site: Site, leases: Leases, known: KnownPolicies) {
    this.#host = host
    this.#facts = facts
    this.#site = site
    this.#leases = leases
    this.#known = known
  }

  /** On the address that was asked for. ADDRESS_IN_USE. */
  async joinAt(place: Place, newcomer: Newcomer): Promise<Joined> {
    const attached = await this.#try([place], newcomer)
    if (attached !== undefined) return { attached, place }
    const [address = nothing] = this.#leases.at(place).addresses
    throw addressInUse(address, this.#leases.nameOf(place.number))
  }

  /** On the next free address. SUBNET_FULL. */
  async join(newcomer: Newcomer): Promise<Joined> {
    const { six } = newcomer.checked.place
    const taken = new Set<number>()
    for (let count = firstCandidates; ; count = laterCandidates) {
      const places = this.#leases.candidates(count, taken).map((number): Place => ({ number, six }))
      const [next] = places
      if (next === undefined) {
        const subnets = this.#facts.subnets.map(({ text, prefixLength }) => `${text}/${prefixLength}`).join(' and ')
        throw new NetworkError('SUBNET_FULL', `all ${this.#leases.capacity} addresses of ${subnets} are leased`)
      }
      // Before the wait: an attach that starts meanwhile tries other ones.
      this.#leases.advance(next.number)
      const attached = await this.#try(places, newcomer)
      if (attached !== undefined) {
        const place = places[attached.lease] ?? next
        // Behind what others hold: the next attach need not ask for it again.
        if (attached.lease > 0) this.#leases.advance(place.number)
        return { attached, place }
      }
      for (const { number } of places) taken.add(number)
    }
  }

  /** undefined when every one of the leases was taken. */
  async #try(places: readonly Place[], newcomer: Newcomer): Promise<Attached | undefined> {
    const { inside, signal } = newcomer
    for (let attempt = 0; ; attempt++) {
      throwIfAborted(signal)
      try {
        const plan = this.#plan(places, newcomer)
        return await kernel(native.attach(Netns.handleOf(this.#host), inside && Netns.handleOf(inside), plan))
      } catch (error) {
        if (!(error instanceof NetlinkError)) throw error
        if (error.code === 'EADDRNOTAVAIL' && error.operation === 'lease an address') return undefined
        if (!lacksPolicies(error) || attempt >= mostAttempts) throw await this.#explained(error, places)
        // They changed; whoever changes them may have died half way.
        await syncPolicies(this.#host)
        await this.#known.refresh()
      }
    }
  }

  #plan(places: readonly Place[], { checked, alias }: Newcomer): AttachPlan {
    const { driver, bridge, icc, name } = this.#facts
    const { families, routed, translated, planFamilies, hostMac } = this.#site
    const { ports, mac, ifname, sysctls, routes } = checked
    const { policies } = this.#known
    const owner = ownerOf(name, checked.name)
    const own = this.#site.routesInside(checked.defaultRoute, checked.metric)
    return {
      ipv6: families.includes(10),
      master: driver === 'ptp' ? 0 : bridge.index,
      hostMac,
      mtu: bridge.mtu === 1500 ? 0 : bridge.mtu,
      group: bridge.group,
      loose: !setsReversePathFilter(sysctls),
      isolated: !icc && !opensNetwork(policies, name),
      index: 0,
      ifname,
      alias,
      altname: endpointAltname(name, checked.name),
      families: planFamilies,
      leases: places.map((place) => {
        const lease = this.#leases.at(place)
        const own = { ...lease, mac: mac === undefined ? lease.mac : macBytes(mac) }
        const sender = this.#site.senderOf(own, mac !== undefined)
        return { ...own, senders: sender === undefined ? [] : senderElements(sender, owner) }
      }),
      routes: routes.length === 0 ? own : [...own, ...routes],
      sysctls: [
        ...this.#site.sysctlsInside(ifname),
        ...(checked.announce ? announceSysctls(ifname, families.includes(10)) : []),
        ...sysctls,
      ],
      hostPorts: hostPortsOf(ports, translated),
      elements: pendingElements(containerPorts(ports, { families, routed }), owner, families),
      flows: flowsOf(ports, translated),
      table: tableName,
      senders: this.#site.asksSenders ? senderSets : noSenderSets,
      networksSet: networksSets.inet,
      networksComment: knownComment(name, digestFor(policies, name)),
      members: pendingMembers(policies, { network: name, name: checked.name, labels: checked.labels }, families),
    }
  }

  /** The kernel's refusal in the words of networks, where there are any. */
  async #explained(error: NetlinkError, [place]: readonly Place[]): Promise<Error> {
    const { name } = this.#facts.bridge
    if (error.code === 'EEXIST' && error.operation === 'claim an address') {
      const address = place && this.#leases.at(place).addresses.at(-1)
      return addressInUse(address ?? nothing, this.#leases.nameOf(place?.six ?? 0n), error)
    }
    if (error.code === 'EXFULL') {
      const why = `the bridge ${name} has as many ports as a bridge can have, 1023; the driver ptp has no such limit`
      return new NetworkError('BRIDGE_FULL', `${why}: ${error.message}`, { cause: error })
    }
    // All that the kernel says of a master, or of a gateway as the source of what the host sends, that is not there.
    const isAboutBridge = error.code === 'EINVAL' && ['RTM_NEWLINK', 'RTM_NEWROUTE'].includes(error.syscall)
    return isAboutBridge && (await this.#lacksBridge()) ? this.#gone(error) : error
  }

  async #lacksBridge(): Promise<boolean> {
    const { name, index } = this.#facts.bridge
    const [link] = await findLinks(this.#host, [name])
    return link?.index !== index
  }

  #gone(cause: NetlinkError): NetworkError {
    const { name, bridge } = this.#facts
    const why = `the bridge ${bridge.name} of the network '${name}' is gone: ${cause.message}`
    return new NetworkError('NETWORK_NOT_FOUND', why, { cause })
  }
}

function addressInUse(address: Uint8Array, device: string, cause?: NetlinkError): NetworkError {
  return new NetworkError('ADDRESS_IN_USE', `${formatAddress(address)} is leased already, to the device ${device}`, { cause })
}
