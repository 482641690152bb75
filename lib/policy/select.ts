// Which containers a policy is about.

import type { Labels } from '../network/label.ts'
import { type ContainersPeer, containersOf, isWholeNetwork, type LabelCondition, type Policy } from './policy.ts'

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

/** Whether containers of the network may be meant. */
export const concerns = ({ rules }: Policy, network: string): boolean =>
  rules.flatMap(containersOf).some((peer) => peer.network === undefined || peer.network === network)

/** Whether single containers are chosen, so that they have elements of their own. */
export const picksContainers = (peer: ContainersPeer): boolean => !isWholeNetwork(peer)
