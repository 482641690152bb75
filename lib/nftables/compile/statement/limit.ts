// [ limit rate 10/second burst 5 type packets flags 0x0 ]

import { fields, integer, invalidType, oneOf } from '../../../invalid.ts'
import type { Program } from '../program.ts'

export const seconds = { second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800 } as const
const sizes = { bytes: 1, kbytes: 1024, mbytes: 1024 * 1024 } as const
export const NFT_LIMIT_PKTS = 0
const NFT_LIMIT_PKT_BYTES = 1
export const NFT_LIMIT_F_INV = 1
/** What nft takes if none is given. */
const DEFAULT_BURST = 5

export function limit(program: Program, value: unknown, path: string): void {
  const given = fields(value, path, ['rate', 'per', 'rate_unit', 'burst', 'burst_unit', 'inv'])
  const unit = oneOf(given['rate_unit'] ?? 'packets', `${path}.rate_unit`, ['packets', 'bytes', 'kbytes', 'mbytes'])
  const burstUnit = oneOf(given['burst_unit'] ?? 'bytes', `${path}.burst_unit`, ['bytes', 'kbytes', 'mbytes'])
  const per = oneOf(given['per'], `${path}.per`, ['second', 'minute', 'hour', 'day', 'week'])
  const inv = given['inv'] ?? false
  if (typeof inv !== 'boolean') throw invalidType(`${path}.inv`, 'a boolean', inv)
  const isPackets = unit === 'packets'
  const burstSize = isPackets ? 1 : sizes[burstUnit]
  const burst = integer(
    given['burst'] ?? (isPackets ? DEFAULT_BURST : 0),
    `${path}.burst`,
    0,
    Math.floor((2 ** 32 - 1) / burstSize),
  )
  program.emit('limit', {
    rate: BigInt(integer(given['rate'], `${path}.rate`, 1, 2 ** 32 - 1)) * BigInt(isPackets ? 1 : sizes[unit]),
    unit: BigInt(seconds[per]),
    burst: burst * burstSize,
    type: isPackets ? NFT_LIMIT_PKTS : NFT_LIMIT_PKT_BYTES,
    flags: inv ? NFT_LIMIT_F_INV : 0,
  })
}
