// A watch consumed as its users do: every event kept, and applied to a map that should be what the kernel has.

import type { NetEvent } from '../../lib/index.ts'

type Watch = AsyncIterableIterator<NetEvent>
type Applied = Extract<NetEvent, { key: string }>

export class Watcher {
  readonly events: NetEvent[] = []
  /** By type and key. */
  readonly state: Map<string, Applied> = new Map()
  readonly watch: Watch

  constructor(watch: Watch) {
    this.watch = watch
  }

  /** Takes events until one is as wanted, which may have come already after the `from`-th; returns it. */
  async until<E extends NetEvent>(what: string, is: (event: NetEvent) => event is E, from?: number): Promise<E>
  async until(what: string, is: (event: NetEvent) => boolean, from?: number): Promise<NetEvent>
  async until(what: string, is: (event: NetEvent) => boolean, from = this.events.length): Promise<NetEvent> {
    for (let at = from; ; at++) {
      if (at === this.events.length) await this.take(what)
      const event = this.events[at] as NetEvent
      if (is(event)) return event
    }
  }

  async take(what = 'an event'): Promise<NetEvent> {
    const { done, value } = await this.watch.next()
    if (done) throw new Error(`the watch ended before ${what}`)
    this.events.push(value)
    if ('key' in value) {
      const name = `${value.type} ${value.key}`
      if (value.action === 'delete') this.state.delete(name)
      else this.state.set(name, value)
    }
    return value
  }

  /** Up to the end of the state at the start, or after an overrun. */
  async synced(): Promise<void> {
    await this.until('synced', ({ type }) => type === 'synced')
  }

  /** What is known of a type. */
  all<T extends Applied['type']>(type: T): Extract<Applied, { type: T }>[] {
    return [...this.state.values()].filter((event): event is Extract<Applied, { type: T }> => event.type === type)
  }
}
