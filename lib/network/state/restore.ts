// The firewall table, made anew from the links.

import type { Message } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import { noPolicies, type PolicyPart } from '../../policy/firewall.ts'
import { NetworkError } from '../errors.ts'
import { compiledTable, familyNumber, networksSets, TABLE_NAME, tableOf } from '../firewall/index.ts'
import { ownerOf } from '../port/elements.ts'
import { addition, difference, presentElements, removal, type Wanted, wantedElements } from './elements.ts'
import { guarded } from './guarded.ts'
import { removeOrphans } from './remove-orphans.ts'
import { neededTables, policiesSeen, survey } from './survey.ts'
import { readTables, type SeenTable } from './table.ts'

const step = 'restore the firewall'

/** In one transaction: no packet finds the old table gone and the new one not there. */
const rebuilding = ({ table, findings }: SeenTable, policies: PolicyPart): Message[] => [
  ...(findings.some(({ kind }) => kind === 'table-missing')
    ? []
    : [{ type: 'NFT_MSG_DELTABLE', flags: 0, body: { family: familyNumber(networksSets[table]), name: TABLE_NAME } }]),
  ...(compiledTable(table, table === 'inet' ? policies : noPolicies).messages as readonly Message[]),
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
    const { tables, elements } = await readTables(handle, policies)
    if (seen.networks.size === 0) return []
    const needed = neededTables(seen)
    const broken = tables.filter(({ table, findings }) => needed.has(table) && findings.length > 0)
    for (const { table, findings } of broken) {
      const foreign = findings.find(({ kind }) => kind === 'table-foreign')
      if (foreign !== undefined)
        throw new NetworkError('TABLE_IN_USE', `the host has ${foreign.what}: nft delete table ${table} ${TABLE_NAME}`)
    }
    const present = presentElements(elements)
    const wanted = wantedElements(seen, present)
    const isAnew = ({ set }: Wanted): boolean => broken.some(({ table }) => table === tableOf(set))
    const { missing, different } = difference(new Map([...wanted].filter(([, one]) => !isAnew(one))), present)
    added = [...[...wanted.values()].filter(isAnew), ...missing, ...different.map((one) => one.wanted)]
    return [
      ...broken.flatMap((one) => rebuilding(one, policies)),
      ...removal(different.map((one) => one.present)),
      ...addition(added),
    ]
  })
  // Its making may have been undone since the survey saw it.
  const owners = new Set(added.map(({ network, endpoint }) => (endpoint === undefined ? network : ownerOf(network, endpoint))))
  if (owners.size > 0) await removeOrphans(host, (owner) => owners.has(owner))
}
