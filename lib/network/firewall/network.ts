// What a network is to the firewall: a handful of elements, added when it is made and removed when it goes.

import { type Cidr, contains, parseCidr } from '../../cidr.ts'
import { compile } from '../../nftables/compile/compile.ts'
import type { KernelMessage } from '../../nftables/message.ts'
import type { Command, Immediate } from '../../nftables/schema.ts'
import type { Driver, GatewayModes, Masquerade } from '../label.ts'
import type { TableFamily } from './definition.ts'
import { compiledTable, elementCommand, type SetName, tableOf } from './table.ts'

export interface FirewalledNetwork {
  readonly name: string
  /** IFLA_GROUP of its devices. */
  readonly group: number
  /** In CIDR: '172.18.0.0/16', 'fd00::/64'. */
  readonly subnets: readonly string[]
  /** Whether its bridge has other machines on it. */
  readonly adopted: boolean
  /** Parts of the subnets; of an adopted bridge those of the others. */
  readonly reserved: readonly string[]
  /** Whose devices have no addresses of their own: what is masqueraded towards them comes from its gateways. */
  readonly driver: Driver
  /** One of each subnet. */
  readonly gateways: readonly string[]
  /** No way out, and none to other networks. */
  readonly internal: boolean
  /** Whether its containers may talk to each other. */
  readonly icc: boolean
  /** Whether they go out under the host's address. */
  readonly masquerade: Masquerade
  /** How they are reached, by family. */
  readonly gatewayMode: GatewayModes
  /** Interfaces of the host from which everything of them is reached. */
  readonly trusted: readonly string[]
  /** What stands for the policies about it; empty for none. @defaultValue none */
  readonly policies?: string
  /** Where on the gateways its names are answered; undefined when they are not. */
  readonly dnsPort?: number | undefined
  /** Whether its containers may send as themselves only. */
  readonly antiSpoofing: boolean
}

/** Of the element of `networks`: the name, and what stands for the policies, if there are any. */
export const knownComment = (name: string, policies: string): string => (policies === '' ? name : `${name} ${policies}`)

/** The tables that must be there for it. */
export const tablesFor = ({ antiSpoofing, driver }: Pick<FirewalledNetwork, 'antiSpoofing' | 'driver'>): TableFamily[] =>
  antiSpoofing && driver === 'bridge' ? ['inet', 'bridge'] : ['inet']

type Entry = Parameters<typeof elementCommand>[2][number]

/** Where containers ask for names, whichever port the resolver has. */
const askedPort = 53

function resolverEntries({ name, group, gateways }: FirewalledNetwork, dnsPort: number): [SetName, Entry][] {
  const commented = (...concat: Immediate[]) => ({ elem: { val: { concat }, comment: name } })
  return gateways.flatMap((gateway) =>
    ['udp', 'tcp'].flatMap((protocol): [SetName, Entry][] => {
      const six = gateway.includes(':')
      return [
        [six ? 'served6' : 'served4', commented(gateway, protocol, askedPort)],
        [six ? 'resolvers6' : 'resolvers4', [commented(group, gateway, protocol, askedPort), { concat: [gateway, dnsPort] }]],
      ]
    }),
  )
}

/** Without those that lie in others: intervals of a set do not overlap. */
function otherMachines(reserved: readonly string[], commented: (val: Immediate) => Entry): [set: SetName, entry: Entry][] {
  const parts = reserved.map((part) => parseCidr(part, 'reserved'))
  const isWithin = (part: Cidr, at: number): boolean =>
    parts.some((other, position) => {
      const isLarger = other.prefixLength < part.prefixLength || (other.prefixLength === part.prefixLength && position < at)
      return other !== part && isLarger && contains(other, part)
    })
  return parts
    .filter((part, at) => !isWithin(part, at))
    .map(({ family, text, prefixLength }) => [
      family === 10 ? 'others6' : 'others4',
      commented({ prefix: { addr: text, len: prefixLength } }),
    ])
}

function entries(network: FirewalledNetwork): [set: SetName, entry: Entry][] {
  const {
    name,
    group,
    driver,
    adopted,
    reserved,
    subnets,
    gateways,
    internal,
    icc,
    masquerade,
    gatewayMode,
    trusted,
    antiSpoofing,
    policies = '',
  } = network
  const commented = (val: Immediate) => ({ elem: { val, comment: name } })
  // An attach looks here whether it knows the policies.
  const known = { elem: { val: group, comment: knownComment(name, policies) } }
  const own: [SetName, Entry][] = [['networks', known]]
  for (const cidr of subnets) {
    const [addr = '', length] = cidr.split('/')
    const six = addr.includes(':')
    own.push([six ? 'subnets6' : 'subnets4', commented({ prefix: { addr, len: Number(length) } })])
    if (gatewayMode[six ? 'ipv6' : 'ipv4'] === 'routed') {
      own.push([six ? 'routed6' : 'routed4', commented(group)])
      continue
    }
    const source = typeof masquerade === 'object' ? masquerade[six ? 'ipv6' : 'ipv4'] : undefined
    if (source !== undefined) own.push([six ? 'sources6' : 'sources4', [commented(group), source]])
    else if (masquerade) own.push([six ? 'masqueraded6' : 'masqueraded4', commented(group)])
  }
  for (const gateway of driver === 'ptp' ? gateways : [])
    own.push([gateway.includes(':') ? 'gateways6' : 'gateways4', [commented(group), gateway]])
  const target = Object.values(gatewayMode).includes('routed') ? 'into_routed' : 'into_network'
  own.push(['into', [commented(group), adopted ? { jump: { target: 'into_adopted' } } : { goto: { target } }]])
  if (adopted) own.push(['adopted', commented(group)], ...otherMachines(reserved, commented))
  for (const ifname of trusted) own.push(['trusted', commented({ concat: [ifname, group] })])
  if (network.dnsPort !== undefined) own.push(...resolverEntries(network, network.dnsPort))
  if (internal) own.push(['from', [commented(group), { goto: { target: 'from_internal' } }]])
  if (antiSpoofing) own.push(['guarded', commented(group)])
  if (antiSpoofing && driver === 'bridge') own.push(['guarded_bridges', commented(group)])
  if (icc) own.push(['same', commented({ concat: [group, group] })])
  return own
}

const messages = (commands: readonly Command[]): readonly KernelMessage[] =>
  compile(commands, new Map([...compiledTable('inet').sets, ...compiledTable('bridge').sets])).messages

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

/** The batch that makes it unknown to a table. What is absent already is no error. */
export function networkRemoved(network: FirewalledNetwork, table: TableFamily): readonly KernelMessage[] {
  // Every set that a network of these subnets may be in, and those of its chosen sources.
  const most = { ...network, internal: true, icc: true, masquerade: true, antiSpoofing: true, dnsPort: askedPort } as const
  const all = [
    ...entries({ ...most, driver: 'ptp', gatewayMode: {} }),
    ...entries({ ...most, driver: 'bridge', gatewayMode: { ipv4: 'routed', ipv6: 'routed' } }),
    ...entries(network),
  ]
  const own = all.filter(([set]) => tableOf(set) === table)
  return messages(own.map(([set, entry]) => elementCommand('destroy', set, [entry])))
}

/** The batch that leads those who ask for names to another port. */
export function resolverMoved(network: FirewalledNetwork, dnsPort: number): readonly KernelMessage[] {
  const all = resolverEntries(network, dnsPort)
  return messages([
    ...all.map(([set, entry]) => elementCommand('destroy', set, [entry])),
    ...all.map(([set, entry]) => elementCommand('add', set, [entry])),
  ])
}
