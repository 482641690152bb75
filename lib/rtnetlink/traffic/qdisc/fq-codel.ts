// Fair queueing with controlled delay: short queues for everyone; see tc-fq_codel(8).

import { number, optionalNumber } from '../../../exchange.ts'
import { integer, invalidType } from '../../../invalid.ts'
import { type Duration, microsecondsOf, type Size, sizeOf } from '../units.ts'
import type { QdiscKind } from './kind.ts'

export interface FqCodelSpec {
  /** Packets that may wait. @defaultValue 10240 */
  readonly limit?: number
  /** @defaultValue 1024 */
  readonly flows?: number
  /** What a flow may send in its turn. @defaultValue the device's MTU with its header */
  readonly quantum?: Size
  /** The delay to aim at. @defaultValue '5ms' */
  readonly target?: Duration
  /** @defaultValue '100ms' */
  readonly interval?: Duration
  /** Mark instead of dropping, where the sender understands it. @defaultValue true */
  readonly ecn?: boolean
  /** Mark everything that waited longer. @defaultValue never */
  readonly ceThreshold?: Duration
  /** @defaultValue '32mb' */
  readonly memoryLimit?: Size
  /** Packets dropped at a time when too many wait. @defaultValue 64 */
  readonly dropBatchSize?: number
}

/** Sizes in bytes, times in milliseconds. */
export interface FqCodelInfo {
  readonly limit: number
  readonly flows: number
  readonly quantum: number
  readonly target: number
  readonly interval: number
  readonly ecn: boolean
  readonly ceThreshold?: number
  readonly memoryLimit?: number
  readonly dropBatchSize?: number
}

const optional = <T>(value: unknown, path: string, check: (value: unknown, path: string) => T): T | undefined =>
  value === undefined ? undefined : check(value, path)

const count = (value: unknown, path: string): number => integer(value, path, 1, 0xffffffff)

function flag(value: unknown, path: string): number {
  if (typeof value !== 'boolean') throw invalidType(path, 'a boolean', value)
  return value ? 1 : 0
}

export const fqCodel: QdiscKind<FqCodelSpec, FqCodelInfo> = {
  names: ['limit', 'flows', 'quantum', 'target', 'interval', 'ecn', 'ceThreshold', 'memoryLimit', 'dropBatchSize'],
  options: (spec) => ({
    limit: optional(spec.limit, 'qdisc.limit', count),
    flows: optional(spec.flows, 'qdisc.flows', count),
    quantum: optional(spec.quantum, 'qdisc.quantum', sizeOf),
    interval: optional(spec.interval, 'qdisc.interval', microsecondsOf),
    target: optional(spec.target, 'qdisc.target', microsecondsOf),
    ecn: optional(spec.ecn, 'qdisc.ecn', flag),
    ceThreshold: optional(spec.ceThreshold, 'qdisc.ceThreshold', microsecondsOf),
    memoryLimit: optional(spec.memoryLimit, 'qdisc.memoryLimit', sizeOf),
    dropBatchSize: optional(spec.dropBatchSize, 'qdisc.dropBatchSize', count),
  }),
  read: (options) => {
    const ceThreshold = optionalNumber(options['ceThreshold'])
    const memoryLimit = optionalNumber(options['memoryLimit'])
    const dropBatchSize = optionalNumber(options['dropBatchSize'])
    return {
      limit: number(options['limit']),
      flows: number(options['flows']),
      quantum: number(options['quantum']),
      target: number(options['target']) / 1000,
      interval: number(options['interval']) / 1000,
      ecn: number(options['ecn']) !== 0,
      ...(ceThreshold === undefined ? {} : { ceThreshold: ceThreshold / 1000 }),
      ...(memoryLimit === undefined ? {} : { memoryLimit }),
      ...(dropBatchSize === undefined ? {} : { dropBatchSize }),
    }
  },
}
