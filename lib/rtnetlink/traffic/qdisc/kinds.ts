// The kinds of queueing disciplines by name.

import { type BfifoSpec, bfifo, type FifoInfo, type NoOptions, type PfifoSpec, pfifo, plain } from './fifo.ts'
import { type FqCodelInfo, type FqCodelSpec, fqCodel } from './fq-codel.ts'
import { type HtbInfo, type HtbSpec, htb } from './htb.ts'
import type { QdiscKind } from './kind.ts'
import { type NetemInfo, type NetemSpec, netem } from './netem.ts'
import { type TbfInfo, type TbfSpec, tbf } from './tbf.ts'

interface Specs {
  tbf: TbfSpec
  htb: HtbSpec
  fq_codel: FqCodelSpec
  netem: NetemSpec
  pfifo: PfifoSpec
  bfifo: BfifoSpec
  pfifo_fast: NoOptions
  noqueue: NoOptions
  mq: NoOptions
  /** The hook where filters see what comes in. Its parent and handle are always the same. */
  ingress: NoOptions
  /** The same, with a hook for what goes out as well. */
  clsact: NoOptions
}

interface Infos {
  tbf: TbfInfo
  htb: HtbInfo
  fq_codel: FqCodelInfo
  netem: NetemInfo
  pfifo: FifoInfo
  bfifo: FifoInfo
  pfifo_fast: NoOptions
  noqueue: NoOptions
  mq: NoOptions
  ingress: NoOptions
  clsact: NoOptions
}

export type QdiscKindName = keyof Specs

/** Any other kind by its name, with TCA_OPTIONS as it is on the wire. */
export interface OtherQdisc {
  readonly kind: 'other'
  readonly type: string
  readonly options?: Uint8Array
}

export type QdiscKindSpec = { [K in QdiscKindName]: { readonly kind: K } & Specs[K] }[QdiscKindName] | OtherQdisc
export type QdiscKindInfo = { [K in QdiscKindName]: { readonly kind: K } & Infos[K] }[QdiscKindName] | OtherQdisc

export const qdiscKinds: { readonly [K in QdiscKindName]: QdiscKind<Specs[K], Infos[K]> } = {
  tbf,
  htb,
  fq_codel: fqCodel,
  netem,
  pfifo,
  bfifo,
  pfifo_fast: plain,
  noqueue: plain,
  mq: plain,
  ingress: plain,
  clsact: plain,
}

export const isQdiscKind = (kind: string): kind is QdiscKindName => Object.hasOwn(qdiscKinds, kind)
