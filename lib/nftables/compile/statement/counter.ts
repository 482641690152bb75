// [ counter pkts 0 bytes 0 ], or [ objref type 1 name web ] for one that was declared.

import { fields, integer, name } from '../../../invalid.ts'
import type { Program } from '../program.ts'

export const NFT_OBJECT_COUNTER = 1

export function counter(program: Program, value: unknown, path: string): void {
  if (typeof value === 'string') {
    program.emit('objref', { type: NFT_OBJECT_COUNTER, name: name(value, path) })
    return
  }
  const given = value === null ? {} : fields(value, path, ['packets', 'bytes'])
  const count = (key: string): bigint =>
    given[key] === undefined ? 0n : BigInt(integer(given[key], `${path}.${key}`, 0, Number.MAX_SAFE_INTEGER))
  program.emit('counter', { bytes: count('bytes'), packets: count('packets') })
}
