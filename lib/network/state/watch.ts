// What happens to the endpoints of a network, whoever makes it happen: told by the kernel's news of links.

import { isDeepStrictEqual } from 'node:util'
import { checkSignal } from '../../abort.ts'
import { fields, invalidType } from '../../invalid.ts'
import type { Netns } from '../../netns/netns.ts'
import type { Link } from '../../rtnetlink/link/link.ts'
import type { NetEvent } from '../../rtnetlink/watch/event.ts'
import type { Watch } from '../../rtnetlink/watch/watch.ts'
import type { Endpoint } from '../attach/endpoint.ts'
import { NetworkError } from '../errors.ts'
import { firstLeaving } from '../group.ts'
import { networkLabelOf } from '../label.ts'
import type { Network } from '../network.ts'
import type { Port } from '../port/port.ts'

export type NetworkEvent =
  /** It has its host end, address and name. That the container is configured inside is for whoever attached it to say. */
  | { readonly type: 'attached'; readonly endpoint: Endpoint }
  /** `previous` are the ports before; those of `endpoint` are about to be, or not to be any more, in the firewall. */
  | { readonly type: 'ports'; readonly endpoint: Endpoint; readonly previous: readonly Port[] }
  | { readonly type: 'detached'; readonly endpoint: Endpoint }
  /** All endpoints were told: those at the start, or after an overrun. */
  | { readonly type: 'synced' }
  /** The kernel dropped news; what was missed follows as events, then 'synced'. */
  | { readonly type: 'overrun' }

export interface NetworkWatchOptions {
  /** Ends the iteration with an AbortError. */
  readonly signal?: AbortSignal | undefined
  /** Whether the process stays alive for it. @defaultValue true */
  readonly persistent?: boolean
}

export function checkWatchOptions(options: NetworkWatchOptions): void {
  fields(options, 'options', ['signal', 'persistent'])
  checkSignal(options.signal, 'options.signal')
  if (options.persistent !== undefined && typeof options.persistent !== 'boolean')
    throw invalidType('options.persistent', 'a boolean', options.persistent)
}

/** Where a watch has its events from. */
export interface EndpointNews {
  /** undefined at the end. */
  next(): Promise<NetworkEvent | undefined>
  end(): Promise<void>
}

export const networkGone = (name: string): NetworkError =>
  new NetworkError('NETWORK_NOT_FOUND', `the host has no network '${name}' any more`)

/** An async iterable; ends with `return()`, its signal, and when the network is deleted. */
export class NetworkWatch implements AsyncIterableIterator<NetworkEvent>, AsyncDisposable {
  readonly #news: EndpointNews

  /** @internal use Network.watch */
  constructor(news: EndpointNews) {
    this.#news = news
  }

  async next(): Promise<IteratorResult<NetworkEvent, undefined>> {
    const event = await this.#news.next()
    return event === undefined ? { done: true, value: undefined } : { done: false, value: event }
  }

  /** Closes it; a pending `next()` resolves as done. */
  async return(): Promise<IteratorResult<NetworkEvent, undefined>> {
    await this.#news.end()
    return { done: true, value: undefined }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

interface Told {
  readonly network: Network
  readonly index: number
}

/** Of host ends. */
export class HostEndNews implements EndpointNews {
  readonly #watch: Watch
  readonly #told: Told
  readonly #endpoints = new Map<number, Endpoint>()
  readonly #events: NetworkEvent[] = []
  #isThere = false
  #over = false

  constructor(host: Netns, network: Network, index: number, options: NetworkWatchOptions) {
    checkWatchOptions(options)
    this.#told = { network, index }
    this.#watch = host.watch({ ...options, links: true })
  }

  async next(): Promise<NetworkEvent | undefined> {
    for (;;) {
      const event = this.#events.shift()
      if (event !== undefined) return event
      if (this.#over) {
        await this.end()
        return undefined
      }
      const { done, value } = await this.#watch.next()
      if (done) return undefined
      this.#take(value)
      if (value.type === 'synced' && !this.#isThere) {
        await this.end()
        throw networkGone(this.#told.network.name)
      }
    }
  }

  async end(): Promise<void> {
    this.#over = true
    await this.#watch.return()
  }

  #take(event: NetEvent): void {
    if (event.type === 'overrun' || event.type === 'synced') this.#events.push(event)
    else if (event.type === 'link') this.#takeLink(event.link, event.action === 'delete')
  }

  #takeLink(link: Link, isGone: boolean): void {
    const { network, index } = this.#told
    if (link.index === index) {
      // An existing bridge stays when its network goes.
      const isNetwork = !isGone && !(network.adopted && networkLabelOf(link)?.name !== network.name)
      this.#over = this.#isThere && !isNetwork
      this.#isThere = isNetwork
      return
    }
    const known = this.#endpoints.get(link.index)
    // A detach that is under way has let go of it.
    const now = isGone || link.group >= firstLeaving ? undefined : network.endpointOn(link)
    if (now === undefined) {
      this.#endpoints.delete(link.index)
      if (known !== undefined) this.#events.push({ type: 'detached', endpoint: known })
      return
    }
    this.#endpoints.set(link.index, now)
    if (known === undefined) this.#events.push({ type: 'attached', endpoint: now })
    else if (!isDeepStrictEqual(known.ports, now.ports))
      this.#events.push({ type: 'ports', endpoint: now, previous: known.ports })
  }
}
