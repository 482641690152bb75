// Values that stand for themselves: one, an interval, or several bits joined.

import { fields, integer, invalidType, invalidValue, list } from '../../../invalid.ts'
import { concatenate, type KeyType } from '../../datatype/concatenation.ts'
import { comparable, type DataType, needsSwap } from '../../datatype/datatype.ts'

/** Both ends belong to it; equal for a single value. */
export interface Interval {
  readonly from: Uint8Array
  readonly to: Uint8Array
}

/** A value, or bits joined as `['syn', 'ack']` or `{ '|': ['syn', 'ack'] }`. */
export function parseBits(type: DataType, value: unknown, path: string): Uint8Array {
  const isJoined = typeof value === 'object' && value !== null && !Array.isArray(value) && '|' in value
  const parts = isJoined ? fields(value, path, ['|'])['|'] : value
  if (!Array.isArray(parts)) return type.parse(parts, path)
  if (!type.bitmask) throw invalidType(path, `a value of ${type.name}, not a list`, value)
  return parts.reduce<Uint8Array>((joined, part, index) => {
    const bits = parseBits(type, part, `${path}[${index}]`)
    return joined.map((byte, at) => byte | (bits[at] ?? 0))
  }, new Uint8Array(type.bytes))
}

export const isPrefix = (value: unknown): value is { prefix: unknown } =>
  typeof value === 'object' && value !== null && 'prefix' in value
export const isRange = (value: unknown): value is { range: unknown } =>
  typeof value === 'object' && value !== null && 'range' in value
/** `eth*`: every name that begins so. */
export const isWildcard = (type: DataType, value: unknown): value is string =>
  type.text === true && typeof value === 'string' && value.length > 1 && value.endsWith('*')

export interface ParsedPrefix {
  readonly bytes: Uint8Array
  readonly length: number
  readonly mask: Uint8Array
}

export function parsePrefix(type: DataType, value: unknown, path: string): ParsedPrefix {
  const given = fields(fields(value, path, ['prefix'])['prefix'], `${path}.prefix`, ['addr', 'len'])
  const bytes = comparable(type, type.parse(given['addr'], `${path}.prefix.addr`))
  const length = integer(given['len'], `${path}.prefix.len`, 0, type.bytes * 8)
  const mask = bytes.map((_, index) => (255 << (8 - Math.min(8, Math.max(0, length - index * 8)))) & 255)
  if (bytes.some((byte, index) => (byte & ~(mask[index] ?? 0)) !== 0)) {
    throw invalidValue(`${path}.prefix`, `has bits set behind its length`, given)
  }
  return { bytes, length, mask }
}

/** In big-endian order, in which intervals are compared. */
export function parseInterval(type: DataType, value: unknown, path: string): Interval {
  if (isPrefix(value)) {
    const { bytes, mask } = parsePrefix(type, value, path)
    return { from: bytes, to: bytes.map((byte, index) => byte | (~(mask[index] ?? 0) & 255)) }
  }
  if (isRange(value)) {
    const ends = list(fields(value, path, ['range'])['range'], `${path}.range`)
    if (ends.length !== 2) throw invalidValue(`${path}.range`, 'must have two ends', ends)
    const from = comparable(type, type.parse(ends[0], `${path}.range[0]`))
    const to = comparable(type, type.parse(ends[1], `${path}.range[1]`))
    if (Buffer.compare(from, to) > 0) throw invalidValue(`${path}.range`, 'must not end before it begins', ends)
    return { from, to }
  }
  if (isWildcard(type, value)) {
    const start = Buffer.from(value.slice(0, -1))
    if (start.length >= type.bytes) throw invalidValue(path, `must be shorter than ${type.bytes} bytes`, value)
    const from = new Uint8Array(type.bytes)
    from.set(start)
    const to = from.map((byte, index) => (index < start.length ? byte : 255))
    return { from, to }
  }
  const bytes = comparable(type, parseBits(type, value, path))
  return { from: bytes, to: bytes }
}

/** Whether a key spans more than one value. */
export function isSpan(key: KeyType, value: unknown): boolean {
  const parts = key.fields.length === 1 ? [value] : concatParts(key, value)
  return (
    parts?.some((part, index) => {
      const type = key.fields[index]
      return isPrefix(part) || isRange(part) || (type !== undefined && isWildcard(type, part))
    }) ?? false
  )
}

function concatParts(key: KeyType, value: unknown): readonly unknown[] | undefined {
  if (typeof value !== 'object' || value === null || !('concat' in value) || !Array.isArray(value.concat)) return undefined
  return value.concat.length === key.fields.length ? value.concat : undefined
}

function fieldValues(key: KeyType, value: unknown, path: string): readonly unknown[] {
  if (key.fields.length === 1) return [value]
  const parts = concatParts(key, value)
  if (parts === undefined) {
    const names = key.fields.map((type) => type.name).join(' . ')
    throw invalidType(path, `{ concat: [...] } of ${names}`, value)
  }
  fields(value, path, ['concat'])
  return parts
}

const fieldPath = (key: KeyType, path: string, index: number): string =>
  key.fields.length === 1 ? path : `${path}.concat[${index}]`

/** A single key or datum. */
export function parseKey(key: KeyType, value: unknown, path: string): Uint8Array {
  const parts = fieldValues(key, value, path)
  return concatenate(key.fields.map((type, index) => parseBits(type, parts[index], fieldPath(key, path, index))))
}

/** A key that may span several values; of a concatenation each field may. */
export function parseSpan(key: KeyType, value: unknown, path: string): Interval {
  const parts = fieldValues(key, value, path)
  const isConcatenation = key.fields.length > 1
  const spans = key.fields.map((type, index): Interval => {
    const place = fieldPath(key, path, index)
    const part = parts[index]
    if (!isConcatenation) return parseInterval(type, part, place)
    const wide = isPrefix(part) || isRange(part)
    // Loaded in the machine's byte order, and compared byte by byte: an interval of them would have the wrong members.
    if (wide && needsSwap(type)) {
      throw invalidValue(place, `cannot be an interval: ${type.name} is in host byte order`, part)
    }
    if (wide || isWildcard(type, part)) return parseInterval(type, part, place)
    const bytes = parseBits(type, part, place)
    return { from: bytes, to: bytes }
  })
  return { from: concatenate(spans.map(({ from }) => from)), to: concatenate(spans.map(({ to }) => to)) }
}
