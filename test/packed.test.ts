// Values on their way to the addon and back.

import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import type { Addon } from '../lib/addon.ts'
import { type Field, native } from '../lib/native.ts'
import { Packer, Unpacker } from '../lib/packed.ts'
import { randomFrom } from './support/random.ts'
import { suite } from './support/suite.ts'

const test = suite('packed values')
const addon = (createRequire(import.meta.url)('node-gyp-build') as (folder: string) => Addon)(
  fileURLToPath(new URL('..', import.meta.url)),
)
const names = addon.fieldNames()
const packer = new Packer(names)
const unpacker = new Unpacker(names)
const crossed = (value: unknown): unknown => unpacker.unpack(packer.pack(value))

test('come out as they went in', () => {
  const values: readonly unknown[] = [
    ...[undefined, true, false, 0, -1, 2147483647, -2147483648, 2147483648, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
    ...[0n, (1n << 64n) - 1n, '', 'eth0', 'a text that is longer than those that are read by hand', 'Köln', 'ü'.repeat(40), '\0'],
    ...[new Uint8Array(0), Uint8Array.of(0, 255), [], [1, [undefined, 'a']], {}, { mtu: 1500, 'no name of a schema': { x: [] } }],
    ['x'.repeat(100_000), Uint8Array.from({ length: 100_000 }, (_, at) => at & 255)],
  ]
  for (const value of values) assert.equal(crossed(value), value)
  assert.equal(crossed({ mtu: undefined, name: null }), { name: undefined })
})

test('whatever they are', () => {
  const seed = Number(process.env['NETLINK_CT_SEED'] ?? Date.now() % 2 ** 31)
  const random = randomFrom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const makers: readonly ((depth: number) => Field)[] = [
    () => random() < 0.5,
    () => Math.trunc((random() - 0.5) * 2 ** below(54)),
    () => BigInt(below(2 ** 32)) << BigInt(below(32)),
    () => String.fromCodePoint(...Array.from({ length: below(40) }, () => below(random() < 0.9 ? 128 : 0xd800))),
    () => Uint8Array.from({ length: below(40) }, () => below(256)),
    (depth) => Array.from({ length: below(5) }, () => value(depth + 1)),
    (depth) =>
      Object.fromEntries(Array.from({ length: below(5) }, () => [names[below(names.length + 20)] ?? 'x', value(depth + 1)])),
  ]
  const value = (depth: number): Field => (makers[below(depth > 4 ? 5 : makers.length)] as (typeof makers)[number])(depth)
  for (let run = 0; run < 2000; run++) {
    const one = value(0)
    assert.equal(crossed(one), one, `seed ${seed}, run ${run}`)
  }
})

test('that no message can carry are refused before they cross', () => {
  for (const value of [() => 0, Symbol('x'), 0.5, Number.NaN, Infinity, 2 ** 53, -1n, 1n << 64n])
    assert.throws(() => packer.pack({ value }), /^netlink-ct: /)
})

test('of which a part is missing, or too much is there, are refused by the addon', () => {
  const home = native.home()
  const bytes = packer.pack([{ type: 'RTM_GETLINK', flags: 0, body: { index: 1, name: 'lo' }, want: ['conf'] }]).slice()
  for (let length = 0; length < bytes.length; length++)
    assert.throws(() => addon.submit(home, bytes.subarray(0, length)), /^netlink-ct: bytes that are no value/)
  assert.throws(() => addon.submit(home, Uint8Array.of(...bytes, 0)), /bytes that are no value/)
  // A list of more items than there are bytes, a name that there is none of, a nest without an end.
  for (const wrong of [[8, 255, 255, 255, 255], [9, 1, 0, 0, 0, 254, 255, 0], new Array(4000).fill([8, 1, 0, 0, 0]).flat()])
    assert.throws(() => addon.submit(home, Uint8Array.from(wrong)), /bytes that are no value/)
  assert.throws(() => addon.submit(home, packer.pack({ type: 1 })), /not a list of messages/)
  assert.throws(() => addon.submit(home, packer.pack([{ type: 1 }])), /wrong type: type/)
  assert.throws(() => addon.submit(home, 'text' as unknown as Uint8Array), /not bytes/)
})

test.run()
