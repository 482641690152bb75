// What policies refuse before anything is asked of the kernel, with the option's name.

import * as assert from 'uvu/assert'
import { allow, applyPolicy, deletePolicy, deny, isolate, listPolicies, policyFromKubernetes } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { suite } from '../support/suite.ts'

const test = suite('bad input for policies')

/** As JavaScript would pass it. */
type Loose = (...args: readonly unknown[]) => Promise<unknown>
const verbs = { allow, deny, isolate, applyPolicy, listPolicies, deletePolicy } as unknown as Record<string, Loose>
const kubernetes: Loose = async (...args) => (policyFromKubernetes as unknown as (...all: readonly unknown[]) => unknown)(...args)

const refusals: readonly (readonly [verb: string, args: readonly unknown[], code: string, message: RegExp])[] = [
  ['allow', [undefined], 'ERR_INVALID_ARG_TYPE', /^policy must be an object/],
  ['allow', [{ from: 'lab', too: 'lab' }], 'ERR_INVALID_ARG_VALUE', /'too' is unknown; did you mean 'to'\?/],
  ['allow', [{ from: 'lab' }], 'ERR_INVALID_ARG_TYPE', /^to must be a peer/],
  ['allow', [{ from: [], to: 'lab' }], 'ERR_INVALID_ARG_VALUE', /^from must name somebody/],
  ['allow', [{ from: 7, to: 'lab' }], 'ERR_INVALID_ARG_TYPE', /^from must be a peer/],
  ['allow', [{ from: 'lab', to: 'lab', name: 'a b' }], 'ERR_INVALID_ARG_VALUE', /^name must start with/],
  ['allow', [{ from: 'lab', to: 'lab', name: 'n'.repeat(64) }], 'ERR_OUT_OF_RANGE', /^the length of name must be from 1 to 63/],
  ['allow', [{ from: 'host', to: 'lab' }], 'ERR_INVALID_ARG_VALUE', /^from needs no allow/],
  ['allow', [{ from: 'lab', to: 'lab', direction: 'in' }], 'ERR_INVALID_ARG_VALUE', /^direction: 'in' is unknown/],
  ['allow', [{ from: 'lab/a/b', to: 'lab' }], 'ERR_INVALID_ARG_VALUE', /^from must be '<network>'/],
  ['allow', [{ from: ['lab', '-x'], to: 'lab' }], 'ERR_INVALID_ARG_VALUE', /^from\[1\] must start with/],
  [
    'allow',
    [{ from: '10.0.0.1/8', to: 'lab' }],
    'ERR_INVALID_ARG_VALUE',
    /^from has bits behind its prefix: write '10.0.0.0\/8'/,
  ],
  ['allow', [{ from: { cidr: '10.0.0.0/33' }, to: 'lab' }], 'ERR_OUT_OF_RANGE', /prefix length of from.cidr/],
  [
    'allow',
    [{ from: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] }, to: 'lab' }],
    'ERR_INVALID_ARG_VALUE',
    /^from.except\[0\] lies outside/,
  ],
  ['allow', [{ from: { cidr: '10.0.0.0/8', exept: [] }, to: 'lab' }], 'ERR_INVALID_ARG_VALUE', /did you mean 'except'/],
  ['allow', [{ from: { network: 'lab', label: {} }, to: 'lab' }], 'ERR_INVALID_ARG_VALUE', /did you mean 'labels'/],
  ['allow', [{ from: { labels: { 'a b': 'x' } }, to: 'lab' }], 'ERR_INVALID_ARG_VALUE', /^from.labels must have keys/],
  ['allow', [{ from: { labels: { a: 7 } }, to: 'lab' }], 'ERR_INVALID_ARG_TYPE', /^from.labels\['a'\] must be a text/],
  [
    'allow',
    [{ from: { labels: { a: [] } }, to: 'lab' }],
    'ERR_INVALID_ARG_VALUE',
    /^from.labels\['a'\] must have at least one value/,
  ],
  ['allow', [{ from: { labels: { a: { nott: 'b' } } }, to: 'lab' }], 'ERR_INVALID_ARG_VALUE', /did you mean 'not'/],
  ['allow', [{ from: 'world', to: 'any' }], 'ERR_INVALID_ARG_VALUE', /^to must name a network/],
  ['deny', [{ from: { labels: { a: 'b' } }, to: 'world' }], 'ERR_INVALID_ARG_VALUE', /^to must name a network/],
  ['deny', [{ from: 'lab', to: 'lab', direction: 'ingress' }], 'ERR_INVALID_ARG_VALUE', /'direction' is unknown/],
  ['deny', [{ from: 'lab', to: 'lab', ports: [] }], 'ERR_INVALID_ARG_VALUE', /^ports must name a port/],
  ['deny', [{ from: 'lab', to: 'lab', ports: 80 }], 'ERR_INVALID_ARG_TYPE', /^ports must be a text/],
  ['deny', [{ from: 'lab', to: 'lab', ports: '80/icmp' }], 'ERR_INVALID_ARG_VALUE', /^ports names ports of ICMP/],
  ['deny', [{ from: 'lab', to: 'lab', ports: ['80', '0'] }], 'ERR_OUT_OF_RANGE', /^ports\[1\] must be from 1 to 65535/],
  ['deny', [{ from: 'lab', to: 'lab', ports: '90-80' }], 'ERR_INVALID_ARG_VALUE', /^ports ends before it begins/],
  ['deny', [{ from: 'lab', to: 'lab', ports: 'tpc' }], 'ERR_INVALID_ARG_VALUE', /did you mean 'tcp'/],
  ['isolate', [{ containers: 'world' }], 'ERR_INVALID_ARG_VALUE', /^containers must be containers/],
  ['isolate', [{ containers: ['lab', '10.0.0.0/8'] }], 'ERR_INVALID_ARG_VALUE', /^containers\[1\] must be containers/],
  ['isolate', [{ containers: {} }], 'ERR_INVALID_ARG_VALUE', /^containers must name a network/],
  ['isolate', [{ from: 'lab' }], 'ERR_INVALID_ARG_VALUE', /'from' is unknown/],
  ['applyPolicy', [{ rules: [] }], 'ERR_INVALID_ARG_TYPE', /^name must be a string/],
  ['applyPolicy', [{ name: 'p', rules: {} }], 'ERR_INVALID_ARG_TYPE', /^rules must be an array/],
  ['applyPolicy', [{ name: 'p', rules: [] }], 'ERR_INVALID_ARG_VALUE', /^rules must name a network/],
  [
    'applyPolicy',
    [{ name: 'p', rules: [{ action: 'reject' }] }],
    'ERR_INVALID_ARG_VALUE',
    /^rules\[0\].action: 'reject' is unknown/,
  ],
  [
    'applyPolicy',
    [{ name: 'p', rules: [{ action: 'deny', from: 'lab', to: [7] }] }],
    'ERR_INVALID_ARG_TYPE',
    /^rules\[0\].to\[0\] must be a peer/,
  ],
  ['listPolicies', [{ networks: 'lab' }], 'ERR_INVALID_ARG_VALUE', /did you mean 'network'/],
  ['listPolicies', [{ network: '' }], 'ERR_OUT_OF_RANGE', /options.network/],
  ['deletePolicy', [], 'ERR_INVALID_ARG_TYPE', /^name must be a string/],
  ['deletePolicy', ['p', { hosts: 1 }], 'ERR_INVALID_ARG_VALUE', /'hosts' is unknown/],
]

