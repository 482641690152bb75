// Expressions that change what is in a register: masks, shifts, byte order, maps.

import type { Body } from '../../../native.ts'
import { NFT_BYTEORDER_HTON } from '../../compile/hton.ts'
import { needsSwap } from '../../datatype/datatype.ts'
import type { Expression } from '../../schema.ts'
import { nested, number, optionalBytes } from '../body.ts'
import type { Reader } from '../reader.ts'
import { expressionOf, Inexpressible, type Loaded, typeOf } from '../registers.ts'
import { formatMask, isZero } from '../value.ts'

export function bytesIn(data: Body, field: string): Uint8Array {
  const bytes = optionalBytes(nested(data[field])?.['value'])
  if (bytes === undefined) throw new Inexpressible()
  return bytes
}

const shifts = [undefined, '<<', '>>'] as const

export function bitwise(reader: Reader, data: Body): void {
  const source = reader.registers.loaded(number(data['sreg']))
  const operator = shifts[number(data['op'])]
  const target = number(data['dreg'])
  if (source.mask !== undefined || source.isSwapped) throw new Inexpressible()
  if (number(data['op']) === 0) {
    const [mask, flip] = [bytesIn(data, 'mask'), bytesIn(data, 'xor')]
    if (mask.length !== source.bytes) throw new Inexpressible()
    reader.registers.put(target, { ...source, mask, flip })
    return
  }
  if (operator === undefined) throw new Inexpressible()
  const amount = new DataView(Uint8Array.from(bytesIn(data, 'data')).buffer).getUint32(0, littleEndian)
  const shifted = { [operator]: [expressionOf(source), amount] } as unknown as Expression
  reader.registers.put(target, { ...withoutMeaning(source), expression: shifted })
}

/** What is left of a value when it has been changed: its type, but not what equality would prove. */
function withoutMeaning({ tells: _, payload: __, ...rest }: Loaded): Loaded {
  return rest
}

export function byteorder(reader: Reader, data: Body): void {
  const source = reader.registers.loaded(number(data['sreg']))
  const type = typeOf(source)
  // nft turns single bytes around in concatenations of intervals: that changes nothing.
  if (type.bytes === 1 && number(data['sreg']) === number(data['dreg'])) return
  if (number(data['op']) !== NFT_BYTEORDER_HTON || !needsSwap(type) || number(data['len']) !== type.bytes || source.mask)
    throw new Inexpressible()
  reader.registers.put(number(data['dreg']), { ...source, isSwapped: true })
}

/** The expression with its mask in words: what the kernel does in one step, `& mask ^ flip`, as and, xor, or. */
export function masked(source: Loaded): Expression {
  const { mask, flip = new Uint8Array() } = source
  const expression = expressionOf(source)
  if (mask === undefined) return expression
  const type = typeOf(source)
  if (source.bytes !== type.bytes) throw new Inexpressible()
  // Bits that are lost and then set are set, whatever they were.
  const set = flip.map((bit, index) => bit & ~(mask[index] ?? 0))
  const flipped = flip.map((bit, index) => bit & (mask[index] ?? 0))
  const kept = mask.map((bit, index) => bit | (set[index] ?? 0))
  let result = expression
  const isWhole = kept.every((byte) => byte === 255)
  if (!isWhole || (isZero(set) && isZero(flipped))) result = { '&': [result, formatMask(type, kept) as Expression] }
  if (!isZero(flipped)) result = { '^': [result, formatMask(type, flipped) as Expression] }
  if (!isZero(set)) result = { '|': [result, formatMask(type, set) as Expression] }
  return result
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
