// How a device is named, by callers and in messages.

import { number, send } from '../../exchange.ts'
import { integer, invalidType, outOfRange } from '../../invalid.ts'
import { interfaceName } from '../../names.ts'
import type { Body, Message, NamespaceHandle } from '../../native.ts'
import * as c from '../constants.ts'

/** A device: its name, its index, or a Link that was read before (by its index). */
export type LinkRef = string | number | { readonly index: number }

/** From where an index is chosen at random: the kernel's own counting does not come here. */
export const privateIndexes = [0x40000000, 0x7fffffff] as const

/** How a reference is put into a message: by index where it is known, else by name, which is an alternative one when it is long. */
export function refBody(ref: LinkRef, path: string): Body {
  if (typeof ref === 'number') return { index: integer(ref, path, 1, 0x7fffffff) }
  // Longer than an interface name, or impossible as one: an alternative name, for which the kernel has an attribute of its own.
  if (typeof ref === 'string')
    return ref.length > 15 || ref.includes('/') ? { altname: altname(ref, path) } : { name: interfaceName(ref, path) }
  if (typeof ref === 'object' && ref !== null && typeof ref.index === 'number')
    return { index: integer(ref.index, `${path}.index`, 1, 0x7fffffff) }
  throw invalidType(path, 'a device: its name, its index or a Link', ref)
}

/** In messages: its name, where that was given. */
export function called(ref: LinkRef): string {
  if (typeof ref === 'string') return ref
  const { name, index = ref } = Object(ref) as { readonly name?: unknown; readonly index?: unknown }
  return typeof name === 'string' ? name : `the device ${index}`
}

export function altname(value: unknown, path: string): string {
  if (typeof value !== 'string') throw invalidType(path, 'a string', value)
  const length = Buffer.byteLength(value)
  if (length < 1 || length > 127 || value.includes('\0')) throw outOfRange(`the length of ${path}`, 1, 127, length)
  return value
}

/** The message that asks for one device. */
export const getLinkMessage = (ref: LinkRef, path: string): Message => ({
  type: 'RTM_GETLINK',
  flags: 0,
  body: { ...refBody(ref, path), extMask: c.RTEXT_FILTER_SKIP_STATS },
  step: `look for ${called(ref)}`,
})

/** The index of a device; asks the kernel only for a name. */
export async function indexOf(handle: NamespaceHandle, ref: LinkRef, path: string): Promise<number> {
  const body = refBody(ref, path)
  return typeof body['index'] === 'number' ? body['index'] : await askIndex(handle, ref, path)
}

async function askIndex(handle: NamespaceHandle, ref: LinkRef, path: string): Promise<number> {
  const [outcome] = await send(handle, [getLinkMessage(ref, path)])
  return number(outcome?.replies[0]?.['index'])
}
