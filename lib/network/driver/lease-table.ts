// Leases of containers that have no device on the host: elements of a table of the network's own, `table inet netlink-ct/<network>`. It
// has no chains, so no packet sees it. Whoever creates an element has the address, across threads and processes: the kernel
// refuses a second one. A container's name and its addresses are leased in one transaction.

import { formatAddress, parseAddress } from '../../cidr.ts'
import { kernel, NetlinkError } from '../../errors.ts'
import { read } from '../../exchange.ts'
import { type Message, native } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import { compile } from '../../nftables/compile/compile.ts'
import { concatenated, element, mark } from '../../nftables/element.ts'
import { families, NLM_F_CREATE, NLM_F_EXCL } from '../../nftables/message.ts'
import { readComment } from '../../nftables/userdata.ts'
import { isSpoiled, readMarks } from '../label.ts'
import { guarded } from '../state/guarded.ts'

export interface Lease {
  /** Of the endpoint. */
  readonly name: string
  /** The host's number for the namespace that the container lives in. */
  readonly nsid: number
  /** The namespace as `ls -i /run/netns` has it, for people. */
  readonly inode: bigint
  /** Of the device inside. */
  readonly index: number
  readonly ifname: string
  readonly mac: string
  /** Without their prefixes; IPv4 first. */
  readonly addresses: readonly string[]
  /** What else is to be remembered, in the words of a host end's alias: `limited`, `@app=shop`. */
  readonly words: readonly string[]
}

/** A container's name is four times `ifname`, the one type of a set that is text: 15 characters and a NUL. */
const pieces = 4
const pieceLength = 15
/** Of a container's name. */
export const longestName: number = pieces * pieceLength
/** In place of an empty piece, which nft lists and does not read: `nft list ruleset` must be able to come back by `nft -f`. */
const nothing = '/'
type SetName = 'endpoints' | 'addresses4' | 'addresses6' | 'holders' | 'words'
/** What a comment holds, as nft bounds it: longer words go on in the next element. */
const longestComment = 127
const tablePrefix = 'netlink-ct/'
const tableComment = 'netlink-ct leases: elements are containers and addresses'
/** `holders` tells this lease from a later one of the same name and address. */
const sets: Readonly<Record<SetName, readonly string[]>> = {
  endpoints: ['ifname', 'ifname', 'ifname', 'ifname'],
  addresses4: ['ipv4_addr'],
  addresses6: ['ipv6_addr'],
  holders: ['mark', 'mark'],
  words: ['mark', 'mark', 'mark'],
}
const setNames = Object.keys(sets) as SetName[]

const isCode = (error: unknown, code: string): error is NetlinkError => error instanceof NetlinkError && error.code === code

function nameKey(name: string): Uint8Array {
  const key = new Uint8Array(pieces * (pieceLength + 1))
  for (let piece = 0; piece < pieces; piece++) {
    const text = name.slice(piece * pieceLength, (piece + 1) * pieceLength) || nothing
    key.set(new TextEncoder().encode(text), piece * (pieceLength + 1))
  }
  return key
}

const nameOf = (key: Uint8Array): string => new TextDecoder().decode(key).replaceAll(/[\0/]/g, '')

function piecesOf({ words }: Lease): string[] {
  const text = words.join(' ')
  return Array.from({ length: Math.ceil(text.length / longestComment) }, (_, piece) =>
    text.slice(piece * longestComment, (piece + 1) * longestComment),
  )
}

/** The last word says how many elements of `words` belong to it. */
function commentOf(lease: Lease): string {
  const { nsid, inode, index, ifname, mac, addresses } = lease
  const count = piecesOf(lease).length
  return [nsid, inode, index, ifname, mac, ...addresses, ...(count === 0 ? [] : [`+${count}`])].join(' ')
}

/** As its element of `endpoints` tells it. */
interface Told {
  readonly lease: Lease
  readonly pieces: number
}

/** undefined for an element that somebody made by hand. */
function toldBy(name: string, comment: string): Told | undefined {
  const [nsid = '', inode = '', index = '', ifname = '', mac = '', ...rest] = comment.split(' ')
  const addresses = rest.filter((word) => !word.startsWith('+'))
  if (![nsid, inode, index].every((number) => /^\d+$/.test(number)) || addresses.length === 0) return undefined
  const pieces = Number(rest.find((word) => /^\+\d$/.test(word)) ?? 0)
  const lease = { name, nsid: Number(nsid), inode: BigInt(inode), index: Number(index), ifname, mac, addresses, words: [] }
  return { lease, pieces }
}

const holderKey = ({ nsid, index }: Lease): Uint8Array => concatenated(mark(nsid), mark(index))
const wordsKey = ({ nsid, index }: Lease, piece: number): Uint8Array => concatenated(mark(nsid), mark(index), mark(piece))
const hex = (key: Uint8Array): string => Buffer.from(key).toString('hex')

/** An element of one of the sets. */
export interface LeaseElement {
  readonly set: SetName
  readonly key: Uint8Array
  readonly comment: string
}

