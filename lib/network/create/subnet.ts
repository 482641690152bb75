// Which subnet a network gets when none is asked for, and which it cannot have.

import { randomBytes } from 'node:crypto'
import {
  addressAt,
  type Cidr,
  type Family,
  familyBits,
  formatAddress,
  formatCidr,
  lastOf,
  offsetIn,
  overlaps,
  parseCidr,
  sizeOf,
} from '../../cidr.ts'
import type { Netns } from '../../netns/netns.ts'
import type { Route } from '../../rtnetlink/route/route.ts'
import { NetworkError } from '../errors.ts'

/** Subnets of one size, cut from a larger network. */
export interface Pool {
  readonly base: Cidr
  /** The prefix length of each. */
  readonly size: number
}

const pool = (base: string, size: number): Pool => ({ base: parseCidr(base, 'pool'), size })

/** Docker's second to sixteenth /16: its first, 172.17.0.0/16, stays Docker's. */
const defaultPools = [pool('172.18.0.0/15', 16), pool('172.20.0.0/14', 16), pool('172.24.0.0/13', 16)]

/** A prefix that nobody else has chosen (RFC 4193): fd, 40 random bits, and the first of its /64s. */
function randomUla(): Pool {
  const prefix = Buffer.concat([Buffer.of(0xfd), randomBytes(5)])
  return pool(`${formatAddress(Uint8Array.from([...prefix, ...Buffer.alloc(10)]))}/48`, 64)
}

/** What the host routes already: directly attached networks and others, without the default routes. */
export interface Routed {
  readonly network: Cidr
  readonly link: number | undefined
}

export function routedNetworks(routes: readonly Route[]): Routed[] {
  return routes
    .filter((route) => route.to !== 'default')
    .map((route) => ({ network: parseCidr(route.to, 'route'), link: route.dev }))
}

/** The first subnet of the pool that overlaps nothing routed; it looks only where something routed ends. */
function firstFree({ base, size }: Pool, routed: readonly Routed[]): Cidr | undefined {
  const step = sizeOf({ family: base.family, prefixLength: size })
  for (let offset = 0n; offset < sizeOf(base); ) {
    const bytes = addressAt(base, offset)
    const candidate: Cidr = { family: base.family, bytes, text: formatAddress(bytes), prefixLength: size }
    const obstacle = routed.find(({ network }) => overlaps(candidate, network))?.network
    if (obstacle === undefined) return candidate
    if (obstacle.prefixLength <= base.prefixLength) return undefined
    const last = lastOf(obstacle)
    const end = offsetIn(base, { family: base.family, bytes: last, text: '' })
    offset = (end / step + 1n) * step
  }
  return undefined
}

export function freeSubnet(family: Family, pools: readonly Pool[], routed: readonly Routed[]): Cidr {
  const own = pools.filter(({ base }) => base.family === family)
  const tried = own.length > 0 ? own : family === 2 ? defaultPools : Array.from({ length: 4 }, randomUla)
  for (const one of tried) {
    const free = firstFree(one, routed)
    if (free !== undefined) return free
  }
  const names = tried.map(({ base, size }) => `${formatCidr(base)} (in parts of /${size})`)
  throw new NetworkError('NO_FREE_SUBNET', `the host routes something in each subnet of ${names.join(', ')}: name a subnet`)
}

/** Refuses a subnet that the host routes elsewhere than to `own`: its containers, or what was there before, would be cut off. */
export async function refuseConflict(host: Netns, subnet: Cidr, routed: readonly Routed[], own?: number): Promise<void> {
  const conflict = routed.find(({ network, link }) => overlaps(subnet, network) && (own === undefined || link !== own))
  if (conflict === undefined) return
  const name = conflict.link === undefined ? 'another way' : `through ${(await host.getLink(conflict.link)).name}`
  throw new NetworkError(
    'SUBNET_CONFLICT',
    `${formatCidr(subnet)} overlaps ${formatCidr(conflict.network)}, which the host routes ${name}`,
  )
}

/** The bits of an address that a subnet of the family leaves to its hosts. */
export const hostBits = ({ family, prefixLength }: Cidr): number => familyBits(family) - prefixLength
