// A set or map as the kernel describes it: what its keys and data are.

import type { Body } from '../../native.ts'
import { setFlags } from '../compile/set-attributes.ts'
import type { SetShape } from '../compile/transaction.ts'
import { dataTypes, type KeyType, padded } from '../datatype/concatenation.ts'
import type { DataType } from '../datatype/datatype.ts'
import { number, optionalNumber } from './body.ts'

const byId: ReadonlyMap<number, DataType> = new Map([...dataTypes.values()].map((type) => [type.id, type]))

/** NFT_DATA_VERDICT. */
const VERDICT_TYPE = 0xffffff00
const OBJECT = 0x40

/** A type that the vocabulary has no word for: its values are shown as the bytes that they are. */
export function opaqueType(id: number, bytes: number): DataType {
  const name = `type ${id}`
  return {
    name,
    id,
    bytes,
    order: 'big',
    parse() {
      throw new TypeError(`${name} has no values here`)
    },
    format: (value) => `0x${Buffer.from(value).toString('hex')}`,
  }
}

/** What NFTA_SET_KEY_TYPE or NFTA_SET_DATA_TYPE says: six bits for each type. */
export function keyTypeFrom(id: number, bytes: number): KeyType {
  const ids: number[] = []
  for (let rest = id; rest > 0; rest = Math.floor(rest / 64)) ids.unshift(rest % 64)
  const fields = ids.flatMap((one) => byId.get(one) ?? [])
  const length = fields.length === 1 ? (fields[0]?.bytes ?? 0) : fields.reduce((sum, type) => sum + padded(type.bytes), 0)
  const isKnown = fields.length > 0 && fields.length === ids.length && length === bytes
  return { fields: isKnown ? fields : [opaqueType(id, bytes)], id, bytes }
}

export const isOpaque = ({ fields: [first] }: KeyType): boolean => first === undefined || !dataTypes.has(first.name)

/** The numbers of NFT_OBJECT_*, as maps of objects name them. */
export const objectKinds: readonly string[] = [
  'unspec',
  'counter',
  'quota',
  'ct helper',
  'limit',
  'connlimit',
  'tunnel',
  'ct timeout',
  'secmark',
  'ct expectation',
  'synproxy',
]

export interface KnownSet extends SetShape {
  readonly family: number
  readonly table: string
  readonly name: string
  readonly isAnonymous: boolean
  readonly isMap: boolean
  /** A map whose data are objects: their kind. */
  readonly objects?: string
  readonly body: Body
}

export function knownSet(body: Body): KnownSet {
  const flags = number(body['flags'])
  const dataType = optionalNumber(body['dataType'])
  const objects = (flags & OBJECT) !== 0 ? (objectKinds[number(body['objType'])] ?? 'object') : undefined
  const isMap = (flags & setFlags.map) !== 0 || objects !== undefined
  const data = dataType === VERDICT_TYPE ? 'verdict' : keyTypeFrom(dataType ?? 0, number(body['dataLen']))
  return {
    family: number(body['family']),
    table: String(body['table']),
    name: String(body['name']),
    isAnonymous: (flags & setFlags.anonymous) !== 0,
    isMap,
    key: keyTypeFrom(number(body['keyType']), number(body['keyLen'])),
    ...(isMap && objects === undefined && { data }),
    ...(objects !== undefined && { objects }),
    interval: (flags & setFlags.interval) !== 0,
    body,
  }
}
