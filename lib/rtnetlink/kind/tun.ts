// What the kernel tells of a tun or tap device. Made by an ioctl of /dev/net/tun, not here.

import type { Body } from '../../native.ts'
import { number, optionalNumber } from '../exchange.ts'

export interface TunInfo {
  readonly mode: 'tun' | 'tap'
  readonly persistent: boolean
  readonly multiQueue: boolean
  /** User and group that may attach to it. */
  readonly owner?: number
  readonly group?: number
}

const IFF_TAP = 2

export function readTun(data: Body): TunInfo {
  const owner = optionalNumber(data, 'owner')
  const group = optionalNumber(data, 'group')
  return {
    mode: number(data, 'type') === IFF_TAP ? 'tap' : 'tun',
    persistent: number(data, 'persist') !== 0,
    multiQueue: number(data, 'multiQueue') !== 0,
    ...(owner === undefined ? {} : { owner }),
    ...(group === undefined ? {} : { group }),
  }
}
