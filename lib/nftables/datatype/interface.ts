// Interface names: 16 bytes padded with NULs, and indexes.

import { invalidType, invalidValue } from '../../invalid.ts'
import { type DataType, integerType } from './datatype.ts'

/** IFNAMSIZ, the NUL included. */
const LENGTH = 16

export const interfaceName: DataType = {
  name: 'ifname',
  id: 41,
  bytes: LENGTH,
  order: 'host',
  text: true,
  parse(value, path) {
    if (typeof value !== 'string') throw invalidType(path, 'an interface name', value)
    const bytes = new Uint8Array(LENGTH)
    const written = Buffer.from(value)
    if (written.length === 0 || written.length >= LENGTH || value.includes('\0')) {
      throw invalidValue(path, 'must be an interface name of 1 to 15 bytes', value)
    }
    bytes.set(written)
    return bytes
  },
  format(bytes) {
    const end = bytes.indexOf(0)
    return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString()
  },
}

/** By number only: a name would have to be looked up, and may be another device by the time the rule is there. */
export const interfaceIndex: DataType = integerType('iface_index', 20, 4, { order: 'host' })
