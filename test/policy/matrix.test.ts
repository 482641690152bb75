// Who reaches whom under policies of every kind: each cell asked with packets and compared with the model of docs/policies.md.

import { existsSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { applyPolicy, check, deletePolicy, listPolicies, type PolicyRuleSpec } from '../../lib/index.ts'
import { suite } from '../support/suite.ts'
import { type Ask, createTown, everyAsk, surprises, type Town } from './town.ts'

const cases: readonly (readonly [name: string, rules: readonly PolicyRuleSpec[]])[] = [
  ['a deny between two containers of one network', [{ action: 'deny', from: 'x/x1', to: 'x/x2' }]],
  ['a deny of a port and of ICMP', [{ action: 'deny', from: 'x', to: ['x/x1', 'p/p1'], ports: ['80', 'icmp'] }]],
  ['a deny from the world, of published ports too', [{ action: 'deny', from: 'world', to: 'x/x1' }]],
  ['a deny to the world', [{ action: 'deny', from: { network: 'x', labels: { app: 'web' } }, to: 'world' }]],
  [
    'a deny of a CIDR with a hole, and of the host',
    [
      { action: 'deny', from: 'p/p1', to: { cidr: '192.0.2.0/24', except: ['192.0.2.9/32'] } },
      { action: 'deny', from: 'x/x3', to: 'host' },
      { action: 'deny', from: 'host', to: 'x/x2', ports: '80' },
    ],
  ],
  [
    'an allow between containers of a network without icc',
    [{ action: 'allow', from: 'q/q1', to: 'q/q2', ports: ['80', 'icmp'] }],
  ],
  ['an allow between networks', [{ action: 'allow', from: 'x', to: ['q', 'p/p2'] }]],
  [
    'an allow from the LAN to a container',
    [{ action: 'allow', from: ['192.0.2.0/24', '2001:db8:1::/64'], to: ['x/x2', 'p/p1'], ports: 'tcp' }],
  ],
  [
    'an allow into and out of an internal network',
    [
      { action: 'allow', from: 'x/x1', to: 'i/i1' },
      { action: 'allow', from: 'i/i2', to: 'world', ports: '80' },
    ],
  ],
  [
    'an isolated network, with what it needs',
    [
      { action: 'isolate', containers: 'x' },
      { action: 'allow', from: 'x/x1', to: 'x/x3', ports: '80' },
      { action: 'allow', from: 'world', to: 'x/x1', ports: ['80', '53/udp'] },
    ],
  ],
  [
    'isolation one way, with allows of that way and of the other',
    [
      { action: 'isolate', containers: { network: 'x', labels: { tier: true } }, direction: 'ingress' },
      { action: 'allow', from: { labels: { app: 'db' } }, to: 'x/x1', direction: 'ingress' },
      { action: 'allow', from: 'any', to: 'x/x2', direction: 'egress' },
      { action: 'isolate', containers: 'p/p1', direction: 'egress' },
      { action: 'allow', from: 'p/p1', to: 'p', direction: 'egress', ports: '80-81' },
    ],
  ],
  [
    'a deny and an allow by addresses, of networks that nothing names',
    [
      { action: 'deny', from: ['x/x3', '10.4.0.0/24', 'fd00:4::/64'], to: ['192.0.2.0/24', '2001:db8:1::/64'] },
      { action: 'allow', from: 'any', to: ['10.3.0.2', 'fd00:2::2'], ports: ['80', 'icmp'] },
    ],
  ],
  [
    'a deny that outdoes an allow',
    [
      { action: 'allow', from: 'any', to: ['x', 'q', 'p'] },
      { action: 'deny', from: { labels: { tier: { not: 'a' } } }, to: 'x/x1' },
    ],
  ],
]

const asksOf = (town: Town): Ask[] => [
  ...everyAsk(town, [['tcp', 80]]),
  ...everyAsk(
    town,
    [
      ['udp', 53],
      ['tcp', 81],
    ],
    ['ipv4'],
  ).filter(({ from, to }) => /^[xqp]/.test(from + to)),
  ...everyAsk(town, [['icmp', 0]], ['ipv6']).filter(({ from, to }) => /^[xq]/.test(from) && /^[xq]/.test(to)),
]

let cells = 0
for (const setting of existsSync('/proc/sys/net/bridge') ? ([0, 1] as const) : []) {
  const test = suite(`policies, cell by cell, bridge-nf-call-iptables=${setting}`, { limit: 120_000 })
  let town: Town
  test.before(async () => {
    town = await createTown(setting)
  })
  test.after(async () => {
    await town[Symbol.asyncDispose]()
  })
  test.after.each(async () => {
    for (const { name } of await listPolicies()) await deletePolicy(name)
  })

  test('the town is as the model says without policies', async () => {
    assert.equal(await surprises(town, [], asksOf(town)), [])
  })

  for (const [name, rules] of cases) {
    test(name, async () => {
      const policy = await applyPolicy({ name: 'case', rules })
      const asks = asksOf(town)
      cells += asks.length
      assert.equal(await surprises(town, policy.rules, asks), [])
      assert.equal(await check(), [])
    })
  }

  test.run()
}

{
  const test = suite('the matrix of policies')
  test.skipIf(!existsSync('/proc/sys/net/bridge') && 'the kernel has no br_netfilter', 'thousands of cells were asked', () => {
    console.log(`${cells} cells`)
    assert.ok(cells >= 2000, `only ${cells}`)
  })
  test.run()
}
