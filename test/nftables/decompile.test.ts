// The decompiler alone: what the compiler made comes back in the words that it was made of; and expressions that nobody would write are
// kept, one by one, without an exception.

import * as assert from 'uvu/assert'
import type { Body } from '../../lib/native.ts'
import { tableCommands } from '../../lib/network/firewall/index.ts'
import { compile } from '../../lib/nftables/compile/compile.ts'
import { knownSet } from '../../lib/nftables/decompile/known-set.ts'
import { decompileRule } from '../../lib/nftables/decompile/rule.ts'
import type { Command, Statement } from '../../lib/nftables/schema.ts'
import { suite } from '../support/suite.ts'

const test = suite('decompiler')

const place = { family: 'inet', table: 't' } as const

interface Compiled {
  readonly expressions: readonly Body[]
  readonly sets: readonly Body[]
  readonly elements: readonly Body[]
}

function compiled(commands: readonly Command[]): Compiled[] {
  const { messages } = compile(commands)
  const of = (type: string): Body[] => messages.filter((message) => message.type === type).map(({ body }) => body as Body)
  const [sets, elements] = [of('NFT_MSG_NEWSET'), of('NFT_MSG_NEWSETELEM')]
  return of('NFT_MSG_NEWRULE').map((body) => ({ expressions: body['expressions'] as readonly Body[], sets, elements }))
}

/** By its name and, where it has none yet, by its number. */
function decompile({ expressions, sets, elements }: Compiled): Statement[] {
  return decompileRule('inet', expressions, (name) => {
    const body = sets.find((set) => set['name'] === name)
    if (body === undefined) return undefined
    const parts = elements.filter((part) => part['setId'] === body['id'])
    return { set: knownSet(body), elements: parts.flatMap((part) => part['elements'] as readonly Body[]) }
  })
}

const statements: readonly Statement[][] = [
  [{ queue: { num: { range: [0, 3] }, flags: 'bypass' } }],
  [{ queue: { num: 5, flags: ['bypass', 'fanout'] } }],
  [{ queue: { num: 0 } }],
  [{ match: { op: '==', left: { fib: { result: 'oifname', flags: ['daddr', 'mark'] } }, right: 'eth0' } }, { notrack: null }],
  [{ match: { op: '!=', left: { meta: { key: 'oifgroup' } }, right: { prefix: { addr: 4026531840, len: 4 } } } }],
  [{ match: { op: 'in', left: { ct: { key: 'status' } }, right: ['seen-reply', 'assured'] } }, { return: null }],
  [{ limit: { rate: 3, burst: 0, per: 'week', rate_unit: 'kbytes', burst_unit: 'bytes' } }],
  [{ reject: { type: 'icmpv6', expr: 'policy-fail' } }],
  [{ mangle: { key: { payload: { protocol: 'ip', field: 'ttl' } }, value: 7 } }],
  [{ match: { op: '==', left: { payload: { base: 'nh', offset: 0, len: 48 } }, right: 0x10800_0604 } }],
  [{ match: { op: '!=', left: { payload: { base: 'th', offset: 192, len: 16 } }, right: { range: [1, 0x101] } } }],
  [{ match: { op: '==', left: { '&': [{ payload: { base: 'nh', offset: 336, len: 16 } }, 0xfff8] }, right: 0 } }],
  [{ mangle: { key: { payload: { protocol: 'ip6', field: 'daddr' } }, value: 'fd00::1' } }],
]

for (const expr of statements) {
  test(`${JSON.stringify(expr)} comes back`, () => {
    const [rule] = compiled([{ add: { rule: { ...place, chain: 'c', expr } } }])
    if (rule === undefined) throw new Error('no rule')
    assert.equal(decompile(rule), expr)
  })
}

/** Numbers in a row that is the same in each run: a linear congruential generator. */
function randomness(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

function mutate(value: unknown, random: (below: number) => number): unknown {
  if (value instanceof Uint8Array) return random(4) > 0 ? value : new Uint8Array(random(20)).map(() => random(256))
  if (Array.isArray(value)) return value.map((inner) => mutate(inner, random))
  if (typeof value === 'number') return random(6) > 0 ? value : random(2) > 0 ? random(32) : random(2 ** 32)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(() => random(20) > 0)
  return Object.fromEntries(kept.map(([key, inner]) => [key, mutate(inner, random)]))
}

test('whatever the kernel might hold is listed', () => {
  const commands: Command[] = [
    ...tableCommands(),
    ...statements.map((expr): Command => ({ add: { rule: { ...place, chain: 'c', expr } } })),
  ]
  const rules = compiled(commands)
  let others = 0
  let words = 0
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomness(seed)
    for (const rule of rules) {
      const expressions = rule.expressions
        .map((expression) => mutate(expression, random) as Body)
        .filter(() => random(10) > 0)
        .sort(() => (random(10) > 0 ? 0 : random(3) - 1))
      for (const statement of decompile({ ...rule, expressions })) 'other' in statement ? others++ : words++
    }
  }
  assert.ok(others > 1000, `${others} others`)
  assert.ok(words > 1000, `${words} in words`)
})

test.run()
