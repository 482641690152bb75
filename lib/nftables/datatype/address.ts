// Addresses of the network and of the link.

import { formatAddress, parseAddress } from '../../cidr.ts'
import { invalidType, invalidValue } from '../../invalid.ts'
import type { DataType } from './datatype.ts'

function addressType(name: string, id: number, bytes: 4 | 16): DataType {
  return {
    name,
    id,
    bytes,
    order: 'big',
    parse(value, path) {
      const address = parseAddress(value, path)
      if (address.bytes.length !== bytes) throw invalidValue(path, `must be an IPv${bytes === 4 ? 4 : 6} address`, value)
      return address.bytes
    },
    format: formatAddress,
  }
}

export const ipv4Address: DataType = addressType('ipv4_addr', 7, 4)
export const ipv6Address: DataType = addressType('ipv6_addr', 8, 16)

export const etherAddress: DataType = {
  name: 'ether_addr',
  id: 9,
  bytes: 6,
  order: 'big',
  parse(value, path) {
    if (typeof value !== 'string') throw invalidType(path, 'a MAC address', value)
    if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(value))
      throw invalidValue(path, 'must be a MAC address as 02:42:ac:11:00:02', value)
    return Uint8Array.from(value.split(':'), (pair) => Number.parseInt(pair, 16))
  },
  format: (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':'),
}
