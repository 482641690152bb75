// What a decoded message holds, with the types that the native schema gives its fields.

import type { Body, Field } from '../../native.ts'

export { nested, number, optionalNumber, optionalText } from '../../exchange.ts'

export const text = (member: Field): string => (typeof member === 'string' ? member : '')
export const optionalBytes = (member: Field): Uint8Array | undefined => (member instanceof Uint8Array ? member : undefined)

/** A 64-bit number of the kernel's as a number: what is counted here stays far below 2^53. */
export const optionalCount = (member: Field): number | undefined => (typeof member === 'bigint' ? Number(member) : undefined)
export const count = (member: Field): number => optionalCount(member) ?? 0

export const bodies = (member: Field): readonly Body[] => (Array.isArray(member) ? (member as readonly Body[]) : [])

/** The members of `object` that are there, as exactOptionalPropertyTypes wants it. */
export { present } from '../../exchange.ts'
