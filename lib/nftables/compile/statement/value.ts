// What a statement writes somewhere: a constant, something loaded, or what a map gives.

import { fields, invalidType, invalidValue } from '../../../invalid.ts'
import { type KeyType, keyTypeOf } from '../../datatype/concatenation.ts'
import type { DataType } from '../../datatype/datatype.ts'
import { isLoaded, operand } from '../expression/operand.ts'
import { parseBits } from '../expression/value.ts'
import { toSetOrder } from '../hton.ts'
import { lookupMap } from '../lookup.ts'
import { type Program, register } from '../program.ts'

const isMap = (value: unknown): value is { map: unknown } => typeof value === 'object' && value !== null && 'map' in value

/** Puts a value of `type` into the registers from `slot` on. */
export function loadValue(program: Program, type: DataType, value: unknown, slot: number, path: string): void {
  if (isMap(value)) {
    loadFromMap(program, keyTypeOf([type], path), value, slot, path)
    return
  }
  if (!isLoaded(value)) {
    program.emit('immediate', { dreg: register(slot), data: { value: parseBits(type, value, path) } })
    return
  }
  const source = operand(program, value, path)
  const [from] = source.fields
  if (from === undefined || source.fields.length !== 1 || from.bytes !== type.bytes || from.order !== type.order) {
    throw invalidType(path, `a value of ${type.name}`, value)
  }
  source.load(slot)
}

/** Puts what the map gives into the registers from `slot` on, and says what that is. */
export function loadFromMap(program: Program, expected: KeyType, value: unknown, slot: number, path: string): KeyType {
  const place = `${path}.map`
  const given = fields(fields(value, path, ['map'])['map'], place, ['key', 'data'])
  const key = operand(program, given['key'], `${place}.key`)
  const { set, shape, data } = lookupMap(program, key, given['data'], expected, `${place}.data`)
  if (data === 'verdict') throw invalidValue(`${place}.data`, 'must not be a map of verdicts', given['data'])
  key.load(slot)
  toSetOrder(program, key, shape)
  program.emit('lookup', { ...set, sreg: register(slot), dreg: register(slot) })
  return data
}
