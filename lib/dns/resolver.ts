// What is answered to whom: a question and who asks it become an answer, or the word that others are to be asked. No sockets, no time.

import { type Cidr, formatAddress, parseCidr } from '../cidr.ts'
import {
  addressRecord,
  authorityRecord,
  classes,
  minimalRecord,
  pointerRecord,
  type RecordBytes,
  type Reply,
  rcodes,
  textRecord,
  types,
} from './message.ts'
import { isWithin, parseReverse, reverseZone } from './reverse.ts'
import type { Entry, Zone } from './zone.ts'

/** A network as its resolver sees it. */
export interface Scope {
  readonly network: string
  readonly subnets: readonly Cidr[]
  readonly domain: string | undefined
  readonly ttl: number
  /** Nobody else is asked. */
  readonly internal: boolean
  readonly zone: Zone
}

export interface Question {
  readonly name: string
  readonly type: number
  readonly class: number
}

export type Answer =
  /** `key` is the name or address that the answer is about, if it is the same for everybody until that changes. */
  | { readonly reply: Reply; readonly key?: string }
  /** The servers of that network are to be asked. */
  | { readonly forward: Scope }

/** What asks whether this is a resolver of ours: class CH, type TXT. Answered with the name of the network. */
export const whoQuestion = 'network.netlink-ct'

interface Found {
  readonly key: string
  readonly entries: ReadonlySet<Entry>
}

/** Below the network's name, as with Docker, and below its own domain, names are the same as without. */
function find({ network, domain, zone }: Scope, name: string): Found | undefined {
  for (const ending of ['', `.${network.toLowerCase()}`, ...(domain === undefined ? [] : [`.${domain}`])]) {
    if (!name.endsWith(ending)) continue
    const key = name.slice(0, name.length - ending.length)
    const entries = zone.named(key)
    if (entries !== undefined) return { key, entries }
  }
  return undefined
}

/** What an address is called: the name below the domain, or the network's name, so that it leads back to the address. */
const fullName = ({ network, domain }: Scope, { names: [first = ''] }: Entry): string =>
  `${first}.${domain ?? network.toLowerCase()}`

const nothing = ({ internal, ttl }: Scope, zone: string, rcode: Reply['rcode'] = rcodes.ok): Reply => ({
  rcode,
  recursive: !internal,
  authorities: [authorityRecord(zone, ttl)],
})

const found = ({ internal }: Scope, answers: readonly RecordBytes[]): Reply => ({
  rcode: rcodes.ok,
  recursive: !internal,
  answers,
})

function answerName(scope: Scope, { name, type }: Question, { entries }: Found): Reply {
  if (type === types.ANY) return found(scope, [minimalRecord(scope.ttl)])
  const family = type === types.A ? 2 : type === types.AAAA ? 10 : undefined
  const addresses = [...entries].flatMap((entry) => entry.addresses.filter((address) => address.family === family))
  // A name that was asked without a domain is a zone by itself.
  if (addresses.length === 0) return nothing(scope, name)
  return found(
    scope,
    addresses.map(({ text }) => addressRecord(text, scope.ttl)),
  )
}

/** Of addresses in the network's subnets; others are for others to know. */
function answerReverse(scope: Scope, { name, type }: Question): { reply: Reply; key?: string } | undefined {
  const asked = parseReverse(name)
  const subnet = asked && scope.subnets.find((one) => isWithin(one, asked.network))
  if (asked === undefined || subnet === undefined) return undefined
  const zone = reverseZone(name, subnet)
  // The front of several addresses: there are names below it.
  if (!asked.isWhole) return { reply: nothing(scope, zone) }
  const key = formatAddress(asked.network.bytes)
  const entry = scope.zone.at(key)
  if (entry === undefined) return { reply: nothing(scope, zone, rcodes.absent) }
  if (type === types.ANY) return { reply: found(scope, [minimalRecord(scope.ttl)]), key }
  if (type !== types.PTR) return { reply: nothing(scope, zone), key }
  return { reply: found(scope, [pointerRecord(fullName(scope, entry), scope.ttl)]), key }
}

/** What only this network can know is not there: what is below its domain. */
function absence(scope: Scope, { name, type }: Question): Reply | undefined {
  const { domain, ttl } = scope
  if (domain !== undefined && name === domain)
    return type === types.SOA ? found(scope, [authorityRecord(domain, ttl)]) : nothing(scope, domain)
  if (domain !== undefined && name.endsWith(`.${domain}`)) return nothing(scope, domain, rcodes.absent)
  return undefined
}

/** `others` are the scopes of the other networks that the asking container is in: it is told of those, too, and may ask whom they ask. */
export function resolve(scope: Scope, question: Question, others: () => readonly Scope[]): Answer {
  const { name, type } = question
  const recursive = !scope.internal
  if (question.class === classes.CH && name === whoQuestion)
    return { reply: { rcode: rcodes.ok, recursive, answers: [textRecord(scope.network)] } }
  if (question.class !== classes.IN || type === types.AXFR || type === types.IXFR)
    return { reply: { rcode: rcodes.refused, recursive, authoritative: false } }
  const own = find(scope, name)
  if (own !== undefined) return { reply: answerName(scope, question, own), key: own.key }
  const reverse = answerReverse(scope, question)
  if (reverse !== undefined) return reverse
  const rest = others()
  for (const other of rest) {
    const theirs = find(other, name)
    if (theirs !== undefined) return { reply: answerName(other, question, theirs) }
    const reversed = answerReverse(other, question)
    if (reversed !== undefined) return reversed.key === undefined ? reversed : { reply: reversed.reply }
  }
  for (const one of [scope, ...rest]) {
    const reply = absence(one, question)
    if (reply !== undefined) return { reply }
  }
  const forwarding = [scope, ...rest].find(({ internal }) => !internal)
  if (forwarding !== undefined) return { forward: forwarding }
  // Not REFUSED or SERVFAIL, as Docker: musl's resolver does not take these for an answer, and waits five seconds for another.
  return { reply: nothing(scope, '.', rcodes.absent) }
}

/** The subnets of a network, for its scope. */
export const subnetsOf = (subnets: readonly string[]): Cidr[] => subnets.map((subnet) => parseCidr(subnet, 'subnet'))
