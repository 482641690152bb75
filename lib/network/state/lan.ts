// Networks on a wire: what is wrong with their parents and their leases, and what is left of one that is gone.

import { NetlinkError } from '../../errors.ts'
import { Netns } from '../../netns/netns.ts'
import type { Link } from '../../rtnetlink/link/link.ts'
import type { LanNetwork } from '../driver/lan.ts'
import { deadAmong, deleteDevice } from '../driver/lease-life.ts'
import { LeaseTable, leaseDifference, leaseTables } from '../driver/lease-table.ts'
import { networkAltname } from '../label.ts'
import { ownerOf } from '../port/elements.ts'
import { findLinks } from '../port/publish.ts'
import { type Flaw, finding } from './finding.ts'
import { guarded } from './guarded.ts'
import type { Survey } from './survey.ts'

/** The parent is for whoever made it to put back. */
function parentFlaws({ name: network, parent }: LanNetwork, links: readonly Link[]): Flaw[] {
  const link = links.find((one) => one.name === parent || one.altnames.includes(parent))
  if (link === undefined) return [{ finding: finding('parent-missing', `the parent ${parent}`, { network }, false) }]
  return link.up ? [] : [{ finding: finding('link-down', `the parent ${parent} is down`, { network }, false) }]
}

/** A key has the container's address, or the numbers of its namespace and device. */
const instanceOf = (key: Uint8Array): string => Buffer.from(key).toString('hex')

async function leaseFlaws(host: Netns, network: LanNetwork): Promise<Flaw[]> {
  const where = { network: network.name }
  const table = network.leases
  try {
    const { missing, orphaned } = leaseDifference(await table.contents())
    const dead = await deadAmong(host, await table.list())
    const mend = (): Promise<void> => table.mend()
    return [
      ...missing.map(({ set, key, comment }) => ({
        finding: finding('element-missing', `an element of ${set} (${comment})`, where),
        instance: instanceOf(key),
        mend,
      })),
      ...orphaned.map(({ set, key, comment }) => ({
        finding: finding('element-orphaned', `${set}: ${comment}`, where),
        instance: instanceOf(key),
        mend,
      })),
      ...dead.map(({ name, nsid, index }) => ({
        instance: `${nsid}/${index}`,
        finding: finding('element-orphaned', `the lease of '${name}', which is gone`, { ...where, endpoint: name }),
        mend: () => network.reclaim(),
      })),
    ]
  } catch (error) {
    gone(error)
    const what = finding('table-missing', `the table inet ${table.name}, or a set of it`, where)
    return [{ finding: what, mend: () => network.restoreLeases() }]
  }
}

/** Networks whose device is gone, with a table of leases left. */
async function lostNetworks(host: Netns, { lans, mute, networks }: Survey): Promise<string[]> {
  return (await leaseTables(host)).filter((name) => !lans.has(name) && !mute.has(name) && !networks.has(name))
}

export async function lanFlaws(host: Netns, seen: Survey): Promise<Flaw[]> {
  const flaws: Flaw[] = []
  for (const network of seen.lans.values()) {
    flaws.push(...parentFlaws(network, seen.links), ...(await leaseFlaws(host, network)))
  }
  for (const network of await lostNetworks(host, seen)) {
    const what = `the device of '${network}' is gone; its table of leases is left`
    flaws.push({ finding: finding('network-lost', what, { network }, false) })
  }
  return flaws
}

/** Of networks whose device is gone: their containers' devices and leases, and the table. Resolves to what went. */
export async function removeLostLans(host: Netns, seen: Survey): Promise<{ endpoints: string[]; tables: string[] }> {
  const endpoints = new Set<string>()
  const tables: string[] = []
  for (const network of await lostNetworks(host, seen)) {
    const table = new LeaseTable(host, network)
    const isDropped = await guarded(Netns.handleOf(host), 'drop the table of leases', async () => {
      const [device] = await findLinks(host, [networkAltname(network)])
      // Somebody made it anew, or dropped it.
      if (device !== undefined || !(await leaseTables(host)).includes(network)) return []
      for (const lease of await table.list().catch(gone)) {
        await deleteDevice(host, lease)
        endpoints.add(ownerOf(network, lease.name))
      }
      return table.destruction
    })
    if (isDropped) tables.push(table.name)
  }
  return { endpoints: [...endpoints], tables }
}

function gone(error: unknown): [] {
  if (error instanceof NetlinkError && error.code === 'ENOENT') return []
  throw error
}
