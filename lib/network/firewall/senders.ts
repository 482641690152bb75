// Who sends, on the bridges of networks that ask for it (antiSpoofing): a table of frames, beside the one of packets. It is there while
// such a network is. What a container's port may send as are elements; what has none is dropped, so that a port without them is silent.

import { parseAddress } from '../../cidr.ts'
import type { PlanSenderSets } from '../../native.ts'
import { concatenate } from '../../nftables/datatype/concatenation.ts'
import { families } from '../../nftables/message.ts'
import type { Expression, Statement } from '../../nftables/schema.ts'
import { accept, drop, field, goto, is, isNot, leaving, meta, type TableDefinition } from './definition.ts'
import type { FirewallElement } from './port.ts'

const raw = (base: 'nh' | 'th', offset: number, len: number): Expression => ({ payload: { base, offset, len } })

/** Of linux/icmpv6.h and RFC 4861. */
const solicitation = 135
const advertisement = 136
const routerSolicitation = 133
/** Router solicitation and advertisement, neighbor solicitation and advertisement, redirect. */
const discoveryTypes = { range: [133, 137] } as const
/** Of the fragment header; nft prints a name for it that it does not read. */
const nextHeader = raw('nh', 48, 8)
const fragment = 44
/** A report of MLDv2. */
const report = 143

const port = meta('iifname')
const sends = (set: string, ...what: Expression[]): Statement => is({ concat: [port, ...what] }, `@${set}`)
const doesNotSend = (set: string, ...what: Expression[]): Statement => isNot({ concat: [port, ...what] }, `@${set}`)

const icmpv6 = (type: number): Statement => is(field('icmpv6', 'type'), type)
const from6 = sends('senders6', field('ip6', 'saddr'))
const fromNobody = is(field('ip6', 'saddr'), '::')
/** Bytes of an IPv6 packet behind its header. */
const length6 = (bytes: number): Statement => is(field('ip6', 'length'), bytes)
/** The address that a neighbor message is about. */
const target = raw('th', 64, 128)
/** Its only option at that bit: a link-layer address, of the source (1) or the target (2), in one unit of 8 bytes. */
const option = (at: number, type: 1 | 2): Statement[] => [
  is(raw('th', at, 16), (type << 8) | 1),
  sends('senders', raw('th', at + 16, 48)),
]

/** Ethernet, IPv4, and addresses of 6 and 4 bytes: other ARP is none of the kernel's. */
const arpOfIpv4 = 0x0001_0800_0604

/**
 * Keys start with the name of the host end, which stands for the container's place in the network.
 * - `guarded_bridges`: groups of the networks' ports;
 * - `senders`: its MAC; `senders4`, `senders6`: its addresses, of IPv6 also the link-local one that follows from the MAC;
 * - `chosen`: those whose MAC or IPv6 address does not follow from the name, so that a later link of the name is not to inherit them.
 */
export type SenderSetName = 'guarded_bridges' | 'senders' | 'senders4' | 'senders6' | 'chosen'

const sets: Readonly<Record<SenderSetName, { readonly type: string }>> = {
  guarded_bridges: { type: 'devgroup' },
  senders: { type: 'ifname . ether_addr' },
  senders4: { type: 'ifname . ipv4_addr' },
  senders6: { type: 'ifname . ipv6_addr' },
  chosen: { type: 'ifname' },
}

