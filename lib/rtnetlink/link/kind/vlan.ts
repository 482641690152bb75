// 802.1Q and 802.1ad VLAN devices; see ip-link(8), `type vlan`.

import { number } from '../../../exchange.ts'
import { integer, oneOf } from '../../../invalid.ts'
import type { Kind } from './kind.ts'

export const protocols = { '802.1q': 0x8100, '802.1ad': 0x88a8 } as const
export type VlanProtocol = keyof typeof protocols

export interface VlanSpec {
  /** 0 to 4094. */
  readonly id: number
  /** @defaultValue '802.1q' */
  readonly protocol?: VlanProtocol
}

export interface VlanInfo {
  readonly id: number
  readonly protocol: VlanProtocol
}

export const vlan: Kind<VlanSpec, VlanInfo> = {
  names: ['id', 'protocol'],
  data: ({ id, protocol }, path) => ({
    id: integer(id, `${path}.id`, 0, 4094),
    protocol:
      protocol === undefined
        ? undefined
        : protocols[oneOf(protocol, `${path}.protocol`, Object.keys(protocols) as VlanProtocol[])],
  }),
  read: (data) => ({
    id: number(data['id']),
    protocol: number(data['protocol']) === protocols['802.1ad'] ? '802.1ad' : '802.1q',
  }),
}
