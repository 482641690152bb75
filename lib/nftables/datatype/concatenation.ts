// Keys and data of sets: one type, or several joined by dots, each of which starts on a 4-byte register.

import { invalidType, invalidValue, unknownWord } from '../../invalid.ts'
import { etherAddress, ipv4Address, ipv6Address } from './address.ts'
import { connectionDirection, connectionState, connectionStatus } from './conntrack.ts'
import type { DataType } from './datatype.ts'
import { addressType, deviceGroup, groupId, mark, packetType, userId } from './host.ts'
import { interfaceIndex, interfaceName } from './interface.ts'
import { etherType, icmpType, icmpv6Type, inetProtocol, inetService, networkProtocol, tcpFlags } from './protocol.ts'

export const dataTypes: ReadonlyMap<string, DataType> = new Map(
  [
    networkProtocol,
    ipv4Address,
    ipv6Address,
    etherAddress,
    etherType,
    inetProtocol,
    inetService,
    icmpType,
    tcpFlags,
    mark,
    interfaceIndex,
    userId,
    groupId,
    connectionState,
    connectionDirection,
    connectionStatus,
    icmpv6Type,
    packetType,
    deviceGroup,
    addressType,
    interfaceName,
  ].map((type) => [type.name, type]),
)

export interface KeyType {
  readonly fields: readonly DataType[]
  /** What NFTA_SET_KEY_TYPE or NFTA_SET_DATA_TYPE carries. */
  readonly id: number
  /** With the padding. */
  readonly bytes: number
}

/** Six bits for each type: more than five do not fit. */
const MOST_FIELDS = 5
/** NFT_DATA_VALUE_MAXLEN. */
const LONGEST_KEY = 64

export const padded = (bytes: number): number => (bytes + 3) & ~3

export function keyTypeOf(fields: readonly DataType[], path: string): KeyType {
  if (fields.length === 0 || fields.length > MOST_FIELDS)
    throw invalidValue(path, `must have 1 to ${MOST_FIELDS} types`, fields.length)
  const bytes = fields.length === 1 ? (fields[0]?.bytes ?? 0) : fields.reduce((sum, { bytes }) => sum + padded(bytes), 0)
  if (bytes > LONGEST_KEY) throw invalidValue(path, `must not be longer than ${LONGEST_KEY} bytes`, bytes)
  return { fields, id: fields.reduce((id, type) => id * 64 + type.id, 0), bytes }
}

/** `ipv4_addr`, `inet_proto . inet_service`, `['inet_proto', 'inet_service']`. */
export function keyType(spelling: unknown, path: string): KeyType {
  const names = typeof spelling === 'string' ? spelling.split('.').map((name) => name.trim()) : spelling
  if (!Array.isArray(names)) throw invalidType(path, 'a data type or a list of them', spelling)
  const fields = names.map((name: unknown) => {
    if (typeof name !== 'string') throw invalidType(path, 'a data type', name)
    const type = dataTypes.get(name)
    if (type === undefined) throw unknownWord(path, name, dataTypes.keys())
    return type
  })
  return keyTypeOf(fields, path)
}

/** The values of a concatenation one behind the other, each padded to four bytes; a lone one as it is. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts
  if (parts.length === 1 && first !== undefined) return first
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + padded(part.length), 0))
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += padded(part.length)
  }
  return bytes
}

/** The fields of a key or of data, as nft spells them. */
export function formatKey({ fields }: KeyType, bytes: Uint8Array): (string | number)[] {
  let offset = 0
  return fields.map((type) => {
    const value = type.format(bytes.subarray(offset, offset + type.bytes))
    offset += padded(type.bytes)
    return value
  })
}
