// The expressions of one rule while it is being compiled, and what its earlier matches say about the packet.

import { invalidValue } from '../../invalid.ts'
import { encodeInteger } from '../datatype/datatype.ts'
import { etherType, networkProtocol, protocols } from '../datatype/protocol.ts'
import type { KernelExpression, KernelObject } from '../message.ts'
import type { Family } from '../schema.ts'
import type { Transaction } from './transaction.ts'

export type NetworkProtocol = 'ip' | 'ip6'

/** How many of the 4-byte slots one of the old 16-byte registers is. */
export const SLOTS_PER_REGISTER = 4

/**
 * The register number of a slot. Where a 16-byte register begins its old number is used, as nft does: 1 to 4 are the whole registers
 * (NFT_REG_1), 8 to 23 their quarters (NFT_REG32_00).
 */
export function register(slot: number): number {
  return slot % SLOTS_PER_REGISTER === 0 ? 1 + slot / SLOTS_PER_REGISTER : 8 + slot
}

const CMP_EQ = 0
export const META_PROTOCOL = 1
export const META_IIFTYPE = 8
export const META_NFPROTO = 15
export const META_L4PROTO = 16
/** linux/if_arp.h: the device is of the Ethernet kind. */
export const ARPHRD_ETHER = 1

export class Program {
  readonly expressions: KernelExpression[] = []
  readonly transaction: Transaction
  readonly family: Family
  readonly table: string
  #network: NetworkProtocol | undefined
  /** `several`: a set of protocols was matched, all of which have ports or none of which is known. */
  #transport: number | 'several' | undefined
  #ethernet: boolean

  constructor(transaction: Transaction, family: Family, table: string) {
    this.transaction = transaction
    this.family = family
    this.table = table
    this.#network = family === 'ip' || family === 'ip6' ? family : undefined
    this.#ethernet = family === 'bridge' || family === 'netdev'
  }

  get network(): NetworkProtocol | undefined {
    return this.#network
  }

  get hasTransport(): boolean {
    return this.#transport !== undefined
  }

  emit(name: string, data: KernelObject): void {
    this.expressions.push({ name, data })
  }

  learnNetwork(protocol: NetworkProtocol | undefined): void {
    this.#network = protocol ?? this.#network
  }

  learnTransport(protocol: number | 'several'): void {
    this.#transport = protocol
  }

  learnEthernet(): void {
    this.#ethernet = true
  }

  /** Makes sure that only packets of that protocol get further: their header is about to be read. */
  requireNetwork(protocol: NetworkProtocol, path: string): void {
    if (this.#network === protocol) return
    if (this.#network !== undefined || this.family === 'arp') {
      throw invalidValue(path, `cannot be read from packets of ${this.#network ?? this.family}`, protocol)
    }
    if (this.family === 'inet') this.#compare(META_NFPROTO, networkProtocol.parse(protocol === 'ip' ? 'ipv4' : 'ipv6', path))
    else this.#compare(META_PROTOCOL, etherType.parse(protocol, path))
    this.#network = protocol
  }

  requireTransport(protocol: keyof typeof protocols): void {
    const number = protocols[protocol]
    if (this.#transport === number) return
    this.#compare(META_L4PROTO, Uint8Array.of(number))
    this.#transport = number
  }

  /** Whether it was matched: then its header is there, whatever the network protocol. */
  isTransport(protocol: keyof typeof protocols): boolean {
    return this.#transport === protocols[protocol]
  }

  requireEthernet(): void {
    if (this.#ethernet) return
    this.#compare(META_IIFTYPE, encodeInteger(ARPHRD_ETHER, 2, 'host'))
    this.#ethernet = true
  }

  #compare(key: number, value: Uint8Array): void {
    this.emit('meta', { key, dreg: register(0) })
    this.emit('cmp', { sreg: register(0), op: CMP_EQ, data: { value } })
  }
}
