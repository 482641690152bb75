// [ meta set mark with reg 1 ], [ payload write reg 1 => 2b @ transport header + 2 … ]

import { fields, invalidType, invalidValue, oneOf, onlyKey } from '../../../invalid.ts'
import type { DataType } from '../../datatype/datatype.ts'
import { maskAndFlip } from '../expression/bitwise.ts'
import { ctKeys } from '../expression/ct.ts'
import { NETWORK_HEADER } from '../expression/headers.ts'
import { metaKeys } from '../expression/meta.ts'
import { isLoaded } from '../expression/operand.ts'
import { payloadField } from '../expression/payload.ts'
import { parseBits } from '../expression/value.ts'
import { type Program, register } from '../program.ts'
import { loadValue } from './value.ts'

export const NFT_PAYLOAD_CSUM_INET = 1
/** The addresses count in the checksum of the transport header as well. */
export const NFT_PAYLOAD_L4CSUM_PSEUDOHDR = 1

export function mangle(program: Program, value: unknown, path: string): void {
  const given = fields(value, path, ['key', 'value'])
  const place = `${path}.key`
  const kind = onlyKey(given['key'], place, ['meta', 'ct', 'payload'])
  const key = (given['key'] as Record<string, unknown>)[kind]
  const source = given['value']
  if (kind === 'payload') {
    writePayload(program, key, source, path)
    return
  }
  const keys = kind === 'meta' ? metaKeys : ctKeys
  const writable = Object.keys(keys).filter((name) => keys[name]?.writable)
  const name = oneOf(fields(key, `${place}.${kind}`, ['key'])['key'], `${place}.${kind}.key`, writable)
  const { key: number, type } = keys[name] as { key: number; type: DataType }
  loadValue(program, type, source, 0, `${path}.value`)
  program.emit(kind, { key: number, sreg: register(0) })
}

function writePayload(program: Program, key: unknown, source: unknown, path: string): void {
  const { header, field } = payloadField(program, key, `${path}.key.payload`)
  const { base, checksum } = header
  const { offset, type } = field
  const isAddress = base === NETWORK_HEADER && type.name.endsWith('_addr')
  const sum = checksum === undefined ? {} : { csumType: NFT_PAYLOAD_CSUM_INET, csumOffset: checksum }
  const flags = isAddress ? { csumFlags: NFT_PAYLOAD_L4CSUM_PSEUDOHDR } : {}
  const write = (from: number, len: number): void =>
    program.emit('payload', { sreg: register(0), base, offset: from, len, ...sum, ...flags })
  if (type.bytes !== 1 || checksum === undefined) {
    loadValue(program, type, source, 0, `${path}.value`)
    write(offset, type.bytes)
    return
  }
  // Checksums are of 16-bit words: a single byte is changed inside its word.
  if (isLoaded(source)) throw invalidType(`${path}.value`, `a constant of ${type.name}`, source)
  const [byte] = parseBits(type, source, `${path}.value`)
  if (byte === undefined) throw invalidValue(`${path}.value`, 'must have a value', source)
  const word = offset & ~1
  const isFirst = word === offset
  program.emit('payload', { dreg: register(0), base, offset: word, len: 2 })
  maskAndFlip(
    program,
    0,
    isFirst ? Uint8Array.of(0, 255) : Uint8Array.of(255, 0),
    isFirst ? Uint8Array.of(byte, 0) : Uint8Array.of(0, byte),
  )
  write(word, 2)
}
