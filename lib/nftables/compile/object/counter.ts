// counter inet filter web { packets 0 bytes 0 }: counted by all rules that name it.

import { fields, integer, name } from '../../../invalid.ts'
import type { KernelObject } from '../../message.ts'
import { commentUserdata } from '../../userdata.ts'
import { NFT_OBJECT_COUNTER } from '../statement/counter.ts'
import { place } from './place.ts'
import { handle } from './table.ts'

const known = ['family', 'table', 'name', 'comment', 'handle', 'packets', 'bytes']

// What an object holds depends on its type, so that the addon takes it as it is: attributes of a header of four bytes and eight of value.
const NFTA_COUNTER_BYTES = 1
const NFTA_COUNTER_PACKETS = 2
const HEADER = 4
const LENGTH = 12

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

export function writeCounter({ packets, bytes }: { packets: number; bytes: number }): Uint8Array {
  const data = new Uint8Array(2 * LENGTH)
  const view = new DataView(data.buffer)
  const attributes = [
    [NFTA_COUNTER_BYTES, bytes],
    [NFTA_COUNTER_PACKETS, packets],
  ] as const
  attributes.forEach(([type, value], index) => {
    view.setUint16(index * LENGTH, LENGTH, littleEndian)
    view.setUint16(index * LENGTH + 2, type, littleEndian)
    view.setBigUint64(index * LENGTH + HEADER, BigInt(value))
  })
  return data
}

export function readCounter(data: Uint8Array): { packets: number; bytes: number } {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const values = new Map<number, number>()
  for (let offset = 0; offset + LENGTH <= data.length; ) {
    const length = view.getUint16(offset, littleEndian)
    const type = view.getUint16(offset + 2, littleEndian)
    if (length === LENGTH) values.set(type, Number(view.getBigUint64(offset + HEADER)))
    offset += Math.max(HEADER, (length + 3) & ~3)
  }
  return { packets: values.get(NFTA_COUNTER_PACKETS) ?? 0, bytes: values.get(NFTA_COUNTER_BYTES) ?? 0 }
}

export function counterBody(value: unknown, path: string): KernelObject {
  const given = fields(value, path, known)
  const number = (key: string): number =>
    given[key] === undefined ? 0 : integer(given[key], `${path}.${key}`, 0, Number.MAX_SAFE_INTEGER)
  const comment = given['comment']
  return {
    ...place(given, path).body,
    name: name(given['name'], `${path}.name`),
    type: NFT_OBJECT_COUNTER,
    data: writeCounter({ packets: number('packets'), bytes: number('bytes') }),
    ...(comment !== undefined && { userdata: commentUserdata(comment, `${path}.comment`) }),
  }
}

export function counterReference(value: unknown, path: string): KernelObject {
  const given = fields(value, path, known)
  const reference = { ...place(given, path).body, name: name(given['name'], `${path}.name`), type: NFT_OBJECT_COUNTER }
  return given['handle'] === undefined ? reference : { ...reference, handle: handle(given['handle'], `${path}.handle`) }
}
