// Watching a namespace: an async iterable that starts with what the kernel has and goes on with what it tells.

import { checkSignal } from '../../abort.ts'
import { fields, integer, invalidType, invalidValue } from '../../invalid.ts'
import type { WatchOptions as NativeOptions } from '../../native.ts'
import type { NetEvent } from './event.ts'
import { Reader, type Use } from './reader.ts'
import { nsidGroup, type Subject, type SubjectName, subjects } from './subject.ts'
import { Subscription } from './subscription.ts'

export interface WatchOptions {
  readonly links?: boolean
  readonly addresses?: boolean
  /** Of all tables. */
  readonly routes?: boolean
  readonly rules?: boolean
  readonly neighbors?: boolean
  /** The forwarding databases of bridges and vxlan devices. */
  readonly fdb?: boolean
  /** Nexthop objects. */
  readonly nexthops?: boolean
  /** The ids that this namespace has for others. */
  readonly nsids?: boolean
  /**
   * Also the namespaces that this one has an id for, as they come and go; their events carry `netnsid`. For links, addresses and nsids:
   * of the rest the kernel does not tell another namespace's state. @defaultValue false
   */
  readonly allNamespaces?: boolean
  /** Ends the iteration with an AbortError. */
  readonly signal?: AbortSignal | undefined
  /** Whether the process stays alive for it. @defaultValue true */
  readonly persistent?: boolean
  /** How many of the kernel's messages may wait here for the consumer; those beyond wait in the kernel. @defaultValue 4096 */
  readonly maxQueue?: number
  /** How many bytes the kernel may keep for this watch before it drops news, which is an overrun. @defaultValue 4194304 */
  readonly receiveBuffer?: number
}

/** What the watched namespace gives to its watch. */
export interface WatchSource {
  readonly use: Use
  /** Tells the end of the namespace; the function that it returns says that nobody listens any more. */
  readonly onEnd: (end: () => void) => () => void
}

const subjectNames = Object.keys(subjects) as SubjectName[]
const switches = [...subjectNames, 'allNamespaces', 'persistent'] as const
const names = [...switches, 'signal', 'maxQueue', 'receiveBuffer']

interface Wish {
  readonly subjects: readonly Subject[]
  readonly native: NativeOptions
  readonly persistent: boolean
}

function checked(options: WatchOptions): Wish {
  fields(options, 'options', names)
  for (const name of switches) {
    if (options[name] !== undefined && typeof options[name] !== 'boolean')
      throw invalidType(`options.${name}`, 'a boolean', options[name])
  }
  checkSignal(options.signal, 'options.signal')
  const wanted = subjectNames.filter((name) => options[name] === true)
  if (wanted.length === 0) throw invalidValue('options', `must name what to watch: ${subjectNames.join(', ')}`, options)
  const allNamespaces = options.allNamespaces === true
  const confined = wanted.find((name) => subjects[name].target === undefined)
  if (allNamespaces && confined !== undefined)
    throw invalidValue('options.allNamespaces', `does not go with ${confined}: watch each namespace by itself`, true)
  const chosen = wanted.map((name): Subject => subjects[name])
  const groups = new Set(chosen.flatMap(({ groups }) => groups))
  if (allNamespaces) groups.add(nsidGroup)
  return {
    subjects: chosen,
    native: {
      netfilter: false,
      groups: [...groups],
      allNamespaces,
      maxQueue: integer(options.maxQueue ?? 4096, 'options.maxQueue', 1, 1_000_000),
      receiveBuffer: integer(options.receiveBuffer ?? 4 * 1024 * 1024, 'options.receiveBuffer', 2048, 0x3fffffff),
    },
    persistent: options.persistent !== false,
  }
}

/** The arguments are checked at once; the listening starts with the first `next()`. */
export function watch(source: WatchSource, options: WatchOptions): Watch {
  const wish = checked(options)
  const subscription = new Subscription()
  async function* events(): AsyncGenerator<NetEvent, void, undefined> {
    try {
      if (options.signal !== undefined) subscription.endWith(options.signal)
      if (subscription.over) return
      subscription.onEnd(source.onEnd(() => subscription.end()))
      await source.use((handle) => subscription.open(handle, wish.native, wish.persistent))
      yield* new Reader(subscription, source.use, wish.subjects, wish.native.allNamespaces).events()
    } finally {
      subscription.close()
    }
  }
  return new Watch(subscription, events())
}

export class Watch implements AsyncIterableIterator<NetEvent>, AsyncDisposable {
  readonly #subscription: Subscription
  readonly #events: AsyncGenerator<NetEvent, void, undefined>

  /** @internal use Netns.watch */
  constructor(subscription: Subscription, events: AsyncGenerator<NetEvent, void, undefined>) {
    this.#subscription = subscription
    this.#events = events
  }

  async next(): Promise<IteratorResult<NetEvent, undefined>> {
    if (this.#subscription.over) return this.#ended()
    try {
      const { done, value } = await this.#events.next()
      if (!this.#subscription.over && !done) return { done: false, value }
    } catch (failure) {
      // What fails for being ended under way is the end.
      if (!this.#subscription.ended) throw failure
    }
    return this.#ended()
  }

  async #ended(): Promise<IteratorResult<NetEvent, undefined>> {
    await this.#events.return()
    this.#subscription.check()
    return { done: true, value: undefined }
  }

  /** Closes it; a pending `next()` resolves as done. */
  async return(): Promise<IteratorResult<NetEvent, undefined>> {
    this.#subscription.end()
    await this.#events.return()
    return { done: true, value: undefined }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
