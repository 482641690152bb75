// The expressions of a rule in the kernel back to statements of libnftables-json(5): the inverse of compile/statement/**.

import type { Body } from '../../native.ts'
import type { KernelObject } from '../message.ts'
import type { Family, Statement } from '../schema.ts'
import { nested, number, optionalNumber, text } from './body.ts'
import { ct, fib, meta, payload } from './expression/load.ts'
import { lookup } from './expression/lookup.ts'
import { bitwise, byteorder, bytesIn } from './expression/transform.ts'
import { type FindSet, Reader } from './reader.ts'
import { Inexpressible } from './registers.ts'
import { setCt, setMeta, writePayload } from './statement/mangle.ts'
import { cmp, range } from './statement/match.ts'
import { masquerade, nat, redirect } from './statement/nat.ts'
import { counter, limit, log, notrack, objref, queue, reject, verdict } from './statement/plain.ts'

const NFT_REG_VERDICT = 0

function immediate(reader: Reader, data: Body): void {
  const target = number(data['dreg'])
  if (target === NFT_REG_VERDICT) verdict(reader, data)
  else reader.registers.put(target, { constant: bytesIn(data, 'data') })
}

const either =
  (load: Handler, store: Handler): Handler =>
  (reader, data) =>
    (optionalNumber(data['sreg']) === undefined ? load : store)(reader, data)

type Handler = (reader: Reader, data: Body) => void

const handlers: Readonly<Record<string, Handler>> = {
  meta: either(meta, setMeta),
  ct: either(ct, setCt),
  payload: either(payload, writePayload),
  fib,
  bitwise,
  byteorder,
  lookup,
  immediate,
  range,
  nat,
  masq: masquerade,
  redir: redirect,
  counter,
  limit,
  log,
  reject,
  notrack,
  queue,
  objref,
}

/** `find` gives the sets of the rule's table. What has no words is kept as `{ other: … }`, expression by expression; never throws for that. */
export function decompileRule(family: Family, expressions: readonly Body[], find: FindSet): Statement[] {
  const reader = new Reader(family, find)
  // What was read since the last statement.
  let start = 0
  for (let index = 0; index < expressions.length; index++) {
    const before = reader.size
    const taken = read(reader, expressions, index)
    if (taken === 0) {
      for (const expression of expressions.slice(start, index + 1)) reader.push({ other: other(expression) })
      start = index + 1
      continue
    }
    index += taken - 1
    if (reader.size !== before) start = index + 1
  }
  for (const expression of expressions.slice(start)) reader.push({ other: other(expression) })
  return reader.statements
}

/** How many expressions were understood: none, one, or two comparisons that are one interval. */
function read(reader: Reader, expressions: readonly Body[], index: number): 0 | 1 | 2 {
  const expression = expressions[index] ?? {}
  const name = text(expression['name'])
  const data = nested(expression['data']) ?? {}
  const next = expressions[index + 1]
  try {
    if (name === 'cmp') {
      const following = next && { name: text(next['name']), data: nested(next['data']) ?? {} }
      return cmp(reader, data, following) ? 2 : 1
    }
    const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined
    if (handler === undefined) return 0
    handler(reader, data)
    return 1
  } catch (error) {
    if (error instanceof Inexpressible) return 0
    throw error
  }
}

function other(expression: Body): { name: string; data: KernelObject | Uint8Array } {
  const name = text(expression['name'])
  const data = (expression['data'] ?? {}) as KernelObject | Uint8Array
  // Of what is written to a header extension the kernel shows flags, and takes none.
  if (name !== 'exthdr' || data instanceof Uint8Array || data['sreg'] === undefined) return { name, data }
  const { flags: _, ...rest } = data
  return { name, data: rest }
}
