// Addresses as they are written, with Node's own parser as the witness.

import { isIP, isIPv4 } from 'node:net'
import * as assert from 'uvu/assert'
import { parseAddress, parseCidr } from '../lib/cidr.ts'
import { randomFrom } from './support/random.ts'
import { suite } from './support/suite.ts'

const test = suite('addresses as text')

test('what is an IPv4 address is one here, and nothing else is', () => {
  const seed = Number(process.env['NETLINK_CT_SEED'] ?? Date.now() % 2 ** 31)
  const random = randomFrom(seed)
  const pieces = [
    '0',
    '00',
    '01',
    '1',
    '9',
    '10',
    '99',
    '100',
    '199',
    '200',
    '249',
    '255',
    '256',
    '999',
    '1000',
    '',
    ' 1',
    '1a',
    '-1',
  ]
  for (let run = 0; run < 20_000; run++) {
    const count = random() < 0.8 ? 4 : Math.floor(random() * 6)
    const text = Array.from({ length: count }, () => pieces[Math.floor(random() ** 2 * pieces.length)]).join('.')
    if (!isIPv4(text)) {
      if (isIP(text) === 0) assert.throws(() => parseAddress(text, 'it'), /^it must be an address/, `${text}, seed ${seed}`)
      continue
    }
    const bytes = Uint8Array.from(text.split('.'), Number)
    assert.equal(parseAddress(text, 'it'), { family: 2, bytes, text }, `seed ${seed}`)
  }
})

test('a prefix is digits behind the one slash', () => {
  assert.equal(parseCidr('10.0.0.1/8', 'it'), { family: 2, bytes: Uint8Array.of(10, 0, 0, 1), text: '10.0.0.1', prefixLength: 8 })
  assert.is(parseCidr('FD00:0::1/64', 'it').text, 'fd00::1')
  assert.is(parseCidr('::ffff:192.0.2.1/128', 'it').text, '::ffff:192.0.2.1')
  for (const wrong of ['10.0.0.1', '10.0.0.1/', '10.0.0.1/8/8', '/8', '10.0.0.1/-1', '10.0.0.1/ 8', '10.0.0.1/0008'])
    assert.throws(() => parseCidr(wrong, 'it'), /^it (must be an address|lacks its prefix)/)
  assert.throws(() => parseCidr('10.0.0.1/33', 'it'), RangeError)
  assert.throws(() => parseCidr('fd00::1/129', 'it'), RangeError)
})

test.run()
