// Elements that belong to nobody, and their removal while others attach and detach.

import type { Body } from '../../native.ts'
import { comparable } from './comparable.ts'
import { hasEnds, type Present, placeOf, type Wanted } from './elements.ts'
import type { Survey } from './survey.ts'

const keyOf = (body: Body): Buffer => {
  const { value } = (body['key'] ?? {}) as { readonly value?: Uint8Array }
  return Buffer.from(value ?? [])
}

const isEnd = ({ body }: Present): boolean => body['flags'] === 1

/** The end of the interval that `start` begins: it has no comment of its own. */
function endOf(start: Present, all: ReadonlyMap<string, Present>): Present | undefined {
  const ends = [...all.values()].filter((one) => one.set === start.set && isEnd(one))
  const after = ends.filter((one) => Buffer.compare(keyOf(one.body), keyOf(start.body)) > 0)
  return after.sort((a, b) => Buffer.compare(keyOf(a.body), keyOf(b.body)))[0]
}

/** What of an owner is not for this survey to say: of a device that lost its alias, and of one that a detach is at. */
function isSpared(owner: string, { networks, mute, lans, leaving, unnamed }: Survey): boolean {
  const [network = '', endpoint] = owner.split('/')
  if (mute.has(network) || lans.has(network)) return true
  if (endpoint === undefined) return false
  if ([...leaving, ...unnamed].some((one) => one.network === network && one.endpoint === endpoint)) return true
  const end = networks.get(network)?.ends.find((one) => one.endpoint.name === endpoint)
  return end !== undefined && !end.isLabelled
}

function isWanted({ set, body }: Present, wanted: Wanted | undefined): boolean {
  if (wanted === undefined) return false
  if (set.startsWith('published')) return true
  const { data } = wanted.body as { readonly data?: unknown }
  return comparable(data) === comparable(body['data'])
}

/** Those whose comment names a network or an endpoint that is not there, or that does not want them. What has no comment is not ours. */
export function orphans(survey: Survey, wanted: ReadonlyMap<string, Wanted>, present: ReadonlyMap<string, Present>): Present[] {
  const dead = [...present.values()].filter(
    (one) => one.owner !== '' && !isWanted(one, wanted.get(placeOf(one.set, one.body))) && !isSpared(one.owner, survey),
  )
  const ends = dead.flatMap((start) => {
    const end = hasEnds(start.set) ? endOf(start, present) : undefined
    return end === undefined || wanted.has(placeOf(end.set, end.body)) ? [] : [{ ...end, owner: start.owner }]
  })
  return [...dead, ...ends]
}

export interface Owned {
  /** `'ports4: lab/web'` */
  readonly what: string
  readonly network: string
  readonly endpoint: string | undefined
}

/** One for what an owner has in a set. */
export function describeOwners(elements: readonly Present[]): Owned[] {
  const found = new Map<string, Owned>()
  for (const { set, owner } of elements) {
    const [network = '', endpoint] = owner.split('/')
    const what = `${set}: ${owner}`
    found.set(what, { what, network, endpoint })
  }
  return [...found.values()].sort((a, b) => (a.what < b.what ? -1 : 1))
}
