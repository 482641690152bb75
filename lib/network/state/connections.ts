// What conntrack remembers of addresses that nobody has.

import type { Flow } from '../../conntrack/flow.ts'
import type { Netns } from '../../netns/netns.ts'
import { deadAddresses } from './addresses.ts'
import type { Present } from './elements.ts'
import { survey } from './survey.ts'

/** A flow is asked for before the host is surveyed, and forgotten by its number: one of a later container is another. */
export async function removeConnections(host: Netns, orphaned: readonly Present[]): Promise<number> {
  const flows = await host.conntrack.list()
  const isDead = deadAddresses(await survey(host), orphaned)
  const dead = flows.filter((flow: Flow) => isDead(flow.original.source) || isDead(flow.reply.source))
  await host.conntrack.forget(dead)
  return dead.length
}
