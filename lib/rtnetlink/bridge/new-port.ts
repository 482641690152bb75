// What a device that is made as a bridge's port gets, once it is one.

import type { Message, NamespaceHandle } from '../../native.ts'
import { indexOf } from '../link/ref.ts'
import type { ResolveLink } from '../operation.ts'
import { type BridgePortOptions, backupOf, newPortNames, portData, portMessage } from './port-options.ts'

/** `state` is not for a device that has no carrier yet. */
export type NewBridgePort = Omit<BridgePortOptions, 'state'>

export function newPortMessages(
  { index, name }: { readonly index: number; readonly name: string },
  options: NewBridgePort | undefined,
  path: string,
  resolve: ResolveLink,
): Message[] {
  return options === undefined ? [] : [portMessage(index, portData(options, path, resolve, newPortNames), name)]
}

/** Looks up the device that the options name. */
export async function backupResolver(
  handle: NamespaceHandle,
  options: NewBridgePort | undefined,
  path: string,
): Promise<ResolveLink> {
  const [backup] = backupOf(options, path)
  const index = backup === undefined ? 0 : await indexOf(handle, backup.ref, backup.path)
  return () => index
}
