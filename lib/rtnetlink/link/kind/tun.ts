// What the kernel tells of a tun or tap device. It is made by an ioctl of /dev/net/tun: ../tun.ts.

import { number, optionalNumber } from '../../../exchange.ts'
import type { Body } from '../../../native.ts'

export interface TunInfo {
  readonly mode: 'tun' | 'tap'
  readonly persistent: boolean
  readonly multiQueue: boolean
  readonly packetInformation: boolean
  readonly vnetHeader: boolean
  /** How many descriptors are attached; of a device with `multiQueue`. */
  readonly queues?: number
  /** User and group that may attach to it. */
  readonly owner?: number
  readonly ownerGroup?: number
}

const IFF_TAP = 2

export function readTun(data: Body): TunInfo {
  const owner = optionalNumber(data['owner'])
  const ownerGroup = optionalNumber(data['group'])
  const queues = optionalNumber(data['queues'])
  return {
    mode: number(data['type']) === IFF_TAP ? 'tap' : 'tun',
    persistent: number(data['persist']) !== 0,
    multiQueue: number(data['multiQueue']) !== 0,
    packetInformation: number(data['packetInformation']) !== 0,
    vnetHeader: number(data['vnetHeader']) !== 0,
    ...(queues === undefined ? {} : { queues }),
    ...(owner === undefined ? {} : { owner }),
    ...(ownerGroup === undefined ? {} : { ownerGroup }),
  }
}
