// What the kernel knows of a packet beyond its bytes.

import { type DataType, integerType } from './datatype.ts'

export const mark: DataType = integerType('mark', 19, 4, { order: 'host' })
export const userId: DataType = integerType('uid', 24, 4, { order: 'host' })
export const groupId: DataType = integerType('gid', 25, 4, { order: 'host' })
export const deviceGroup: DataType = integerType('devgroup', 35, 4, { order: 'host', words: { default: 0 } })

export const packetType: DataType = integerType('pkt_type', 31, 1, {
  order: 'host',
  words: { host: 0, broadcast: 1, multicast: 2, other: 3 },
})

export const addressType: DataType = integerType('fib_addrtype', 38, 4, {
  order: 'host',
  words: {
    unspec: 0,
    unicast: 1,
    local: 2,
    broadcast: 3,
    anycast: 4,
    multicast: 5,
    blackhole: 6,
    unreachable: 7,
    prohibit: 8,
  },
})

/** A number without a type of its own, as long as the field that it is compared with. */
export function plainInteger(bytes: number, order: 'big' | 'host'): DataType {
  return integerType('integer', 4, bytes, { order })
}
