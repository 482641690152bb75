// What the kernel remembers of a policy is what was said, at any length; what somebody spoiled is told.

import * as assert from 'uvu/assert'
import type { Policy } from '../../lib/index.ts'
import { checkPolicy, type PolicyRuleSpec } from '../../lib/policy/spec.ts'
import { altnamesOf, claimOf, policiesOn, policyAltnames } from '../../lib/policy/text.ts'
import { suite } from '../support/suite.ts'

const test = suite('the text of a policy')

const remembered = (policy: Policy): { altnames: string[] } => ({
  altnames: ['else', claimOf(policy.name), ...policyAltnames(policy)],
})

const rules: readonly PolicyRuleSpec[] = [
  { action: 'deny', from: 'lab/web', to: ['lab', 'world', 'host', 'any'] },
  {
    action: 'allow',
    from: '10.0.0.0/8',
    to: { labels: { app: 'shop' }, network: 'lab' },
    ports: [80, '53/udp'].map(String),
    direction: 'ingress',
  },
  {
    action: 'allow',
    from: { cidr: 'fd00::/8', except: ['fd00:1::/32', 'fd00:2::/32'] },
    to: { container: 'db' },
    ports: ['icmp', '1-65535/sctp'],
  },
  {
    action: 'isolate',
    containers: [
      {},
      { labels: { 'a/b': true, c: false, d: ['1', '2'], e: { not: ['x=y', 'ü&|;,@?!/'] }, f: { not: 'z' }, g: '' } },
    ],
  },
  { action: 'isolate', containers: 'lab', direction: 'egress' },
]

test('says what was said', () => {
  for (const rule of rules) {
    const policy = checkPolicy({ name: 'p', rules: [rule, { action: 'deny', from: 'lab', to: 'any' }] })
    assert.equal(policiesOn(remembered(policy), policy.network), { policies: [policy], unreadable: [] })
  }
})

test('comes in pieces that the kernel takes', () => {
  const many = Array.from({ length: 60 }, (_, at) => ({
    action: 'deny' as const,
    from: `lab/container-with-a-long-name-${at}`,
    to: 'any',
  }))
  const policy = checkPolicy({ name: 'n'.repeat(63), rules: many })
  const { altnames } = remembered(policy)
  assert.ok(altnames.length > 20)
  assert.ok(altnames.every((name) => Buffer.byteLength(name) <= 127))
  assert.equal(policiesOn({ altnames }, 'lab').policies, [policy])
  assert.equal(altnamesOf({ altnames: [...altnames, claimOf(`${policy.name}-`)] }, policy.name), altnames.slice(1))
})

test('of two the last whole one counts', () => {
  const [first, second] = ['80', '81'].map((ports) =>
    checkPolicy({ name: 'p', rules: [{ action: 'deny', from: 'lab', to: 'any', ports }] }),
  )
  const old = remembered(first as Policy).altnames
  const fresh = policyAltnames(second as Policy)
  assert.equal(policiesOn({ altnames: [...old, ...fresh] }, 'lab').policies, [second])
  assert.equal(policiesOn({ altnames: [...old, ...fresh.slice(1)] }, 'lab').policies, [first])
})

test('without a piece, or without its claim, is not taken for another', () => {
  const many = Array.from({ length: 9 }, (_, at) => ({
    action: 'deny' as const,
    from: `lab/c${at}`,
    to: 'any',
    ports: `${at + 1}`,
  }))
  const { altnames } = remembered(checkPolicy({ name: 'p', rules: many }))
  assert.equal(policiesOn({ altnames: altnames.filter((_, at) => at !== 3) }, 'lab'), { policies: [], unreadable: ['p'] })
  assert.equal(policiesOn({ altnames: altnames.filter((name) => name !== claimOf('p')) }, 'lab'), {
    policies: [],
    unreadable: [],
  })
})

test.run()
