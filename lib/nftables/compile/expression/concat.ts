// a . b . c: one behind the other, each from a 4-byte slot on.

import { invalidValue, list } from '../../../invalid.ts'
import { keyTypeOf } from '../../datatype/concatenation.ts'
import { slots } from '../operand.ts'
import { type Compiler, operand } from './operand.ts'

export const concat: Compiler = (program, value, path) => {
  const parts = list(value, path).map((part, index) => operand(program, part, `${path}[${index}]`))
  if (parts.length < 2) throw invalidValue(path, 'must have at least two parts', value)
  const fields = parts.flatMap((part) => part.fields)
  if (fields.length !== parts.length) throw invalidValue(path, 'must not hold another concatenation', value)
  keyTypeOf(fields, path)
  return {
    fields,
    load(slot) {
      let next = slot
      for (const part of parts) {
        part.load(next)
        next += slots(part.fields[0]?.bytes ?? 0)
      }
    },
    learn(bytes) {
      if (bytes === undefined) for (const part of parts) part.learn?.(undefined)
    },
  }
}
