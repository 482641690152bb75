// A lease is a device: the host end's name says which address of the subnet is taken. Whoever creates the device has the address,
// across threads and processes, and when the container's namespace goes the device and the lease go with it.

import { createHash } from 'node:crypto'
import { addressAt, type Cidr, familyBits } from '../cidr.ts'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
const hashLength = 5

/** A few letters for a network's name. Two networks with the same letters would only skip each other's addresses. */
export function shortHash(text: string, length: number): string {
  const digest = createHash('sha256').update(text).digest()
  return Array.from(digest.subarray(0, length), (byte) => alphabet[byte & 31]).join('')
}

/** `v` + 5 letters + `-` + up to 8 digits: 15 characters at most, for subnets of /8 and smaller. */
export class Leases {
  readonly #prefix: string
  readonly #subnet: Cidr
  readonly #reserved: ReadonlySet<number>
  /** Offsets of the first and the last address that a container may have. */
  readonly #first: number
  readonly #last: number
  #next: number

  constructor(network: string, subnet: Cidr, reserved: Iterable<number>) {
    this.#prefix = `v${shortHash(network, hashLength)}-`
    this.#subnet = subnet
    this.#reserved = new Set(reserved)
    const size = 2 ** (familyBits(subnet.family) - subnet.prefixLength)
    this.#first = size > 2 ? 1 : 0
    this.#last = size > 2 ? size - 2 : size - 1
    this.#next = this.#first
  }

  /** How many addresses there are for containers. */
  get capacity(): number {
    const inside = [...this.#reserved].filter((offset) => offset >= this.#first && offset <= this.#last)
    return this.#last - this.#first + 1 - inside.length
  }

  nameOf(offset: number): string {
    return `${this.#prefix}${offset}`
  }

  /** The offset that a device's name stands for; undefined when it is no lease of this network. */
  offsetOf(name: string): number | undefined {
    const digits = name.startsWith(this.#prefix) ? name.slice(this.#prefix.length) : ''
    return /^\d{1,8}$/.test(digits) ? Number(digits) : undefined
  }

  address(offset: number): Uint8Array {
    return addressAt(this.#subnet, offset)
  }

  /** Round robin, so that an address comes back late: the next `count` after the last one given out, without those in `taken`. */
  candidates(count: number, taken: ReadonlySet<number> = new Set()): number[] {
    const found: number[] = []
    let offset = this.#next
    for (let steps = this.#last - this.#first + 1; steps > 0 && found.length < count; steps--) {
      if (!this.#reserved.has(offset) && !taken.has(offset)) found.push(offset)
      offset = offset >= this.#last ? this.#first : offset + 1
    }
    return found
  }

  /** Notes that an address was given out, by this process or, seen in the kernel, by another. */
  advance(offset: number): void {
    this.#next = offset >= this.#last ? this.#first : offset + 1
  }

  isUsable(offset: number): boolean {
    return offset >= this.#first && offset <= this.#last && !this.#reserved.has(offset)
  }
}

/** Derived from the address, so that a reused one keeps its MAC and no neighbor cache goes stale. */
export const leaseMac = (address: Uint8Array): Uint8Array => Uint8Array.of(0x02, 0x42, ...address.subarray(-4))
