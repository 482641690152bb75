// A policy as the kernel remembers it: alternative names of the device of its network, which the kernel keeps unique on a host.
//
//   netlink-ct/policy=web-to-db                             claims the name
//   netlink-ct/policy=web-to-db/9f2c41aa/0/deny;@lab/web;@lab/db;5432/tcp      what it says, in pieces of at most 127 characters
//
//   netlink-ct/change=5b01c4e7/0/allow;@lab/web;@lab/db                        somebody changes policies: what no longer may go on
//
// Of several texts the last whole one counts: a policy that is replaced has both for a moment.

import { createHash, randomBytes } from 'node:crypto'
import type { Link } from '../rtnetlink/link/link.ts'
import {
  type CidrPeer,
  type ContainersPeer,
  isContainers,
  type LabelCondition,
  type Peer,
  type Policy,
  type PolicyRule,
} from './policy.ts'
import { checkPolicy, type PolicyRuleSpec } from './spec.ts'

/** ALTIFNAMSIZ without the NUL. */
const longest = 127
const mostPieces = 100
const prefix = 'netlink-ct/policy='
const changePrefix = 'netlink-ct/change='

export const claimOf = (name: string): string => `${prefix}${name}`

const valuesOf = (values: string | readonly string[]): string =>
  (typeof values === 'string' ? [values] : values).map((value) => `=${encodeURIComponent(value)}`).join('')

function labelText([key, wanted]: readonly [string, LabelCondition]): string {
  if (typeof wanted === 'boolean') return wanted ? key : `!${key}`
  return typeof wanted === 'object' && 'not' in wanted ? `${key}!${valuesOf(wanted.not)}` : `${key}${valuesOf(wanted)}`
}

function containersText({ network = '', container, labels }: ContainersPeer): string {
  const conditions = labels === undefined ? '' : `?${Object.entries(labels).map(labelText).join('&')}`
  return `@${network}${container === undefined ? '' : `/${container}`}${conditions}`
}

const cidrText = ({ cidr, except = [] }: CidrPeer): string => [cidr, ...except].join('!')

function peerText(peer: Peer): string {
  if (typeof peer === 'string') return peer
  return isContainers(peer) ? containersText(peer) : cidrText(peer)
}

const peersText = (peers: readonly Peer[]): string => peers.map(peerText).join(',')

function ruleText(rule: PolicyRule): string {
  if (rule.action === 'isolate') return ['isolate', peersText(rule.containers), rule.direction ?? ''].join(';')
  const direction = rule.action === 'allow' ? (rule.direction ?? '') : ''
  return [rule.action, peersText(rule.from), peersText(rule.to), rule.ports?.join(',') ?? '', direction].join(';')
}

/** All but its name. */
export const policyText = ({ rules }: Pick<Policy, 'rules'>): string => rules.map(ruleText).join('|')

export const digestOf = (text: string, length = 8): string => createHash('sha256').update(text).digest('hex').slice(0, length)

function inPieces(start: string, text: string): { readonly room: number; readonly names: string[] } {
  const room = longest - start.length - 3
  const names = Array.from({ length: Math.ceil(text.length / room) }, (_, at) => {
    return `${start}${at}/${text.slice(at * room, (at + 1) * room)}`
  })
  return { room, names }
}

/** The alternative names of what it says, without the claim of its name. Throws a RangeError for what is too long to remember. */
export function policyAltnames(policy: Policy): string[] {
  const text = policyText(policy)
  const start = `${prefix}${policy.name}/${digestOf(text)}/`
  const { room, names } = inPieces(start, text)
  if (names.length > mostPieces) {
    const why = `the policy '${policy.name}' takes ${text.length} characters to remember, at most ${room * mostPieces} are kept: split it`
    throw Object.assign(new RangeError(why), { code: 'ERR_OUT_OF_RANGE' })
  }
  return names
}

function labelOf(text: string): readonly [string, LabelCondition] {
  const [, absent, key = '', not, values] = /^(!?)([\w./-]+)(!?)(=.*)?$/.exec(text) ?? []
  if (values === undefined) return [key, absent === '']
  const found = values.split('=').slice(1).map(decodeURIComponent)
  return [key, not === '!' ? { not: found } : found]
}

function peerOf(text: string): Peer {
  if (!text.startsWith('@')) {
    if (!text.includes('/')) return text as Peer
    const [cidr = '', ...except] = text.split('!')
    return except.length === 0 ? { cidr } : { cidr, except }
  }
  const [place = '', conditions] = text.slice(1).split('?')
  const [network = '', container] = place.split('/')
  return {
    ...(network === '' ? {} : { network }),
    ...(container === undefined ? {} : { container }),
    ...(conditions === undefined ? {} : { labels: Object.fromEntries(conditions.split('&').map(labelOf)) }),
  }
}

