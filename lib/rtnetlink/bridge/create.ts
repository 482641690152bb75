// Making a bridge: createLink with a MAC address of its own.

import { randomBytes } from 'node:crypto'
import { fields } from '../../invalid.ts'
import type { NamespaceHandle } from '../../native.ts'
import { type CommonLinkSpec, commonNames, createLink } from '../link/create.ts'
import type { Link } from '../link/link.ts'
import { type BridgeOptions, bridgeOptionNames } from './options.ts'

/** `mac` is random unless it is given: a bridge without one of its own takes its ports' lowest, and changes it with them. */
export interface BridgeSpec extends Omit<CommonLinkSpec<never>, 'link' | 'netns' | 'bridgePort'>, BridgeOptions {}

/** A locally administered unicast address. */
export function randomMac(): string {
  const bytes = randomBytes(6)
  bytes[0] = ((bytes[0] ?? 0) & 0xfe) | 0x02
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':')
}

const names = [...commonNames.filter((name) => !['link', 'netns', 'bridgePort'].includes(name)), ...bridgeOptionNames]

/** EEXIST when the name is taken. On any error nothing is left of the bridge. */
export async function createBridge(handle: NamespaceHandle, spec: BridgeSpec): Promise<Link> {
  fields(spec, 'bridge', names)
  return createLink(handle, handle, { mac: randomMac(), ...spec, kind: 'bridge' }, 'bridge')
}
