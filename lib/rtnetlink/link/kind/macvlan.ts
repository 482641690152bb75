// Devices with a MAC address of their own on another device; see ip-link(8), `type macvlan`. The same for macvtap.

import { number } from '../../../exchange.ts'
import { integer, oneOf } from '../../../invalid.ts'
import type { Kind } from './kind.ts'

const modes = { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 } as const
export type MacvlanMode = keyof typeof modes

export interface MacvlanSpec {
  /** @defaultValue 'vepa', the kernel's */
  readonly mode?: MacvlanMode
  /** How many broadcast packets may wait for the device. */
  readonly broadcastQueue?: number
}

export interface MacvlanInfo {
  readonly mode: MacvlanMode
  readonly broadcastQueue: number
}

export const macvlan: Kind<MacvlanSpec, MacvlanInfo> = {
  names: ['mode', 'broadcastQueue'],
  data: ({ mode, broadcastQueue }, path) => ({
    mode: mode === undefined ? undefined : modes[oneOf(mode, `${path}.mode`, Object.keys(modes) as MacvlanMode[])],
    broadcastQueue: broadcastQueue === undefined ? undefined : integer(broadcastQueue, `${path}.broadcastQueue`, 0, 0xffffffff),
  }),
  read: (data) => ({
    mode: (Object.keys(modes) as MacvlanMode[]).find((mode) => modes[mode] === number(data, 'mode')) ?? 'vepa',
    broadcastQueue: number(data, 'broadcastQueue'),
  }),
}
