// Which containers a policy is about.

import type { Labels } from '../network/label.ts'
import {
  type ContainersPeer,
  containersOf,
  isWholeNetwork,
  type LabelCondition,
  type Peer,
  type Policy,
  type PolicyRule,
} from './policy.ts'

/** What a container is chosen by. */
export interface Candidate {
  readonly network: string
  readonly name: string
  readonly labels: Labels
}

const list = (values: string | readonly string[]): readonly string[] => (typeof values === 'string' ? [values] : values)

function fits(value: string | undefined, wanted: LabelCondition): boolean {
  if (typeof wanted === 'boolean') return (value !== undefined) === wanted
  if (typeof wanted === 'object' && 'not' in wanted) return value === undefined || !list(wanted.not).includes(value)
  return value !== undefined && list(wanted).includes(value)
}

export function selects({ network, container, labels = {} }: ContainersPeer, candidate: Candidate): boolean {
  return (
    (network === undefined || network === candidate.network) &&
    (container === undefined || container === candidate.name) &&
    Object.entries(labels).every(([key, wanted]) =>
      fits(Object.hasOwn(candidate.labels, key) ? candidate.labels[key] : undefined, wanted),
    )
  )
}

/** Containers of whatever network, by their addresses. */
const isAnywhere = (peer: Peer): boolean => peer === 'any' || (typeof peer === 'object' && 'cidr' in peer)

/** Whether it is about connections of which neither end is in a network that it names. */
function isAboutAll(rule: PolicyRule): boolean {
  if (rule.action === 'isolate') return false
  const { from, to } = rule
  const meets = (some: readonly Peer[], others: readonly Peer[]): boolean =>
    some.some(isAnywhere) && others.some((peer) => isAnywhere(peer) || peer === 'world')
  return meets(from, to) || meets(to, from)
}

/**
 * Whether the network's containers may be meant, or connections of theirs. One that is `any`, or has an address of a CIDR, needs no look at its own
 * network where the other end is in a network that is named: that one's chains see the connection.
 */
export const concerns = ({ rules }: Policy, network: string): boolean =>
  rules.some(isAboutAll) || rules.flatMap(containersOf).some((peer) => peer.network === undefined || peer.network === network)

/** Whether single containers are chosen, so that they have elements of their own. */
export const picksContainers = (peer: ContainersPeer): boolean => !isWholeNetwork(peer)
