// Times, rates and their tables as the packet scheduler counts them (net/sched: psched, tc_ratespec).

import { number } from '../../exchange.ts'
import type { Body } from '../../native.ts'

/** PSCHED_SHIFT is 6 in every kernel since 2.6.31: a tick is 64 ns. */
const tick = 64
const ticksPerSecond = 1e9 / tick
const most = 0xffffffff

/** The longest time in ticks, in milliseconds: 274 seconds. */
export const longestTicks: number = (most * tick) / 1e6

export const ticksFrom = (milliseconds: number): number => Math.round((milliseconds * 1e6) / tick)
export const millisecondsFrom = (ticks: number): number => (ticks * tick) / 1e6

/**
 * The time that `size` bytes take at a rate. Rounded up, so that rounding down finds the size again. iproute2 before 7 drops fractions
 * of a microsecond and so gives fast classes no burst at all.
 */
export function transmitTicks(size: number, bytesPerSecond: number): number {
  const rate = BigInt(bytesPerSecond)
  const ticks = (BigInt(size) * BigInt(ticksPerSecond) + rate - 1n) / rate
  return Number(ticks < BigInt(most) ? ticks : BigInt(most))
}

/** The bytes that a time is worth; rounded up where whoever made it a time rounded down. */
export function transmitSize(ticks: number, bytesPerSecond: number, round: 'up' | 'down'): number {
  const more = round === 'up' ? BigInt(ticksPerSecond) - 1n : 0n
  return Number((BigInt(ticks) * BigInt(bytesPerSecond) + more) / BigInt(ticksPerSecond))
}

const ethernet = 1
/** A table of 256 sizes with this shift reaches 2047 bytes, as tc makes it for a device whose MTU nobody told. */
const cellLog = 3

/** The fields of one tc_ratespec. With a link layer named, shapers compute with the rate and need no table. */
export function rateFields(name: string, bytesPerSecond: number): Body {
  return {
    [`${name}CellLog`]: cellLog,
    [`${name}LinkLayer`]: ethernet,
    [`${name}CellAlign`]: -1,
    [name]: Math.min(bytesPerSecond, most),
  }
}

/** The attribute for a rate that 32 bits don't hold. */
export const wideRate = (bytesPerSecond: number | undefined): bigint | undefined =>
  bytesPerSecond === undefined || bytesPerSecond <= most ? undefined : BigInt(bytesPerSecond)

/** Bytes a second, of the attribute for wide rates where there is one. */
export function rateFrom(parameters: Body, name: string, wide: unknown): number {
  return typeof wide === 'bigint' ? Number(wide) : number(parameters[name])
}

/** The police action refuses rates without a table, and then computes without it. */
export function rateTable(bytesPerSecond: number): Uint8Array {
  const table = new Uint32Array(256)
  for (let cell = 0; cell < table.length; cell++) table[cell] = transmitTicks((cell + 1) << cellLog, bytesPerSecond)
  return new Uint8Array(table.buffer)
}
