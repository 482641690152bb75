// Leases read back from the containers themselves, after somebody flushed the ruleset and the table with it. Each device says in its
// alias whose it is:
//
//   alias netlink-ct/1 lan 4026531840/lab/web 4026532948 [limited] [@app=shop …]
//
// The numbers are the inodes of the host's namespace, of which several may have networks of the same name, and of the container's.

import { contains, parseAddress } from '../../cidr.ts'
import { dump, optionalText } from '../../exchange.ts'
import { objectName } from '../../names.ts'
import { Netns } from '../../netns/netns.ts'
import * as c from '../../rtnetlink/constants.ts'
import { linkFrom } from '../../rtnetlink/link/link.ts'
import { fitting, isSpoiled, readMarks } from '../label.ts'
import type { LanLabel } from './lan-label.ts'
import { endedOrClosed } from './lease-life.ts'
import type { Lease } from './lease-table.ts'

const prefix = 'netlink-ct/1 lan '
/** Of namespaces, 32 bits. */
const longestInode = 0xffffffffn

export const leaseAlias = (
  host: Netns,
  network: string,
  { inode, name, words }: Pick<Lease, 'inode' | 'name' | 'words'>,
): string => [`${prefix}${host.inode}/${network}/${name}`, inode, ...words].join(' ')

/** Throws a RangeError when the kernel cannot remember that much in the alias, wherever the container is. */
export function refuseLongAlias(host: Netns, network: string, { name, words }: Pick<Lease, 'name' | 'words'>): void {
  fitting(leaseAlias(host, network, { name, words, inode: longestInode }), `the labels of '${name}'`, 'shorten them')
}

interface Claim {
  readonly name: string
  readonly inode: bigint
  readonly words: readonly string[]
}

function claimOf(alias: string | undefined, ours: string): Claim | undefined {
  const [name, inode = '', ...words] = (alias?.startsWith(ours) && alias.slice(ours.length).split(' ')) || []
  if (!/^\d+$/.test(inode)) return undefined
  try {
    readMarks(words)
    return { name: objectName(name, 'the alias'), inode: BigInt(inode), words }
  } catch (error) {
    if (isSpoiled(error)) return undefined
    throw error
  }
}

async function leasesIn(host: Netns, nsid: number, ours: string, { driver, subnets }: LanLabel): Promise<Lease[]> {
  const handle = Netns.handleOf(host)
  const place = { targetNetnsid: nsid }
  const question = { ...place, extMask: c.RTEXT_FILTER_SKIP_STATS, info: { kind: driver } }
  const leases: Lease[] = []
  for (const { kind, alias, index, name: ifname, mac = '' } of await dump(
    handle,
    'RTM_GETLINK',
    question,
    'the links',
    linkFrom,
  )) {
    const claim = claimOf(alias, ours)
    if (kind !== driver || claim === undefined) continue
    const has = await dump(handle, 'RTM_GETADDR', { ...place, index }, 'the addresses', (body) => ({
      index: body['index'],
      text: optionalText(body['local']) ?? optionalText(body['address']),
    }))
    const own = has.flatMap(({ index: of, text }) => (of === index && text !== undefined ? parseAddress(text, 'address') : []))
    const addresses = subnets.flatMap((subnet) => own.find((address) => contains(subnet, address))?.text ?? [])
    if (addresses.length > 0) leases.push({ ...claim, nsid, index, ifname, mac, addresses })
  }
  return leases
}

/** Of all namespaces that the host has numbers for: those of leases are among them. Where two say the same the first is believed. */
export async function surveyLeases(host: Netns, network: string, lan: LanLabel): Promise<Lease[]> {
  const ours = leaseAlias(host, network, { name: '', inode: 0n, words: [] }).replace(/ 0$/, '')
  const found: Lease[] = []
  const claimed = new Set<string>()
  for (const nsid of await host.listNsids()) {
    for (const lease of await leasesIn(host, nsid, ours, lan).catch(endedOrClosed)) {
      const claims = [`name ${lease.name}`, ...lease.addresses]
      if (claims.some((claim) => claimed.has(claim))) continue
      for (const claim of claims) claimed.add(claim)
      found.push(lease)
    }
  }
  return found
}
