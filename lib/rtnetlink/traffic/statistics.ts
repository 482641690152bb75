// What a queueing discipline, a class or an action has counted.

import { nested, number } from '../../exchange.ts'
import type { Body } from '../../native.ts'

export interface TrafficStatistics {
  readonly bytes: number
  readonly packets: number
  readonly drops: number
  /** How often something had to wait. */
  readonly overlimits: number
  readonly requeues: number
  /** Bytes that wait now. */
  readonly backlog: number
  /** Packets that wait now. */
  readonly length: number
}

export function statisticsFrom(body: Body): TrafficStatistics | undefined {
  const statistics = nested(body['statistics'])
  if (statistics === undefined) return undefined
  const basic = nested(statistics['basic']) ?? {}
  const queue = nested(statistics['queue']) ?? {}
  return {
    bytes: Number(basic['bytes'] ?? 0n),
    packets: Number(statistics['packets'] ?? number(basic['packets'])),
    drops: number(queue['drops']),
    overlimits: number(queue['overlimits']),
    requeues: number(queue['requeues']),
    backlog: number(queue['backlog']),
    length: number(queue['length']),
  }
}
