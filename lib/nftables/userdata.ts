// What nft(8) remembers beside an object and the kernel only stores: type-length-value triples of one byte, one byte and the value
// (libnftnl's udata.h). Written the same way, so that nft prints our comments as comments.

import { endianness } from 'node:os'
import { invalidType, invalidValue } from '../invalid.ts'

// The comment has another number in sets (enum nftnl_udata_set_types) than in tables, chains, rules and elements.
const COMMENT = 0
const SET_COMMENT = 7
const SET_KEY_BYTE_ORDER = 0
const SET_DATA_BYTE_ORDER = 1
const ELEMENT_FLAGS = 1
const INTERVAL_OPEN = 1

/** NFTNL_UDATA_COMMENT_MAXLEN, the NUL included. */
const LONGEST_COMMENT = 128

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const littleEndian = endianness() === 'LE'

function triple(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(2 + value.length)
  bytes[0] = type
  bytes[1] = value.length
  bytes.set(value, 2)
  return bytes
}

function number(type: number, value: number): Uint8Array {
  const bytes = new Uint8Array(6)
  bytes[0] = type
  bytes[1] = 4
  new DataView(bytes.buffer).setUint32(2, value, littleEndian)
  return bytes
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

function comment(type: number, text: unknown, path: string): Uint8Array {
  if (typeof text !== 'string') throw invalidType(path, 'a string', text)
  const bytes = encoder.encode(`${text}\0`)
  if (text.includes('\0') || bytes.length > LONGEST_COMMENT)
    throw invalidValue(path, 'must have at most 127 bytes and no NUL', text)
  return triple(type, bytes)
}

/** The userdata of a table, chain, rule or element that has a comment. */
export function commentUserdata(text: unknown, path = 'comment'): Uint8Array {
  return comment(COMMENT, text, path)
}

/** The comment in the userdata of a table, chain, rule or element. */
export function readComment(userdata: Uint8Array | undefined): string | undefined {
  return userdata === undefined ? undefined : read(userdata, COMMENT)
}

/** The comment in the userdata of a set or map. */
export function readSetComment(userdata: Uint8Array | undefined): string | undefined {
  return userdata === undefined ? undefined : read(userdata, SET_COMMENT)
}

function read(userdata: Uint8Array, wanted: number): string | undefined {
  for (let offset = 0; offset + 2 <= userdata.length; ) {
    const length = userdata[offset + 1] ?? 0
    if (userdata[offset] === wanted) {
      const text = decoder.decode(userdata.subarray(offset + 2, offset + 2 + length))
      return text.endsWith('\0') ? text.slice(0, -1) : text
    }
    offset += 2 + length
  }
  return undefined
}

/** BYTEORDER_INVALID, which stands for a concatenation, BYTEORDER_HOST_ENDIAN, BYTEORDER_BIG_ENDIAN. */
export type ByteOrder = 0 | 1 | 2

/** A set's: nft reads the byte order of keys and data from it; without it a listing shows numbers turned around. */
export function setUserdata(key: ByteOrder, data: ByteOrder | undefined, text: unknown, path: string): Uint8Array {
  const parts = [number(SET_KEY_BYTE_ORDER, key)]
  if (data !== undefined) parts.push(number(SET_DATA_BYTE_ORDER, data))
  if (text !== undefined) parts.push(comment(SET_COMMENT, text, path))
  return join(parts)
}

/** An element's. `open`: the interval that it begins has no end, because it reaches the last value there is. */
export function elementUserdata(text: unknown, open: boolean, path: string): Uint8Array | undefined {
  const parts: Uint8Array[] = []
  if (text !== undefined) parts.push(commentUserdata(text, path))
  if (open) parts.push(number(ELEMENT_FLAGS, INTERVAL_OPEN))
  return parts.length === 0 ? undefined : join(parts)
}
