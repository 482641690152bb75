// What each kind of queueing discipline adds: its options in JavaScript and in the message, one file a kind.

import type { Body } from '../../../native.ts'

/** `Spec` is what addQdisc takes, `Info` what is read back. */
export interface QdiscKind<Spec, Info> {
  /** The options that addQdisc takes besides the common ones. */
  readonly names: readonly string[]
  /** TCA_OPTIONS; throws a TypeError or RangeError that names the option. `handle` is the one asked for, or 0. */
  options(spec: Spec, handle: number): Body | undefined
  /** TCA_OPTIONS as it was read. */
  read(options: Body, handle: number): Info
}
