// NetworkPolicies of Kubernetes, from their documentation, as policies here: what they become, and by packets who then reaches whom.

import { existsSync } from 'node:fs'
import * as assert from 'uvu/assert'
import {
  applyPolicy,
  deletePolicy,
  type KubernetesNetworkPolicy,
  listPolicies,
  type PolicyRule,
  policyFromKubernetes,
} from '../../lib/index.ts'
import { suite } from '../support/suite.ts'
import { type Ask, createTown, describe, everyAsk, surprises, type Town } from './town.ts'

/** https://kubernetes.io/docs/concepts/services-networking/network-policies/, with the addresses and labels of the town. */
const documented: KubernetesNetworkPolicy = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'test-network-policy', namespace: 'default' },
  spec: {
    podSelector: { matchLabels: { app: 'db' } },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [
      {
        from: [
          { ipBlock: { cidr: '192.0.0.0/16', except: ['192.0.3.0/24'] } },
          { namespaceSelector: { matchLabels: { project: 'routed' } } },
          { podSelector: { matchLabels: { tier: 'a' } } },
        ],
        ports: [{ protocol: 'TCP', port: 80 }],
      },
    ],
    egress: [{ to: [{ ipBlock: { cidr: '203.0.113.0/24' } }], ports: [{ protocol: 'TCP', port: 80, endPort: 90 }] }],
  },
}

const namespaces = { x: { project: 'shop' }, p: { project: 'routed' }, q: { project: 'quiet' } }

{
  const test = suite('NetworkPolicies in the words of policies')

  test('the documented one', () => {
    const pods = { network: 'x', labels: { app: 'db' } }
    assert.equal(policyFromKubernetes(documented, { network: 'x', namespaces }), {
      name: 'test-network-policy',
      rules: [
        { action: 'isolate', containers: pods, direction: 'ingress' },
        {
          action: 'allow',
          from: [{ cidr: '192.0.0.0/16', except: ['192.0.3.0/24'] }, { network: 'p' }, { network: 'x', labels: { tier: 'a' } }],
          to: pods,
          ports: ['80/tcp'],
          direction: 'ingress',
        },
        { action: 'isolate', containers: pods, direction: 'egress' },
        { action: 'allow', from: pods, to: [{ cidr: '203.0.113.0/24' }], ports: ['80-90/tcp'], direction: 'egress' },
      ],
    })
  })

  const of = (spec: KubernetesNetworkPolicy['spec']): readonly unknown[] =>
    policyFromKubernetes({ metadata: { name: 'p' }, spec }, { network: 'x', namespaces, ports: { http: 8080 } }).rules

  test('the default ones: deny all and allow all, one way and both', () => {
    const all = { network: 'x' }
    assert.equal(of({ podSelector: {}, policyTypes: ['Ingress'] }), [
      { action: 'isolate', containers: all, direction: 'ingress' },
    ])
    assert.equal(of({ podSelector: {} }), [{ action: 'isolate', containers: all, direction: 'ingress' }])
    assert.equal(of({ podSelector: {}, ingress: [{}], policyTypes: ['Ingress'] }), [
      { action: 'isolate', containers: all, direction: 'ingress' },
      { action: 'allow', from: ['any'], to: all, direction: 'ingress' },
    ])
    assert.equal(of({ podSelector: {}, egress: [], policyTypes: ['Egress'] }), [
      { action: 'isolate', containers: all, direction: 'egress' },
    ])
  })

  test('expressions, ports by name, protocols as a whole, namespaces that nobody is in', () => {
    const selector = {
      matchExpressions: [
        { key: 'app', operator: 'In', values: ['a', 'b'] },
        { key: 'old', operator: 'DoesNotExist' },
        { key: 'tier', operator: 'NotIn', values: ['c'] },
        { key: 'owner', operator: 'Exists' },
      ],
    }
    const nobody = { namespaceSelector: { matchLabels: { project: 'none' } } }
    const ports = [{ port: 'http' }, { protocol: 'UDP' }]
    assert.equal(
      of({ podSelector: selector, ingress: [{ from: [{ podSelector: {} }, nobody], ports }, { from: [nobody] }] }).slice(1),
      [
        {
          action: 'allow',
          from: [{ network: 'x' }],
          to: { network: 'x', labels: { app: ['a', 'b'], old: false, tier: { not: ['c'] }, owner: true } },
          ports: ['8080/tcp', 'udp'],
          direction: 'ingress',
        },
      ],
    )
  })

  test.run()
}

if (existsSync('/proc/sys/net/bridge')) {
  const test = suite('a NetworkPolicy', { limit: 120_000 })
  let town: Town
  test.before(async () => {
    town = await createTown(0)
  })
  test.after.each(async () => {
    for (const { name } of await listPolicies()) await deletePolicy(name)
  })
  test.after(async () => {
    await town[Symbol.asyncDispose]()
  })

  const asksOf = (): Ask[] => everyAsk(town, [['tcp', 80]]).concat(everyAsk(town, [['tcp', 81]], ['ipv4']))

  test('lets through what its documentation says', async () => {
    const policy = await applyPolicy(policyFromKubernetes(documented, { network: 'x', namespaces }))
    assert.equal(await surprises(town, policy.rules, asksOf()), [])
    // Not only what the model says.
    const pick = (from: string, to: string, port: number): Ask => ({ from, to, family: 'ipv4', protocol: 'tcp', port })
    const cells: readonly (readonly [Ask, boolean])[] = [
      [pick('x1', 'x3', 80), true],
      [pick('x1', 'x3', 81), false],
      [pick('x2', 'x3', 80), false],
      [pick('p1', 'x3', 80), true],
      [pick('lan', 'x3', 80), true],
      [pick('internet', 'x3', 80), false],
      [pick('x3', 'internet', 80), true],
      [pick('x3', 'x1', 80), false],
      [pick('host', 'x3', 81), true],
      [pick('x1', 'x2', 81), true],
    ]
    for (const [ask, wanted] of cells) assert.is(await town.reaches(ask, wanted), wanted, describe(ask))
  })

  test('adds up with others', async () => {
    const rules: PolicyRule[] = []
    for (const [name, tier] of [
      ['one', 'a'],
      ['two', 'b'],
    ] as const) {
      const ingress = [{ from: [{ podSelector: { matchLabels: { tier } } }] }]
      const manifest = { metadata: { name }, spec: { podSelector: { matchLabels: { app: 'db' } }, ingress } }
      rules.push(...(await applyPolicy(policyFromKubernetes(manifest, { network: 'x' }))).rules)
    }
    assert.equal(await surprises(town, rules, asksOf()), [])
  })

  test.run()
}