export const senderTable: TableDefinition = {
  family: 'bridge',
  sets,
  chains: {
    prerouting: {
      // Before br_netfilter, and before the bridge learns where a MAC is.
      hook: { type: 'filter', hook: 'prerouting', prio: -300 },
      rules: [
        [leaving('iifgroup'), drop],
        [is(meta('iifgroup'), '@guarded_bridges'), goto('from_container')],
      ],
    },
    from_container: {
      rules: [
        [doesNotSend('senders', field('ether', 'saddr')), drop],
        // Not by meta protocol, which is that of the packet inside of a tagged frame.
        [is(field('ether', 'type'), 'ip'), sends('senders4', field('ip', 'saddr')), accept],
        [is(field('ether', 'type'), 'ip6'), goto('from_ipv6')],
        [is(field('ether', 'type'), 'arp'), goto('from_arp')],
        [drop],
      ],
    },
    from_arp: {
      rules: [
        [isNot(raw('nh', 0, 48), arpOfIpv4), drop],
        [doesNotSend('senders', raw('nh', 64, 48)), drop],
        // A probe claims nothing.
        [is(raw('nh', 112, 32), 0), accept],
        [sends('senders4', raw('nh', 112, 32)), accept],
        [drop],
      ],
    },
    from_ipv6: {
      rules: [
        [isNot(meta('l4proto'), 'ipv6-icmp'), from6, accept],
        // The rest of a packet in fragments says nothing without its beginning.
        [is(nextHeader, fragment), isNot({ '&': [raw('nh', 336, 16), 0xfff8] }, 0), from6, accept],
        [{ match: { op: '!=', left: field('icmpv6', 'type'), right: discoveryTypes } }, from6, accept],
        [icmpv6(report), fromNobody, accept],
        // Nothing that hides neighbor discovery behind other headers.
        [is(field('ip6', 'nexthdr'), 'ipv6-icmp'), goto('discovery')],
        [drop],
      ],
    },
    discovery: {
      rules: [
        [icmpv6(solicitation), fromNobody, sends('senders6', target), accept],
        [icmpv6(routerSolicitation), fromNobody, length6(8), accept],
        [doesNotSend('senders6', field('ip6', 'saddr')), drop],
        [icmpv6(routerSolicitation), length6(8), accept],
        [icmpv6(routerSolicitation), length6(16), ...option(64, 1), accept],
        [icmpv6(solicitation), length6(24), accept],
        [icmpv6(solicitation), length6(32), ...option(192, 1), accept],
        [icmpv6(advertisement), doesNotSend('senders6', target), drop],
        [icmpv6(advertisement), length6(24), accept],
        [icmpv6(advertisement), length6(32), ...option(192, 2), accept],
        // Routers and redirects.
        [drop],
      ],
    },
  },
}

/** The sets as the hot path takes them. */
export const senderSets: PlanSenderSets = {
  family: families.bridge,
  networks: 'guarded_bridges',
  chosen: 'chosen',
  sets: ['senders', 'senders4', 'senders6'] satisfies SenderSetName[],
}
export const noSenderSets: PlanSenderSets = { family: families.bridge, networks: '', chosen: '', sets: [] }

/** A container on a bridge. */
export interface Sender {
  readonly hostIfname: string
  readonly mac: Uint8Array
  readonly addresses: readonly Uint8Array[]
  /** Whether the MAC or an address was chosen otherwise than by the place in the network. */
  readonly isChosen: boolean
}

const nameLength = 16
const fe80: Uint8Array = parseAddress('fe80::', 'prefix').bytes

/** RFC 4291, appendix A: the MAC with its universal bit turned, and ff:fe in the middle. */
function linkLocal(mac: Uint8Array): Uint8Array {
  const [first = 0, ...rest] = mac
  return Uint8Array.of(...fe80.subarray(0, 8), first ^ 2, ...rest.slice(0, 2), 0xff, 0xfe, ...rest.slice(2))
}

/** What a container may send as. `owner` is the comment. */
export function senderElements({ hostIfname, mac, addresses, isChosen }: Sender, owner: string): FirewallElement[] {
  const name = new Uint8Array(nameLength)
  name.set(Buffer.from(hostIfname))
  const none = new Uint8Array(0)
  const rest = { family: families.bridge, keyEnd: none, data: none, comment: owner, exclusive: false }
  const has = (set: SenderSetName, ...what: Uint8Array[]): FirewallElement => ({
    ...rest,
    set,
    key: concatenate([name, ...what]),
  })
  const six = addresses.filter((address) => address.length === 16)
  return [
    has('senders', mac),
    ...addresses.filter((address) => address.length === 4).map((address) => has('senders4', address)),
    ...[...six, ...(six.length > 0 ? [linkLocal(mac)] : [])].map((address) => has('senders6', address)),
    ...(isChosen ? [has('chosen')] : []),
  ]
}
