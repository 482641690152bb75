// [ fib daddr type => reg 1 ]

import { fields, invalidValue, oneOf, words } from '../../../invalid.ts'
import { addressType } from '../../datatype/host.ts'
import { interfaceIndex, interfaceName } from '../../datatype/interface.ts'
import type { Operand } from '../operand.ts'
import { type Program, register } from '../program.ts'

/** enum nft_fib_result, enum nft_fib_flags. */
const results = {
  oif: { result: 1, type: interfaceIndex },
  oifname: { result: 2, type: interfaceName },
  type: { result: 3, type: addressType },
} as const
const bits = { saddr: 1, daddr: 2, mark: 4, iif: 8, oif: 16 } as const

export function fib(program: Program, value: unknown, path: string): Operand {
  const given = fields(value, path, ['result', 'flags'])
  const { result, type } = results[oneOf(given['result'], `${path}.result`, ['oif', 'oifname', 'type'])]
  const named = words(given['flags'], `${path}.flags`, ['saddr', 'daddr', 'mark', 'iif', 'oif'])
  if (named.includes('saddr') === named.includes('daddr')) {
    throw invalidValue(`${path}.flags`, 'must have one of saddr and daddr', given['flags'])
  }
  const flags = named.reduce((sum, flag) => sum | bits[flag], 0)
  return {
    fields: [type],
    load: (slot) => program.emit('fib', { flags, result, dreg: register(slot) }),
  }
}
