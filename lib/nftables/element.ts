// Elements made by hand where nothing needs to be compiled: the hot path of publishing a port. Nothing is checked here that the caller
// has checked already; the layout is that of compile/elements.ts.

import { concatenate } from './datatype/concatenation.ts'
import { decodeInteger, encodeInteger } from './datatype/datatype.ts'
import { interfaceName } from './datatype/interface.ts'
import type { KernelObject } from './message.ts'
import { commentUserdata } from './userdata.ts'

/** A key or data of several fields, each padded to four bytes; addresses go in as their bytes. */
export const concatenated: (...parts: readonly Uint8Array[]) => Uint8Array = (...parts) => concatenate(parts)

/** inet_service: a port. */
export const service = (port: number): Uint8Array => Uint8Array.of(port >> 8, port & 255)

/** inet_proto: IPPROTO_*. */
export const protocol = (number: number): Uint8Array => Uint8Array.of(number)

/** ifname. Refuses what is no name. */
export const ifname = (name: string): Uint8Array => interfaceName.parse(name, 'interface')

/** mark, in the machine's byte order. */
export const mark = (value: number): Uint8Array => encodeInteger(value, 4, 'host')

export const readService = (bytes: Uint8Array): number => decodeInteger(bytes.subarray(0, 2), 'big')

/** A set's element when `data` is absent, a map's otherwise. `keyEnd` where the set holds intervals of concatenations. */
export function element(key: Uint8Array, data?: Uint8Array, comment?: string, keyEnd?: Uint8Array): KernelObject {
  return {
    key: { value: key },
    ...(keyEnd !== undefined && { keyEnd: { value: keyEnd } }),
    ...(data !== undefined && { data: { value: data } }),
    ...(comment !== undefined && { userdata: commentUserdata(comment) }),
  }
}
