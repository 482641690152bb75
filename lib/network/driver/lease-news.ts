// What happens to the endpoints of a network on a wire, whoever makes it happen. The kernel tells that leases come and go, that devices
// go, wherever they are, and that namespaces end; who is there is then read anew, so that nothing depends on what exactly was told.

import { NetlinkError } from '../../errors.ts'
import { optionalText } from '../../exchange.ts'
import type { News, Taken } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import { Subscription } from '../../rtnetlink/watch/subscription.ts'
import { NetworkError } from '../errors.ts'
import { type EndpointNews, type NetworkEvent, type NetworkWatchOptions, networkGone } from '../state/watch.ts'
import type { LanNetwork } from './lan.ts'
import type { LanEndpoint } from './lan-endpoint.ts'
import type { Lease } from './lease-table.ts'

/** RTNLGRP_LINK, RTNLGRP_NSID. */
const routeGroups = [1, 28]
/** NFNLGRP_NFTABLES. */
const firewallGroups = [7]
const limits = { maxQueue: 4096, receiveBuffer: 4 * 1024 * 1024 }

export class LeaseNews implements EndpointNews {
  readonly #host: Netns
  readonly #network: LanNetwork
  /** Of the network's device. */
  readonly #index: number
  readonly #options: NetworkWatchOptions
  /** By their devices. */
  #endpoints = new Map<string, LanEndpoint>()
  readonly #events: NetworkEvent[] = []
  readonly #subscriptions = [new Subscription(), new Subscription()] as const
  readonly #pending = new Map<Subscription, Promise<[Subscription, Taken | undefined]>>()
  #isOpen = false
  #over = false

  constructor(host: Netns, network: LanNetwork, index: number, options: NetworkWatchOptions) {
    this.#host = host
    this.#network = network
    this.#index = index
    this.#options = options
  }

  async next(): Promise<NetworkEvent | undefined> {
    for (;;) {
      const event = this.#events.shift()
      if (event !== undefined) return event
      if (this.#over) return undefined
      try {
        if (this.#isOpen) await this.#wait()
        else await this.#open()
      } catch (error) {
        const wasEnded = this.#over
        await this.end()
        // What fails for being ended under way is the end.
        if (!wasEnded) throw error
      }
    }
  }

  async #open(): Promise<void> {
    const [routes, firewall] = this.#subscriptions
    const { signal, persistent = true } = this.#options
    if (signal !== undefined) for (const one of this.#subscriptions) one.endWith(signal)
    routes.check()
    const handle = Netns.handleOf(this.#host)
    await routes.open(handle, { ...limits, netfilter: false, groups: routeGroups, allNamespaces: true }, persistent)
    await firewall.open(handle, { ...limits, netfilter: true, groups: firewallGroups, allNamespaces: false }, persistent)
    this.#isOpen = true
    if (!(await this.#isThere())) throw networkGone(this.#network.name)
    await this.#look()
    this.#events.push({ type: 'synced' })
  }

  async #wait(): Promise<void> {
    for (const one of this.#subscriptions)
      if (!this.#pending.has(one))
        this.#pending.set(
          one,
          one.take().then((taken) => [one, taken]),
        )
    const [subscription, taken] = await Promise.race(this.#pending.values())
    this.#pending.delete(subscription)
    if (taken === undefined) {
      if (!this.#over) subscription.check()
      return this.end()
    }
    if (taken.lost) this.#events.push({ type: 'overrun' })
    if (!(await this.#isThereAfter(taken))) return this.#lose()
    if (taken.lost || taken.news.some((news) => this.#concerns(news))) await this.#look()
    if (taken.lost) this.#events.push({ type: 'synced' })
  }

  #concerns({ type, body, nsid }: News): boolean {
    if (type.startsWith('NFT_'))
      return [optionalText(body['table']), optionalText(body['name'])].includes(this.#network.leases.name)
    if (type === 'RTM_DELNSID') return [...this.#endpoints.values()].some(({ lease }) => lease.nsid === body['nsid'])
    if (type !== 'RTM_DELLINK') return false
    return [...this.#endpoints.values()].some(
      ({ lease }) => lease.index === body['index'] && (nsid === undefined || nsid === lease.nsid),
    )
  }

  /** Asked only where something may have happened to the network's device. */
  async #isThereAfter({ news, lost }: Taken): Promise<boolean> {
    const isTold = news.some(
      ({ type, body, nsid }) => type === 'RTM_DELLINK' && nsid === undefined && body['index'] === this.#index,
    )
    return isTold || lost ? this.#isThere() : true
  }

  async #isThere(): Promise<boolean> {
    try {
      await this.#host.getLink(this.#index)
      return true
    } catch (error) {
      if (error instanceof NetlinkError && error.code === 'ENODEV') return false
      throw error
    }
  }

  async #look(): Promise<void> {
    const now = new Map<string, LanEndpoint>()
    try {
      for (const endpoint of await this.#network.endpoints()) now.set(keyOf(endpoint.lease), endpoint)
    } catch (error) {
      if (error instanceof NetworkError && error.code === 'NETWORK_NOT_FOUND') return this.#lose()
      throw error
    }
    for (const [key, endpoint] of this.#endpoints) if (!now.has(key)) this.#events.push({ type: 'detached', endpoint })
    for (const [key, endpoint] of now) if (!this.#endpoints.has(key)) this.#events.push({ type: 'attached', endpoint })
    this.#endpoints = now
  }

  /** A network that is gone has no endpoints. */
  async #lose(): Promise<void> {
    for (const endpoint of this.#endpoints.values()) this.#events.push({ type: 'detached', endpoint })
    await this.end()
  }

  async end(): Promise<void> {
    this.#over = true
    for (const one of this.#subscriptions) one.close()
  }
}

const keyOf = ({ nsid, index }: Lease): string => `${nsid}/${index}`
