// The elements that networks and containers should have in the table, those that are there, and the difference.

import type { Body, Message } from '../../native.ts'
import type { KernelMessage, KernelObject } from '../../nftables/message.ts'
import { readComment } from '../../nftables/userdata.ts'
import { digestFor, noPolicies } from '../../policy/firewall.ts'
import { memberElements } from '../../policy/members.ts'
import type { Policy } from '../../policy/policy.ts'
import { compiledTable, elementsAdded, familyNumber, networkAdded, TABLE_NAME } from '../firewall/index.ts'
import { ownerOf } from '../port/elements.ts'
import { endpointElements, endpointSenders } from '../port/publish.ts'
import { comparable } from './comparable.ts'
import { type Finding, finding } from './finding.ts'
import { policiesSeen, type SeenEnd, type SeenNetwork, type Survey } from './survey.ts'

export interface Wanted {
  readonly set: string
  readonly body: KernelObject
  /** Empty for what policies have in common. */
  readonly network: string
  readonly endpoint?: string
}

export interface Present {
  readonly set: string
  readonly body: Body
  /** The comment: a network, or a network and an endpoint. Empty for what somebody added by hand. */
  readonly owner: string
}

/** In one message, so that they surely fit their nest of 64 KiB. */
const mostPerMessage = 128

/** Whether several may say the same, so that the comment is that of whoever said it first. */
const isShared = (set: string): boolean => set.startsWith('published')

/** Whether its intervals are two elements each, of which only the first has a comment. */
export const hasEnds = (set: string): boolean => set.startsWith('subnets') || set.startsWith('others')

/** What an element is known by. Intervals are two elements, of which the end is flagged. */
export const placeOf = (set: string, { key, flags }: Readonly<Record<string, unknown>>): string =>
  `${set} ${comparable(key)}${flags === undefined || flags === 0 ? '' : ' end'}`

const contentOf = (set: string, { keyEnd, data, userdata }: Readonly<Record<string, unknown>>): string =>
  comparable(isShared(set) ? { data } : { keyEnd, data, userdata })

function wantedFrom(messages: readonly KernelMessage[], network: string, endpoint?: string): Wanted[] {
  return messages.flatMap(({ body }) => {
    const { set, elements } = body as { readonly set: string; readonly elements: readonly KernelObject[] }
    return elements.map((one) => ({ set, body: one, network, ...(endpoint === undefined ? {} : { endpoint }) }))
  })
}

export const networkElements = ({ network }: SeenNetwork, policies: readonly Policy[]): Wanted[] =>
  wantedFrom(networkAdded({ ...network.firewalled(), policies: digestFor(policies, network.name) }), network.name)

/** Without its alias nobody can tell what MAC it was given. */
export const endElements = ({ endpoint, isLabelled }: SeenEnd, policies: readonly Policy[]): Wanted[] =>
  wantedFrom(
    elementsAdded([
      ...endpointElements(endpoint, endpoint.ports),
      ...memberElements(policies, endpoint),
      ...(isLabelled ? endpointSenders(endpoint) : []),
    ]),
    endpoint.network,
    endpoint.name,
  )

/** What policies have of a container, as long as it has a device. */
export const policedElements = ({ endpoint }: SeenEnd, policies: readonly Policy[]): Wanted[] =>
  wantedFrom(elementsAdded(memberElements(policies, endpoint)), endpoint.network, endpoint.name)

/** Containers whose detach goes on, or did not go to its end: they may be able to send still. */
export const leavingEnds = ({ leaving }: Survey): SeenEnd[] => leaving.flatMap(({ end }) => end ?? [])

/** What policies have in their sets whoever is attached. */
export function policyElements(seen: Survey): Wanted[] {
  const part = policiesSeen(seen)
  if (part === noPolicies) return []
  const messages = compiledTable('inet', part).messages.filter(({ type }) => type === 'NFT_MSG_NEWSETELEM')
  return wantedFrom(messages, '')
}

const ownerOfWanted = ({ network, endpoint }: Wanted): string => (endpoint === undefined ? network : ownerOf(network, endpoint))

