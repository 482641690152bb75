// [ cmp eq reg 1 … ], [ range neq reg 1 … ]: a comparison.

import type { Body } from '../../../native.ts'
import { ARPHRD_ETHER } from '../../compile/program.ts'
import { comparable, type DataType, decodeInteger, needsSwap } from '../../datatype/datatype.ts'
import type { Match, Operator, Prefix, Scalar } from '../../schema.ts'
import { number } from '../body.ts'
import { fieldAt, fieldsIn } from '../expression/load.ts'
import { keyExpression, needsOf } from '../expression/lookup.ts'
import { bytesIn, masked } from '../expression/transform.ts'
import type { Knowledge, Need } from '../knowledge.ts'
import type { Reader } from '../reader.ts'
import { expressionOf, Inexpressible, type Loaded, type PayloadPlace, typeOf } from '../registers.ts'
import { formatKey, formatValue, hasPrefixes, isZero, prefixLength } from '../value.ts'

/** enum nft_cmp_ops. */
const operators: readonly Operator[] = ['==', '!=', '<', '<=', '>', '>=']
const AT_LEAST = 5
const AT_MOST = 3

interface KernelExpression {
  readonly name: string
  readonly data: Body
}

/** Returns whether the next expression belongs to it: an interval is two comparisons of one value. */
export function cmp(reader: Reader, data: Body, next: KernelExpression | undefined): boolean {
  const register = number(data['sreg'])
  const op = operators[number(data['op'])]
  const bytes = bytesIn(data, 'data')
  const parts = reader.registers.parts(register, bytes.length)
  const [left] = parts
  if (op === undefined || left === undefined) throw new Inexpressible()
  if (left.expression === undefined && left.payload !== undefined && left.mask === undefined && op === '==') {
    fieldByField(reader, left.payload, bytes)
    return false
  }
  if (parts.length > 1) {
    if (op !== '==' && op !== '!=') throw new Inexpressible()
    const fields = parts.map(typeOf)
    const right = formatKey({ fields, id: 0, bytes: bytes.length }, bytes)
    push(reader, parts, { op, left: keyExpression(parts), right })
    return false
  }
  const isPair =
    number(data['op']) === AT_LEAST &&
    next?.name === 'cmp' &&
    number(next.data['op']) === AT_MOST &&
    number(next.data['sreg']) === register
  if (isPair) {
    span(reader, left, '==', bytes, bytesIn(next.data, 'data'))
    return true
  }
  if (op === '==' || op === '!=') equal(reader, left, op, bytes)
  else order(reader, left, op, bytes)
  return false
}

export function range(reader: Reader, data: Body): void {
  const left = reader.registers.loaded(number(data['sreg']))
  span(reader, left, number(data['op']) === 0 ? '==' : '!=', bytesIn(data, 'from'), bytesIn(data, 'to'))
}

const push = (reader: Reader, parts: readonly Loaded[], match: Match, proves?: Need): void =>
  reader.push({ match }, needsOf(parts), proves)

function span(reader: Reader, left: Loaded, op: '==' | '!=', from: Uint8Array, to: Uint8Array): void {
  const type = typeOf(left)
  if (from.length !== type.bytes || to.length !== type.bytes) throw new Inexpressible()
  const first = formatValue(type, comparable(type, from)) as Scalar
  const last = formatValue(type, comparable(type, to)) as Scalar
  push(reader, [left], { op, left: keyExpression([left], true), right: { range: [first, last] } })
}

function order(reader: Reader, left: Loaded, op: Operator, bytes: Uint8Array): void {
  const type = typeOf(left)
  if (type.text || bytes.length !== type.bytes) throw new Inexpressible()
  push(reader, [left], { op, left: keyExpression([left], true), right: formatValue(type, comparable(type, bytes)) as Scalar })
}

