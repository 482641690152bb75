// Which subnet a network gets when none is asked for.

import { type Cidr, formatCidr, overlaps, parseCidr } from '../cidr.ts'
import type { Netns } from '../netns/netns.ts'
import { NetworkError } from './errors.ts'

/** Docker's second to sixteenth /16: its first, 172.17.0.0/16, stays Docker's. */
const pool: readonly Cidr[] = Array.from({ length: 14 }, (_, at) => parseCidr(`172.${18 + at}.0.0/16`, 'pool'))

/** What the host routes already: directly attached networks and others, without the default route. */
export async function routedNetworks(host: Netns): Promise<{ readonly network: Cidr; readonly link: number | undefined }[]> {
  const routes = await host.listRoutes({ family: 'inet' })
  return routes
    .filter((route) => route.to !== 'default')
    .map((route) => ({ network: parseCidr(route.to, 'route'), link: route.dev }))
}

export async function freeSubnet(host: Netns): Promise<Cidr> {
  const routed = await routedNetworks(host)
  const free = pool.find((candidate) => !routed.some(({ network }) => overlaps(candidate, network)))
  if (free !== undefined) return free
  throw new NetworkError(
    'NO_FREE_SUBNET',
    `the host routes something in each of ${formatCidr(pool[0] as Cidr)} to ${formatCidr(pool.at(-1) as Cidr)}: name a subnet`,
  )
}

/** Refuses a subnet that the host routes elsewhere than to `own`: its containers, or what was there before, would be cut off. */
export async function refuseConflict(host: Netns, subnet: Cidr, own?: number): Promise<void> {
  const conflict = (await routedNetworks(host)).find(
    ({ network, link }) => overlaps(subnet, network) && (own === undefined || link !== own),
  )
  if (conflict === undefined) return
  const name = conflict.link === undefined ? 'another way' : `through ${(await host.getLink(conflict.link)).name}`
  throw new NetworkError(
    'SUBNET_CONFLICT',
    `${formatCidr(subnet)} overlaps ${formatCidr(conflict.network)}, which the host routes ${name}`,
  )
}
