// Rates, sizes and times as tc(8) writes them, and as plain numbers: bits a second, bytes, milliseconds.

import { invalidType, invalidValue, outOfRange, unknownWord } from '../../invalid.ts'

/**
 * Bits a second, or as tc writes it: `'10mbit'`, `'1gbit'`, `'1.5mbit'`. Beware: tc's `'10mbps'` are ten million *bytes* a second.
 * `kbit` is 1000 bits, `kibit` 1024.
 */
export type Rate = number | string
/** Bytes, or as tc writes it: `'32kb'` or `'32k'` (of 1024 bytes), `'1mb'`, `'100kbit'`. */
export type Size = number | string
/** Milliseconds, or with a unit: `'50ms'`, `'1.5s'`, `'200us'`. */
export type Duration = number | string
/** A percentage from 0 to 100, or `'0.1%'`. */
export type Percentage = number | string

/** In bits a second. */
const rateUnits: Readonly<Record<string, number>> = {
  bit: 1,
  kbit: 1e3,
  mbit: 1e6,
  gbit: 1e9,
  tbit: 1e12,
  kibit: 2 ** 10,
  mibit: 2 ** 20,
  gibit: 2 ** 30,
  tibit: 2 ** 40,
  bps: 8,
  kbps: 8e3,
  mbps: 8e6,
  gbps: 8e9,
  tbps: 8e12,
  kibps: 8 * 2 ** 10,
  mibps: 8 * 2 ** 20,
  gibps: 8 * 2 ** 30,
  tibps: 8 * 2 ** 40,
}

/** In bytes: tc's sizes are binary, unlike its rates. */
const sizeUnits: Readonly<Record<string, number>> = {
  b: 1,
  k: 2 ** 10,
  kb: 2 ** 10,
  m: 2 ** 20,
  mb: 2 ** 20,
  g: 2 ** 30,
  gb: 2 ** 30,
  kbit: 2 ** 10 / 8,
  mbit: 2 ** 20 / 8,
  gbit: 2 ** 30 / 8,
}

/** In milliseconds. */
const timeUnits: Readonly<Record<string, number>> = {
  s: 1e3,
  sec: 1e3,
  secs: 1e3,
  ms: 1,
  msec: 1,
  msecs: 1,
  us: 1e-3,
  usec: 1e-3,
  usecs: 1e-3,
}

/** A number, or a number with one of `units`; without a unit a text is in `plain`, and refused when there is no such thing. */
function scaled(
  value: unknown,
  path: string,
  expected: string,
  units: Readonly<Record<string, number>>,
  plain: number | undefined,
): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (typeof value !== 'string') throw invalidType(path, expected, value)
  const [, digits, unit = ''] = /^\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-z%]*)\s*$/i.exec(value) ?? []
  if (digits === undefined) throw invalidValue(path, `must be ${expected}`, value)
  if (unit === '' && plain === undefined) throw invalidValue(path, `needs a unit: ${Object.keys(units).join(', ')}`, value)
  const scale = unit === '' ? plain : units[unit.toLowerCase()]
  if (scale === undefined) throw unknownWord(path, unit, Object.keys(units))
  return Number(digits) * scale
}

/** Above, no sum of the kernel's is exact: some 72 terabits a second. */
const fastest = 2 ** 53 - 1

/** In bytes a second, as the kernel counts. */
export function rateOf(value: unknown, path: string): number {
  const bits = scaled(value, path, "a rate: bits a second or a text such as '10mbit'", rateUnits, 1)
  const bytes = Math.floor(bits / 8)
  if (bytes < 1 || bytes > fastest) throw outOfRange(path, 8, fastest, value)
  return bytes
}

/** In bytes, which the kernel keeps in 32 bits. */
export function sizeOf(value: unknown, path: string, from = 1): number {
  const bytes = Math.floor(scaled(value, path, "a size: bytes or a text such as '32kb'", sizeUnits, 1))
  if (bytes < from || bytes > 0xffffffff) throw outOfRange(path, from, 0xffffffff, value)
  return bytes
}

/** In milliseconds. `longest` is what the kernel's field holds. */
export function durationOf(value: unknown, path: string, longest: number): number {
  const time = scaled(value, path, "a time: milliseconds or a text such as '50ms'", timeUnits, undefined)
  if (time < 0 || time > longest) throw outOfRange(path, 0, longest, value)
  return time
}

/** As a part of 2^32 - 1. */
export function chanceOf(value: unknown, path: string): number {
  const percent = scaled(value, path, "a percentage: a number or a text such as '0.1%'", { '%': 1 }, 1)
  if (percent < 0 || percent > 100) throw outOfRange(path, 0, 100, value)
  return Math.round((percent / 100) * 0xffffffff)
}

/** The opposite; six digits behind the point are what 32 bits can tell. */
export const percentageFrom = (chance: number): number => Number(((chance / 0xffffffff) * 100).toFixed(6))

/** Times that the kernel keeps in microseconds. */
export const microsecondsOf = (value: unknown, path: string): number =>
  Math.round(durationOf(value, path, 0xffffffff / 1000) * 1000)
