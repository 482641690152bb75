// What a route says of the connections over it: the RTAX_* of linux/rtnetlink.h, in the words of ip-route(8).

import { optionalNumber, optionalText, present } from '../../exchange.ts'
import { integer, invalidType, invalidValue, list, oneOf } from '../../invalid.ts'
import type { Body } from '../../native.ts'

export interface RouteMetrics {
  /** Bytes. Path MTU discovery may find less, unless it is locked. */
  readonly mtu?: number
  /** The most bytes that are offered as TCP's window. */
  readonly window?: number
  /** The first estimate of the round-trip time, in milliseconds. */
  readonly rtt?: number
  /** The first estimate of its variance, in milliseconds. */
  readonly rttvar?: number
  /** TCP's slow start threshold, in segments. */
  readonly ssthresh?: number
  /** The most segments of TCP's congestion window; the kernel heeds it only when it is locked. */
  readonly cwnd?: number
  /** The segment size that is told to the other end, in bytes. */
  readonly advmss?: number
  /** How far segments may come out of order before TCP takes them for lost. */
  readonly reordering?: number
  /** Of packets sent over the route. */
  readonly hopLimit?: number
  /** TCP's first congestion window, in segments. */
  readonly initcwnd?: number
  /** TCP's first receive window, in segments. */
  readonly initrwnd?: number
  readonly features?: readonly RouteFeature[]
  /** The least retransmission timeout, in milliseconds. Always locked, as with ip(8): the kernel heeds it only then. */
  readonly rtoMin?: number
  /** Acknowledge at once. */
  readonly quickack?: boolean
  /** The algorithm of TCP's congestion control, of those that the kernel has: `'bbr'`. */
  readonly congctl?: string
  /** TCP Fast Open without a cookie. */
  readonly fastopenNoCookie?: boolean
  /** Metrics that connections must not change by what they learn; each must be given. */
  readonly lock?: readonly LockableMetric[]
}

/** RTAX_FEATURE_*. */
const features = { ecn: 1, tcp_usec_ts: 16 } as const
export type RouteFeature = keyof typeof features
const featureNames = Object.keys(features) as RouteFeature[]

/** Number (its bit in RTAX_LOCK), bounds, and how many of the kernel's units are one of ours. */
const numbers = {
  mtu: { bit: 2, least: 68, most: 65535, unit: 1 },
  window: { bit: 3, least: 1, most: 0xffffffff, unit: 1 },
  rtt: { bit: 4, least: 1, most: 0x1fffffff, unit: 8 },
  rttvar: { bit: 5, least: 1, most: 0x3fffffff, unit: 4 },
  ssthresh: { bit: 6, least: 1, most: 0xffffffff, unit: 1 },
  cwnd: { bit: 7, least: 1, most: 0xffffffff, unit: 1 },
  advmss: { bit: 8, least: 1, most: 65495, unit: 1 },
  reordering: { bit: 9, least: 1, most: 0xffffffff, unit: 1 },
  hopLimit: { bit: 10, least: 1, most: 255, unit: 1 },
  initcwnd: { bit: 11, least: 1, most: 0xffffffff, unit: 1 },
  rtoMin: { bit: 13, least: 1, most: 0xffffffff, unit: 1 },
  initrwnd: { bit: 14, least: 1, most: 0xffffffff, unit: 1 },
} as const
export type LockableMetric = keyof typeof numbers
const numberNames = Object.keys(numbers) as LockableMetric[]

const switches = ['quickack', 'fastopenNoCookie'] as const

export const metricNames: readonly string[] = [...numberNames, ...switches, 'features', 'congctl', 'lock']
const isMetric: ReadonlySet<string> = new Set(metricNames)

function lockOf(metrics: RouteMetrics): number | undefined {
  const implied = metrics.rtoMin === undefined ? 0 : 1 << numbers.rtoMin.bit
  if (metrics.lock === undefined) return implied === 0 ? undefined : implied
  return list(metrics.lock, 'route.lock').reduce<number>((bits, word, at) => {
    const name = oneOf(word, `route.lock[${at}]`, numberNames)
    if (metrics[name] === undefined) throw invalidValue(`route.lock[${at}]`, 'is a metric that the route does not give', name)
    return bits | (1 << numbers[name].bit)
  }, implied)
}

/** Undefined when none is given: the kernel matches what a deletion names. */
export function metricsBody(spec: RouteMetrics): Body | undefined {
  if (!Object.keys(spec).some((name) => isMetric.has(name))) return undefined
  const body: Record<string, number | string | undefined> = {}
  for (const name of numberNames) {
    const { least, most, unit } = numbers[name]
    const value = spec[name]
    if (value !== undefined) body[name] = integer(value, `route.${name}`, least, most) * unit
  }
  for (const name of switches) {
    const value = spec[name]
    if (value === undefined) continue
    if (typeof value !== 'boolean') throw invalidType(`route.${name}`, 'a boolean', value)
    body[name] = value ? 1 : 0
  }
  if (spec.features !== undefined) {
    body['features'] = list(spec.features, 'route.features').reduce<number>(
      (bits, word, at) => bits | features[oneOf(word, `route.features[${at}]`, featureNames)],
      0,
    )
  }
  if (spec.congctl !== undefined) {
    if (typeof spec.congctl !== 'string') throw invalidType('route.congctl', 'the name of an algorithm', spec.congctl)
    if (!/^[^\0]{1,15}$/.test(spec.congctl)) throw invalidValue('route.congctl', 'must have 1 to 15 characters', spec.congctl)
    body['congctl'] = spec.congctl
  }
  body['lock'] = lockOf(spec)
  return Object.values(body).every((value) => value === undefined) ? undefined : body
}

export function metricsFrom(body: Body): RouteMetrics {
  const value = (name: LockableMetric): number | undefined => {
    const raw = optionalNumber(body[name])
    return raw === undefined ? undefined : raw / numbers[name].unit
  }
  const on = (name: (typeof switches)[number]): boolean | undefined => (optionalNumber(body[name]) ? true : undefined)
  const bits = optionalNumber(body['features']) ?? 0
  const locked = optionalNumber(body['lock']) ?? 0
  const found = numberNames.map((name) => [name, value(name)] as const).filter(([, number]) => number !== undefined)
  return {
    ...(Object.fromEntries(found) as Partial<Record<LockableMetric, number>>),
    ...present({
      quickack: on('quickack'),
      fastopenNoCookie: on('fastopenNoCookie'),
      congctl: optionalText(body['congctl']),
      features: bits === 0 ? undefined : featureNames.filter((name) => (bits & features[name]) !== 0),
      lock: locked === 0 ? undefined : numberNames.filter((name) => (locked & (1 << numbers[name].bit)) !== 0),
    }),
  }
}
