// First in, first out; see tc-bfifo(8). And the kinds that have no options.

import { number } from '../../../exchange.ts'
import { integer } from '../../../invalid.ts'
import { type Size, sizeOf } from '../units.ts'
import type { QdiscKind } from './kind.ts'

export interface PfifoSpec {
  /** Packets that may wait. @defaultValue the device's `txqlen` */
  readonly limit?: number
}

export interface BfifoSpec {
  /** Bytes that may wait. @defaultValue the device's `txqlen` times its MTU */
  readonly limit?: Size
}

export interface FifoInfo {
  readonly limit: number
}

export const pfifo: QdiscKind<PfifoSpec, FifoInfo> = {
  names: ['limit'],
  options: ({ limit }) => (limit === undefined ? undefined : { limit: integer(limit, 'qdisc.limit', 0, 0xffffffff) }),
  read: (options) => ({ limit: number(options['limit']) }),
}

export const bfifo: QdiscKind<BfifoSpec, FifoInfo> = {
  names: ['limit'],
  options: ({ limit }) => (limit === undefined ? undefined : { limit: sizeOf(limit, 'qdisc.limit', 0) }),
  read: pfifo.read,
}

export type NoOptions = Readonly<Record<never, never>>

export const plain: QdiscKind<NoOptions, NoOptions> = {
  names: [],
  options: () => undefined,
  read: () => ({}),
}
