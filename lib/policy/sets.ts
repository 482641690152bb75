// The sets that a policy has in the firewall table. Their names tell what the policy says, so that one that is replaced has others.

import { type Cidr, type Family, formatAddress, lastOf, parseCidr } from '../cidr.ts'
import {
  type CidrPeer,
  type ContainersPeer,
  isContainers,
  isWholeNetwork,
  type Peer,
  type Policy,
  type PolicyRule,
} from './policy.ts'
import { type Candidate, selects } from './select.ts'
import { type PolicyProtocol, portRange } from './spec.ts'
import { digestOf, policyText } from './text.ts'

export type SideName = 'from' | 'to'

/** One side of a rule: who is there. */
export interface Side {
  /** `policy/web-to-db/9f2c41aa/0/from` */
  readonly set: string
  readonly peers: readonly Peer[]
}

const start = 'policy/'
export const isPolicySet = (set: string): boolean => set.startsWith(start)

export const ruleSet = (policy: Policy, at: number): string => `${start}${policy.name}/${digestOf(policyText(policy))}/${at}`

/** Isolated containers are on the one side as senders and on the other as receivers. */
export function sidesOf(rule: PolicyRule, set: string): Readonly<Record<SideName, Side>> {
  if (rule.action === 'isolate') {
    const side = { set: `${set}/containers`, peers: rule.containers }
    return { from: side, to: side }
  }
  return { from: { set: `${set}/from`, peers: rule.from }, to: { set: `${set}/to`, peers: rule.to } }
}

export const digit = (family: Family): 4 | 6 => (family === 2 ? 4 : 6)

/** Single containers, of which each has an element. */
export const picked = ({ peers }: Side): ContainersPeer[] => peers.filter(isContainers).filter((peer) => !isWholeNetwork(peer))
export const wholeNetworks = ({ peers }: Side): string[] =>
  peers
    .filter(isContainers)
    .filter(isWholeNetwork)
    .map(({ network }) => network)
const isCidr = (peer: Peer): peer is CidrPeer => typeof peer === 'object' && 'cidr' in peer
export const cidrsOf = ({ peers }: Side): CidrPeer[] => peers.filter(isCidr)

export const memberSet = ({ set }: Side, family: Family): string => `${set}${digit(family)}`
export const subnetSet = ({ set }: Side, family: Family): string => `${set}${digit(family)}_subnets`
/** The one kind that depends on which networks there are. */
export const isSubnetSet = (set: string): boolean => set.endsWith('_subnets')
export const cidrSet = ({ set }: Side, family: Family): string => `${set}${digit(family)}_cidrs`
export const portSet = (set: string, protocol: PolicyProtocol): string => `${set}/${protocol}`

interface Choice {
  readonly side: Side
  readonly peers: readonly ContainersPeer[]
}

const choices = new WeakMap<Policy, readonly Choice[]>()

/** The sides that choose single containers. Worked out once: each of thousands of containers is asked about. */
function choicesOf(policy: Policy): readonly Choice[] {
  const known = choices.get(policy)
  if (known !== undefined) return known
  const found = policy.rules.flatMap((rule, at) => {
    const { from, to } = sidesOf(rule, ruleSet(policy, at))
    return [...new Set([from, to])].map((side) => ({ side, peers: picked(side) })).filter(({ peers }) => peers.length > 0)
  })
  choices.set(policy, found)
  return found
}

/** Those of single containers. */
export const memberSets = (policy: Policy): string[] =>
  choicesOf(policy).flatMap(({ side }) => ([2, 10] as const).map((family) => memberSet(side, family)))

/** A set of single containers, and whether one belongs to it. */
export interface Membership {
  readonly set: string
  readonly family: Family
  readonly isMember: boolean
}

/** Of all sets of containers that these policies have. */
export const membershipsOf = (policies: readonly Policy[], candidate: Candidate): Membership[] =>
  policies.flatMap(choicesOf).flatMap(({ side, peers }) => {
    const isMember = peers.some((peer) => selects(peer, candidate))
    return ([2, 10] as const).map((family) => ({ set: memberSet(side, family), family, isMember }))
  })

type Interval = readonly [first: bigint, last: bigint]

const toNumber = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

function toText(number: bigint, family: Family): string {
  const length = family === 2 ? 4 : 16
  return formatAddress(Uint8Array.from(Buffer.from(number.toString(16).padStart(length * 2, '0'), 'hex')))
}

const intervalOf = (cidr: Cidr): Interval => [toNumber(cidr.bytes), toNumber(lastOf(cidr))]

/** Sorted, with none that overlaps or touches another: the kernel refuses those. */
function merged(intervals: readonly Interval[]): Interval[] {
  const found: [bigint, bigint][] = []
  for (const [first, last] of [...intervals].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const before = found.at(-1)
    if (before === undefined || first > before[1] + 1n) found.push([first, last])
    else if (last > before[1]) before[1] = last
  }
  return found
}

const without = (interval: Interval, [from, to]: Interval): Interval[] => {
  const [first, last] = interval
  if (to < first || from > last) return [interval]
  return [...(first < from ? [[first, from - 1n] as const] : []), ...(last > to ? [[to + 1n, last] as const] : [])]
}

function cidrIntervals({ cidr, except = [] }: CidrPeer): Interval[] {
  const holes = except.map((one) => intervalOf(parseCidr(one, 'except')))
  return holes.reduce<Interval[]>(
    (parts, hole) => parts.flatMap((part) => without(part, hole)),
    [intervalOf(parseCidr(cidr, 'cidr'))],
  )
}

export interface Range {
  readonly range: readonly [string, string]
}

function ranges(intervals: readonly Interval[], family: Family): (Range | string)[] {
  return merged(intervals).map(([first, last]) =>
    first === last ? toText(first, family) : { range: [toText(first, family), toText(last, family)] },
  )
}

export const isOf = (cidr: string, family: Family): boolean => cidr.includes(':') === (family === 10)

/** The addresses of CIDRs of a family, as elements of a set of intervals. */
export const cidrRanges = (peers: readonly CidrPeer[], family: Family): (Range | string)[] =>
  ranges(peers.filter(({ cidr }) => isOf(cidr, family)).flatMap(cidrIntervals), family)

export const subnetRanges = (subnets: readonly string[], family: Family): (Range | string)[] =>
  ranges(
    subnets.filter((subnet) => isOf(subnet, family)).map((subnet) => intervalOf(parseCidr(subnet, 'subnet'))),
    family,
  )

/** By protocol the ranges of its ports; 'all' where it is named as a whole. */
export function portRanges(rule: PolicyRule): Map<PolicyProtocol, 'all' | readonly (readonly [number, number])[]> {
  const found = new Map<PolicyProtocol, 'all' | readonly (readonly [number, number])[]>()
  const given = rule.action === 'isolate' ? [] : (rule.ports ?? [])
  for (const { protocol, first, last = first } of given.map((port) => portRange(port, 'ports'))) {
    const before = found.get(protocol) ?? []
    if (before === 'all' || first === undefined || last === undefined) found.set(protocol, 'all')
    else
      found.set(
        protocol,
        merged([...before, [first, last]].map(([a = 0, b = 0]) => [BigInt(a), BigInt(b)])).map(([a, b]) => [
          Number(a),
          Number(b),
        ]),
      )
  }
  return found
}
