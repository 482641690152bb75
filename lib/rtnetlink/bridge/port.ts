// Changing a bridge's port.

import type { NamespaceHandle } from '../../native.ts'
import { called, changedLink, type Link } from '../link/link.ts'
import type { LinkRef } from '../link/ref.ts'
import type { Operation } from '../operation.ts'
import { type BridgePortOptions, backupOf, portData, portMessage } from './port-options.ts'

/** As `bridge link set` sends it: options that are not named stay. */
export function portChange(ref: LinkRef, options: BridgePortOptions): Operation {
  portData(options, 'port', () => 1)
  return {
    devices: [{ ref, path: 'link' }, ...backupOf(options, 'port')],
    build: (resolve) => [portMessage(resolve(ref), portData(options, 'port', resolve), called(ref))],
  }
}

export async function setBridgePort(handle: NamespaceHandle, ref: LinkRef, options: BridgePortOptions): Promise<Link> {
  return changedLink(handle, ref, portChange(ref, options))
}
