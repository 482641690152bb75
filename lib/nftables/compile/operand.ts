// Something that a rule loads into registers to compare it, look it up, or write it elsewhere.

import { padded } from '../datatype/concatenation.ts'
import type { DataType } from '../datatype/datatype.ts'

export interface Operand {
  /** One, or those of a concatenation. */
  readonly fields: readonly DataType[]
  /** Emits what puts it into the registers from `slot` on. What has to be known of the packet before was checked already. */
  load(slot: number): void
  /** Loads only the first bytes, where that is possible: a comparison with 127.0.0.0/8 needs one. */
  loadStart?(slot: number, bytes: number): void
  /** Told what an equality has proved; nothing when it was a set of values. */
  learn?(value: Uint8Array | undefined): void
}

/** 4-byte slots that a value of that type takes. */
export const slots = (bytes: number): number => padded(bytes) / 4
