// The firewall table, made anew from the links.

import type { Message } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import type { PolicyPart } from '../../policy/firewall.ts'
import { NetworkError } from '../errors.ts'
import { compiledTable, tableName } from '../firewall/index.ts'
import { ownerOf } from '../ports.ts'
import { addition, difference, presentElements, removal, type Wanted, wantedElements } from './elements.ts'
import { guarded } from './guarded.ts'
import { removeOrphans } from './remove-orphans.ts'
import { policiesSeen, survey } from './survey.ts'
import { readTable, type SeenTable } from './table.ts'

const step = 'restore the firewall'
const { family, name } = tableName

/** In one transaction: no packet finds the old table gone and the new one not there. */
const rebuilding = ({ findings }: SeenTable, policies: PolicyPart, wanted: readonly Wanted[]): Message[] => [
  ...(findings.some(({ kind }) => kind === 'table-missing')
    ? []
    : [{ type: 'NFT_MSG_DELTABLE', flags: 0, body: { family, name } }]),
  ...(compiledTable(policies).messages as readonly Message[]),
  ...addition(wanted),
]

/**
 * Puts back what is missing or different: single elements, or the table as a whole. Nothing while the host has no network. TABLE_IN_USE
 * for a table of our name that is not ours.
 */
export async function restoreFirewall(host: Netns): Promise<void> {
  const handle = Netns.handleOf(host)
  let added: readonly Wanted[] = []
  await guarded(handle, step, async () => {
    const seen = await survey(host)
    const policies = policiesSeen(seen)
    const table = await readTable(handle, policies)
    if (seen.networks.size === 0) return []
    const foreign = table.findings.find(({ kind }) => kind === 'table-foreign')
    if (foreign !== undefined)
      throw new NetworkError('TABLE_IN_USE', `the host has ${foreign.what}: nft delete table inet ${name}`)
    const present = presentElements(table.elements)
    const wanted = wantedElements(seen, present)
    if (table.findings.length > 0) {
      added = [...wanted.values()]
      return rebuilding(table, policies, added)
    }
    const { missing, different } = difference(wanted, present)
    added = [...missing, ...different.map((one) => one.wanted)]
    return [...removal(different.map((one) => one.present)), ...addition(added)]
  })
  // Its making may have been undone since the survey saw it.
  const owners = new Set(added.map(({ network, endpoint }) => (endpoint === undefined ? network : ownerOf(network, endpoint))))
  if (owners.size > 0) await removeOrphans(host, (owner) => owners.has(owner))
}
