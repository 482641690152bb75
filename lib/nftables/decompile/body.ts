// What a decoded message holds, with the types that the native schema gives its fields.

import type { Body } from '../../native.ts'

export { nested, number, optionalNumber, optionalText } from '../../exchange.ts'

export const text = (body: Body, field: string): string => (typeof body[field] === 'string' ? body[field] : '')
export const optionalBytes = (body: Body, field: string): Uint8Array | undefined =>
  body[field] instanceof Uint8Array ? body[field] : undefined

/** A 64-bit number of the kernel's as a number: what is counted here stays far below 2^53. */
export const optionalCount = (body: Body, field: string): number | undefined =>
  typeof body[field] === 'bigint' ? Number(body[field]) : undefined
export const count = (body: Body, field: string): number => optionalCount(body, field) ?? 0

export const bodies = (body: Body, field: string): readonly Body[] =>
  Array.isArray(body[field]) ? (body[field] as readonly Body[]) : []

/** The members of `object` that are there, as exactOptionalPropertyTypes wants it. */
export { present } from '../../exchange.ts'
