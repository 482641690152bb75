// The filter that compares 32 bits at a time at fixed places of the packet; see tc-u32(8). Every kernel with filters has it.

import { type Family, parseCidr } from '../../../cidr.ts'
import { nested, number } from '../../../exchange.ts'
import { fields, integer, invalidType, invalidValue, onlyKey } from '../../../invalid.ts'
import type { Body } from '../../../native.ts'

/** `(packet[at] & mask) == value`, of 32 bits in network order; `at` counts from the network header. */
export interface U32Key {
  readonly value: number
  readonly mask: number
  /** A multiple of 4, negative for the link-layer header. */
  readonly at: number
}

/** Ports are found only behind an IPv4 header without options, or an IPv6 header without extensions. */
export interface U32Header {
  readonly source?: string
  readonly destination?: string
  /** 6 is TCP, 17 UDP. */
  readonly protocol?: number
  readonly sourcePort?: number
  readonly destinationPort?: number
}

/** In tc's words: `match u32`, `match ip`, `match ip6`. */
export type U32Match = { readonly u32: U32Key } | { readonly ip: U32Header } | { readonly ip6: U32Header }

export interface U32Spec {
  /** All of them must match. @defaultValue every packet */
  readonly match?: readonly U32Match[]
}

export interface U32Info {
  readonly match: readonly U32Key[]
}

/** Where a header has what, in bytes. */
const layouts = {
  ip: { family: 2 as Family, source: 12, destination: 16, protocol: 9, ports: 20 },
  ip6: { family: 10 as Family, source: 8, destination: 24, protocol: 6, ports: 40 },
} as const

/** TC_U32_TERMINAL: a match ends the search. */
const terminal = 1
/** Of tc_u32_key. */
const keySize = 16

const word = (value: unknown, path: string): number => integer(value, path, 0, 0xffffffff)

/** Parts of the same 32 bits become one key, as in tc. */
function merge(keys: U32Key[], { value, mask, at }: U32Key): void {
  const same = keys.findIndex((key) => key.at === at)
  const old = keys[same]
  if (old === undefined) keys.push({ value: (value & mask) >>> 0, mask, at })
  else keys[same] = { value: (old.value | (value & mask)) >>> 0, mask: (old.mask | mask) >>> 0, at }
}

function addressKeys(keys: U32Key[], text: string, path: string, family: Family, start: number): void {
  const full = typeof text === 'string' && !text.includes('/') ? `${text}/${family === 2 ? 32 : 128}` : text
  const cidr = parseCidr(full, path)
  if (cidr.family !== family) throw invalidValue(path, `must be an IPv${family === 2 ? 4 : 6} address or network`, text)
  const bytes = new DataView(cidr.bytes.buffer, cidr.bytes.byteOffset, cidr.bytes.byteLength)
  for (let at = 0, left = cidr.prefixLength; left > 0; at += 4, left -= 32) {
    const mask = left >= 32 ? 0xffffffff : (0xffffffff << (32 - left)) >>> 0
    merge(keys, { value: bytes.getUint32(at), mask, at: start + at })
  }
}

function headerKeys(keys: U32Key[], match: U32Header, path: string, layout: (typeof layouts)[keyof typeof layouts]): void {
  fields(match, path, ['source', 'destination', 'protocol', 'sourcePort', 'destinationPort'])
  const { protocol } = match
  for (const name of ['source', 'destination'] as const) {
    const text = match[name]
    if (text !== undefined) addressKeys(keys, text, `${path}.${name}`, layout.family, layout[name])
  }
  if (protocol !== undefined) {
    const shift = (3 - (layout.protocol % 4)) * 8
    const value = integer(protocol, `${path}.protocol`, 0, 255) << shift
    merge(keys, { value, mask: (0xff << shift) >>> 0, at: layout.protocol & ~3 })
  }
  for (const [name, shift] of [
    ['sourcePort', 16],
    ['destinationPort', 0],
  ] as const) {
    const port = match[name]
    if (port === undefined) continue
    merge(keys, { value: integer(port, `${path}.${name}`, 0, 65535) << shift, mask: (0xffff << shift) >>> 0, at: layout.ports })
  }
}

function keysOf(matches: readonly U32Match[], path: string): U32Key[] {
  if (!Array.isArray(matches)) throw invalidType(path, 'an array', matches)
  const keys: U32Key[] = []
  for (const [index, match] of (matches as U32Match[]).entries()) {
    const where = `${path}[${index}]`
    const kind = onlyKey(match, where, ['u32', 'ip', 'ip6'] as const)
    if (kind !== 'u32') {
      headerKeys(keys, (match as Record<typeof kind, U32Header>)[kind], `${where}.${kind}`, layouts[kind])
      continue
    }
    const { u32 } = match as { u32: U32Key }
    fields(u32, `${where}.u32`, ['value', 'mask', 'at'])
    const at = integer(u32.at, `${where}.u32.at`, -0x8000, 0x7fff)
    if (at % 4 !== 0) throw invalidValue(`${where}.u32.at`, 'must be a multiple of 4', at)
    merge(keys, { value: word(u32.value, `${where}.u32.value`), mask: word(u32.mask, `${where}.u32.mask`), at })
  }
  // A selector without keys matches nothing at all: the one that tc uses for everything compares no bits.
  if (keys.length === 0) keys.push({ value: 0, mask: 0, at: 0 })
  integer(keys.length, `the number of 32-bit keys of ${path}`, 1, 128)
  return keys
}

export function u32Options(spec: U32Spec, path: string): Body {
  const keys = keysOf(spec.match ?? [], `${path}.match`)
  const rest = new DataView(new ArrayBuffer(keys.length * keySize))
  for (const [index, { value, mask, at }] of keys.entries()) {
    rest.setUint32(index * keySize, mask)
    rest.setUint32(index * keySize + 4, value)
    rest.setInt32(index * keySize + 8, at, true) // an int of the host's order, and hosts here are little-endian
  }
  return { selector: { flags: terminal, keys: keys.length, rest: new Uint8Array(rest.buffer) } }
}

export function u32Info(options: Body): U32Info {
  const selector = nested(options['selector']) ?? {}
  const raw = selector['rest']
  if (!(raw instanceof Uint8Array)) return { match: [] }
  const rest = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
  // With counters compiled in, the kernel sends them behind the keys.
  const count = Math.min(number(selector['keys']), Math.floor(raw.byteLength / keySize))
  const match = Array.from({ length: count }, (_, index) => ({
    value: rest.getUint32(index * keySize + 4),
    mask: rest.getUint32(index * keySize),
    at: rest.getInt32(index * keySize + 8, true),
  }))
  return { match }
}
