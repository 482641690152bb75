// Elements of a set or map as libnftables-json(5) has them, in the order in which nft(8) lists them.

import type { Body } from '../../native.ts'
import { successor } from '../compile/elements.ts'
import type { DataType } from '../datatype/datatype.ts'
import type { Immediate, MapElement, SetElement, Verdict } from '../schema.ts'
import { readComment } from '../userdata.ts'
import { bodies, count, nested, optionalBytes, optionalCount, optionalNumber, optionalText, present } from './body.ts'
import type { KnownSet } from './known-set.ts'
import { formatBox, formatKey, formatSpan, split } from './value.ts'
import { formatVerdict } from './verdict.ts'

const INTERVAL_END = 1
/** The element for what no other one matches: `*`. */
const CATCHALL = 2

const bytesOf = (element: Body, field: string): Uint8Array | undefined => {
  const data = nested(element[field])
  return data && optionalBytes(data['value'])
}

export function decompileElements(set: KnownSet, elements: readonly Body[]): (SetElement | MapElement)[] {
  const isCatchall = (element: Body): boolean => ((optionalNumber(element['flags']) ?? 0) & CATCHALL) !== 0
  const regular = elements.filter((element) => !isCatchall(element))
  const isBoxes = set.interval && set.key.fields.length > 1
  const found = isBoxes ? boxes(set, regular) : set.interval ? intervals(set, regular) : values(set, regular)
  return [...found, ...elements.filter(isCatchall).map((element) => entry(set, element, '*'))]
}

function values(set: KnownSet, elements: readonly Body[]): (SetElement | MapElement)[] {
  return elements
    .map((element) => ({ element, key: bytesOf(element, 'key') ?? new Uint8Array() }))
    .sort((a, b) => Buffer.compare(sortKey(set, a.key), sortKey(set, b.key)))
    .map(({ element, key }) => entry(set, element, formatKey(set.key, key)))
}

/** nft sorts by number; a concatenation by its bytes as if they were a number in the machine's order. */
function sortKey({ key }: KnownSet, bytes: Uint8Array): Uint8Array {
  const [type] = key.fields
  if (key.fields.length > 1) return Buffer.concat(split(key, bytes)).reverse()
  return type?.order === 'host' ? bytes.slice().reverse() : bytes
}

function boxes(set: KnownSet, elements: readonly Body[]): (SetElement | MapElement)[] {
  return elements.map((element) => {
    const from = bytesOf(element, 'key') ?? new Uint8Array()
    return entry(set, element, formatBox(set.key, from, bytesOf(element, 'keyEnd') ?? from))
  })
}

/** Each interval is an element where it begins and, unless it reaches the last value, one behind its end. */
function intervals(set: KnownSet, elements: readonly Body[]): (SetElement | MapElement)[] {
  const type = set.key.fields[0] as DataType
  const isEnd = (element: Body): boolean => ((optionalNumber(element['flags']) ?? 0) & INTERVAL_END) !== 0
  const sorted = elements
    .map((element) => ({ element, key: bytesOf(element, 'key') ?? new Uint8Array(), end: isEnd(element) }))
    .sort((a, b) => Buffer.compare(a.key, b.key) || Number(b.end) - Number(a.end))
  return sorted.flatMap(({ element, key, end }, index) => {
    if (end) return []
    const next = sorted[index + 1]
    const to = next === undefined ? key.map(() => 255) : predecessor(next.key)
    return [entry(set, element, formatSpan(type, { from: key, to, isOpen: next === undefined }))]
  })
}

function predecessor(bytes: Uint8Array): Uint8Array {
  const inverse = successor(bytes.map((byte) => ~byte))
  return inverse === undefined ? bytes : inverse.map((byte) => ~byte)
}

function entry(set: KnownSet, element: Body, val: Immediate): SetElement | MapElement {
  const comment = readComment(optionalBytes(element['userdata']))
  const timeout = optionalCount(element['timeout'])
  const expiration = optionalCount(element['expiration'])
  const counter = counterOf(element)
  const details = present({
    val,
    comment,
    timeout: timeout === undefined || timeout === 0 ? undefined : Math.floor(timeout / 1000),
    expires: expiration === undefined ? undefined : Math.floor(expiration / 1000),
    counter,
  })
  const key: SetElement = Object.keys(details).length > 1 ? { elem: details } : val
  if (!set.isMap) return key
  return [key, datum(set, element)]
}

function counterOf(element: Body): { packets: number; bytes: number } | undefined {
  const expressions = [nested(element['expr']) ?? [], bodies(element['expressions'])].flat() as Body[]
  const data = expressions.find((expression) => optionalText(expression['name']) === 'counter')
  const counter = data && nested(data['data'])
  return counter && { packets: count(counter['packets']), bytes: count(counter['bytes']) }
}

function datum(set: KnownSet, element: Body): Immediate | Verdict {
  if (set.objects !== undefined) return optionalText(element['objref']) ?? ''
  const data = nested(element['data']) ?? {}
  const verdict = nested(data['verdict'])
  if (verdict !== undefined) return formatVerdict(verdict) ?? String(verdict['code'])
  const bytes = optionalBytes(data['value']) ?? new Uint8Array()
  return set.data === undefined || set.data === 'verdict' ? '' : formatKey(set.data, bytes)
}