/** nft reads neighboring fields at once where both are compared with `==`. */
function fieldByField(reader: Reader, place: PayloadPlace, bytes: Uint8Array): void {
  const places = fieldsIn(reader.known, place)
  if (places.length === 0 || place.len !== bytes.length) throw new Inexpressible()
  for (const part of places) {
    const found = fieldAt(reader.known, part)
    if (found === undefined) throw new Inexpressible()
    const start = part.offset - place.offset
    equal(reader, { ...found, bytes: part.len, payload: part }, '==', bytes.subarray(start, start + part.len))
  }
}

function equal(reader: Reader, left: Loaded, op: '==' | '!=', bytes: Uint8Array): void {
  const type = typeOf(left)
  if (left.isSwapped) throw new Inexpressible()
  if (left.mask !== undefined) {
    maskedEqual(reader, left, left.mask, op, bytes)
    return
  }
  const isWhole = bytes.length === type.bytes
  if (!isWhole && type.text) {
    // A name of which only the beginning counts.
    push(reader, [left], { op, left: expressionOf(left), right: `${Buffer.from(bytes).toString()}*` })
    return
  }
  if (!isWhole) {
    if (left.payload === undefined || left.bytes !== bytes.length || needsSwap(type)) throw new Inexpressible()
    push(reader, [left], { op, left: expressionOf(left), right: start(type, bytes) })
    return
  }
  const right = formatValue(type, bytes) as Scalar
  const proves = op === '==' ? proofOf(reader.known, left, type, bytes) : {}
  push(reader, [left], { op, left: keyExpression([left]), right }, proves.need)
  if (proves.change !== undefined) reader.know(proves.change)
}

function maskedEqual(reader: Reader, left: Loaded, mask: Uint8Array, op: '==' | '!=', bytes: Uint8Array): void {
  const type = typeOf(left)
  if (bytes.length !== type.bytes || left.bytes !== type.bytes) throw new Inexpressible()
  const isPlain = isZero(left.flip ?? mask)
  if (isPlain && type.bitmask && op === '!=' && isZero(bytes)) {
    push(reader, [left], { op: 'in', left: expressionOf(left), right: formatValue(type, mask) as Scalar })
    return
  }
  const len = hasPrefixes(type) ? prefixLength(comparable(type, mask)) : undefined
  const isPrefix = len !== undefined && bytes.every((byte, index) => (byte & ~(mask[index] ?? 0)) === 0)
  if (isPlain && isPrefix) {
    push(reader, [left], { op, left: expressionOf(left), right: { prefix: { addr: type.format(bytes), len } } })
    return
  }
  push(reader, [left], { op, left: masked(left), right: formatValue(type, bytes) as Scalar })
}

/** The prefix of which only its own bytes were loaded. */
function start(type: DataType, bytes: Uint8Array): Prefix {
  const whole = new Uint8Array(type.bytes)
  whole.set(bytes)
  return { prefix: { addr: type.format(whole), len: bytes.length * 8 } }
}

/** What an equality proves. A `need` is what the compiler itself would have matched on; a `change` is known, too, but never hidden. */
function proofOf(
  known: Knowledge,
  { tells, payload }: Loaded,
  type: DataType,
  bytes: Uint8Array,
): { need?: Need; change?: Partial<Knowledge> } {
  const word = type.format(bytes)
  const value = decodeInteger(bytes, type.order)
  if (tells === 'transport') {
    return payload === undefined ? { need: { layer: 'transport', value } } : { change: { transport: value } }
  }
  if (tells === 'ethernet' && value === ARPHRD_ETHER) return { need: { layer: 'ethernet', value: true } }
  if (tells === 'nfproto') {
    const network = word === 'ipv4' ? 'ip' : word === 'ipv6' ? 'ip6' : undefined
    if (network === undefined) return {}
    return known.family === 'inet' ? { need: { layer: 'network', value: network } } : { change: { network } }
  }
  if (tells === 'protocol' && known.network === undefined && (word === 'ip' || word === 'ip6')) {
    const isOwn = known.family === 'bridge' || known.family === 'netdev'
    return isOwn && payload === undefined ? { need: { layer: 'network', value: word } } : { change: { network: word } }
  }
  return {}
}
