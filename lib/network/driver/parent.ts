// The device that containers on a wire stand on.

import { NetlinkError } from '../../errors.ts'
import { invalidValue } from '../../invalid.ts'
import type { Netns } from '../../netns/netns.ts'
import type { Link } from '../../rtnetlink/link/link.ts'
import { NetworkError } from '../errors.ts'
import { wayOut } from '../host/way-out.ts'

/** PARENT_NOT_FOUND. */
export async function parentLink(host: Netns, parent: string): Promise<Link> {
  try {
    return await host.getLink(parent)
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === 'ENODEV')) throw error
    throw new NetworkError('PARENT_NOT_FOUND', `the host has no device ${parent}: ${error.message}`, { cause: error })
  }
}

/** The one of that name or, without a name, the one that the host goes out by. PARENT_NOT_FOUND, PARENT_IN_USE. */
export async function chosenParent(host: Netns, name: string | undefined): Promise<Link> {
  const parent = name === undefined ? await usualParent(host) : await parentLink(host, name)
  if (parent.loopback) throw invalidValue('parent', 'is the loopback, which has no wire', parent.name)
  await refuseEnslaved(host, parent)
  return parent
}

async function usualParent(host: Netns): Promise<Link> {
  const way = wayOut(await host.listRoutes())
  if (way?.dev === undefined) throw new NetworkError('PARENT_NOT_FOUND', 'the host has no default route: name the parent')
  return host.getLink(way.dev)
}

/** A bridge, bond or team takes all that its port hears; a vrf does not. */
async function refuseEnslaved(host: Netns, { name, master }: Link): Promise<void> {
  if (master === undefined) return
  const { name: owner, kind } = await host.getLink(master)
  if (kind === 'vrf') return
  throw new NetworkError('PARENT_IN_USE', `${name} is a port of ${owner}, which takes all that it hears`)
}
