// What a network is to the firewall: a handful of elements, added when it is made and removed when it goes.

import { compile } from '../../nftables/compile/compile.ts'
import type { KernelMessage } from '../../nftables/message.ts'
import type { Command } from '../../nftables/schema.ts'
import { compiledTable, elementCommand, type SetName } from './table.ts'

export interface FirewalledNetwork {
  readonly name: string
  /** The bridge's interface name. */
  readonly bridge: string
  /** IPv4, in CIDR: '172.18.0.0/16'. */
  readonly subnets: readonly string[]
  /** No way out, and none to other networks. */
  readonly internal: boolean
  /** Whether its containers may talk to each other. */
  readonly icc: boolean
  /** Whether they go out under the host's address. */
  readonly masquerade: boolean
}

type Entry = Parameters<typeof elementCommand>[2][number]

function entries(network: FirewalledNetwork): [set: SetName, entry: Entry][] {
  const { name, bridge, subnets, internal, icc, masquerade } = network
  const commented: Entry = { elem: { val: bridge, comment: name } }
  const own: [SetName, Entry][] = [
    ['networks', commented],
    ...subnets.map((cidr): [SetName, Entry] => {
      const [addr = '', length] = cidr.split('/')
      return ['subnets4', { elem: { val: { prefix: { addr, len: Number(length) } }, comment: name } }]
    }),
    ['into', [bridge, { goto: { target: 'into_network' } }]],
  ]
  if (internal) own.push(['from', [bridge, { goto: { target: 'from_internal' } }]])
  if (icc) own.push(['same', { concat: [bridge, bridge] }])
  if (masquerade) own.push(['masqueraded', bridge])
  return own
}

const messages = (commands: readonly Command[]): readonly KernelMessage[] => compile(commands, compiledTable().sets).messages

/**
 * The batch that makes a network known. `exclusive`, for a new one: EEXIST when its subnet is another network's already, or overlaps
 * it. Otherwise the very same elements again are no error, so that they can be restored.
 */
export function networkAdded(
  network: FirewalledNetwork,
  { exclusive = false }: { readonly exclusive?: boolean } = {},
): readonly KernelMessage[] {
  return messages(entries(network).map(([set, entry]) => elementCommand(exclusive ? 'create' : 'add', set, [entry])))
}

/** The batch that makes it unknown. What is absent already is no error. */
export function networkRemoved(network: FirewalledNetwork): readonly KernelMessage[] {
  const all = entries({ ...network, internal: true, icc: true, masquerade: true })
  return messages(all.map(([set, entry]) => elementCommand('destroy', set, [entry])))
}
