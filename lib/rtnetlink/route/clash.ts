// A subnet that two devices have: the kernel sends all of it through the one whose route it finds first, and what is behind the other is
// not reached. It takes the second address without a word.

import { type Cidr, formatCidr, networkOf, parseCidr } from '../../cidr.ts'
import { isWarned, warn } from '../../diagnostics/warning.ts'
import { type NamespaceHandle, native } from '../../native.ts'
import * as c from '../constants.ts'
import { familyName } from '../family.ts'
import { getLink } from '../link/link.ts'
import { called, type LinkRef } from '../link/ref.ts'
import { listRoutes } from './route.ts'

/** What decides about the route that an address brings. */
interface NewAddress {
  readonly peer?: string
  readonly metric?: number
  readonly noprefixroute?: boolean
}

/** IPv6 gives each device a route to these, and says with each packet which device is meant. */
const isLinkLocal = ({ family, bytes }: Cidr): boolean =>
  family === c.AF_INET6 && bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80

/** The network whose route comes with the address; undefined if none does, or the caller says by a metric which is to win. */
function routedBy(cidr: Cidr, { peer, metric, noprefixroute }: NewAddress): Cidr | undefined {
  if (metric !== undefined || noprefixroute) return undefined
  const far = peer === undefined ? cidr : parseCidr(`${peer}/${cidr.prefixLength}`, 'options.peer')
  const isAlone = peer === undefined && cidr.prefixLength === cidr.bytes.length * 8
  return isAlone || isLinkLocal(far) ? undefined : networkOf(far)
}

/**
 * Looks, if anybody listens to warnings, and resolves to what tells them: before the address is added, so that a look that fails
 * leaves nothing. `ref` is the device that gets it.
 */
export async function lookForClash(
  handle: NamespaceHandle,
  ref: LinkRef,
  address: string,
  options: NewAddress,
): Promise<() => void> {
  const cidr = parseCidr(address, 'address')
  const network = isWarned() ? routedBy(cidr, options) : undefined
  if (network === undefined) return () => {}
  const subnet = formatCidr(network)
  const link = await getLink(handle, ref)
  // What is in a VRF is routed by a table of its own.
  if (link.master !== undefined && (await getLink(handle, link.master)).kind === 'vrf') return () => {}
  const routes = await listRoutes(handle, { family: familyName(network.family), type: 'unicast' })
  const other = routes.find(({ to, dev }) => to === subnet && dev !== undefined && dev !== link.index)
  if (other?.dev === undefined) return () => {}
  const { name } = await getLink(handle, other.dev)
  const message =
    `${subnet} is routed through ${name} already: what is sent there goes through one of ${name} and ${link.name} only, and what is behind the ` +
    'other is not reached; put both on a bridge, or say which is to win by a metric, or noprefixroute'
  return () =>
    warn({
      source: 'library',
      operation: `add the address ${formatCidr(cidr)} on ${called(ref)}`,
      netns: native.describe(handle).inode,
      message,
    })
}
