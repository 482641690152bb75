// How one option of a bridge or of its ports is written in JavaScript, and what the message holds for it.

import { integer, invalidType, oneOf, outOfRange } from '../../invalid.ts'
import type { Body, Field } from '../../native.ts'

export interface Option<Value> {
  /** Throws a TypeError or RangeError that names `path`. */
  data(value: unknown, path: string): Field
  read(field: Field): Value
}

/** The options of `T`, by name: the schema has the same names. */
export type OptionTable<T> = { readonly [Name in keyof T]-?: Option<NonNullable<T[Name]>> }

export const flag: Option<boolean> = {
  data: (value, path) => {
    if (typeof value !== 'boolean') throw invalidType(path, 'a boolean', value)
    return value ? 1 : 0
  },
  read: (field) => Number(field) !== 0,
}

export const count = (from: number, to: number): Option<number> => ({
  data: (value, path) => integer(value, path, from, to),
  read: Number,
})

/** The kernel counts hundredths in 32 bits. */
const longest = 42_949_672

/** Seconds, with hundredths. */
export const seconds: Option<number> = {
  data: (value, path) => {
    if (typeof value !== 'number') throw invalidType(path, 'a number of seconds', value)
    if (!(value >= 0 && value <= longest)) throw outOfRange(path, 0, longest, value)
    return Math.round(value * 100)
  },
  read: (field) => Number(field) / 100,
}

/** One of `words`; the kernel has its number. */
export function word<Word extends string>(words: Readonly<Record<Word, number>>): Option<Word> {
  const known = Object.keys(words) as Word[]
  return {
    data: (value, path) => words[oneOf(value, path, known)],
    read: (field) => known.find((one) => words[one] === Number(field)) ?? (known[0] as Word),
  }
}

/** Multicast routers behind a bridge or a port: never, found by their messages, always, or for a while from now. */
export const multicastRouters = { disabled: 0, auto: 1, permanent: 2, temporary: 3 } as const

/** What the message holds for the options that are there. */
export function dataOf<T>(table: OptionTable<T>, options: Partial<T>, path: string): Record<string, Field> {
  const data: Record<string, Field> = {}
  for (const name of namesOf(table)) {
    const value = options[name]
    if (value !== undefined) data[name] = table[name].data(value, `${path}.${name}`)
  }
  return data
}

/** The options that the message tells of. */
export function readOptions<T>(table: OptionTable<T>, data: Body): Partial<T> {
  const known = namesOf(table).filter((name) => data[name] !== undefined)
  return Object.fromEntries(known.map((name) => [name, table[name].read(data[name])])) as Partial<T>
}

export const namesOf = <T>(table: OptionTable<T>): (keyof T & string)[] => Object.keys(table) as (keyof T & string)[]
