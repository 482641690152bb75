// [ lookup reg 1 set networks ]: a match, a map that gives a value, or one that gives a verdict.

import type { Body } from '../../../native.ts'
import { needsSwap } from '../../datatype/datatype.ts'
import type { Expression, MapElement, SetElement } from '../../schema.ts'
import { number, optionalNumber, text } from '../body.ts'
import { decompileElements } from '../elements.ts'
import type { Need } from '../knowledge.ts'
import { isOpaque } from '../known-set.ts'
import type { FoundSet, Reader } from '../reader.ts'
import { expressionOf, Inexpressible, type Loaded } from '../registers.ts'
import { masked } from './transform.ts'

const INVERTED = 1

export function lookup(reader: Reader, data: Body): void {
  const found = reader.set(text(data['set']))
  const { set } = found
  const parts = reader.registers.parts(number(data['sreg']), set.key.bytes)
  const key = keyExpression(parts, set.interval && set.key.fields.length === 1)
  const needs = needsOf(parts)
  const target = optionalNumber(data['dreg'])
  if (target === undefined) {
    const inverted = (number(data['flags']) & INVERTED) !== 0
    const right = inPlace<SetElement>(found)
    reader.push({ match: { op: inverted ? '!=' : '==', left: key, right } }, needs)
    const tells = parts.some((part) => part.tells === 'transport' && part.mask === undefined)
    if (!inverted && tells) reader.know({ transport: 'several' })
    return
  }
  if (target === 0) {
    if (set.data !== 'verdict') throw new Inexpressible()
    reader.push({ vmap: { key, data: inPlace<MapElement>(found) } }, needs)
    return
  }
  if (set.data === undefined || set.data === 'verdict' || isOpaque(set.data)) throw new Inexpressible()
  reader.registers.put(target, {
    expression: { map: { key, data: inPlace<MapElement>(found) } },
    fields: set.data.fields,
    bytes: set.data.bytes,
    needs,
    isMapped: true,
  })
}

export const needsOf = (parts: readonly Loaded[]): Need[] => parts.flatMap(({ needs }) => needs)

/** `swapped`: whether numbers in the machine's order must have been turned around. */
export function keyExpression(parts: readonly Loaded[], swapped = false): Expression {
  const [first] = parts
  if (first === undefined) throw new Inexpressible()
  for (const part of parts) {
    const [type] = part.fields
    if (type === undefined || part.fields.length > 1 || part.bytes !== type.bytes) throw new Inexpressible()
    if ((part.isSwapped ?? false) !== (swapped && needsSwap(type))) throw new Inexpressible()
  }
  return parts.length === 1 ? masked(first) : { concat: parts.map(partExpression) }
}

function partExpression(part: Loaded): Expression {
  return part.mask === undefined ? expressionOf(part) : masked(part)
}

/** `@name`, or the elements where the set stands in the rule. */
function inPlace<E extends SetElement | MapElement>({ set, elements }: FoundSet): `@${string}` | { readonly set: readonly E[] } {
  if (!set.isAnonymous) return `@${set.name}`
  return { set: decompileElements(set, elements) as E[] }
}
