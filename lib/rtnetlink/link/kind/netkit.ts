// A pair made for containers, programmable by BPF (Linux 6.7); see ip-link(8), `type netkit`.

import { number } from '../../../exchange.ts'
import { oneOf } from '../../../invalid.ts'
import type { Kind } from './kind.ts'

const modes = ['l2', 'l3'] as const
const policies = { pass: 0, blackhole: 2 } as const
export type NetkitMode = (typeof modes)[number]
export type NetkitPolicy = keyof typeof policies

export interface NetkitSpec {
  /** @defaultValue 'l3' */
  readonly mode?: NetkitMode
  /** What happens to packets while no BPF program is attached. @defaultValue 'pass' */
  readonly policy?: NetkitPolicy
  readonly peerPolicy?: NetkitPolicy
}

export interface NetkitInfo {
  readonly mode: NetkitMode
  readonly primary: boolean
}

const policyOf = (policy: NetkitPolicy | undefined, path: string): number | undefined =>
  policy === undefined ? undefined : policies[oneOf(policy, path, Object.keys(policies) as NetkitPolicy[])]

export const netkit: Kind<NetkitSpec, NetkitInfo> = {
  names: ['mode', 'policy', 'peerPolicy'],
  data: ({ mode, policy, peerPolicy }, path) => ({
    mode: modes.indexOf(oneOf(mode ?? 'l3', `${path}.mode`, modes)),
    policy: policyOf(policy, `${path}.policy`),
    peerPolicy: policyOf(peerPolicy, `${path}.peerPolicy`),
  }),
  read: (data) => ({ mode: modes[number(data['mode'])] ?? 'l3', primary: number(data['primary']) !== 0 }),
}
