// Refusals: every one before anything is sent, with the place inside the command and, for a misspelled word, the right one.

import * as assert from 'uvu/assert'
import { compile } from '../../lib/nftables/compile/compile.ts'
import type { Command } from '../../lib/nftables/schema.ts'
import { suite } from '../support/suite.ts'

const test = suite('malformed commands')

const place = { family: 'inet', table: 't' }
const rule = (...expr: unknown[]): unknown => ({ add: { rule: { ...place, chain: 'c', expr } } })
const dport = { payload: { protocol: 'tcp', field: 'dport' } }
const match = (left: unknown, right: unknown, op: unknown = '=='): unknown => ({ match: { op, left, right } })

const cases: [what: string, command: unknown, code: string, message: RegExp][] = [
  ['no verb', {}, 'ERR_INVALID_ARG_VALUE', /^commands\[0\] must have exactly one key, got \{\}$/],
  ['an unknown verb', { ad: {} }, 'ERR_INVALID_ARG_VALUE', /^commands\[0\]: 'ad' is unknown; did you mean 'add'\?$/],
  [
    'an unknown object',
    { add: { tabel: {} } },
    'ERR_INVALID_ARG_VALUE',
    /^commands\[0\]\.add: 'tabel' is unknown; did you mean 'table'\?/,
  ],
  [
    'an unknown family',
    { add: { table: { family: 'ipv4', name: 't' } } },
    'ERR_INVALID_ARG_VALUE',
    /^commands\[0\]\.add\.table\.family: 'ipv4' is unknown; did you mean 'ip'\?$/,
  ],
  [
    'a table without a name',
    { add: { table: { family: 'ip' } } },
    'ERR_INVALID_ARG_TYPE',
    /table\.name must be a name, got undefined$/,
  ],
  [
    'an unknown statement',
    rule({ acept: null }),
    'ERR_INVALID_ARG_VALUE',
    /rule\.expr\[0\]: 'acept' is unknown; did you mean 'accept'\?$/,
  ],
  ['a verdict with an argument', rule({ accept: 1 }), 'ERR_INVALID_ARG_TYPE', /rule\.expr\[0\]\.accept must be null, got 1$/],
  ['a jump to nowhere', rule({ jump: {} }), 'ERR_INVALID_ARG_TYPE', /expr\[0\]\.jump\.target must be a name/],
  [
    'an unknown header field',
    rule(match({ payload: { protocol: 'tcp', field: 'dprt' } }, 80)),
    'ERR_INVALID_ARG_VALUE',
    /rule\.expr\[0\]\.match\.left\.payload\.field: 'dprt' is unknown; did you mean 'dport'\?$/,
  ],
  [
    'an unknown meta key',
    rule(match({ meta: { key: 'iifnam' } }, 'lo')),
    'ERR_INVALID_ARG_VALUE',
    /meta\.key: 'iifnam' is unknown; did you mean 'iifname'\?/,
  ],
  [
    'an unknown connection state',
    rule(match({ ct: { key: 'state' } }, 'estabished', 'in')),
    'ERR_INVALID_ARG_VALUE',
    /did you mean 'established'\?$/,
  ],
  ['port 70000', rule(match(dport, 70_000)), 'ERR_OUT_OF_RANGE', /match\.right must be from 0 to 65535, got 70000$/],
  ['half a port', rule(match(dport, 1.5)), 'ERR_INVALID_ARG_TYPE', /match\.right must be a value of inet_service, got 1\.5$/],
  [
    'a range upside down',
    rule(match(dport, { range: [9, 1] })),
    'ERR_INVALID_ARG_VALUE',
    /right\.range must not end before it begins/,
  ],
  [
    'a prefix with bits behind it',
    rule(match({ payload: { protocol: 'ip', field: 'saddr' } }, { prefix: { addr: '10.0.0.1', len: 8 } })),
    'ERR_INVALID_ARG_VALUE',
    /right\.prefix has bits set behind its length/,
  ],
  [
    'no address',
    rule(match({ payload: { protocol: 'ip', field: 'saddr' } }, '10.0.0')),
    'ERR_INVALID_ARG_VALUE',
    /right must be an address/,
  ],
  [
    'IPv6 where IPv4 belongs',
    rule(match({ payload: { protocol: 'ip', field: 'saddr' } }, 'fd00::1')),
    'ERR_INVALID_ARG_VALUE',
    /right must be an IPv4 address/,
  ],
  [
    'IPv4 and IPv6 in one rule',
    rule(
      match({ payload: { protocol: 'ip', field: 'saddr' } }, '1.2.3.4'),
      match({ payload: { protocol: 'ip6', field: 'saddr' } }, 'fd00::1'),
    ),
    'ERR_INVALID_ARG_VALUE',
    /expr\[1\].*cannot be read from packets of ip/,
  ],
  [
    'an interface name of 16 characters',
    rule(match({ meta: { key: 'iifname' } }, 'abcdefghijklmnop')),
    'ERR_INVALID_ARG_VALUE',
    /of 1 to 15 bytes/,
  ],
  [
    'an unknown operator',
    rule(match(dport, 80, '=')),
    'ERR_INVALID_ARG_VALUE',
    /match\.op: '=' is unknown; did you mean '=='\?$/,
  ],
  ['an empty set', rule(match(dport, { set: [] })), 'ERR_INVALID_ARG_VALUE', /right\.set must have an element/],
  [
    'dnat in an inet table without a family',
    rule({ dnat: { addr: '1.2.3.4' } }),
    'ERR_INVALID_ARG_VALUE',
    /expr\[0\]\.dnat\.family must be ip or ip6 in an inet table/,
  ],
  [
    'a port of dnat without a protocol',
    rule({ counter: null }, { notrack: null }, { dnat: { family: 'ip', addr: '1.2.3.4', port: 80 } }),
    'ERR_INVALID_ARG_VALUE',
    /rule\.expr\[2\]\.dnat\.port needs a match on the transport protocol before it, got 80$/,
  ],
  [
    'a misspelled key of dnat',
    rule({ dnat: { family: 'ip', adr: '1.2.3.4' } }),
    'ERR_INVALID_ARG_VALUE',
    /dnat: 'adr' is unknown; did you mean 'addr'\?$/,
  ],
  [
    'a map that nobody declared',
    rule({ dnat: { family: 'ip', addr: { map: { key: dport, data: '@nowhere' } } } }),
    'ERR_INVALID_ARG_VALUE',
    /dnat\.addr\.map\.data needs the types of set 'nowhere' of table inet t: declare it in the same commands/,
  ],
  [
    'an unknown data type',
    { add: { set: { ...place, name: 's', type: 'ipv4_adr' } } },
    'ERR_INVALID_ARG_VALUE',
    /set\.type: 'ipv4_adr' is unknown; did you mean 'ipv4_addr'\?$/,
  ],
  [
    'a map without a data type',
    { add: { map: { ...place, name: 's', type: 'mark' } } },
    'ERR_INVALID_ARG_TYPE',
    /map\.map must be the data type of the map/,
  ],
  [
    'half a concatenation',
    { add: { set: { ...place, name: 's', type: ['inet_proto', 'inet_service'], elem: ['tcp'] } } },
    'ERR_INVALID_ARG_TYPE',
    /set\.elem\[0\] must be \{ concat: \[\.\.\.\] \} of inet_proto \. inet_service, got "tcp"$/,
  ],
  [
    'elements of a set that nobody declared',
    { add: { element: { ...place, name: 's', elem: [1] } } },
    'ERR_INVALID_ARG_VALUE',
    /element\.name needs the types of set 's'/,
  ],
  [
    'half a base chain',
    { add: { chain: { ...place, name: 'c', type: 'nat' } } },
    'ERR_INVALID_ARG_VALUE',
    /chain must have all of type, hook and prio, or none/,
  ],
  [
    'a comment of 128 bytes',
    { add: { table: { family: 'ip', name: 't', comment: 'x'.repeat(128) } } },
    'ERR_INVALID_ARG_VALUE',
    /table\.comment must have at most 127 bytes/,
  ],
]

for (const [what, command, code, message] of cases) {
  test(`${what} is refused`, () => {
    try {
      compile([command as Command])
    } catch (error) {
      assert.instance(error, code === 'ERR_OUT_OF_RANGE' ? RangeError : TypeError)
      assert.match((error as Error).message, message)
      assert.is((error as { code?: string }).code, code)
      return
    }
    assert.unreachable('nothing was refused')
  })
}

test('a set of one command is looked up with another key than it holds: refused', () => {
  const set = { add: { set: { ...place, name: 's', type: 'ipv4_addr' } } }
  assert.throws(
    () => compile([set, rule(match(dport, '@s'))] as Command[]),
    /right holds ipv4_addr, but what is looked up is inet_service/,
  )
})

test.run()
