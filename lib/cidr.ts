// Addresses and networks in the spellings that `ip` takes, as bytes.

import { isIPv6 } from 'node:net'
import { invalidType, invalidValue, outOfRange } from './invalid.ts'

/** AF_INET and AF_INET6. */
export type Family = 2 | 10

export interface Address {
  readonly family: Family
  readonly bytes: Uint8Array
  readonly text: string
}

export interface Cidr extends Address {
  readonly prefixLength: number
}

const dot = 46
const zero = 48

export const familyBits = (family: Family): number => (family === 2 ? 32 : 128)

/**
 * Undefined for what is no IPv4 address of four numbers without leading zeros. By hand, as the rest of this file where it is hot: a
 * batch of thousands of routes parses each of their addresses.
 */
function bytes4(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4)
  let byte = 0
  let digits = 0
  let at = 0
  for (let position = 0; position < text.length; position++) {
    const digit = text.charCodeAt(position) - zero
    if (digit >= 0 && digit <= 9) {
      if (digits > 0 && byte === 0) return undefined
      byte = byte * 10 + digit
      digits++
      if (byte > 255) return undefined
    } else {
      if (digit !== dot - zero || digits === 0 || at === 3) return undefined
      bytes[at++] = byte
      byte = 0
      digits = 0
    }
  }
  if (digits === 0 || at < 3) return undefined
  bytes[3] = byte
  return bytes
}

/** Two bytes as a group of an IPv6 address. */
const pair = (bytes: Uint8Array, at: number): string => (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16)

function bytes6(text: string): Uint8Array {
  const mapped = text.lastIndexOf('.') === -1 ? undefined : bytes4(text.slice(text.lastIndexOf(':') + 1))
  const plain = mapped === undefined ? text : `${text.slice(0, text.lastIndexOf(':') + 1)}${pair(mapped, 0)}:${pair(mapped, 2)}`
  const [head = '', tail] = plain.split('::')
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const front = groups(head)
  const back = tail === undefined ? [] : groups(tail)
  const all = tail === undefined ? front : [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back]
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}

/** The canonical text of 4 or 16 bytes (RFC 5952), as inet_ntop(3) writes it. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`
  const groups = Array.from({ length: 8 }, (_, at) => pair(bytes, at * 2))
  let best = { start: -1, length: 1 }
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (start + length < 8 && groups[start + length] === '0') length++
    if (length > best.length) best = { start, length }
  }
  if (best.start === -1) return groups.join(':')
  // An IPv4 address inside: ::ffff:192.0.2.1.
  if (best.start === 0 && (best.length === 6 || (best.length === 5 && groups[5] === 'ffff')))
    return `${best.length === 6 ? '::' : '::ffff:'}${bytes.subarray(12).join('.')}`
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`
}

/** An address without a prefix. Throws a TypeError that names `path`. */
export function parseAddress(value: unknown, path: string): Address {
  if (typeof value !== 'string') throw invalidType(path, "an address such as '172.18.0.10'", value)
  const four = bytes4(value)
  // Without leading zeros there is one way to write it.
  if (four !== undefined) return { family: 2, bytes: four, text: value }
  if (value.includes('%') || !isIPv6(value))
    throw invalidValue(path, "must be an address such as '172.18.0.10' or 'fd00::10'", value)
  const bytes = bytes6(value)
  return { family: 10, bytes, text: formatAddress(bytes) }
}

/** An address with its prefix length: '172.18.0.10/16'. */
export function parseCidr(value: unknown, path: string): Cidr {
  if (typeof value !== 'string') throw invalidType(path, "an address with its prefix, such as '172.18.0.10/16'", value)
  const slash = value.indexOf('/')
  if (slash === -1) {
    throw invalidValue(
      path,
      `lacks its prefix length: write '${value}/${value.includes(':') ? 64 : 24}' or what fits your network`,
      value,
    )
  }
  const length = value.slice(slash + 1)
  if (!/^\d{1,3}$/.test(length)) throw invalidValue(path, "must be an address with its prefix, such as '172.18.0.10/16'", value)
  const { family, bytes, text } = parseAddress(value.slice(0, slash), path)
  const prefixLength = Number(length)
  if (prefixLength > familyBits(family)) throw outOfRange(`the prefix length of ${path}`, 0, familyBits(family), prefixLength)
  return { family, bytes, text, prefixLength }
}

/** The first address of the network that `cidr` lies in. */
export function networkOf(cidr: Cidr): Cidr {
  if (cidr.prefixLength === familyBits(cidr.family)) return cidr
  const bytes = cidr.bytes.map((byte, at) => byte & maskByte(cidr.prefixLength, at))
  return { family: cidr.family, bytes, text: formatAddress(bytes), prefixLength: cidr.prefixLength }
}

/** The last one: the broadcast address of IPv4. */
export function lastOf(cidr: Cidr): Uint8Array {
  return cidr.bytes.map((byte, at) => byte | (~maskByte(cidr.prefixLength, at) & 0xff))
}

function maskByte(prefixLength: number, at: number): number {
  const bits = Math.min(Math.max(prefixLength - at * 8, 0), 8)
  return (0xff << (8 - bits)) & 0xff
}

export function contains(network: Cidr, address: Address): boolean {
  return (
    network.family === address.family &&
    network.bytes.every(
      (byte, at) =>
        (byte & maskByte(network.prefixLength, at)) === ((address.bytes[at] ?? 0) & maskByte(network.prefixLength, at)),
    )
  )
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  return contains(a.prefixLength <= b.prefixLength ? a : b, a.prefixLength <= b.prefixLength ? b : a)
}

export const formatCidr = (cidr: Cidr): string => `${cidr.text}/${cidr.prefixLength}`

/** How many addresses a network has. */
export const sizeOf = ({ family, prefixLength }: Pick<Cidr, 'family' | 'prefixLength'>): bigint =>
  1n << BigInt(familyBits(family) - prefixLength)

/** How far an address lies behind the start of its network. */
export function offsetIn(network: Cidr, address: Address): bigint {
  return toInteger(address.bytes) - toInteger(networkOf(network).bytes)
}

/** The address so far behind the start of its network. */
export function addressAt(network: Cidr, offset: number | bigint): Uint8Array {
  const bytes = networkOf(network).bytes.slice()
  let carry = BigInt(offset)
  for (let at = bytes.length - 1; carry > 0n && at >= 0; at--) {
    carry += BigInt(bytes[at] ?? 0)
    bytes[at] = Number(carry & 0xffn)
    carry >>= 8n
  }
  return bytes
}

function toInteger(bytes: Uint8Array): bigint {
  return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)
}
