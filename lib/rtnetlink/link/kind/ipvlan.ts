// Devices that share another's MAC address; see ip-link(8), `type ipvlan`. The same for ipvtap.

import { number } from '../../../exchange.ts'
import { oneOf } from '../../../invalid.ts'
import type { Kind } from './kind.ts'

const modes = ['l2', 'l3', 'l3s'] as const
const isolations = ['bridge', 'private', 'vepa'] as const
export type IpvlanMode = (typeof modes)[number]
export type IpvlanIsolation = (typeof isolations)[number]

export interface IpvlanSpec {
  /** @defaultValue 'l3', the kernel's */
  readonly mode?: IpvlanMode
  /** Whether devices on the same lower one reach each other. @defaultValue 'bridge' */
  readonly isolation?: IpvlanIsolation
}

export interface IpvlanInfo {
  readonly mode: IpvlanMode
  readonly isolation: IpvlanIsolation
}

export const ipvlan: Kind<IpvlanSpec, IpvlanInfo> = {
  names: ['mode', 'isolation'],
  data: ({ mode, isolation }, path) => ({
    mode: mode === undefined ? undefined : modes.indexOf(oneOf(mode, `${path}.mode`, modes)),
    // IPVLAN_F_PRIVATE is 1, IPVLAN_F_VEPA is 2.
    flags: isolation === undefined ? undefined : isolations.indexOf(oneOf(isolation, `${path}.isolation`, isolations)),
  }),
  read: (data) => ({ mode: modes[number(data['mode'])] ?? 'l3', isolation: isolations[number(data['flags']) & 3] ?? 'bridge' }),
}