/** All that a lease is, its name first and its device last. */
export function elementsOf(lease: Lease): LeaseElement[] {
  const { name, addresses } = lease
  return [
    { set: 'endpoints', key: nameKey(name), comment: commentOf(lease) },
    ...addresses.map((text): LeaseElement => {
      const { family, bytes } = parseAddress(text, 'address')
      return { set: family === 2 ? 'addresses4' : 'addresses6', key: bytes, comment: name }
    }),
    ...piecesOf(lease).map((comment, piece): LeaseElement => ({ set: 'words', key: wordsKey(lease, piece), comment })),
    { set: 'holders', key: holderKey(lease), comment: name },
  ]
}

export class LeaseTable {
  /** `nft list table inet <name>` shows it. */
  readonly name: string
  readonly #host: Netns

  constructor(host: Netns, network: string) {
    this.#host = host
    this.name = `${tablePrefix}${network}`
  }

  get #handle(): ReturnType<typeof Netns.handleOf> {
    return Netns.handleOf(this.#host)
  }

  /** Made with what is leased already; all or nothing. EEXIST when it is there. */
  async create(leases: readonly Lease[] = []): Promise<void> {
    const family = 'inet'
    const { messages } = compile([
      { create: { table: { family, name: this.name, comment: tableComment } } },
      ...Object.entries(sets).map(([name, type]) => ({ add: { set: { family, table: this.name, name, type } } }) as const),
    ])
    const made = (messages as readonly Message[]).map((message) => ({ ...message, step: 'make the table of leases' }))
    await kernel(native.transact(this.#handle, [...made, ...leases.flatMap((lease) => this.#elements(lease))]))
  }

  /** With everything in it. One that is not there is no error. */
  async destroy(): Promise<void> {
    try {
      await kernel(native.transact(this.#handle, this.destruction))
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error
    }
  }

  get destruction(): Message[] {
    const body = { family: families.inet, name: this.name }
    return [{ type: 'NFT_MSG_DELTABLE', flags: 0, body, step: 'drop the table of leases' }]
  }

  /** Puts back what is missing of leases, removes what is of none: bound to the ruleset's generation. */
  async mend(): Promise<void> {
    const step = 'mend the leases'
    await guarded(this.#handle, step, async () => {
      const { missing, orphaned } = leaseDifference(await this.contents())
      return [
        ...orphaned.map(({ set, key }) => this.#message('NFT_MSG_DESTROYSETELEM', 0, { set, key }, step)),
        ...missing.map((one) => this.#message('NFT_MSG_NEWSETELEM', NLM_F_CREATE, one, step)),
      ]
    })
  }

  #message(
    type: string,
    flags: number,
    { set, key, comment }: Partial<LeaseElement> & Pick<LeaseElement, 'set' | 'key'>,
    step: string,
  ): Message {
    const elements = [element(key, undefined, comment)]
    return { type, flags, body: { family: families.inet, table: this.name, set, elements }, step }
  }

  #step({ set, key }: LeaseElement): string {
    if (set === 'endpoints') return `claim the name ${this.name}/${nameOf(key)}`
    if (set === 'words') return "note the endpoint's labels"
    return set === 'holders' ? 'note the device' : `lease the address ${formatAddress(key)}`
  }

  #elements(lease: Lease): Message[] {
    return elementsOf(lease).map((one) => this.#message('NFT_MSG_NEWSETELEM', NLM_F_CREATE | NLM_F_EXCL, one, this.#step(one)))
  }

  /** EEXIST, with the step that names what is taken; ENOENT when the table is gone. */
  async claim(lease: Lease): Promise<void> {
    await kernel(native.transact(this.#handle, this.#elements(lease)))
  }

  /**
   * Only while it is still this very one: a later container may have the name or the address. One that is not there is no error. All
   * elements of a lease come and go together, so where the device's is not found, which fails the transaction, nothing is ours.
   */
  async release(lease: Lease): Promise<void> {
    const step = `give back what '${lease.name}' leased`
    const gone = elementsOf(lease)
      .reverse()
      .map(({ set, key }) => this.#message(`NFT_MSG_${set === 'holders' ? 'DEL' : 'DESTROY'}SETELEM`, 0, { set, key }, step))
    try {
      await kernel(native.transact(this.#handle, gone))
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error
    }
  }

  /** Those of these elements that are there. */
  async #look(wanted: readonly Pick<LeaseElement, 'set' | 'key'>[], step: string): Promise<LeaseElement[]> {
    const questions = wanted.map((one) => this.#message('NFT_MSG_GETSETELEM', 0, one, step))
    const outcomes = await kernel(native.submit(this.#handle, questions))
    return outcomes.flatMap(({ error, replies }, at) => {
      if (error === undefined) return elementsIn(wanted[at]?.set as SetName, replies)
      const refusal = new NetlinkError(error)
      if (refusal.code === 'ENOENT') return []
      throw refusal
    })
  }

  /** The lease of a container: one question, and one more for its labels if it has any. */
  async find(name: string): Promise<Lease | undefined> {
    const step = `look for '${name}'`
    const [found] = await this.#look([{ set: 'endpoints', key: nameKey(name) }], step)
    const told = found && toldBy(name, found.comment)
    if (told === undefined || told.pieces === 0) return told?.lease
    return withWords(told, byKey(await this.#look(wordsPlaces(told), step)))
  }

  async #elementsIn(set: SetName): Promise<LeaseElement[]> {
    const body = { family: families.inet, table: this.name, set }
    // A torn answer will do: whoever claims what came in between is refused.
    const { objects } = await read(this.#handle, { type: 'NFT_MSG_GETSETELEM', flags: 0, body }, (reply) => reply)
    return elementsIn(set, objects)
  }

  /** All of them; ENOENT when the table is gone. */
  async list(): Promise<Lease[]> {
    const told = leasesAmong(await this.#elementsIn('endpoints'))
    if (told.every(({ pieces }) => pieces === 0)) return told.map(({ lease }) => lease)
    const comments = byKey(await this.#elementsIn('words'))
    return told.map((one) => withWords(one, comments))
  }

  /** All elements; ENOENT when the table is gone, or one of its sets. */
  async contents(): Promise<LeaseElement[]> {
    const all: LeaseElement[] = []
    for (const set of setNames) all.push(...(await this.#elementsIn(set)))
    return all
  }
}

function leasesAmong(elements: readonly LeaseElement[]): Told[] {
  return elements.flatMap(({ set, key, comment }) => (set === 'endpoints' ? (toldBy(nameOf(key), comment) ?? []) : []))
}

const byKey = (elements: readonly LeaseElement[]): Map<string, string> =>
  new Map(elements.map(({ key, comment }) => [hex(key), comment]))

/** Not those that somebody spoiled. */
function isReadable(words: readonly string[]): boolean {
  try {
    return readMarks(words) !== undefined
  } catch (error) {
    if (isSpoiled(error)) return false
    throw error
  }
}

/** `comments`: those of elements of `words`, by their keys. */
function withWords({ lease, pieces }: Told, comments: ReadonlyMap<string, string>): Lease {
  const own = Array.from({ length: pieces }, (_, piece) => comments.get(hex(wordsKey(lease, piece))) ?? '')
  const text = own.join('')
  const words = text === '' ? [] : text.split(' ')
  return { ...lease, words: isReadable(words) ? words : [] }
}

function elementsIn(set: SetName, bodies: readonly { readonly [field: string]: unknown }[]): LeaseElement[] {
  return bodies.flatMap(({ elements }) =>
    (Array.isArray(elements) ? (elements as { key?: { value?: unknown }; userdata?: unknown }[]) : []).flatMap(
      ({ key, userdata }) => {
        if (!(key?.value instanceof Uint8Array)) return []
        return { set, key: key.value, comment: (userdata instanceof Uint8Array ? readComment(userdata) : undefined) ?? '' }
      },
    ),
  )
}

export interface LeaseDifference {
  /** Of what the elements of `endpoints` say. */
  readonly missing: readonly LeaseElement[]
  /** Of nobody's lease. What somebody made by hand, without a comment, is not among them. */
  readonly orphaned: readonly LeaseElement[]
}

/** `elements`: all of a table. */
export function leaseDifference(elements: readonly LeaseElement[]): LeaseDifference {
  const place = ({ set, key }: Pick<LeaseElement, 'set' | 'key'>): string => `${set} ${hex(key)}`
  const comments = byKey(elements.filter(({ set }) => set === 'words'))
  const told = leasesAmong(elements)
  const wanted = new Map(told.flatMap((one) => elementsOf(withWords(one, comments))).map((one) => [place(one), one]))
  // Of words that were taken away the table does not know what they were.
  const claimed = new Set([...wanted.keys(), ...told.flatMap(wordsPlaces).map(place)])
  const present = new Set(elements.map(place))
  return {
    missing: [...wanted.values()].filter((one) => !present.has(place(one))),
    orphaned: elements.filter((one) => one.set !== 'endpoints' && one.comment !== '' && !claimed.has(place(one))),
  }
}

const wordsPlaces = ({ lease, pieces }: Told): Pick<LeaseElement, 'set' | 'key'>[] =>
  Array.from({ length: pieces }, (_, piece) => ({ set: 'words', key: wordsKey(lease, piece) }))

/** Names of the networks that have a table of leases, whether they are there or not. */
export async function leaseTables(host: Netns): Promise<string[]> {
  const question = { type: 'NFT_MSG_GETTABLE', flags: 0, body: { family: families.inet } }
  const { objects } = await read(Netns.handleOf(host), question, (body) => body)
  return objects.flatMap(({ family, name, userdata }) => {
    const isOurs = family === families.inet && userdata instanceof Uint8Array && readComment(userdata) === tableComment
    return isOurs && typeof name === 'string' && name.startsWith(tablePrefix) ? name.slice(tablePrefix.length) : []
  })
}

/** Of a table that another process made in between. */
export function existing(error: unknown): void {
  if (!(isCode(error, 'EEXIST') && error.syscall === 'NFT_MSG_NEWTABLE')) throw error
}
