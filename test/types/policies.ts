// Policies. Compiled, never run.

import {
  allow,
  applyPolicy,
  deletePolicy,
  deny,
  type Endpoint,
  isolate,
  type KubernetesNetworkPolicy,
  listPolicies,
  type Network,
  type Policy,
  policyFromKubernetes,
} from '../../lib/index.ts'
import { expectType } from './expect.ts'

export async function policies(network: Network, endpoint: Endpoint, manifest: KubernetesNetworkPolicy): Promise<void> {
  expectType<Policy>()(
    await allow({ from: endpoint, to: [network, 'world', { cidr: '10.0.0.0/8', except: [] }], ports: ['80', 'icmp'] }),
  )
  await allow({ from: { labels: { app: ['a', 'b'], old: false, tier: { not: 'c' } } }, to: 'lab', direction: 'ingress' })
  // @ts-expect-error it needs both sides
  await allow({ from: 'lab' })
  // @ts-expect-error no such direction
  await allow({ from: 'lab', to: 'lab', direction: 'both' })
  // @ts-expect-error ports are texts
  await deny({ from: 'lab', to: 'lab', ports: 80 })
  // @ts-expect-error a deny has both directions
  await deny({ from: 'lab', to: 'lab', direction: 'ingress' })
  await isolate({ name: 'default', containers: network, direction: 'egress' })
  // @ts-expect-error labels are no numbers
  await isolate({ containers: { labels: { app: 7 } } })
  await applyPolicy({ name: 'p', rules: [{ action: 'isolate', containers: 'lab' }] })
  // @ts-expect-error no such action
  await applyPolicy({ name: 'p', rules: [{ action: 'reject', from: 'lab', to: 'lab' }] })
  await applyPolicy(policyFromKubernetes(manifest, { network: 'lab' }))
  // @ts-expect-error it needs a network
  policyFromKubernetes(manifest, {})
  expectType<Policy[]>()(await listPolicies({ network: 'lab' }))
  // @ts-expect-error no such option
  await listPolicies({ policy: 'p' })
  await deletePolicy('p')
  // @ts-expect-error a name
  await deletePolicy({ name: 'p' })
}
