// A bad network on purpose: delay, loss, duplicates, disorder, damage; see tc-netem(8).

import { nested, number } from '../../../exchange.ts'
import { integer, invalidType, invalidValue } from '../../../invalid.ts'
import type { Body } from '../../../native.ts'
import { longestTicks, millisecondsFrom, rateFrom, ticksFrom, wideRate } from '../psched.ts'
import { chanceOf, type Duration, durationOf, type Percentage, percentageFrom, type Rate, rateOf } from '../units.ts'
import type { QdiscKind } from './kind.ts'

/** A correlation is how much each draw depends on the one before. */
export interface NetemSpec {
  /** Packets that may wait. @defaultValue 1000 */
  readonly limit?: number
  readonly delay?: Duration
  /** The delay varies by as much, up and down. Needs `delay`. */
  readonly jitter?: Duration
  readonly delayCorrelation?: Percentage
  readonly loss?: Percentage
  readonly lossCorrelation?: Percentage
  readonly duplicate?: Percentage
  readonly duplicateCorrelation?: Percentage
  /** As many go at once, the others are delayed. Needs `delay`. */
  readonly reorder?: Percentage
  readonly reorderCorrelation?: Percentage
  /** Only each so-manieth packet can be reordered. @defaultValue 1, with `reorder` */
  readonly gap?: number
  /** One bit of the packet is turned. */
  readonly corrupt?: Percentage
  readonly corruptCorrelation?: Percentage
  readonly rate?: Rate
  /** Mark instead of losing, where the sender understands it. @defaultValue false */
  readonly ecn?: boolean
}

/** Times in milliseconds, chances in percent, the rate in bits a second; what is off is absent. */
export interface NetemInfo {
  readonly limit: number
  readonly delay?: number
  readonly jitter?: number
  readonly delayCorrelation?: number
  readonly loss?: number
  readonly lossCorrelation?: number
  readonly duplicate?: number
  readonly duplicateCorrelation?: number
  readonly reorder?: number
  readonly reorderCorrelation?: number
  readonly gap?: number
  readonly corrupt?: number
  readonly corruptCorrelation?: number
  readonly rate?: number
  readonly ecn?: boolean
}

const chances = [
  ...(['loss', 'duplicate', 'reorder', 'corrupt'] as const),
  ...(['delayCorrelation', 'lossCorrelation', 'duplicateCorrelation', 'reorderCorrelation', 'corruptCorrelation'] as const),
] as const

type Chances = { readonly [K in (typeof chances)[number]]: number }

/** One that is absent is 0. */
const chancesOf = (spec: NetemSpec): Chances =>
  Object.fromEntries(chances.map((name) => [name, chanceOf(spec[name] ?? 0, `qdisc.${name}`)])) as unknown as Chances

function check(spec: NetemSpec): void {
  if (spec.ecn !== undefined && typeof spec.ecn !== 'boolean') throw invalidType('qdisc.ecn', 'a boolean', spec.ecn)
  for (const name of ['jitter', 'reorder'] as const) {
    if (spec[name] !== undefined && spec.delay === undefined) throw invalidValue(`qdisc.${name}`, 'needs qdisc.delay', spec[name])
  }
}

function options(spec: NetemSpec): Body {
  check(spec)
  const chance = chancesOf(spec)
  const ticks = (name: 'delay' | 'jitter'): number =>
    spec[name] === undefined ? 0 : ticksFrom(durationOf(spec[name], `qdisc.${name}`, longestTicks))
  const correlated = chance.delayCorrelation + chance.lossCorrelation + chance.duplicateCorrelation > 0
  const rate = spec.rate === undefined ? undefined : rateOf(spec.rate, 'qdisc.rate')
  return {
    latency: ticks('delay'),
    limit: integer(spec.limit ?? 1000, 'qdisc.limit', 1, 0xffffffff),
    loss: chance.loss,
    gap: integer(spec.gap ?? (spec.reorder === undefined ? 0 : 1), 'qdisc.gap', 0, 0xffffffff),
    duplicate: chance.duplicate,
    jitter: ticks('jitter'),
    correlation: correlated
      ? { delay: chance.delayCorrelation, loss: chance.lossCorrelation, duplicate: chance.duplicateCorrelation }
      : undefined,
    reorder: chance.reorder === 0 ? undefined : { probability: chance.reorder, correlation: chance.reorderCorrelation },
    corrupt: chance.corrupt === 0 ? undefined : { probability: chance.corrupt, correlation: chance.corruptCorrelation },
    rate64: wideRate(rate),
    rate: rate === undefined ? undefined : { rate: Math.min(rate, 0xffffffff) },
    ecn: spec.ecn ? 1 : undefined,
  }
}

function read(body: Body): NetemInfo {
  const correlation = nested(body['correlation']) ?? {}
  const reorder = nested(body['reorder']) ?? {}
  const corrupt = nested(body['corrupt']) ?? {}
  // The attributes in nanoseconds are younger than the ticks, and exact.
  const time = (wide: string, ticks: string): number =>
    typeof body[wide] === 'bigint' ? Number(body[wide]) / 1e6 : millisecondsFrom(number(body[ticks]))
  const found = {
    delay: time('latency64', 'latency'),
    jitter: time('jitter64', 'jitter'),
    delayCorrelation: percentageFrom(number(correlation['delay'])),
    loss: percentageFrom(number(body['loss'])),
    lossCorrelation: percentageFrom(number(correlation['loss'])),
    duplicate: percentageFrom(number(body['duplicate'])),
    duplicateCorrelation: percentageFrom(number(correlation['duplicate'])),
    reorder: percentageFrom(number(reorder['probability'])),
    reorderCorrelation: percentageFrom(number(reorder['correlation'])),
    gap: number(body['gap']),
    corrupt: percentageFrom(number(corrupt['probability'])),
    corruptCorrelation: percentageFrom(number(corrupt['correlation'])),
    rate: rateFrom(nested(body['rate']) ?? {}, 'rate', body['rate64']) * 8,
  }
  return {
    limit: number(body['limit']),
    ...Object.fromEntries(Object.entries(found).filter(([, value]) => value !== 0)),
    ...(number(body['ecn']) === 0 ? {} : { ecn: true }),
  }
}

export const netem: QdiscKind<NetemSpec, NetemInfo> = {
  names: ['limit', 'delay', 'jitter', 'gap', 'rate', 'ecn', ...chances],
  options,
  read,
}
