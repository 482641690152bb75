// Changing the options of a bridge that is there.

import { fields } from '../../invalid.ts'
import type { NamespaceHandle } from '../../native.ts'
import { called, changedLink, type Link, type LinkRef } from '../link/link.ts'
import type { Operation } from '../operation.ts'
import { type BridgeOptions, bridgeData, bridgeOptionNames } from './options.ts'

/** As `ip link set … type bridge` sends it: options that are not named stay. */
export function bridgeChange(ref: LinkRef, options: BridgeOptions): Operation {
  fields(options, 'bridge', bridgeOptionNames)
  const info = { kind: 'bridge', data: bridgeData(options, 'bridge') }
  return {
    devices: [{ ref, path: 'link' }],
    build: (resolve) => [
      {
        type: 'RTM_NEWLINK',
        flags: 0,
        body: { index: resolve(ref), info },
        step: `change the options of the bridge ${called(ref)}`,
      },
    ],
  }
}

/** One submission, and one before it when the bridge is named by name. */
export async function setBridge(handle: NamespaceHandle, ref: LinkRef, options: BridgeOptions): Promise<Link> {
  return changedLink(handle, ref, bridgeChange(ref, options))
}
