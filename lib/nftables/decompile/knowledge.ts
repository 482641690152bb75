// What the matches of a rule so far say about the packet: the counterpart of compile/program.ts, which adds a match on the protocol
// where one is needed. nft hides those, and so must a listing.

import type { NetworkProtocol } from '../compile/program.ts'
import type { Family } from '../schema.ts'

export interface Knowledge {
  readonly family: Family
  readonly ethernet: boolean
  readonly network: NetworkProtocol | undefined
  /** `several`: a set of protocols was matched. */
  readonly transport: number | 'several' | undefined
}

export function initialKnowledge(family: Family): Knowledge {
  return {
    family,
    ethernet: family === 'bridge' || family === 'netdev',
    network: family === 'ip' || family === 'ip6' ? family : undefined,
    transport: undefined,
  }
}

/** A protocol that a header or a statement asks for, and that the compiler matches on unless it is known. */
export type Need =
  | { readonly layer: 'ethernet'; readonly value: true }
  /** `unless`: not where that transport protocol is known, and no network protocol. */
  | { readonly layer: 'network'; readonly value: NetworkProtocol; readonly unless?: number | undefined }
  | { readonly layer: 'transport'; readonly value: number }

export const learn = (known: Knowledge, need: Need): Knowledge => ({ ...known, [need.layer]: need.value })

/** The matches that the compiler would add for `needs`. */
export function missing(known: Knowledge, needs: readonly Need[]): Need[] {
  const added: Need[] = []
  let state = known
  for (const need of needs) {
    if (state[need.layer] === need.value) continue
    const isThere = need.layer === 'network' && need.unless !== undefined && state.transport === need.unless
    if (isThere && state.network === undefined) continue
    added.push(need)
    state = learn(state, need)
  }
  return added
}

export const sameNeeds = (some: readonly Need[], others: readonly Need[]): boolean =>
  some.length === others.length &&
  some.every(({ layer, value }, index) => layer === others[index]?.layer && value === others[index]?.value)
