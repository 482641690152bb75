// [ bitwise reg 1 = ( reg 1 & 0xffffdfff ) ^ 0x00002000 ]
//
// The kernel has one expression for and, or and xor: mask, then flip. `a | v` keeps all bits but v's and flips those in.

import { invalidType, invalidValue, list } from '../../../invalid.ts'
import type { DataType } from '../../datatype/datatype.ts'
import type { KernelExpression } from '../../message.ts'
import type { Operand } from '../operand.ts'
import { type Program, register } from '../program.ts'
import { type Compiler, operand } from './operand.ts'
import { parseBits } from './value.ts'

const LEFT_SHIFT = 1
const RIGHT_SHIFT = 2

export type BitwiseOperator = '&' | '|' | '^' | '<<' | '>>'

export const bitwise =
  (operator: BitwiseOperator): Compiler =>
  (program, value, path) => {
    const operands = list(value, path)
    if (operands.length !== 2) throw invalidValue(path, 'must have two operands', value)
    const left = operand(program, operands[0], `${path}[0]`)
    const [type] = left.fields
    if (type === undefined || left.fields.length !== 1 || type.text) throw invalidType(`${path}[0]`, 'a number', operands[0])
    if (operator === '<<' || operator === '>>') return shift(program, left, type, operator, operands[1], `${path}[1]`)
    const right = parseBits(type, operands[1], `${path}[1]`)
    const none = new Uint8Array(type.bytes)
    const inverse = right.map((byte) => ~byte)
    const [mask, xor] = operator === '&' ? [right, none] : operator === '|' ? [inverse, right] : [none.map(() => 255), right]
    return {
      fields: left.fields,
      load(slot) {
        left.load(slot)
        maskAndFlip(program, slot, mask, xor)
      },
    }
  }

/** Emits a mask and a flip, or folds it into the one that stands there already, as nft does. */
export function maskAndFlip(program: Program, slot: number, mask: Uint8Array, xor: Uint8Array): void {
  const reg = register(slot)
  const before = program.expressions.at(-1)
  const folded = before?.name === 'bitwise' && before.data['dreg'] === reg ? fold(before, mask, xor) : undefined
  if (folded !== undefined) program.expressions.pop()
  const { mask: finalMask, xor: finalXor } = folded ?? { mask, xor }
  program.emit('bitwise', { sreg: reg, dreg: reg, len: mask.length, mask: { value: finalMask }, xor: { value: finalXor } })
}

function fold(before: KernelExpression, mask: Uint8Array, xor: Uint8Array): { mask: Uint8Array; xor: Uint8Array } | undefined {
  const first = before.data['mask'] as { value: Uint8Array } | undefined
  const flip = before.data['xor'] as { value: Uint8Array } | undefined
  if (first === undefined || flip === undefined || first.value.length !== mask.length) return undefined
  return {
    mask: first.value.map((byte, index) => byte & (mask[index] ?? 0)),
    xor: flip.value.map((byte, index) => (byte & (mask[index] ?? 0)) ^ (xor[index] ?? 0)),
  }
}

function shift(program: Program, left: Operand, type: DataType, operator: '<<' | '>>', amount: unknown, path: string): Operand {
  // The kernel shifts registers of four bytes in its own order; anything else would come out wrong.
  if (type.order !== 'host' || type.bytes !== 4) throw invalidValue(path, `cannot shift a value of ${type.name}`, amount)
  if (typeof amount !== 'number' || !Number.isInteger(amount) || amount < 1 || amount > 31) {
    throw invalidValue(path, 'must be a number of bits from 1 to 31', amount)
  }
  return {
    fields: left.fields,
    load(slot) {
      left.load(slot)
      const reg = register(slot)
      const op = operator === '<<' ? LEFT_SHIFT : RIGHT_SHIFT
      const value = new Uint8Array(Uint32Array.of(amount).buffer)
      program.emit('bitwise', { sreg: reg, dreg: reg, len: 4, op, data: { value } })
    },
  }
}
