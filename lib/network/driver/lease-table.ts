// Leases of containers that have no device on the host: elements of a table of the network's own, `table inet netlink-ct/<network>`. It
// has no chains, so no packet sees it. Whoever creates an element has the address, across threads and processes: the kernel
// refuses a second one. A container's name and its addresses are leased in one transaction.

import { parseAddress } from '../../cidr.ts'
import { firstRefusal, kernel, NetlinkError } from '../../errors.ts'
import { read } from '../../exchange.ts'
import { type Message, native } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import { compile } from '../../nftables/compile/compile.ts'
import { concatenated, element, mark } from '../../nftables/element.ts'
import { families, NLM_F_CREATE, NLM_F_EXCL } from '../../nftables/message.ts'
import { readComment } from '../../nftables/userdata.ts'

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
}

/** A container's name is four times `ifname`, the one type of a set that is text: 15 characters and a NUL. */
const pieces = 4
const pieceLength = 15
/** Of a container's name. */
export const longestName: number = pieces * pieceLength
/** In place of an empty piece, which nft lists and does not read: `nft list ruleset` must be able to come back by `nft -f`. */
const nothing = '/'
/** `holders` tells this lease from a later one of the same name and address. */
const sets = {
  endpoints: ['ifname', 'ifname', 'ifname', 'ifname'],
  addresses4: ['ipv4_addr'],
  addresses6: ['ipv6_addr'],
  holders: ['mark', 'mark'],
}
type SetName = keyof typeof sets

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

const commentOf = ({ nsid, inode, index, ifname, mac, addresses }: Lease): string =>
  [nsid, inode, index, ifname, mac, ...addresses].join(' ')

/** undefined for an element that somebody made by hand. */
function leaseOf(name: string, comment: string): Lease | undefined {
  const [nsid = '', inode = '', index = '', ifname = '', mac = '', ...addresses] = comment.split(' ')
  if (![nsid, inode, index].every((number) => /^\d+$/.test(number)) || addresses.length === 0) return undefined
  return { name, nsid: Number(nsid), inode: BigInt(inode), index: Number(index), ifname, mac, addresses }
}

export class LeaseTable {
  /** `nft list table inet <name>` shows it. */
  readonly name: string
  readonly #host: Netns

  constructor(host: Netns, network: string) {
    this.#host = host
    this.name = `netlink-ct/${network}`
  }

  get #handle(): ReturnType<typeof Netns.handleOf> {
    return Netns.handleOf(this.#host)
  }

  /** Made with what is leased already; all or nothing. EEXIST when it is there. */
  async create(leases: readonly Lease[] = []): Promise<void> {
    const family = 'inet'
    const { messages } = compile([
      { create: { table: { family, name: this.name, comment: 'netlink-ct leases: elements are containers and addresses' } } },
      ...Object.entries(sets).map(([name, type]) => ({ add: { set: { family, table: this.name, name, type } } }) as const),
    ])
    const made = (messages as readonly Message[]).map((message) => ({ ...message, step: 'make the table of leases' }))
    await kernel(native.transact(this.#handle, [...made, ...leases.flatMap((lease) => this.#elements(lease))]))
  }

  /** With everything in it. One that is not there is no error. */
  async destroy(): Promise<void> {
    const body = { family: families.inet, name: this.name }
    try {
      await kernel(
        native.transact(this.#handle, [{ type: 'NFT_MSG_DELTABLE', flags: 0, body, step: 'drop the table of leases' }]),
      )
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error
    }
  }

  #message(type: string, flags: number, set: SetName, key: Uint8Array, comment: string | undefined, step: string): Message {
    const elements = [element(key, undefined, comment)]
    return { type, flags, body: { family: families.inet, table: this.name, set, elements }, step }
  }

  #keys({ name, nsid, index, addresses }: Lease): [set: SetName, key: Uint8Array, what: string][] {
    const keys = addresses.map((text): [SetName, Uint8Array, string] => {
      const { family, bytes } = parseAddress(text, 'address')
      return [family === 2 ? 'addresses4' : 'addresses6', bytes, `lease the address ${text}`]
    })
    const device = concatenated(mark(nsid), mark(index))
    return [['endpoints', nameKey(name), `claim the name ${this.name}/${name}`], ...keys, ['holders', device, 'note the device']]
  }

  #elements(lease: Lease): Message[] {
    return this.#keys(lease).map(([set, key, step]) => {
      const comment = set === 'endpoints' ? commentOf(lease) : lease.name
      return this.#message('NFT_MSG_NEWSETELEM', NLM_F_CREATE | NLM_F_EXCL, set, key, comment, step)
    })
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
    const gone = this.#keys(lease)
      .reverse()
      .map(([set, key]) => this.#message(`NFT_MSG_${set === 'holders' ? 'DEL' : 'DESTROY'}SETELEM`, 0, set, key, undefined, step))
    try {
      await kernel(native.transact(this.#handle, gone))
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error
    }
  }

  /** The lease of a container, by one question. */
  async find(name: string): Promise<Lease | undefined> {
    const question = this.#message('NFT_MSG_GETSETELEM', 0, 'endpoints', nameKey(name), undefined, `look for '${name}'`)
    const outcomes = await kernel(native.submit(this.#handle, [question]))
    const refusal = firstRefusal(outcomes)
    if (refusal !== undefined) {
      const error = new NetlinkError(refusal)
      if (error.code === 'ENOENT') return undefined
      throw error
    }
    return outcomes.flatMap(({ replies }) => readLeases(replies))[0]
  }

  /** All of them; ENOENT when the table is gone. */
  async list(): Promise<Lease[]> {
    const body = { family: families.inet, table: this.name, set: 'endpoints' }
    // A torn answer will do: whoever claims what came in between is refused.
    const { objects } = await read(this.#handle, { type: 'NFT_MSG_GETSETELEM', flags: 0, body }, (reply) => reply)
    return readLeases(objects)
  }
}

function readLeases(bodies: readonly { readonly [field: string]: unknown }[]): Lease[] {
  return bodies.flatMap(({ elements }) =>
    (Array.isArray(elements) ? (elements as { key?: { value?: unknown }; userdata?: unknown }[]) : []).flatMap(
      ({ key, userdata }) => {
        if (!(key?.value instanceof Uint8Array) || !(userdata instanceof Uint8Array)) return []
        return leaseOf(nameOf(key.value), readComment(userdata) ?? '') ?? []
      },
    ),
  )
}

/** Of a table that another process made in between. */
export function existing(error: unknown): void {
  if (!(isCode(error, 'EEXIST') && error.syscall === 'NFT_MSG_NEWTABLE')) throw error
}
