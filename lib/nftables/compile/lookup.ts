// Look-ups: in a set or map with a name, or in one that stands in the rule and lives and dies with it.

import { fields, invalidType, invalidValue, list } from '../../invalid.ts'
import { type KeyType, keyTypeOf } from '../datatype/concatenation.ts'
import { families, NLM_F_CREATE } from '../message.ts'
import { compileElements, hasSpans, mergeSpans, sendElements } from './elements.ts'
import type { Operand } from './operand.ts'
import type { Program } from './program.ts'
import { setAttributes, setFlags } from './set-attributes.ts'
import type { SetShape } from './transaction.ts'

/** How the lookup expression names the set. */
export interface SetReference {
  readonly [field: string]: string | number
  readonly set: string
}

export interface FoundSet {
  readonly set: SetReference
  /** Unknown for a named set that was not declared in the same commands. */
  readonly shape: SetShape | undefined
}

export const isSetName = (value: unknown): value is `@${string}` => typeof value === 'string' && value.startsWith('@')
export const isSetInPlace = (value: unknown): value is { set: unknown } =>
  typeof value === 'object' && value !== null && 'set' in value

/** A set that `key` is looked up in: `@name` or `{ set: [...] }`. */
export function findSet(program: Program, key: Operand, value: unknown, path: string): FoundSet {
  if (isSetName(value)) return named(program, key, value, path)
  const entries = fields(value, path, ['set'])['set']
  return anonymous(program, { key: keyTypeOf(key.fields, path) }, entries, `${path}.set`)
}

/** A map, and the type of what comes out of it. `expected` is that type where the elements stand in place. */
export function lookupMap(
  program: Program,
  key: Operand,
  value: unknown,
  expected: KeyType | 'verdict' | undefined,
  path: string,
): FoundSet & { data: KeyType | 'verdict' } {
  if (isSetName(value)) {
    const { set, shape } = named(program, key, value, path)
    const data = shape?.data ?? (shape === undefined && expected === 'verdict' ? expected : undefined)
    if (data === undefined) {
      if (shape !== undefined) throw invalidValue(path, 'must be a map, not a set', value)
      program.transaction.shapeOf(program.family, program.table, value.slice(1), path)
      throw invalidValue(path, 'is unknown', value)
    }
    if ((data === 'verdict') !== (expected === 'verdict') && expected !== undefined) {
      throw invalidValue(path, expected === 'verdict' ? 'must be a map of verdicts' : 'must not be a map of verdicts', value)
    }
    return { set, shape, data }
  }
  if (!isSetInPlace(value)) throw invalidType(path, "'@name' of a map or { set: [[key, data], ...] }", value)
  if (expected === undefined) throw invalidValue(path, 'must be a declared map here: nothing says the type of its data', value)
  const entries = fields(value, path, ['set'])['set']
  const found = anonymous(program, { key: keyTypeOf(key.fields, path), data: expected }, entries, `${path}.set`)
  return { ...found, data: expected }
}

function named(program: Program, key: Operand, value: `@${string}`, path: string): FoundSet {
  const set = value.slice(1)
  if (set === '') throw invalidValue(path, 'must name a set after the @', value)
  const shape = program.transaction.find(program.family, program.table, set)
  if (shape !== undefined) checkKey(key, shape, value, path)
  return { set: { set }, shape }
}

function checkKey(key: Operand, shape: SetShape, value: string, path: string): void {
  const has = (fields: KeyType['fields']): string => fields.map((type) => `${type.name}`).join(' . ')
  // A number without a type of its own fits whatever has its length.
  const fits =
    key.fields.length === shape.key.fields.length &&
    key.fields.every(({ name, bytes }, index) => {
      const other = shape.key.fields[index]
      return other !== undefined && other.bytes === bytes && (name === other.name || name === 'integer')
    })
  if (!fits) throw invalidValue(path, `holds ${has(shape.key.fields)}, but what is looked up is ${has(key.fields)}`, value)
}

function anonymous(program: Program, types: Omit<SetShape, 'interval'>, entries: unknown, path: string): FoundSet {
  const { transaction, family, table } = program
  if (list(entries, path).length === 0) throw invalidValue(path, 'must have an element', entries)
  const shape: SetShape = { ...types, interval: hasSpans(types, entries, path) }
  const isMerged = shape.interval && shape.data === undefined && shape.key.fields.length === 1
  const elements = isMerged ? mergeSpans(shape.key, entries, path) : compileElements(shape, entries, path)
  // The kernel puts a free number where %d stands.
  const set = shape.data === undefined ? '__set%d' : '__map%d'
  const id = transaction.nextSetId()
  const place = { family: families[family], table }
  const attributes = setAttributes(shape, { flags: setFlags.anonymous | setFlags.constant, size: elements.length, path })
  const flags = NLM_F_CREATE
  transaction.send({ type: 'NFT_MSG_NEWSET', flags, body: { ...place, name: set, id, ...attributes } }, path)
  sendElements(transaction, { type: 'NFT_MSG_NEWSETELEM', flags, body: { ...place, set, setId: id } }, elements, path)
  return { set: { set, setId: id }, shape }
}
