// What a device has counted.

import { nested } from '../../exchange.ts'
import type { Body } from '../../native.ts'

/**
 * The counters of struct rtnl_link_stats64, since the device was made. The kernel's have 64 bits: exact up to 2^53 (9 petabytes), and
 * the nearest number above.
 */
export interface LinkStatistics {
  readonly rxPackets: number
  readonly txPackets: number
  readonly rxBytes: number
  readonly txBytes: number
  readonly rxErrors: number
  readonly txErrors: number
  readonly rxDropped: number
  readonly txDropped: number
  /** Received multicast packets. */
  readonly multicast: number
  readonly collisions: number
  readonly rxLengthErrors: number
  readonly rxOverErrors: number
  readonly rxCrcErrors: number
  readonly rxFrameErrors: number
  readonly rxFifoErrors: number
  readonly rxMissedErrors: number
  readonly txAbortedErrors: number
  readonly txCarrierErrors: number
  readonly txFifoErrors: number
  readonly txHeartbeatErrors: number
  readonly txWindowErrors: number
  readonly rxCompressed: number
  readonly txCompressed: number
  readonly rxNoHandler: number
  /** Linux 5.19. */
  readonly rxOtherHostDropped?: number
}

export function linkStatisticsFrom(body: Body): LinkStatistics | undefined {
  const counters = nested(body['statistics'])
  if (counters === undefined) return undefined
  // What a newer kernel counts besides is in `rest`.
  return Object.fromEntries(
    Object.entries(counters).flatMap(([name, count]) => (typeof count === 'bigint' ? [[name, Number(count)]] : [])),
  ) as unknown as LinkStatistics
}
