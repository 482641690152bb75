// [ lookup reg 1 set into dreg 0 ]: the verdict that a map has for what the packet holds.

import { fields } from '../../../invalid.ts'
import { operand } from '../expression/operand.ts'
import { toSetOrder } from '../hton.ts'
import { lookupMap } from '../lookup.ts'
import { type Program, register } from '../program.ts'

export function vmap(program: Program, value: unknown, path: string): void {
  const given = fields(value, path, ['key', 'data'])
  const key = operand(program, given['key'], `${path}.key`)
  const { set, shape } = lookupMap(program, key, given['data'], 'verdict', `${path}.data`)
  key.load(0)
  toSetOrder(program, key, shape)
  program.emit('lookup', { ...set, sreg: register(0), dreg: 0 })
}
