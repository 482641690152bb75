// The endpoints of networks as the kernel tells of them, whoever attached them: one watch for all networks of a host.

import type { Netns } from '../netns/netns.ts'
import { firstLeaving } from '../network/group.ts'
import type { Link } from '../rtnetlink/link/link.ts'
import type { NetEvent } from '../rtnetlink/watch/event.ts'
import type { Watch } from '../rtnetlink/watch/watch.ts'

export interface Follower {
  readonly network: string
  /** Index of the network's device. */
  readonly bridge: number
  /** A host end as it is now. */
  seen(link: Link): void
  /** One that is leaving, or that is gone. */
  gone(index: number, isDeleted: boolean): void
  /** The network's device is gone, or the watch is over, for a reason. */
  ended(reason?: unknown): void
}

const follows = new Map<bigint, Follow>()

/** Tells a follower of those that are there, and goes on until the function that it resolves to is called. */
export async function follow(host: Netns, follower: Follower): Promise<() => Promise<void>> {
  const one = follows.get(host.inode) ?? new Follow(host)
  follows.set(host.inode, one)
  return one.join(follower)
}

/** `netlink-ct/<network>/<endpoint>` */
function networkOf({ altnames }: Link): string | undefined {
  // Others of our names have a `=`.
  const name = altnames.find((one) => /^netlink-ct\/[^/=]+\/[^/]+$/.test(one))
  return name?.split('/')[1]
}

class Follow {
  readonly #host: Netns
  readonly #watch: Watch
  readonly #followers = new Map<string, Follower>()
  /** Of all networks, for who joins later. */
  readonly #ends = new Map<number, { readonly link: Link; readonly network: string }>()
  readonly #synced: Promise<void>

  constructor(host: Netns) {
    this.#host = host
    this.#watch = host.watch({ links: true, persistent: false })
    this.#synced = this.#start()
    // Told to whoever waits for it.
    this.#synced.catch(() => {})
  }

  async join(follower: Follower): Promise<() => Promise<void>> {
    this.#followers.set(follower.network, follower)
    const leave = async (): Promise<void> => {
      if (this.#followers.get(follower.network) === follower) this.#followers.delete(follower.network)
      if (this.#followers.size > 0) return
      this.#forgetMe()
      await this.#watch.return()
    }
    try {
      await this.#synced
    } catch (error) {
      await leave()
      throw error
    }
    for (const { link, network } of this.#ends.values()) if (network === follower.network) follower.seen(link)
    return leave
  }

  #forgetMe(): void {
    if (follows.get(this.#host.inode) === this) follows.delete(this.#host.inode)
  }

  /** Resolves when the kernel has told of all that there is. */
  async #start(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#watch.next()
      if (done) throw new Error('the host went as its links were listed')
      this.#take(value)
      if (value.type === 'synced') break
    }
    void this.#go()
  }

  async #go(): Promise<void> {
    let reason: unknown
    try {
      for await (const event of this.#watch) this.#take(event)
    } catch (error) {
      reason = error
    }
    this.#forgetMe()
    for (const follower of this.#followers.values()) follower.ended(reason)
  }

  #take(event: NetEvent): void {
    if (event.type !== 'link') return
    const { link, action } = event
    if (action === 'delete') {
      this.#gone(link.index, true)
      return
    }
    const network = networkOf(link)
    if (network === undefined) return
    if (link.group >= firstLeaving) {
      this.#gone(link.index, false, network)
      return
    }
    this.#ends.set(link.index, { link, network })
    const before = event.previous
    // Of the many changes of a device only few are of its names.
    const isNews =
      before === undefined ||
      before.altnames.length !== link.altnames.length ||
      before.alias !== link.alias ||
      before.peerNetnsid !== link.peerNetnsid ||
      before.group !== link.group
    if (isNews) this.#followers.get(network)?.seen(link)
  }

  #gone(index: number, isDeleted: boolean, known?: string): void {
    const network = this.#ends.get(index)?.network ?? known
    this.#ends.delete(index)
    if (network !== undefined) this.#followers.get(network)?.gone(index, isDeleted)
    if (!isDeleted) return
    for (const follower of this.#followers.values()) {
      // What was detached before the kernel told that it had a name.
      if (network === undefined) follower.gone(index, true)
      if (follower.bridge === index) follower.ended()
    }
  }
}