for (const [verb, args, code, message] of refusals) {
  test(`${verb}(${JSON.stringify(args).slice(1, -1).slice(0, 90)}) is refused`, async () => {
    const error = await failureOf(verbs[verb]?.(...args) ?? Promise.resolve())
    assert.is((error as { code?: string }).code, code)
    assert.match(error.message, message)
  })
}

const spec = (more: object): object => ({ metadata: { name: 'p' }, spec: { podSelector: {}, ...more } })
const manifests: readonly (readonly [manifest: unknown, options: unknown, message: RegExp])[] = [
  [spec({}), {}, /^options.network must be a string/],
  [spec({}), { network: 'lab', name: 'x' }, /^options: 'name' is unknown/],
  [{ ...spec({}), kind: 'Pod' }, { network: 'lab' }, /^kind must be 'NetworkPolicy'/],
  [
    spec({ policyTypes: ['ingress'] }),
    { network: 'lab' },
    /^spec.policyTypes\[0\]: 'ingress' is unknown; did you mean 'Ingress'/,
  ],
  [spec({ ingress: [{ to: [] }] }), { network: 'lab' }, /^spec.ingress\[0\]: 'to' is unknown/],
  [spec({ ingress: [{ from: [{}] }] }), { network: 'lab' }, /^spec.ingress\[0\].from\[0\] must have a podSelector/],
  [spec({ ingress: [{ from: [{ namespaceSelector: {} }] }] }), { network: 'lab' }, /namespaceSelector needs options.namespaces/],
  [spec({ ingress: [{ ports: [{ port: 'http' }] }] }), { network: 'lab' }, /^spec.ingress\[0\].ports\[0\].port is a name/],
  [
    spec({ egress: [{ ports: [{ port: 80, endPort: 79 }] }] }),
    { network: 'lab' },
    /^spec.egress\[0\].ports\[0\].endPort must be from 80/,
  ],
  [spec({ egress: [{ ports: [{ endPort: 79 }] }] }), { network: 'lab' }, /endPort needs a port/],
  [spec({ podSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } }), { network: 'lab' }, /values must have a value/],
  [
    spec({ podSelector: { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'a', operator: 'Exists' }] } }),
    { network: 'lab' },
    /second condition/,
  ],
]

for (const [manifest, options, message] of manifests) {
  test(`the manifest ${JSON.stringify(manifest).slice(0, 90)} with ${JSON.stringify(options)} is refused`, async () => {
    assert.match((await failureOf(kubernetes(manifest, options))).message, message)
  })
}

test.run()
