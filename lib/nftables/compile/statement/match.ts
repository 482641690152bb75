// A comparison: what the packet has against a value, an interval, bits, or a set.

import { fields, invalidType, invalidValue, oneOf } from '../../../invalid.ts'
import { keyTypeOf } from '../../datatype/concatenation.ts'
import { comparable, type DataType, needsSwap } from '../../datatype/datatype.ts'
import { maskAndFlip } from '../expression/bitwise.ts'
import { operand } from '../expression/operand.ts'
import { isPrefix, isRange, isWildcard, parseBits, parseInterval, parseKey, parsePrefix } from '../expression/value.ts'
import { toBigEndian, toSetOrder } from '../hton.ts'
import { findSet, isSetInPlace, isSetName } from '../lookup.ts'
import type { Operand } from '../operand.ts'
import { type Program, register } from '../program.ts'

/** enum nft_cmp_ops. */
const comparisons = { '==': 0, '!=': 1, '<': 2, '<=': 3, '>': 4, '>=': 5 } as const
const NFT_RANGE_NEQ = 1
const NFT_LOOKUP_F_INV = 1

export function match(program: Program, value: unknown, path: string): void {
  const given = fields(value, path, ['op', 'left', 'right'])
  const op = oneOf(given['op'], `${path}.op`, ['==', '!=', '<', '>', '<=', '>=', 'in'])
  const left = operand(program, given['left'], `${path}.left`)
  const right = given['right']
  const place = `${path}.right`
  if (isSetName(right) || isSetInPlace(right)) {
    if (op !== '==' && op !== '!=' && op !== 'in') throw invalidValue(`${path}.op`, 'must be == or != for a set', op)
    inSet(program, left, right, op === '!=', place)
  } else if (op === 'in') anyBit(program, left, right, place)
  else if (op === '==' || op === '!=') equal(program, left, right, op, place)
  else order(program, left, right, op, place)
}

const compare = (program: Program, op: keyof typeof comparisons, value: Uint8Array): void =>
  program.emit('cmp', { sreg: register(0), op: comparisons[op], data: { value } })

function inSet(program: Program, left: Operand, right: unknown, negated: boolean, path: string): void {
  const { set, shape } = findSet(program, left, right, path)
  left.load(0)
  toSetOrder(program, left, shape)
  program.emit('lookup', { ...set, sreg: register(0), ...(negated && { flags: NFT_LOOKUP_F_INV }) })
  if (!negated) left.learn?.(undefined)
}

function only(left: Operand, path: string, right: unknown): DataType {
  const [type] = left.fields
  if (type === undefined || left.fields.length !== 1) throw invalidType(path, 'a concatenation or a set of them', right)
  return type
}

function anyBit(program: Program, left: Operand, right: unknown, path: string): void {
  const type = only(left, path, right)
  if (!type.bitmask) throw invalidValue(path, `must be compared with == or !=: ${type.name} has no bits to be in`, right)
  const bits = parseBits(type, right, path)
  left.load(0)
  const none = new Uint8Array(bits.length)
  maskAndFlip(program, 0, bits, none)
  compare(program, '!=', none)
}

function equal(program: Program, left: Operand, right: unknown, op: '==' | '!=', path: string): void {
  const [type] = left.fields
  if (type === undefined || left.fields.length > 1) {
    const bytes = parseKey(keyTypeOf(left.fields, path), right, path)
    left.load(0)
    compare(program, op, bytes)
    return
  }
  if (isRange(right)) range(program, left, type, right, op, path)
  else if (isPrefix(right)) prefix(program, left, type, right, op, path)
  else if (isWildcard(type, right)) {
    const start = Buffer.from(right.slice(0, -1))
    if (start.length >= type.bytes) throw invalidValue(path, `must be shorter than ${type.bytes} bytes`, right)
    left.load(0)
    compare(program, op, Uint8Array.from(start))
  } else {
    const bytes = parseBits(type, right, path)
    left.load(0)
    compare(program, op, bytes)
    if (op === '==') left.learn?.(bytes)
  }
}

function range(program: Program, left: Operand, type: DataType, right: unknown, op: '==' | '!=', path: string): void {
  const { from, to } = parseInterval(type, right, path)
  left.load(0)
  toBigEndian(program, left)
  if (op === '!=') {
    program.emit('range', { sreg: register(0), op: NFT_RANGE_NEQ, from: { value: from }, to: { value: to } })
    return
  }
  compare(program, '>=', from)
  compare(program, '<=', to)
}

/** A prefix of whole bytes is a shorter load, where the bytes come from the packet; any other one a mask. */
function prefix(program: Program, left: Operand, type: DataType, right: unknown, op: '==' | '!=', path: string): void {
  const { bytes, length, mask } = parsePrefix(type, right, path)
  const whole = length / 8
  if (left.loadStart !== undefined && !needsSwap(type) && Number.isInteger(whole) && whole > 0) {
    left.loadStart(0, whole)
    compare(program, op, bytes.slice(0, whole))
    return
  }
  left.load(0)
  if (length < type.bytes * 8) maskAndFlip(program, 0, comparable(type, mask), new Uint8Array(type.bytes))
  compare(program, op, comparable(type, bytes))
}

function order(program: Program, left: Operand, right: unknown, op: '<' | '>' | '<=' | '>=', path: string): void {
  const type = only(left, path, right)
  if (type.text || type.bitmask) throw invalidValue(path, `cannot be ordered: it is a value of ${type.name}`, right)
  const bytes = comparable(type, type.parse(right, path))
  left.load(0)
  toBigEndian(program, left)
  compare(program, op, bytes)
}
