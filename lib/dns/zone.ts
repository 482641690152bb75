// The names of one network: who is called what, and what addresses are called.

import { type Address, parseCidr } from '../cidr.ts'
import type { Endpoint } from '../network/attach/endpoint.ts'
import { shortId } from './options.ts'

/** What of an endpoint names are made from. */
export interface Entry {
  /** Of the host end: it tells this endpoint from a later one of the same name. */
  readonly index: number
  /** In lower case; the first is what its addresses are called. */
  readonly names: readonly string[]
  /** IPv4 first. */
  readonly addresses: readonly Address[]
  /** Where the container lives: by its inode, if it was attached here, and by the host's number for it, once the kernel told. */
  readonly netns: bigint | undefined
  readonly nsid: number | undefined
}

/** What an endpoint answers to: its name, the short form of one that is an id, and its aliases. */
export function namesOf({ name, label }: Pick<Endpoint, 'name' | 'label'>): string[] {
  const own = name.toLowerCase()
  // No longer name can be asked for (RFC 1035).
  return [...new Set([shortId(own) ?? own, ...(label.aliases ?? [])])]
}

export function entryOf(endpoint: Endpoint, nsid?: number): Entry {
  return {
    index: endpoint.hostIndex,
    names: namesOf(endpoint),
    addresses: endpoint.addresses.map((address) => parseCidr(address, 'the endpoint')),
    netns: endpoint.netns?.closed === false ? endpoint.netns.inode : undefined,
    nsid,
  }
}

/** What its namespace is known by. */
const placesOf = ({ netns, nsid }: Entry): string[] => [
  ...(netns === undefined ? [] : [`inode ${netns}`]),
  ...(nsid === undefined ? [] : [`id ${nsid}`]),
]

function addTo(map: Map<string, Set<Entry>>, key: string, entry: Entry): void {
  const all = map.get(key)
  if (all === undefined) map.set(key, new Set([entry]))
  else all.add(entry)
}

function removeFrom(map: Map<string, Set<Entry>>, key: string, entry: Entry): void {
  const all = map.get(key)
  all?.delete(entry)
  if (all?.size === 0) map.delete(key)
}

export class Zone {
  readonly #entries = new Map<number, Entry>()
  readonly #byName = new Map<string, Set<Entry>>()
  readonly #byAddress = new Map<string, Entry>()
  readonly #byPlace = new Map<string, Set<Entry>>()
  /** Those that were detached here, until the kernel says so: what it told before comes later than the detach. */
  readonly #gone = new Set<number>()
  /** Those that were attached here, of which everything is known but the host's number for their namespace. */
  readonly #own = new Set<number>()
  readonly #changed: (keys: readonly string[]) => void

  /** `changed` is told the names and addresses whose answers are others now. */
  constructor(changed: (keys: readonly string[]) => void = () => {}) {
    this.#changed = changed
  }

  get size(): number {
    return this.#entries.size
  }

  /** Those of the name, in lower case, in the order in which they came. */
  named(name: string): ReadonlySet<Entry> | undefined {
    return this.#byName.get(name)
  }

  /** By the canonical text of an address. */
  at(address: string): Entry | undefined {
    return this.#byAddress.get(address)
  }

  /** Whether the container of an endpoint is in this network, too. */
  hasContainerOf(entry: Entry): boolean {
    return placesOf(entry).some((place) => this.#byPlace.has(place))
  }

  /** An endpoint of this process, at once. */
  add(entry: Entry): void {
    this.#gone.delete(entry.index)
    this.#own.add(entry.index)
    this.#put({ ...entry, nsid: entry.nsid ?? this.#entries.get(entry.index)?.nsid })
  }

  /** An endpoint that the kernel told of, whoever attached it. */
  learn(entry: Entry): void {
    if (this.#gone.has(entry.index)) return
    // What the kernel tells now may be from before it had its aliases.
    const known = this.#own.has(entry.index) ? this.#entries.get(entry.index) : undefined
    if (known === undefined) this.#put(entry)
    else if (known.nsid !== entry.nsid) this.#put({ ...known, nsid: entry.nsid })
  }

  /** One that is being detached here. The function returned takes that back. */
  remove(index: number): () => void {
    const entry = this.#entries.get(index)
    this.#gone.add(index)
    this.#drop(index)
    return () => {
      this.#gone.delete(index)
      if (entry !== undefined) this.#put(entry)
    }
  }

  /** One whose device is not there any more, or about to go. */
  forget(index: number, isGone: boolean): void {
    if (isGone) {
      this.#gone.delete(index)
      this.#own.delete(index)
    }
    this.#drop(index)
  }

  #put(entry: Entry): void {
    const known = this.#entries.get(entry.index)
    if (known !== undefined) this.#drop(entry.index)
    this.#entries.set(entry.index, entry)
    for (const name of entry.names) addTo(this.#byName, name, entry)
    for (const place of placesOf(entry)) addTo(this.#byPlace, place, entry)
    for (const { text } of entry.addresses) this.#byAddress.set(text, entry)
    this.#changed(keysOf(entry))
  }

  #drop(index: number): void {
    const entry = this.#entries.get(index)
    if (entry === undefined) return
    this.#entries.delete(index)
    for (const name of entry.names) removeFrom(this.#byName, name, entry)
    for (const place of placesOf(entry)) removeFrom(this.#byPlace, place, entry)
    for (const { text } of entry.addresses) if (this.#byAddress.get(text) === entry) this.#byAddress.delete(text)
    this.#changed(keysOf(entry))
  }
}

const keysOf = ({ names, addresses }: Entry): string[] => [...names, ...addresses.map(({ text }) => text)]
