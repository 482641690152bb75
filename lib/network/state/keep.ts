// Repairs that go on by themselves.

import { setTimeout } from 'node:timers/promises'
import { signalOf } from '../../abort.ts'
import { integer } from '../../invalid.ts'
import { Netns } from '../../netns/netns.ts'
import { Subscription } from '../../rtnetlink/watch/subscription.ts'
import { type HostOptions, hostOf } from '../list.ts'
import { keyOf } from './finding.ts'
import { type RepairReport, repairAll } from './repair.ts'

export interface KeepOptions extends HostOptions {
  /** Milliseconds from one look to the next at the least, however much changes. @defaultValue 1000 */
  readonly interval?: number
}

/** RTNLGRP_LINK, _NEIGH, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE. */
const routeGroups = [1, 3, 5, 7, 9, 11]
/** NFNLGRP_NFTABLES. */
const firewallGroups = [7]
/** Only that something happened matters, so little needs to be kept. */
const quiet = { allNamespaces: false, maxQueue: 64, receiveBuffer: 256 * 1024 }

/**
 * Repairs the host's networks now, and again whenever something on it changes: `for await (const report of keepRepaired({ signal }))`.
 * Gives a report each time something was repaired, or something else remains than before. See `repair`; settings below /proc tell of no
 * change, and are looked at with the next one that does. It goes on until the loop is left or the signal ends it.
 */
export async function* keepRepaired(options: KeepOptions = {}): AsyncGenerator<RepairReport, void, undefined> {
  const host = hostOf(options, ['interval'])
  const { interval: asked = 1000 } = options
  const signal = signalOf(options, 'options')
  const interval = integer(asked, 'options.interval', 0, 86_400_000)
  const subscriptions = [new Subscription(), new Subscription()] as const
  const [routes, firewall] = subscriptions
  const bell = new Bell()
  try {
    for (const one of subscriptions) if (signal !== undefined) one.endWith(signal)
    await routes.open(Netns.handleOf(host), { ...quiet, netfilter: false, groups: routeGroups }, true)
    await firewall.open(Netns.handleOf(host), { ...quiet, netfilter: true, groups: firewallGroups }, true)
    for (const one of subscriptions) void listen(one, bell)
    let known = ''
    while (!bell.hasEnded) {
      bell.rest()
      const report = await repairAll(host, { signal })
      const remains = report.remaining.map(keyOf).sort().join('\n')
      const isNews = report.repaired.length > 0 || remains !== known
      known = remains
      if (isNews) yield report
      await bell.rung()
      await bell.pause(interval)
    }
    bell.check()
    routes.check()
  } finally {
    for (const one of subscriptions) one.close()
  }
}

/** Rings for all that happens, and for the end. */
async function listen(subscription: Subscription, bell: Bell): Promise<void> {
  try {
    while ((await subscription.take()) !== undefined) bell.ring()
    bell.end()
  } catch (error) {
    bell.end(error)
  }
}

/** Whether something happened since the last look. */
class Bell {
  #hasRung = false
  readonly #end = new AbortController()
  #failure: unknown
  #wake: (() => void) | undefined

  get hasEnded(): boolean {
    return this.#end.signal.aborted
  }

  ring(): void {
    this.#hasRung = true
    this.#wake?.()
  }

  end(failure?: unknown): void {
    this.#end.abort()
    this.#failure ??= failure
    this.ring()
  }

  rest(): void {
    this.#hasRung = this.hasEnded
  }

  async rung(): Promise<void> {
    while (!this.#hasRung) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Until so many milliseconds are over, or it has ended. */
  async pause(milliseconds: number): Promise<void> {
    const { signal } = this.#end
    try {
      await setTimeout(milliseconds, undefined, { signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }
}