const peersOf = (text: string): Peer[] => text.split(',').map(peerOf)

function ruleOf(text: string): PolicyRuleSpec {
  const [action, first = '', second = '', ports = '', direction = ''] = text.split(';')
  const way = (word: string): object => (word === '' ? {} : { direction: word })
  if (action === 'isolate') return { action, containers: peersOf(first) as ContainersPeer[], ...way(second) }
  const opening = { from: peersOf(first), to: peersOf(second), ...(ports === '' ? {} : { ports: ports.split(',') }) }
  return { action: action as 'allow' | 'deny', ...opening, ...way(direction) } as PolicyRuleSpec
}

function policyFrom(name: string, network: string, text: string): Policy | undefined {
  try {
    const { rules } = checkPolicy({ name, rules: text.split('|').map(ruleOf) })
    return { name, network, rules }
  } catch (error) {
    // Somebody else's words.
    if (error instanceof TypeError || error instanceof RangeError || error instanceof URIError) return undefined
    throw error
  }
}

interface Remembered {
  readonly policies: readonly Policy[]
  /** Names whose text nobody can read: a piece was taken away. */
  readonly unreadable: readonly string[]
}

/** What the device of a network remembers. */
export function policiesOn({ altnames }: Pick<Link, 'altnames'>, network: string): Remembered {
  const names: string[] = []
  const pieces = new Map<string, string[]>()
  for (const altname of altnames) {
    if (!altname.startsWith(prefix)) continue
    const [name = '', digest, piece, ...text] = altname.slice(prefix.length).split('/')
    if (digest === undefined) names.push(name)
    else {
      const key = `${name}/${digest}`
      // The last one written comes last.
      const own = pieces.get(key) ?? []
      pieces.delete(key)
      own[Number(piece)] = text.join('/')
      pieces.set(key, own)
    }
  }
  const found = new Map<string, Policy>()
  for (const [key, own] of pieces) {
    const [name = '', digest] = key.split('/')
    const text = own.join('')
    const policy = names.includes(name) && digestOf(text) === digest ? policyFrom(name, network, text) : undefined
    if (policy !== undefined) found.set(name, policy)
  }
  return { policies: [...found.values()], unreadable: names.filter((name) => !found.has(name)) }
}

/** Somebody's change of policies, which is not finished, or whose process was killed. */
export interface Unfinished {
  readonly names: readonly string[]
  /** The rules of which something may be let through still. */
  readonly opened: readonly PolicyRule[]
}

/** The alternative names of a change that takes rules away: they are there from its first step to its last. */
export function changeAltnames(gone: readonly PolicyRule[]): string[] {
  const start = `${changePrefix}${randomBytes(4).toString('hex')}/`
  const { names } = inPieces(start, policyText({ rules: gone.filter(({ action }) => action === 'allow') }))
  return names.length === 0 ? [`${start}0/`] : names
}

/** Those of which the device tells, in the order in which they began. */
export function unfinishedOn({ altnames }: Pick<Link, 'altnames'>): Unfinished[] {
  const found = new Map<string, string[]>()
  for (const altname of altnames.filter(isOfChange)) {
    const [token = ''] = altname.slice(changePrefix.length).split('/')
    found.set(token, [...(found.get(token) ?? []), altname])
  }
  return Array.from(found, ([token, names]) => {
    const start = changePrefix.length + token.length + 1
    const text = names.map((name) => name.slice(name.indexOf('/', start) + 1)).join('')
    return { names, opened: text === '' ? [] : (policyFrom('change', '', text)?.rules ?? []) }
  })
}

export const isOfChange = (altname: string): boolean => altname.startsWith(changePrefix)
export const isOfPolicy = (altname: string): boolean => altname.startsWith(prefix)

/** Of whichever policies: what a device has that outlives its network. */
export const policyNames = ({ altnames }: Pick<Link, 'altnames'>): string[] =>
  altnames.filter((altname) => isOfPolicy(altname) || isOfChange(altname))

/** Every alternative name of a policy that the device has, its claim included. */
export const altnamesOf = ({ altnames }: Pick<Link, 'altnames'>, name: string): string[] =>
  altnames.filter((altname) => altname === claimOf(name) || altname.startsWith(`${claimOf(name)}/`))
