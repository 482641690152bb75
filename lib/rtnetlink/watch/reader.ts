// The events of a watch, one after another: the state, then the news, and the state again where news was lost or tells too little.

import { firstRefusal, kernel, NetlinkError } from '../../errors.ts'
import { number, read } from '../../exchange.ts'
import { type Body, type Message, type NamespaceHandle, native } from '../../native.ts'
import { Pace } from '../../pace.ts'
import * as c from '../constants.ts'
import type { NetEvent } from './event.ts'
import { type Place, type Sight, State } from './state.ts'
import { subjects as all, type Subject } from './subject.ts'
import type { Subscription } from './subscription.ts'

/** Runs an operation with the namespace's handle kept open. */
export type Use = <T>(operation: (handle: NamespaceHandle) => Promise<T>) => Promise<T>

/** Beyond this many devices one dump is cheaper. */
const manyLinks = 32

const codeOf = (error: unknown): string | undefined => (error instanceof NetlinkError ? error.code : undefined)

export class Reader {
  readonly #subscription: Subscription
  readonly #use: Use
  readonly #subjects: readonly Subject[]
  readonly #allNamespaces: boolean
  readonly #state: State
  /** The id that the watched namespace has for itself, if somebody gave it one: its news then carries it. */
  #own: number | undefined

  constructor(subscription: Subscription, use: Use, subjects: readonly Subject[], allNamespaces: boolean) {
    this.#subscription = subscription
    this.#use = use
    this.#subjects = subjects
    this.#allNamespaces = allNamespaces
    this.#state = new State(subjects)
  }

  async *events(): AsyncGenerator<NetEvent, void, undefined> {
    await this.#markAll()
    const pace = new Pace()
    let synced = false
    for (;;) {
      for (const event of await this.#readStale()) {
        yield event
        // A consumer that waits for nothing else would hold the event loop for all of them.
        if (pace.isTired) await pace.rest()
      }
      if (!synced && this.#state.stale.size === 0) {
        synced = true
        yield { type: 'synced' }
      }
      // A torn read is repeated with the news of the meantime applied, but not waited for.
      const taken = this.#state.stale.size > 0 ? this.#subscription.takeNow() : await this.#subscription.take()
      if (taken === undefined) return
      for (const news of taken.news) {
        const foreign = news.nsid !== undefined && news.nsid !== this.#own
        const { nsid: _, ...local } = news
        yield* foreign ? this.#state.apply(news) : this.#state.apply(local)
        if (!foreign) yield* this.#namespaceNews(news.type, news.body)
      }
      if (taken.lost) {
        yield { type: 'overrun' }
        synced = false
        await this.#markAll()
      }
    }
  }

  /** Namespaces that come into view, or go. */
  #namespaceNews(type: string, body: Body): NetEvent[] {
    if (!this.#allNamespaces) return []
    const nsid = number(body['nsid'])
    if (type === 'RTM_DELNSID') return this.#state.forget(nsid)
    if (type === 'RTM_NEWNSID') this.#markNamespace(nsid)
    return []
  }

  #markNamespace(nsid: number): void {
    for (const subject of this.#subjects) if (subject.target !== undefined) this.#state.markStale({ subject, nsid })
  }

  async #markAll(): Promise<void> {
    for (const subject of this.#subjects) this.#state.markStale({ subject, nsid: undefined })
    if (!this.#allNamespaces) return
    const { ids, own } = await this.#use(async (handle) => {
      const { objects } = await read(handle, { type: 'RTM_GETNSID', flags: 0, body: {} }, (object) => number(object['nsid']))
      const body = { fd: native.describe(handle).fd }
      const [outcome] = await kernel(native.submit(handle, [{ type: 'RTM_GETNSID', flags: 0, body }]))
      return { ids: objects, own: outcome?.replies[0] === undefined ? -1 : number(outcome.replies[0]['nsid']) }
    })
    this.#own = own < 0 ? undefined : own
    // Those that went while news was lost are read too: the answer is that there is nothing.
    for (const nsid of new Set([...ids, ...this.#state.namespaces()])) if (nsid !== this.#own) this.#markNamespace(nsid)
  }

  async #readStale(): Promise<NetEvent[]> {
    const { stale, staleLinks } = this.#state
    const events: NetEvent[] = []
    if (staleLinks.size > manyLinks) {
      for (const { nsid } of staleLinks.values()) this.#state.markStale({ subject: all.links, nsid })
      staleLinks.clear()
    }
    for (const [name, place] of [...stale]) {
      const { sights, torn } = await this.#read(place)
      if (!torn) stale.delete(name)
      for (const event of this.#state.replace(place, sights, torn)) events.push(event)
    }
    if (staleLinks.size > 0) events.push(...(await this.#readLinks()))
    return events
  }

  async #read({ subject, nsid }: Place): Promise<{ readonly sights: readonly Sight[]; readonly torn: boolean }> {
    const sights: Sight[] = []
    const look = (body: Body): void => {
      if (subject.concerns(body)) sights.push({ body, object: subject.decode(body) })
    }
    let torn = false
    for (const message of subject.dumps) {
      try {
        const found = await this.#use((handle) => read(handle, at(message, subject, nsid), look))
        torn ||= found.torn
      } catch (error) {
        // EINVAL, EACCES: of another namespace that went meanwhile, or that this process may not look into.
        // ENOENT, EOPNOTSUPP, EAFNOSUPPORT: a routing table that never had a route, a kernel without IPv6.
        const nothing = nsid === undefined ? ['ENOENT', 'EOPNOTSUPP', 'EAFNOSUPPORT'] : ['EINVAL', 'EACCES', 'EPERM']
        if (!nothing.includes(codeOf(error) ?? '')) throw error
      }
    }
    return { sights, torn }
  }

  /** Each device by itself; one that is gone has its own news. */
  async #readLinks(): Promise<NetEvent[]> {
    const links = [...this.#state.staleLinks.values()]
    this.#state.staleLinks.clear()
    const messages = links.map(({ nsid, index }) => {
      const one: Message = { type: 'RTM_GETLINK', flags: 0, body: { index, extMask: c.RTEXT_FILTER_SKIP_STATS } }
      return at(one, all.links, nsid)
    })
    const outcomes = await this.#use((handle) => kernel(native.submit(handle, messages)))
    const refusal = firstRefusal(outcomes.filter(({ error }) => ![19, 22].includes(error?.errno ?? 0)))
    if (refusal !== undefined) throw new NetlinkError(refusal)
    return outcomes.flatMap(({ replies: [body] }, position) =>
      body === undefined ? [] : this.#state.put({ subject: all.links, nsid: links[position]?.nsid }, body),
    )
  }
}

function at(message: Message, subject: Subject, nsid: number | undefined): Message {
  return nsid === undefined || subject.target === undefined
    ? message
    : { ...message, body: { ...message.body, [subject.target]: nsid } }
}
