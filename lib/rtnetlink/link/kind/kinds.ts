// The kinds of links that createLink makes and getLink reads.

import type { Body } from '../../../native.ts'
import { type BridgeInfo, type BridgeOptions, bridgeData, bridgeInfoFrom, bridgeOptionNames } from '../../bridge/options.ts'
import { type IpvlanInfo, type IpvlanSpec, ipvlan } from './ipvlan.ts'
import type { Kind } from './kind.ts'
import { type MacvlanInfo, type MacvlanSpec, macvlan } from './macvlan.ts'
import { type NetkitInfo, type NetkitSpec, netkit } from './netkit.ts'
import { readTun, type TunInfo } from './tun.ts'
import { type VlanInfo, type VlanSpec, vlan } from './vlan.ts'
import { type VrfSpec, vrf } from './vrf.ts'
import { type VxlanInfo, type VxlanSpec, vxlan } from './vxlan.ts'

/** Options by kind. `veth` has its own verb, createVethPair; tun and tap have createTun and openTun. */
export type KindSpec =
  | { readonly kind: 'dummy' | 'ifb' | 'wireguard' }
  | ({ readonly kind: 'bridge' } & BridgeOptions)
  | ({ readonly kind: 'vlan' } & VlanSpec)
  | ({ readonly kind: 'macvlan' | 'macvtap' } & MacvlanSpec)
  | ({ readonly kind: 'ipvlan' | 'ipvtap' } & IpvlanSpec)
  | ({ readonly kind: 'vxlan' } & VxlanSpec)
  | ({ readonly kind: 'vrf' } & VrfSpec)
  | ({ readonly kind: 'netkit' } & NetkitSpec)
  /** Any other kind: `type` is its name, `data` the attributes of IFLA_INFO_DATA in the kernel's own encoding. */
  | { readonly kind: 'other'; readonly type: string; readonly data?: Uint8Array }

/** What is told of a link besides what all have: at most one of them is there. */
export interface KindInfo {
  readonly bridge?: BridgeInfo
  readonly vlan?: VlanInfo
  readonly macvlan?: MacvlanInfo
  readonly ipvlan?: IpvlanInfo
  readonly vxlan?: VxlanInfo
  readonly vrf?: VrfSpec
  readonly tun?: TunInfo
  readonly netkit?: NetkitInfo
  /** IFLA_INFO_DATA of a kind that this library does not know. */
  readonly raw?: Uint8Array
}

/** Without options. */
const plain: Kind<unknown, undefined> = { names: [], data: () => undefined, read: () => undefined }
const bridge: Kind<BridgeOptions, BridgeInfo> = { names: bridgeOptionNames, data: bridgeData, read: bridgeInfoFrom }

export const kinds: Readonly<Record<Exclude<KindSpec['kind'], 'other'>, Kind<never, unknown>>> = {
  dummy: plain,
  ifb: plain,
  wireguard: plain,
  bridge,
  vlan,
  macvlan,
  macvtap: macvlan,
  ipvlan,
  ipvtap: ipvlan,
  vxlan,
  vrf,
  netkit,
}

export function readKind(kind: string | undefined, data: unknown): KindInfo {
  if (data instanceof Uint8Array) return { raw: data }
  if (typeof data !== 'object' || data === null) return {}
  const body = data as Body
  switch (kind) {
    case 'bridge':
      return { bridge: bridge.read(body) }
    case 'vlan':
      return { vlan: vlan.read(body) }
    case 'macvlan':
    case 'macvtap':
      return { macvlan: macvlan.read(body) }
    case 'ipvlan':
    case 'ipvtap':
      return { ipvlan: ipvlan.read(body) }
    case 'vxlan':
      return { vxlan: vxlan.read(body) }
    case 'vrf':
      return { vrf: vrf.read(body) }
    case 'netkit':
      return { netkit: netkit.read(body) }
    case 'tun':
      return { tun: readTun(body) }
    default:
      return {}
  }
}
