// A lease is a number, and a number is a device: the host end's name says which one is taken. Whoever creates the device has the number,
// and with it the address so far behind the start of each subnet, across threads and processes; when the container's namespace goes the
// device and the lease go with it.
//
// A static IPv6 address may lie at another number than the IPv4 address. The host end has that number, too, by an alternative name of the
// same form: names and alternative names share one name space, so that each number is blocked for everybody else.

import { createHash } from 'node:crypto'
import { addressAt, type Cidr, sizeOf } from '../../cidr.ts'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
const hashLength = 5
/** `v` + 5 letters + `-` + 8 digits are the 15 characters of a device's name. */
const largestName = 99_999_999n

/** A few letters for a network's name. Two networks with the same letters would only skip each other's addresses. */
export function shortHash(text: string, length: number): string {
  const digest = createHash('sha256').update(text).digest()
  return Array.from(digest.subarray(0, length), (byte) => alphabet[byte & 31]).join('')
}

/** Numbers from the first to the last, both included. */
export type NumberRange = readonly [first: bigint, last: bigint]

/** Where a container is to be: a number of its own and, if its IPv6 address is elsewhere, that one's number. */
export interface Place {
  readonly number: number
  readonly six: bigint | undefined
}

export interface Lease {
  readonly hostIfname: string
  /** The alternative name for the number of the IPv6 address, when that is another; empty when not. */
  readonly claim: string
  /** One of each subnet. */
  readonly addresses: readonly Uint8Array[]
  readonly mac: Uint8Array
}

const bounded = (value: bigint, most: bigint): bigint => (value < most ? value : most)

export class Leases {
  readonly #prefix: string
  readonly #subnets: readonly Cidr[]
  /** Never given out automatically, sorted. */
  readonly #reserved: readonly (readonly [first: number, last: number])[]
  readonly #first: number
  readonly #last: number
  #next: number

  /** `reserved` are numbers that nobody gets who does not ask for them. */
  constructor(network: string, subnets: readonly Cidr[], reserved: readonly NumberRange[]) {
    this.#prefix = `v${shortHash(network, hashLength)}-`
    this.#subnets = subnets
    // IPv4 has a broadcast address at the end, IPv6 an anycast address at the start only.
    const lasts = subnets.map((subnet) => sizeOf(subnet) - (subnet.family === 2 ? 2n : 1n))
    this.#first = 1
    this.#last = Number(lasts.reduce(bounded, largestName))
    this.#next = this.#first
    this.#reserved = reserved
      .map(([first, last]): [number, number] => [
        Number(first > 1n ? bounded(first, largestName + 1n) : 1n),
        Number(bounded(last, BigInt(this.#last))),
      ])
      .filter(([first, last]) => first <= last)
      .sort(([a], [b]) => a - b)
  }

  /** How many addresses there are for containers that don't ask for one. */
  get capacity(): number {
    let free = 0
    let next = this.#first
    for (const [first, last] of this.#reserved) {
      free += Math.max(0, first - next)
      next = Math.max(next, last + 1)
    }
    return free + this.#last - next + 1
  }

  nameOf(number: number | bigint): string {
    return `${this.#prefix}${number}`
  }

  /** The number that a name stands for; undefined when it is no lease of this network. */
  #read(name: string): bigint | undefined {
    const digits = name.startsWith(this.#prefix) ? name.slice(this.#prefix.length) : ''
    return /^\d{1,39}$/.test(digits) ? BigInt(digits) : undefined
  }

  /** Where the container of a host end is, by its names; undefined when the device is no lease of this network. */
  placeOf(name: string, altnames: readonly string[] = []): Place | undefined {
    const number = this.#read(name)
    if (number === undefined || number > largestName) return undefined
    const six = altnames.map((altname) => this.#read(altname)).find((claimed) => claimed !== undefined)
    return { number: Number(number), six }
  }

  /** Whether a number can be a device's name, so that an address can have it without a claim. */
  isNameable(number: bigint): boolean {
    return number >= BigInt(this.#first) && number <= BigInt(this.#last)
  }

  at({ number, six }: Place): Lease {
    const addresses = this.#subnets.map((subnet) => addressAt(subnet, subnet.family === 10 ? (six ?? number) : number))
    const [first] = this.#subnets
    return {
      hostIfname: this.nameOf(number),
      claim: six === undefined || six === BigInt(number) ? '' : this.nameOf(six),
      addresses,
      // By the number, which no other container has: two static IPv6 addresses may have the same end.
      mac: leaseMac(addressAt(first as Cidr, number)),
    }
  }

  /** Round robin, so that an address comes back late: the next `count` after the last one given out, without those in `taken`. */
  candidates(count: number, taken: ReadonlySet<number> = new Set()): number[] {
    const found: number[] = []
    let number = this.#next
    for (let left = this.#last - this.#first + 1; left > 0 && found.length < count; ) {
      const [, reservedTo] = this.#reserved.find(([first, last]) => number >= first && number <= last) ?? []
      if (reservedTo === undefined && !taken.has(number)) found.push(number)
      const reached = reservedTo ?? number
      left -= reached - number + 1
      number = this.#after(reached)
    }
    return found
  }

  #after(number: number): number {
    return number >= this.#last ? this.#first : number + 1
  }

  /** Notes that a number was given out, by this process or, seen in the kernel, by another. */
  advance(number: number): void {
    this.#next = this.#after(number)
  }
}

/** Derived from the address, so that a reused one keeps its MAC and no neighbor cache goes stale. */
const leaseMac = (address: Uint8Array): Uint8Array => Uint8Array.of(0x02, 0x42, ...address.subarray(-4))
