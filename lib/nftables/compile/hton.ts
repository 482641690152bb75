// [ byteorder reg 1 = hton(reg 1, 4, 4) ]: intervals are compared byte by byte, so a number in the machine's order is turned around first.

import { needsSwap } from '../datatype/datatype.ts'
import type { Operand } from './operand.ts'
import { type Program, register } from './program.ts'
import type { SetShape } from './transaction.ts'

export const NFT_BYTEORDER_HTON = 1

/** For what is in the first register, if it is a lone number. */
export function toBigEndian(program: Program, left: Operand): void {
  const [type] = left.fields
  if (type === undefined || left.fields.length !== 1 || !needsSwap(type)) return
  const reg = register(0)
  program.emit('byteorder', { sreg: reg, dreg: reg, op: NFT_BYTEORDER_HTON, len: type.bytes, size: type.bytes })
}

/** The same before a look-up, where the set holds intervals. */
export function toSetOrder(program: Program, left: Operand, shape: SetShape | undefined): void {
  if (shape?.interval) toBigEndian(program, left)
}
