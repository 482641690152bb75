// Connection tracking's own words (nf_conntrack_common.h).

import { type DataType, integerType } from './datatype.ts'

export const connectionState: DataType = integerType('ct_state', 26, 4, {
  order: 'host',
  bitmask: true,
  words: { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 },
})

export const connectionDirection: DataType = integerType('ct_dir', 27, 1, { order: 'host', words: { original: 0, reply: 1 } })

export const connectionStatus: DataType = integerType('ct_status', 28, 4, {
  order: 'host',
  bitmask: true,
  words: { expected: 1, 'seen-reply': 2, assured: 4, confirmed: 8, snat: 16, dnat: 32, dying: 512 },
})