/** By their places. Of two endpoints that claim one port the one keeps it that has it. */
export function wantedElements(survey: Survey, present: ReadonlyMap<string, Present>): Map<string, Wanted> {
  const { networks, policies } = survey
  const wanted = new Map<string, Wanted>()
  const common = [...policyElements(survey), ...leavingEnds(survey).flatMap((end) => policedElements(end, policies))]
  for (const one of common) wanted.set(placeOf(one.set, one.body), one)
  for (const seen of networks.values()) {
    for (const one of [...networkElements(seen, policies), ...seen.ends.flatMap((end) => endElements(end, policies))]) {
      const place = placeOf(one.set, one.body)
      if (wanted.has(place) && present.get(place)?.owner !== ownerOfWanted(one)) continue
      wanted.set(place, one)
    }
  }
  return wanted
}

export function presentElements(elements: ReadonlyMap<string, readonly Body[]>): Map<string, Present> {
  const present = new Map<string, Present>()
  for (const [set, bodies] of elements) {
    for (const body of bodies) {
      const { userdata } = body
      const comment = (userdata instanceof Uint8Array ? readComment(userdata) : undefined) ?? ''
      // Behind a space stands what tells it from another of the same owner.
      const [owner = ''] = comment.split(' ')
      present.set(placeOf(set, body), { set, body, owner })
    }
  }
  return present
}

export interface Difference {
  readonly missing: readonly Wanted[]
  /** In the place of what is wanted. */
  readonly different: readonly { readonly wanted: Wanted; readonly present: Present }[]
}

export function difference(wanted: ReadonlyMap<string, Wanted>, present: ReadonlyMap<string, Present>): Difference {
  const missing: Wanted[] = []
  const different: { wanted: Wanted; present: Present }[] = []
  for (const [place, one] of wanted) {
    const has = present.get(place)
    if (has === undefined) missing.push(one)
    else if (contentOf(one.set, has.body) !== contentOf(one.set, one.body)) different.push({ wanted: one, present: has })
  }
  return { missing, different }
}

function named({ set, body }: Pick<Wanted, 'set' | 'body'>): string {
  const { value } = (body as { readonly key: { readonly value: Uint8Array } }).key
  return `an element of ${set} (${Buffer.from(value).toString('hex')})`
}

const where = ({ network, endpoint }: Wanted): { network?: string; endpoint?: string } =>
  endpoint === undefined ? (network === '' ? {} : { network }) : { network, endpoint }

/** The end of an interval goes with its start. */
const isStart = ({ body }: Wanted): boolean => (body as { readonly flags?: number }).flags === undefined

export function elementFindings({ missing, different }: Difference): Finding[] {
  return [
    ...missing.filter(isStart).map((one) => finding('element-missing', named(one), where(one))),
    ...different.map(({ wanted }) => finding('element-different', named(wanted), where(wanted))),
  ]
}

function chunked(type: string, flags: number, elements: readonly { readonly set: string; readonly body: unknown }[]): Message[] {
  const messages: Message[] = []
  for (const set of new Set(elements.map((one) => one.set))) {
    const place = { family: familyNumber(set), table: TABLE_NAME }
    const own = elements.filter((one) => one.set === set).map(({ body }) => body as Body)
    for (let at = 0; at < own.length; at += mostPerMessage)
      messages.push({ type, flags, body: { ...place, set, elements: own.slice(at, at + mostPerMessage) } })
  }
  return messages
}

const NLM_F_CREATE = 0x400

/** Those that are there already, and equal, are no error. */
export const addition = (elements: readonly Wanted[]): Message[] => chunked('NFT_MSG_NEWSETELEM', NLM_F_CREATE, elements)

/** Those that are gone already are no error. */
export const removal = (elements: readonly Present[]): Message[] =>
  chunked(
    'NFT_MSG_DESTROYSETELEM',
    0,
    elements.map(({ set, body: { key, keyEnd, flags } }) => ({
      set,
      body: { key, ...(keyEnd === undefined ? {} : { keyEnd }), ...(flags === undefined || flags === 0 ? {} : { flags }) },
    })),
  )
