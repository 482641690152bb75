import { Netns } from '../../netns/netns.ts'
import { tableName } from '../firewall/index.ts'
import { guarded } from './guarded.ts'
import { isOurs, readSet, tableBody } from './table.ts'

/** The table of a host that has no network. One that somebody uses, or that is not ours, stays. Whether it went. */
export async function removeEmptyTable(host: Netns): Promise<boolean> {
  const handle = Netns.handleOf(host)
  const { family, name } = tableName
  return guarded(handle, 'remove the firewall table', async () => {
    const body = await tableBody(handle)
    if (body === undefined || !isOurs(body) || (await readSet(handle, 'networks')).length > 0) return []
    return [{ type: 'NFT_MSG_DELTABLE', flags: 0, body: { family, name } }]
  })
}
