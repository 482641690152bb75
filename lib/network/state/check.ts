// Looking for what somebody took away or changed.

import { signalOf, throwIfAborted } from '../../abort.ts'
import { TornDumpError } from '../../errors.ts'
import { Netns } from '../../netns/netns.ts'
import { type HostOptions, hostOf } from '../list.ts'
import { difference, elementFindings, type Present, presentElements, wantedElements } from './elements.ts'
import { type Finding, type Flaw, finding, keyOf } from './finding.ts'
import { lanFlaws } from './lan.ts'
import { linkFlaws } from './links.ts'
import { describeOwners, orphans } from './orphans.ts'
import { removeOrphans } from './remove-orphans.ts'
import { neededTables, policiesSeen, survey } from './survey.ts'
import { readTables } from './table.ts'

/** Looks that a host which changes without pause may spoil. */
const mostTorn = 16

/** By name, from the comments of the groups that the firewall knows. */
function rememberedGroups(present: ReadonlyMap<string, Present>): Map<string, number> {
  const groups = new Map<string, number>()
  for (const { set, owner, body } of present.values()) {
    const { value } = (body['key'] ?? {}) as { readonly value?: Uint8Array }
    if (set === 'networks' && owner !== '' && value?.length === 4) groups.set(owner, Buffer.from(value).readUInt32LE())
  }
  return groups
}

async function look(host: Netns, signal: AbortSignal | undefined): Promise<Flaw[]> {
  const seen = await survey(host, signal)
  throwIfAborted(signal)
  const { tables, elements } = await readTables(Netns.handleOf(host), policiesSeen(seen))
  throwIfAborted(signal)
  const present = presentElements(elements)
  const flaws = [...(await linkFlaws(host, seen, rememberedGroups(present))), ...(await lanFlaws(host, seen))]
  // What is left of a table that no network needs is for gc.
  if (seen.networks.size === 0) return flaws
  const needed = neededTables(seen)
  const findings = tables.filter(({ table }) => needed.has(table)).flatMap((one) => one.findings)
  if (findings.length > 0) return [...flaws, ...findings.map((one) => ({ finding: one }))]
  // The elements of a network whose group was changed all differ; they are looked at when it is as it was.
  const changed = new Set(flaws.flatMap(({ finding: { kind, network = '' } }) => (kind === 'group-different' ? [network] : [])))
  const wanted = wantedElements(seen, present)
  const own = elementFindings(difference(wanted, present)).filter(({ network = '' }) => !changed.has(network))
  const left = changed.size > 0 ? [] : describeOwners(orphans(seen, wanted, present))
  return [
    ...flaws,
    ...own.map((one) => ({ finding: one })),
    ...left.map(({ what, network, endpoint }) => ({
      finding: finding('element-orphaned', what, endpoint === undefined ? { network } : { network, endpoint }),
      mend: () => removeOrphans(host),
    })),
  ]
}

async function wholeLook(host: Netns, signal: AbortSignal | undefined): Promise<Flaw[]> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await look(host, signal)
    } catch (error) {
      if (!(error instanceof TornDumpError) || attempt >= mostTorn) throw error
    }
  }
}

const keyOfFlaw = ({ finding: what, instance = '' }: Flaw): string => `${keyOf(what)} ${instance}`

/** What two looks in a row saw: between the steps of somebody's attach or detach the second one sees something else. */
export async function flawsOf(host: Netns, signal?: AbortSignal): Promise<Flaw[]> {
  const first = await wholeLook(host, signal)
  if (first.length === 0) return []
  const before = new Set(first.map(keyOfFlaw))
  return (await wholeLook(host, signal)).filter((flaw) => before.has(keyOfFlaw(flaw)))
}

/**
 * What is missing or different of all networks of a host: their devices, addresses, routes and settings, the host ends of their
 * containers, and the firewall table, rule by rule and element by element. Changes nothing, and does not look into containers.
 */
export async function check(options: HostOptions = {}): Promise<Finding[]> {
  const flaws = await flawsOf(hostOf(options), signalOf(options, 'options'))
  return flaws.map((flaw) => flaw.finding)
}
