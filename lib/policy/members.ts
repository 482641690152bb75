// The elements that a container has in the sets of policies.

import { type Family, parseAddress } from '../cidr.ts'
import { type FirewallElement, type PendingElement, tableName } from '../network/firewall/index.ts'
import type { Labels } from '../network/label.ts'
import { ownerOf } from '../network/port/elements.ts'
import type { Policy } from './policy.ts'
import { membershipsOf } from './sets.ts'

/** What is known of a container that is attached. */
interface Member {
  readonly network: string
  readonly name: string
  readonly labels: Labels
  readonly addresses: readonly string[]
  readonly hostIndex: number
}

const nothing = new Uint8Array(0)
const bare = { family: tableName.family, keyEnd: nothing, data: nothing, exclusive: false } as const

/** The index of the host end tells it from a later one of the same name. */
export const memberComment = ({ network, name, hostIndex }: Omit<Member, 'labels' | 'addresses'>): string =>
  `${ownerOf(network, name)} ${hostIndex}`

export function memberElements(policies: readonly Policy[], member: Member): FirewallElement[] {
  if (policies.length === 0) return []
  const addresses = member.addresses.map((cidr) => parseAddress(cidr.split('/')[0], 'address'))
  const comment = memberComment(member)
  return membershipsOf(policies, member)
    .filter(({ isMember }) => isMember)
    .flatMap(({ set, family }) =>
      addresses.filter((one) => one.family === family).map(({ bytes }) => ({ ...bare, set, key: bytes, comment })),
    )
}

/** An address in a set, or out of it: what a container that died with it may have left. */
export interface PendingMember extends PendingElement {
  readonly isMember: boolean
}

/** While the addresses, one of each of the families, are still being leased. The index of the host end comes behind the comment. */
export const pendingMembers = (
  policies: readonly Policy[],
  newcomer: Pick<Member, 'network' | 'name' | 'labels'>,
  families: readonly Family[],
): PendingMember[] =>
  membershipsOf(policies, newcomer).flatMap(({ set, family, isMember }) => {
    const address = families.indexOf(family)
    if (address < 0) return []
    const comment = ownerOf(newcomer.network, newcomer.name)
    return [{ ...bare, set, key: nothing, comment, address, addressIn: 'key' as const, isMember }]
  })
