// Removes elements that belong to nobody, while others attach and detach: first all are read, then only what looks dead is read again,
// so that the transaction follows soon enough upon what it goes by.

import { constants } from 'node:os'
import { kernel, NetlinkError } from '../../errors.ts'
import { type Body, type Message, type NamespaceHandle, native } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import { familyNumber, isMarkSet, TABLE_NAME } from '../firewall/index.ts'
import { endpointAltname, networkAltname } from '../label.ts'
import { findLinks } from '../port/publish.ts'
import { comparable } from './comparable.ts'
import { removeConnections } from './connections.ts'
import {
  endElements,
  hasEnds,
  networkElements,
  type Present,
  placeOf,
  presentElements,
  removal,
  wantedElements,
} from './elements.ts'
import { guarded } from './guarded.ts'
import { orphans } from './orphans.ts'
import { type Survey, survey } from './survey.ts'
import { readElements, readSet } from './table.ts'

const { ENOENT } = constants.errno
/** Answers that surely fit a receive buffer. */
const mostQuestions = 128

const contentOf = ({ data, userdata }: Body): string => comparable({ data, userdata })

/** What the owner's device wants now; undefined for an owner that is gone, 'all' for one that came since the survey. */
async function claims(host: Netns, owners: readonly string[], seen: Survey): Promise<Map<string, ReadonlySet<string> | 'all'>> {
  const parts = owners.map((owner) => owner.split('/') as [network: string, endpoint?: string])
  const names = parts.map(([network, endpoint]) =>
    endpoint === undefined ? networkAltname(network) : endpointAltname(network, endpoint),
  )
  const found = new Map<string, ReadonlySet<string> | 'all'>()
  const links = await findLinks(host, [...names, ...parts.map(([network]) => networkAltname(network))])
  for (const [at, link] of links.slice(0, names.length).entries()) {
    const owner = owners[at] ?? ''
    const [name = '', endpointName] = parts[at] ?? []
    const known = seen.networks.get(name)
    // What is left of a container whose network is gone claims nothing.
    if (link === undefined || links[names.length + at] === undefined) continue
    const endpoint = known?.network.endpointOn(link)
    const isSame = endpointName === undefined ? known?.link.index === link.index : endpoint !== undefined
    if (known === undefined || !isSame) found.set(owner, 'all')
    else {
      const wanted =
        endpoint === undefined
          ? networkElements(known, seen.policies)
          : endElements({ link, endpoint, isLabelled: true }, seen.policies)
      found.set(owner, new Set(wanted.map(({ set, body }) => placeOf(set, body))))
    }
  }
  return found
}

/** The contents of those that are still there, by their places. */
async function contentsNow(handle: NamespaceHandle, elements: readonly Present[]): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const note = (set: string, bodies: readonly Body[]): void => {
    for (const body of bodies) found.set(placeOf(set, body), contentOf(body))
  }
  for (const set of new Set(elements.map((one) => one.set).filter(hasEnds))) note(set, await readSet(handle, set))
  const single = elements.filter(({ set }) => !hasEnds(set))
  for (let at = 0; at < single.length; at += mostQuestions) {
    const questions = single.slice(at, at + mostQuestions).map(({ set, body: { key } }): Message => {
      return {
        type: 'NFT_MSG_GETSETELEM',
        flags: 0,
        body: { family: familyNumber(set), table: TABLE_NAME, set, elements: [{ key }] },
      }
    })
    for (const [position, { error, replies }] of (await kernel(native.submit(handle, questions))).entries()) {
      if (error !== undefined && error.errno !== ENOENT) throw new NetlinkError(error)
      const set = single[at + position]?.set ?? ''
      for (const { elements: listed } of replies) if (Array.isArray(listed)) note(set, listed as Body[])
    }
  }
  return found
}

export interface Removed {
  readonly removed: readonly Present[]
  readonly connections: number
}

/**
 * Those of owners that `isMeant` picks. What tells that an address has ports goes last, when no connection leads there any more: a process
 * that dies before leaves that to whoever gets the address.
 */
export async function removeOrphans(
  host: Netns,
  isMeant: (owner: string) => boolean = () => true,
  restarts?: number,
): Promise<Removed> {
  const handle = Netns.handleOf(host)
  const present = presentElements(await readElements(handle))
  const seen = await survey(host)
  const dead = orphans(seen, wantedElements(seen, present), present).filter(({ owner }) => isMeant(owner))
  const marks = dead.filter(({ set }) => isMarkSet(set))
  const ports = await removeUnclaimed(
    host,
    seen,
    dead.filter((one) => !marks.includes(one)),
    restarts,
  )
  const connections = marks.length === 0 ? 0 : await removeConnections(host, marks)
  return { removed: [...ports, ...(await removeUnclaimed(host, seen, marks, restarts))], connections }
}

async function removeUnclaimed(
  host: Netns,
  seen: Survey,
  dead: readonly Present[],
  restarts: number | undefined,
): Promise<readonly Present[]> {
  if (dead.length === 0) return []
  const owners = [...new Set(dead.map(({ owner }) => owner))]
  let removed: readonly Present[] = []
  const unclaimed = async (): Promise<readonly Message[]> => {
    const [claimed, contents] = await Promise.all([claims(host, owners, seen), contentsNow(Netns.handleOf(host), dead)])
    removed = dead.filter(({ set, body, owner }) => {
      const place = placeOf(set, body)
      const claim = claimed.get(owner)
      return claim !== 'all' && !claim?.has(place) && contents.get(place) === contentOf(body)
    })
    return removal(removed)
  }
  await guarded(Netns.handleOf(host), 'remove what belongs to nobody', unclaimed, restarts)
  return removed
}
