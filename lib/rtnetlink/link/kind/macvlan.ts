// Devices with a MAC address of their own on another device; see ip-link(8), `type macvlan`. The same for macvtap.

import { number, optionalNumber, present } from '../../../exchange.ts'
import { integer, invalidType, invalidValue, oneOf } from '../../../invalid.ts'
import type { Kind } from './kind.ts'

const modes = { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 } as const
export type MacvlanMode = keyof typeof modes

export interface MacvlanSpec {
  /** @defaultValue 'vepa', the kernel's */
  readonly mode?: MacvlanMode
  /** How many broadcast packets may wait for the device. */
  readonly broadcastQueue?: number
  /**
   * From how many receivers on a broadcast is queued, and not delivered at once: 0 queues all but those for one, -1 none. Linux 6.4.
   * @defaultValue 1, the kernel's
   */
  readonly broadcastCutoff?: number
  /** `false` leaves the lower device as it is: only of the mode `passthru`, whose device hears what its MAC is for. @defaultValue true */
  readonly promiscuous?: boolean
}

export interface MacvlanInfo {
  readonly mode: MacvlanMode
  readonly broadcastQueue: number
  /** Linux 6.4. */
  readonly broadcastCutoff?: number
  readonly promiscuous: boolean
}

/** MACVLAN_FLAG_NOPROMISC. */
const noPromiscuity = 1

function flagsOf({ mode, promiscuous }: MacvlanSpec, path: string): number | undefined {
  if (promiscuous === undefined) return undefined
  if (typeof promiscuous !== 'boolean') throw invalidType(`${path}.promiscuous`, 'a boolean', promiscuous)
  if (!promiscuous && mode !== 'passthru')
    throw invalidValue(`${path}.promiscuous`, 'can be false in the mode passthru only', promiscuous)
  return promiscuous ? 0 : noPromiscuity
}

export const macvlan: Kind<MacvlanSpec, MacvlanInfo> = {
  names: ['mode', 'broadcastQueue', 'broadcastCutoff', 'promiscuous'],
  data: (spec, path) => {
    const { mode, broadcastQueue, broadcastCutoff } = spec
    return {
      mode: mode === undefined ? undefined : modes[oneOf(mode, `${path}.mode`, Object.keys(modes) as MacvlanMode[])],
      flags: flagsOf(spec, path),
      broadcastQueue: broadcastQueue === undefined ? undefined : integer(broadcastQueue, `${path}.broadcastQueue`, 0, 0xffffffff),
      broadcastCutoff:
        broadcastCutoff === undefined ? undefined : integer(broadcastCutoff, `${path}.broadcastCutoff`, -1, 0x7fffffff),
    }
  },
  read: (data) => ({
    mode: (Object.keys(modes) as MacvlanMode[]).find((mode) => modes[mode] === number(data['mode'])) ?? 'vepa',
    broadcastQueue: number(data['broadcastQueue']),
    ...present({ broadcastCutoff: optionalNumber(data['broadcastCutoff']) }),
    promiscuous: (number(data['flags']) & noPromiscuity) === 0,
  }),
}
