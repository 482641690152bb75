// Bytes of a register or an element as values of libnftables-json(5): one, several bits, an interval, a concatenation.

import { type KeyType, padded } from '../datatype/concatenation.ts'
import { comparable, type DataType, decodeInteger, encodeInteger } from '../datatype/datatype.ts'
import type { Immediate, Scalar } from '../schema.ts'
import { Inexpressible } from './registers.ts'

/** Of bytes that have no type of their own a number has up to six. */
function refuseLong({ name, bytes }: DataType): void {
  if (name === 'integer' && bytes > 6) throw new Inexpressible()
}

/** One value; of a bit mask the word, or the list of words. */
export function formatValue(type: DataType, bytes: Uint8Array): Scalar | readonly Scalar[] {
  refuseLong(type)
  if (!type.bitmask) return type.format(bytes)
  const value = decodeInteger(bytes, type.order)
  const bits = Array.from({ length: type.bytes * 8 }, (_, bit) => 2 ** bit).filter((bit) => Math.floor(value / bit) % 2 === 1)
  const words = bits.map((bit) => type.format(encodeInteger(bit, type.bytes, type.order)))
  const [first] = words
  if (first === undefined || words.some((word) => typeof word === 'number')) return value
  return words.length === 1 ? first : words
}

/** A mask: the words of its bits, or a number. */
export function formatMask(type: DataType, bytes: Uint8Array): Scalar | readonly Scalar[] {
  refuseLong(type)
  if (type.bitmask || type.name.endsWith('_addr')) return formatValue(type, bytes)
  return decodeInteger(bytes, type.order)
}

export const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

/** How many bits are set from the front, if no other one is. */
export function prefixLength(mask: Uint8Array): number | undefined {
  const bits = Array.from(mask, (byte) => byte.toString(2).padStart(8, '0')).join('')
  return /^1*0*$/.test(bits) ? bits.replaceAll('0', '').length : undefined
}

/** What nft shows prefixes of: its DTYPE_F_PREFIX. */
export const hasPrefixes = ({ name }: DataType): boolean => ['ipv4_addr', 'ipv6_addr', 'devgroup'].includes(name)

interface Span {
  /** Both in the order in which intervals are compared. */
  readonly from: Uint8Array
  readonly to: Uint8Array
  /** It reaches the last value, and no element says so: nft shows a prefix then, whatever the type. */
  readonly isOpen?: boolean
}

export function formatSpan(type: DataType, { from, to, isOpen = false }: Span): Immediate {
  const first = formatValue(type, comparable(type, from)) as Scalar
  if (Buffer.compare(from, to) === 0) return first
  if (type.text) {
    const length = from.indexOf(0)
    if (length >= 0 && from.subarray(length).every((byte) => byte === 0) && to.subarray(length).every((byte) => byte === 255)) {
      return `${Buffer.from(from.subarray(0, length)).toString()}*`
    }
  }
  const mask = from.map((byte, index) => ~(byte ^ (to[index] ?? 0)) & 255)
  const len = prefixLength(mask)
  const isAligned = from.every((byte, index) => (byte & ~(mask[index] ?? 0)) === 0)
  if (len !== undefined && isAligned && !type.text && (isOpen || hasPrefixes(type))) {
    return { prefix: { addr: first as string | number, len } }
  }
  return { range: [first, formatValue(type, comparable(type, to)) as Scalar] }
}

/** The parts of a key, without their padding. */
export function split({ fields }: KeyType, bytes: Uint8Array): Uint8Array[] {
  if (fields.length === 1) return [bytes.subarray(0, fields[0]?.bytes)]
  let offset = 0
  return fields.map((type) => {
    const part = bytes.subarray(offset, offset + type.bytes)
    offset += padded(type.bytes)
    return part
  })
}

/** A key or a datum. */
export function formatKey(key: KeyType, bytes: Uint8Array): Immediate {
  const parts = split(key, bytes).map((part, index) => formatValue(key.fields[index] as DataType, part) as Immediate)
  const [first = ''] = parts
  return parts.length === 1 ? first : { concat: parts }
}

/** A key of a set of concatenations with intervals: both corners of the box. */
export function formatBox(key: KeyType, from: Uint8Array, to: Uint8Array): Immediate {
  const ends = split(key, to)
  const concat = split(key, from).map((part, index) => {
    const type = key.fields[index] as DataType
    const end = ends[index] ?? part
    // Fields are in the machine's order here; a single value is no interval in any order.
    if (Buffer.compare(part, end) === 0) return formatValue(type, part) as Immediate
    return formatSpan(type, { from: comparable(type, part), to: comparable(type, end) })
  })
  return { concat }
}
