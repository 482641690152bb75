// What a watch knows, and the events that lead from one knowledge to the next.
//
// News is applied in the kernel's order, and each piece either is the whole of an object or has it read again. So whatever moment
// between two pieces a state was read at, applying the rest leads to what the kernel has.

import { isDeepStrictEqual } from 'node:util'
import { number, optionalNumber } from '../../exchange.ts'
import type { Body, News } from '../../native.ts'
import * as c from '../constants.ts'
import type { Action, NetEvent } from './event.ts'
import type { Subject } from './subject.ts'

const NLM_F_REPLACE = 0x100

/** A subject in a namespace: the watched one, or another by its id. */
export interface Place {
  readonly subject: Subject
  readonly nsid: number | undefined
}

/** One of a reading: as it came, and decoded. */
export interface Sight {
  readonly body: Body
  readonly object: unknown
}

type Table = Map<string, unknown>

/** What changes by itself, without news. */
function lasting(object: unknown): unknown {
  if (typeof object !== 'object' || object === null) return object
  const { expires, validLifetime, preferredLifetime, ages, probes, ...rest } = object as Record<string, unknown>
  return rest
}

const same = (one: unknown, other: unknown): boolean => isDeepStrictEqual(lasting(one), lasting(other))

const numbered = (key: string, at: number): string => (at === 1 ? key : `${key} #${at}`)

const placeName = ({ subject, nsid }: Place): string => `${subject.type}@${nsid ?? ''}`

export class State {
  readonly #subjects: readonly Subject[]
  readonly #tables = new Map<string, Table>()
  /** The most that ever shared what they are known by. */
  #widest = 1
  /** To be read again, as a whole. */
  readonly stale: Map<string, Place> = new Map()
  /** Devices to be read again, each. */
  readonly staleLinks: Map<string, { readonly nsid: number | undefined; readonly index: number }> = new Map()

  constructor(subjects: readonly Subject[]) {
    this.#subjects = subjects
  }

  markStale(place: Place): void {
    this.stale.set(placeName(place), place)
  }

  /** The other namespaces of which something is known. */
  namespaces(): number[] {
    const ids = [...this.#tables.keys()].map((name) => name.slice(name.indexOf('@') + 1))
    return [...new Set(ids)].filter((id) => id !== '').map(Number)
  }

  #table(place: Place): Table {
    const name = placeName(place)
    let table = this.#tables.get(name)
    if (table === undefined) {
      table = new Map()
      this.#tables.set(name, table)
    }
    return table
  }

  /** The events of one message. */
  apply(news: News): NetEvent[] {
    const events: NetEvent[] = []
    for (const subject of this.#subjects) {
      const place: Place = { subject, nsid: news.nsid }
      const told = news.type === `RTM_NEW${subject.noun}` ? 'new' : news.type === `RTM_DEL${subject.noun}` ? 'gone' : undefined
      if (told !== undefined && subject.concerns(news.body)) events.push(...this.#tell(place, told, news))
      else if (subject.type === 'link' && told !== undefined) this.#port(news)
      if (subject.disturbs?.(news) && news.nsid === undefined) this.markStale(place)
    }
    return events
  }

  #tell(place: Place, told: 'new' | 'gone', news: News): NetEvent[] {
    const key = place.subject.key(news.body)
    const table = this.#table(place)
    if (place.subject.crowded && !this.#isPlain(table, key, told, news, place.subject)) {
      this.markStale(place)
      return []
    }
    if (told === 'new') return this.put(place, news.body)
    const event = this.#remove(place, key, news.body)
    // An equal one may remain: the kernel lets rules be twice.
    if (place.subject.type === 'rule') this.markStale(place)
    return event === undefined ? [] : [event]
  }

  /** Whether the message alone tells what has become of all that share the key. */
  #isPlain(table: Table, key: string, told: 'new' | 'gone', news: News, subject: Subject): boolean {
    for (let at = 2; at <= this.#widest; at++) if (table.has(numbered(key, at))) return false
    const known = table.get(key)
    if (known === undefined) return true
    if (told === 'new' && (news.flags & NLM_F_REPLACE) !== 0) return true
    return same(known, subject.decode(news.body))
  }

  /** A bridge's own message about one of its ports. */
  #port({ nsid, body }: News): void {
    if (number(body['family']) !== c.AF_BRIDGE) return
    const index = number(body['index'])
    this.staleLinks.set(`${nsid ?? ''} ${index}`, { nsid, index })
  }

  put(place: Place, body: Body): NetEvent[] {
    return this.#put(place, place.subject.key(body), place.subject.decode(body))
  }

  #put(place: Place, key: string, object: unknown): NetEvent[] {
    const table = this.#table(place)
    const previous = table.get(key)
    table.set(key, object)
    if (previous === undefined) return [event(place, 'add', key, object)]
    return same(previous, object) ? [] : [event(place, 'change', key, object, { previous })]
  }

  #remove(place: Place, key: string, body?: Body): NetEvent | undefined {
    const table = this.#table(place)
    const known = table.get(key)
    if (known === undefined) return undefined
    table.delete(key)
    const movedTo = body === undefined || place.subject.type !== 'link' ? undefined : optionalNumber(body['newNetnsid'])
    return event(place, 'delete', key, known, movedTo === undefined ? {} : { movedTo })
  }

  /** The differences between what was known and what was read. Of a torn read nothing is concluded from what is missing. */
  replace(place: Place, sights: readonly Sight[], torn: boolean): NetEvent[] {
    const { subject } = place
    const found = new Map<string, unknown>()
    const others: Sight[] = []
    for (const sight of sights) {
      const known = subject.crowded ? this.#knownAs(place, sight, found) : subject.key(sight.body)
      if (known === undefined) others.push(sight)
      else found.set(known, sight.object)
    }
    for (const { body, object } of others) {
      const key = subject.key(body)
      let at = 1
      while (found.has(numbered(key, at))) at++
      this.#widest = Math.max(this.#widest, at)
      found.set(numbered(key, at), object)
    }
    const events: NetEvent[] = []
    if (!torn) {
      for (const key of [...this.#table(place).keys()]) {
        const gone = found.has(key) ? undefined : this.#remove(place, key)
        if (gone !== undefined) events.push(gone)
      }
    }
    for (const [key, object] of found) events.push(...this.#put(place, key, object))
    return events
  }

  /** The key under which an equal one is known already, among those that share what they are known by. */
  #knownAs(place: Place, { body, object }: Sight, taken: ReadonlyMap<string, unknown>): string | undefined {
    const table = this.#table(place)
    const key = place.subject.key(body)
    for (let at = 1; at <= this.#widest; at++) {
      const name = numbered(key, at)
      const known = table.get(name)
      if (known !== undefined && !taken.has(name) && same(known, object)) return name
    }
    return undefined
  }

  /** Everything in a namespace that the watched one has no id for any more. */
  forget(nsid: number): NetEvent[] {
    const events = this.#subjects.flatMap((subject) => this.replace({ subject, nsid }, [], false))
    for (const subject of this.#subjects) this.#tables.delete(placeName({ subject, nsid }))
    return events
  }
}

function event(place: Place, action: Action, key: string, object: unknown, more: object = {}): NetEvent {
  const where = place.nsid === undefined ? {} : { netnsid: place.nsid }
  const whole = place.nsid === undefined ? key : `${place.nsid}/${key}`
  return { type: place.subject.type, action, key: whole, [place.subject.field]: object, ...where, ...more } as unknown as NetEvent
}
