// What the registers of a rule hold while it is being read.

import { SLOTS_PER_REGISTER } from '../compile/program.ts'
import { padded } from '../datatype/concatenation.ts'
import type { DataType } from '../datatype/datatype.ts'
import type { Expression } from '../schema.ts'
import type { Need } from './knowledge.ts'

/** The rule says something that the vocabulary has no words for. */
export class Inexpressible extends Error {}

export interface PayloadPlace {
  readonly base: number
  readonly offset: number
  readonly len: number
}

export interface Loaded {
  /** Absent for bytes of a packet that are no field of a known header. */
  readonly expression?: Expression
  /** One; two for what a map gives that holds address and port. */
  readonly fields: readonly DataType[]
  readonly bytes: number
  readonly needs: readonly Need[]
  /** What is learned when it equals a value. */
  readonly tells?: 'transport' | 'nfproto' | 'protocol' | 'ethernet'
  readonly payload?: PayloadPlace | undefined
  /** Turned from the machine's byte order. */
  readonly isSwapped?: boolean
  readonly mask?: Uint8Array
  readonly flip?: Uint8Array
  readonly isMapped?: boolean
}

export interface Constant {
  readonly constant: Uint8Array
}

/** The inverse of compile/program.ts's register(). */
export const slotOf = (register: number): number => (register < 8 ? (register - 1) * SLOTS_PER_REGISTER : register - 8)

export class Registers {
  #slots = new Map<number, Loaded | Constant>()

  clear(): void {
    this.#slots.clear()
  }

  put(register: number, value: Loaded | Constant): void {
    this.#slots.set(slotOf(register), value)
  }

  get(register: number): Loaded | Constant {
    const value = this.#slots.get(slotOf(register))
    if (value === undefined) throw new Inexpressible()
    return value
  }

  loaded(register: number): Loaded {
    const value = this.get(register)
    if ('constant' in value) throw new Inexpressible()
    return value
  }

  constant(register: number): Uint8Array {
    const value = this.get(register)
    if ('constant' in value) return value.constant
    throw new Inexpressible()
  }

  /** What stands in `bytes` bytes from that register on: the parts of a concatenation. */
  parts(register: number, bytes: number): Loaded[] {
    const parts = [this.loaded(register)]
    let length = parts[0]?.bytes ?? 0
    if (length >= bytes) return parts
    for (length = padded(length); length < bytes; ) {
      const part = this.#slots.get(slotOf(register) + length / 4)
      if (part === undefined || 'constant' in part || part.bytes === 0) throw new Inexpressible()
      parts.push(part)
      length += padded(part.bytes)
    }
    return parts
  }
}

/** The expression and its types, for those that are compared whole: not masked, not cut off. */
export function expressionOf({ expression }: Loaded): Expression {
  if (expression === undefined) throw new Inexpressible()
  return expression
}

export function typeOf({ fields }: Loaded): DataType {
  const [type] = fields
  if (type === undefined || fields.length > 1) throw new Inexpressible()
  return type
}
