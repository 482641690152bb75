// A data type of nft(8): how its values are spelled, and the bytes that they are in a register or in an element.

import { endianness } from 'node:os'
import { invalidType, invalidValue, outOfRange, unknownWord } from '../../invalid.ts'

export interface DataType {
  readonly name: string
  /** enum datatypes of nftables: what NFTA_SET_KEY_TYPE carries, six bits each. */
  readonly id: number
  readonly bytes: number
  /** Host byte order is what the kernel keeps in its own structures: marks, indexes, connection states. */
  readonly order: 'big' | 'host'
  /** Values are single bits that can be joined. */
  readonly bitmask?: true
  /** Text, padded with NULs: it has an order byte by byte, whatever the machine's. */
  readonly text?: true
  parse(value: unknown, path: string): Uint8Array
  format(bytes: Uint8Array): string | number
}

const littleEndian = endianness() === 'LE'

/** `value` in `bytes` bytes, at most four of them. */
export function encodeInteger(value: number, bytes: number, order: 'big' | 'host'): Uint8Array {
  const out = new Uint8Array(bytes)
  const little = order === 'host' && littleEndian
  for (let index = 0, rest = value; index < bytes; index++, rest = Math.floor(rest / 256)) {
    out[little ? index : bytes - 1 - index] = rest & 255
  }
  return out
}

export function decodeInteger(bytes: Uint8Array, order: 'big' | 'host'): number {
  const ordered = order === 'host' && littleEndian ? bytes.slice().reverse() : bytes
  return ordered.reduce((sum, byte) => sum * 256 + byte, 0)
}

/** Whether values must be turned around before they can be compared byte by byte: nft's hton. */
export const needsSwap = (type: DataType): boolean => type.order === 'host' && !type.text && type.bytes > 1 && littleEndian

/** The bytes in the order in which intervals are compared. */
export function comparable(type: DataType, bytes: Uint8Array): Uint8Array {
  return needsSwap(type) ? bytes.slice().reverse() : bytes
}

interface IntegerOptions {
  readonly order: 'big' | 'host'
  readonly words?: Readonly<Record<string, number>>
  readonly bitmask?: true
  /** Whether a number may stand for a word. */
  readonly numbers?: boolean
}

/** A type whose values are numbers, some of which may have names. */
export function integerType(name: string, id: number, bytes: number, options: IntegerOptions): DataType {
  const { order, words = {}, bitmask, numbers = true } = options
  const names = new Map(Object.entries(words).map(([word, value]) => [value, word]))
  const largest = 2 ** (bytes * 8) - 1
  return {
    name,
    id,
    bytes,
    order,
    ...(bitmask && { bitmask }),
    parse(value, path) {
      if (typeof value === 'string') {
        const known = Object.hasOwn(words, value) ? words[value] : undefined
        if (known !== undefined) return encodeInteger(known, bytes, order)
        if (!numbers || !/^(0x[0-9a-f]+|\d+)$/i.test(value)) {
          if (Object.keys(words).length > 0) throw unknownWord(`${path} (${name})`, value, Object.keys(words))
          throw invalidValue(path, `must be a value of ${name}`, value)
        }
        return this.parse(Number(value), path)
      }
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || !numbers)
        throw invalidType(path, `a value of ${name}`, value)
      if (value < 0 || value > largest) throw outOfRange(path, 0, largest, value)
      return encodeInteger(value, bytes, order)
    },
    format(raw) {
      const value = decodeInteger(raw, order)
      return names.get(value) ?? value
    },
  }
}
