// One change to the stack, before it is sent: which devices it names, and the messages once their indexes are known. The verbs send
// one; a batch sends many.

import { send } from '../exchange.ts'
import type { Message, NamespaceHandle, Outcome } from '../native.ts'
import { indexOf, type LinkRef, refBody } from './link/ref.ts'

/** The index of a device that the operation named. */
export type ResolveLink = (ref: LinkRef) => number

export interface Operation {
  readonly devices: readonly { readonly ref: LinkRef; readonly path: string }[]
  /** Throws on bad arguments, whatever the indexes. */
  build(resolve: ResolveLink): readonly Message[]
}

/** Throws on bad arguments, before any system call. */
export function check(operation: Operation): void {
  operation.build(() => 1)
  for (const { ref, path } of operation.devices) refBody(ref, path)
}

/** Asks the kernel for the devices that are named by name, then sends. */
export async function perform(handle: NamespaceHandle, operation: Operation): Promise<readonly Outcome[]> {
  check(operation)
  const found = new Map<LinkRef, number>()
  for (const { ref, path } of operation.devices) {
    if (!found.has(ref)) found.set(ref, await indexOf(handle, ref, path))
  }
  return send(
    handle,
    operation.build((ref) => found.get(ref) ?? 0),
  )
}
