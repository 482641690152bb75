// [ meta set mark with reg 1 ], [ payload write reg 1 => 2b @ transport header + 2 … ]

import type { Body } from '../../../native.ts'
import { ctKeys } from '../../compile/expression/ct.ts'
import { type Header, NETWORK_HEADER } from '../../compile/expression/headers.ts'
import { metaKeys } from '../../compile/expression/meta.ts'
import { NFT_PAYLOAD_CSUM_INET, NFT_PAYLOAD_L4CSUM_PSEUDOHDR } from '../../compile/statement/mangle.ts'
import type { DataType } from '../../datatype/datatype.ts'
import type { Expression } from '../../schema.ts'
import { number, optionalNumber } from '../body.ts'
import { fieldAt, type PayloadField, payloadPlace } from '../expression/load.ts'
import { masked } from '../expression/transform.ts'
import type { Need } from '../knowledge.ts'
import type { Reader } from '../reader.ts'
import { type Constant, expressionOf, Inexpressible, type Loaded, typeOf } from '../registers.ts'
import { formatValue } from '../value.ts'

const settable =
  (kind: 'meta' | 'ct', keys: typeof metaKeys | typeof ctKeys) =>
  (reader: Reader, data: Body): void => {
    const found = Object.entries(keys).find(([, { key }]) => key === number(data['key']))
    if (found === undefined || !found[1].writable || optionalNumber(data['direction']) !== undefined) throw new Inexpressible()
    const [key, { type }] = found
    const source = reader.registers.get(number(data['sreg']))
    const target = kind === 'meta' ? { meta: { key } } : { ct: { key } }
    reader.push({ mangle: { key: target, value: valueFrom(type, source) } }, needsOf(source))
  }

export const setMeta: (reader: Reader, data: Body) => void = settable('meta', metaKeys)
export const setCt: (reader: Reader, data: Body) => void = settable('ct', ctKeys)

const needsOf = (source: Loaded | Constant): readonly Need[] => ('constant' in source ? [] : source.needs)

function valueFrom(type: DataType, source: Loaded | Constant): Expression {
  if ('constant' in source) {
    if (source.constant.length !== type.bytes) throw new Inexpressible()
    return formatValue(type, source.constant) as Expression
  }
  const from = typeOf(source)
  if (source.isSwapped || source.bytes !== type.bytes || from.order !== type.order) throw new Inexpressible()
  return source.mask === undefined ? expressionOf(source) : masked(source)
}

export function writePayload(reader: Reader, data: Body): void {
  const place = payloadPlace(data)
  const source = reader.registers.get(number(data['sreg']))
  const word = 'constant' in source ? undefined : source.payload
  const sameWord = word !== undefined && word.base === place.base && word.offset === place.offset && word.len === place.len
  if (sameWord && place.len === 2) {
    writeByte(reader, data, source as Loaded)
    return
  }
  const field = fieldAt(reader.known, place)
  const type = field?.fields[0]
  if (field === undefined || type === undefined || type.bytes !== place.len || !sumsAsCompiled(data, field.header, type)) {
    throw new Inexpressible()
  }
  reader.push({ mangle: { key: field.expression, value: valueFrom(type, source) } }, [...field.needs, ...needsOf(source)])
}

/** Checksums are of 16-bit words: a single byte was changed inside its word. */
function writeByte(reader: Reader, data: Body, { mask, flip }: Loaded): void {
  const place = payloadPlace(data)
  const kept = mask?.indexOf(255) ?? -1
  const at = 1 - kept
  if (kept < 0 || mask?.[at] !== 0 || flip === undefined || flip[kept] !== 0) throw new Inexpressible()
  const field: PayloadField | undefined = fieldAt(reader.known, { base: place.base, offset: place.offset + at, len: 1 })
  const type = field?.fields[0]
  if (field === undefined || type?.bytes !== 1 || !sumsAsCompiled(data, field.header, type)) throw new Inexpressible()
  reader.push({ mangle: { key: field.expression, value: formatValue(type, flip.slice(at, at + 1)) as Expression } }, field.needs)
}

/** Whether the checksums that it keeps right are those of the header. */
function sumsAsCompiled(data: Body, { base, checksum }: Header, type: DataType): boolean {
  const flags = base === NETWORK_HEADER && type.name.endsWith('_addr') ? NFT_PAYLOAD_L4CSUM_PSEUDOHDR : 0
  return (
    number(data['csumType']) === (checksum === undefined ? 0 : NFT_PAYLOAD_CSUM_INET) &&
    number(data['csumOffset']) === (checksum ?? 0) &&
    number(data['csumFlags']) === flags
  )
}
