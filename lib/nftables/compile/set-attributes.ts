// What NFT_MSG_NEWSET says of a set's shape, the same for named and anonymous ones.

import type { KeyType } from '../datatype/concatenation.ts'
import type { KernelObject } from '../message.ts'
import { type ByteOrder, setUserdata } from '../userdata.ts'
import type { SetShape } from './transaction.ts'

/** enum nft_set_flags. */
export const setFlags = {
  anonymous: 0x1,
  constant: 0x2,
  interval: 0x4,
  map: 0x8,
  timeout: 0x10,
  dynamic: 0x20,
  concat: 0x80,
} as const

/** NFT_DATA_VERDICT. */
const VERDICT_TYPE = 0xffffff00

function byteOrder({ fields }: KeyType): ByteOrder {
  const [type] = fields
  if (type === undefined || fields.length > 1) return 0
  return type.order === 'host' ? 1 : 2
}

interface Extra {
  readonly flags: number
  readonly size?: number | undefined
  readonly comment?: unknown
  readonly path: string
}

export function setAttributes({ key, data, interval }: SetShape, { flags, size, comment, path }: Extra): KernelObject {
  const isBoxes = interval && key.fields.length > 1
  const all =
    flags | (interval ? setFlags.interval : 0) | (isBoxes ? setFlags.concat : 0) | (data === undefined ? 0 : setFlags.map)
  const desc = {
    ...(size !== undefined && { size }),
    ...(isBoxes && { concat: key.fields.map(({ bytes }) => ({ len: bytes })) }),
  }
  const dataOrder = data === undefined ? undefined : data === 'verdict' ? 0 : byteOrder(data)
  return {
    flags: all,
    keyType: key.id,
    keyLen: key.bytes,
    ...(data === 'verdict' && { dataType: VERDICT_TYPE }),
    ...(typeof data === 'object' && { dataType: data.id, dataLen: data.bytes }),
    ...(Object.keys(desc).length > 0 && { desc }),
    userdata: setUserdata(byteOrder(key), dataOrder, comment, `${path}.comment`),
  }
}
