// Elements of a set or map, as the kernel takes them.
//
// A set of intervals holds two elements for each: where it begins, and the first value behind it, marked as an end; one that reaches
// the last value there is has no end. A set of concatenations with intervals holds one, with both corners of the box.

import { fields, integer, invalidType, invalidValue, list } from '../../invalid.ts'
import { type KeyType, padded } from '../datatype/concatenation.ts'
import type { KernelObject, MessageType } from '../message.ts'
import { elementUserdata } from '../userdata.ts'
import { type Interval, isSpan, parseKey, parseSpan } from './expression/value.ts'
import { parseVerdict } from './statement/verdict.ts'
import type { SetShape, Transaction } from './transaction.ts'

const NFT_SET_ELEM_INTERVAL_END = 1

interface Details {
  readonly val: unknown
  readonly comment: unknown
  /** Milliseconds. */
  readonly times: { readonly timeout?: bigint; readonly expiration?: bigint }
  readonly path: string
}

const MOST_SECONDS = 2 ** 32 - 1

function details(value: unknown, path: string): Details {
  if (typeof value !== 'object' || value === null || !('elem' in value))
    return { val: value, comment: undefined, times: {}, path }
  const place = `${path}.elem`
  const inner = fields(fields(value, path, ['elem'])['elem'], place, ['val', 'comment', 'timeout', 'expires', 'counter'])
  if (inner['counter'] !== undefined) throw invalidValue(`${place}.counter`, 'is listed, and cannot be added', inner['counter'])
  const milliseconds = (key: string): bigint => BigInt(integer(inner[key], `${place}.${key}`, 0, MOST_SECONDS)) * 1000n
  const times = {
    ...(inner['timeout'] !== undefined && { timeout: milliseconds('timeout') }),
    ...(inner['expires'] !== undefined && { expiration: milliseconds('expires') }),
  }
  return { val: inner['val'], comment: inner['comment'], times, path: `${place}.val` }
}

/** The key and, in a map, the data of an entry. */
function split(shape: SetShape, entry: unknown, path: string): { key: Details; data?: KernelObject } {
  if (shape.data === undefined) return { key: details(entry, path) }
  const pair = list(entry, path)
  if (pair.length !== 2) throw invalidType(path, 'a pair [key, data]', entry)
  const data = parseData(shape.data, pair[1], `${path}[1]`)
  return { key: details(pair[0], `${path}[0]`), data }
}

function parseData(type: KeyType | 'verdict', value: unknown, path: string): KernelObject {
  return type === 'verdict' ? { verdict: parseVerdict(value, path) } : { value: parseKey(type, value, path) }
}

/** An element of a message, and where in the commands it comes from. */
export interface CompiledElement {
  readonly object: KernelObject
  readonly path: string
}

export function compileElements(shape: SetShape, entries: unknown, path: string): CompiledElement[] {
  return list(entries, path).flatMap((entry, index) => {
    const place = `${path}[${index}]`
    return compileEntry(shape, entry, place).map((object) => ({ object, path: place }))
  })
}

function compileEntry(shape: SetShape, entry: unknown, path: string): KernelObject[] {
  const { key, data } = split(shape, entry, path)
  const rest = { ...(data && { data }), ...key.times }
  if (!shape.interval) {
    return [{ key: { value: parseKey(shape.key, key.val, key.path) }, ...rest, ...userdata(key, false) }]
  }
  const span = parseSpan(shape.key, key.val, key.path)
  if (shape.key.fields.length > 1) {
    return [{ key: { value: span.from }, keyEnd: { value: span.to }, ...rest, ...userdata(key, false) }]
  }
  const end = successor(span.to)
  const start = { key: { value: span.from }, ...rest, ...userdata(key, end === undefined) }
  return end === undefined ? [start] : [start, { key: { value: end }, flags: NFT_SET_ELEM_INTERVAL_END }]
}

/** An attribute is at most 64 KiB long, and elements are one of a message's. */
const MOST_BYTES = 60_000
/** The headers of an element's attributes, its flags and times. */
const OVERHEAD = 96

/** Appends the elements, in as many messages as they need. */
export function sendElements(
  transaction: Transaction,
  message: { readonly type: MessageType; readonly flags: number; readonly body: KernelObject },
  all: readonly CompiledElement[],
  path: string,
): void {
  let start = 0
  let bytes = 0
  const send = (end: number): void => {
    const part = all.slice(start, end)
    const body = { ...message.body, elements: part.map(({ object }) => object) }
    transaction.send(
      { ...message, body },
      path,
      part.map((element) => element.path),
    )
    start = end
    bytes = 0
  }
  all.forEach(({ object }, index) => {
    const size = OVERHEAD + sizeOf(object)
    if (bytes + size > MOST_BYTES) send(index)
    bytes += size
  })
  send(all.length)
}

function sizeOf(object: KernelObject): number {
  return Object.values(object).reduce<number>((sum, value) => {
    if (value instanceof Uint8Array) return sum + padded(value.length)
    if (typeof value === 'string') return sum + padded(Buffer.byteLength(value) + 1)
    return typeof value === 'object' && !Array.isArray(value) ? sum + sizeOf(value as KernelObject) : sum
  }, 0)
}

function userdata({ comment, path }: Pick<Details, 'comment' | 'path'>, open: boolean): { userdata?: Uint8Array } {
  const bytes = elementUserdata(comment, open, `${path}.comment`)
  return bytes === undefined ? {} : { userdata: bytes }
}

/** The value after that one; nothing after the last. */
export function successor(bytes: Uint8Array): Uint8Array | undefined {
  const next = bytes.slice()
  for (let index = next.length - 1; index >= 0; index--) {
    const byte = ((next[index] ?? 0) + 1) & 255
    next[index] = byte
    if (byte !== 0) return next
  }
  return undefined
}

/** Whether any entry of a set in place spans several values. */
export function hasSpans(shape: Omit<SetShape, 'interval'>, entries: unknown, path: string): boolean {
  return list(entries, path).some((entry) => {
    const key = shape.data === undefined || !Array.isArray(entry) ? entry : entry[0]
    return isSpan(shape.key, details(key, path).val)
  })
}

/** Intervals that touch or overlap as one: the kernel refuses an interval inside another. */
export function mergeSpans(key: KeyType, entries: unknown, path: string): CompiledElement[] {
  const spans = list(entries, path).map((entry, index) => {
    const { val, path: place } = details(entry, `${path}[${index}]`)
    return parseSpan(key, val, place)
  })
  spans.sort((a, b) => Buffer.compare(a.from, b.from))
  const merged: Interval[] = []
  for (const span of spans) {
    const last = merged.at(-1)
    const next = last && successor(last.to)
    if (last === undefined || (next !== undefined && Buffer.compare(span.from, next) > 0)) merged.push(span)
    else if (Buffer.compare(span.to, last.to) > 0) merged[merged.length - 1] = { from: last.from, to: span.to }
  }
  return merged.flatMap(({ from, to }) => {
    const end = successor(to)
    const start = {
      key: { value: from },
      ...userdata({ comment: undefined, path }, end === undefined),
    }
    const objects = end === undefined ? [start] : [start, { key: { value: end }, flags: NFT_SET_ELEM_INTERVAL_END }]
    return objects.map((object) => ({ object, path }))
  })
}
