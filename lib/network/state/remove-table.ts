import { Netns } from '../../netns/netns.ts'
import { familyNumber, networksSets, TABLE_NAME, type TableFamily } from '../firewall/index.ts'
import { guarded } from './guarded.ts'
import { isOurs, readSet, tableBody } from './table.ts'

/** A table that no network needs. One that somebody uses, or that is not ours, stays. Whether it went. */
export async function removeEmptyTable(host: Netns, table: TableFamily): Promise<boolean> {
  const handle = Netns.handleOf(host)
  const networks = networksSets[table]
  return guarded(handle, 'remove the firewall table', async () => {
    const body = await tableBody(handle, table)
    if (body === undefined || !isOurs(body) || (await readSet(handle, networks)).length > 0) return []
    return [{ type: 'NFT_MSG_DELTABLE', flags: 0, body: { family: familyNumber(networks), name: TABLE_NAME } }]
  })
}
