// The token bucket filter: one rate for all that passes; see tc-tbf(8).

import { nested, number } from '../../../exchange.ts'
import { invalidType, invalidValue } from '../../../invalid.ts'
import { longestTicks, millisecondsFrom, rateFields, rateFrom, transmitSize, transmitTicks, wideRate } from '../psched.ts'
import { type Duration, durationOf, type Rate, rateOf, type Size, sizeOf } from '../units.ts'
import type { QdiscKind } from './kind.ts'

interface TbfRate {
  readonly rate: Rate
  /** How much may pass at once. No less than the device's MTU with its header. */
  readonly burst: Size
  /** The rate within a burst. Needs `mtu`. */
  readonly peakRate?: Rate
  /** The burst of `peakRate`: the largest packet. */
  readonly mtu?: Size
}

/** How much may wait: for how long, or how many bytes. */
export type TbfSpec = TbfRate &
  ({ readonly latency: Duration; readonly limit?: never } | { readonly limit: Size; readonly latency?: never })

export interface TbfInfo {
  /** Bits a second. */
  readonly rate: number
  /** Bytes. The kernel keeps it as a time of whole ticks of 64 ns: above 125 Mbit/s a few bytes are lost. */
  readonly burst: number
  /** Bytes that may wait, the burst included. */
  readonly limit: number
  /** The longest that a packet waits, in milliseconds. */
  readonly latency: number
  readonly peakRate?: number
  readonly mtu?: number
}

/** The bytes that may wait, as tc computes them. */
function limitOf(spec: TbfSpec, rate: number, burst: number, peakRate: number | undefined, mtu: number): number {
  const { limit, latency }: { readonly limit?: unknown; readonly latency?: unknown } = spec
  if ((limit === undefined) === (latency === undefined))
    throw invalidType('qdisc.latency', 'given, or else qdisc.limit, and not both', latency)
  if (limit !== undefined) return sizeOf(limit, 'qdisc.limit')
  const seconds = durationOf(latency, 'qdisc.latency', longestTicks) / 1000
  const byRate = rate * seconds + burst
  return Math.min(Math.floor(peakRate === undefined ? byRate : Math.min(byRate, peakRate * seconds + mtu)), 0xffffffff)
}

export const tbf: QdiscKind<TbfSpec, TbfInfo> = {
  names: ['rate', 'burst', 'latency', 'limit', 'peakRate', 'mtu'],
  options: (spec) => {
    const rate = rateOf(spec.rate, 'qdisc.rate')
    const burst = sizeOf(spec.burst, 'qdisc.burst')
    const peakRate = spec.peakRate === undefined ? undefined : rateOf(spec.peakRate, 'qdisc.peakRate')
    const mtu = spec.mtu === undefined ? undefined : sizeOf(spec.mtu, 'qdisc.mtu')
    if ((peakRate === undefined) !== (mtu === undefined))
      throw invalidValue('qdisc.peakRate', 'and qdisc.mtu go together', spec.peakRate ?? spec.mtu)
    return {
      parameters: {
        ...rateFields('rate', rate),
        ...(peakRate === undefined ? {} : rateFields('peakRate', peakRate)),
        limit: limitOf(spec, rate, burst, peakRate, mtu ?? 0),
        buffer: transmitTicks(burst, rate),
        mtu: peakRate === undefined ? 0 : transmitTicks(mtu ?? 0, peakRate),
      },
      burst,
      rate64: wideRate(rate),
      peakRate64: wideRate(peakRate),
      peakBurst: mtu,
    }
  },
  read: (options) => {
    const parameters = nested(options['parameters']) ?? {}
    const rate = rateFrom(parameters, 'rate', options['rate64'])
    const peak = rateFrom(parameters, 'peakRate', options['peakRate64'])
    const limit = number(parameters['limit'])
    const buffer = number(parameters['buffer'])
    // The kernel rounds both down.
    const burst = transmitSize(buffer, rate, 'up')
    const wait = (bytes: number, bytesPerSecond: number, ticks: number): number =>
      Math.max(0, (bytes * 1000) / bytesPerSecond - millisecondsFrom(ticks))
    const byRate = rate === 0 ? 0 : wait(limit, rate, buffer)
    const mtu = number(parameters['mtu'])
    return {
      rate: rate * 8,
      burst,
      limit,
      latency: Number((peak === 0 ? byRate : Math.max(byRate, wait(limit, peak, mtu))).toFixed(3)),
      ...(peak === 0 ? {} : { peakRate: peak * 8, mtu: transmitSize(mtu, peak, 'up') }),
    }
  },
}
