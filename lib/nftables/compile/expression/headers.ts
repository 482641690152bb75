// Where the fields of packet headers are.

import { etherAddress, ipv4Address, ipv6Address } from '../../datatype/address.ts'
import type { DataType } from '../../datatype/datatype.ts'
import { plainInteger } from '../../datatype/host.ts'
import { etherType, icmpType, icmpv6Type, inetProtocol, inetService, type protocols, tcpFlags } from '../../datatype/protocol.ts'
import type { NetworkProtocol } from '../program.ts'

/** enum nft_payload_bases. */
export const LINK_HEADER = 0
export const NETWORK_HEADER = 1
export const TRANSPORT_HEADER = 2

/** By which bytes without a name are found: `@th,64,128`. */
export const bases: { readonly ll: 0; readonly nh: 1; readonly th: 2 } = {
  ll: LINK_HEADER,
  nh: NETWORK_HEADER,
  th: TRANSPORT_HEADER,
}

export interface HeaderField {
  readonly offset: number
  readonly type: DataType
}

export interface Header {
  readonly base: number
  /** The protocols that must have been matched before. `th` is whatever has ports. */
  readonly network?: NetworkProtocol
  readonly transport?: keyof typeof protocols
  readonly ethernet?: true
  /** Where its checksum is, for fields that are written; `pseudo`: addresses count in the checksum of the transport above. */
  readonly checksum?: number
  readonly fields: Readonly<Record<string, HeaderField>>
}

const number = (bytes: number): DataType => plainInteger(bytes, 'big')
const ports = { sport: { offset: 0, type: inetService }, dport: { offset: 2, type: inetService } }
const icmp = {
  code: { offset: 1, type: number(1) },
  checksum: { offset: 2, type: number(2) },
  id: { offset: 4, type: number(2) },
  sequence: { offset: 6, type: number(2) },
  mtu: { offset: 6, type: number(2) },
}

export const headers: Readonly<Record<string, Header>> = {
  ether: {
    base: LINK_HEADER,
    ethernet: true,
    fields: {
      daddr: { offset: 0, type: etherAddress },
      saddr: { offset: 6, type: etherAddress },
      type: { offset: 12, type: etherType },
    },
  },
  ip: {
    base: NETWORK_HEADER,
    network: 'ip',
    checksum: 10,
    fields: {
      length: { offset: 2, type: number(2) },
      id: { offset: 4, type: number(2) },
      'frag-off': { offset: 6, type: number(2) },
      ttl: { offset: 8, type: number(1) },
      protocol: { offset: 9, type: inetProtocol },
      checksum: { offset: 10, type: number(2) },
      saddr: { offset: 12, type: ipv4Address },
      daddr: { offset: 16, type: ipv4Address },
    },
  },
  ip6: {
    base: NETWORK_HEADER,
    network: 'ip6',
    fields: {
      length: { offset: 4, type: number(2) },
      nexthdr: { offset: 6, type: inetProtocol },
      hoplimit: { offset: 7, type: number(1) },
      saddr: { offset: 8, type: ipv6Address },
      daddr: { offset: 24, type: ipv6Address },
    },
  },
  th: { base: TRANSPORT_HEADER, fields: ports },
  tcp: {
    base: TRANSPORT_HEADER,
    transport: 'tcp',
    checksum: 16,
    fields: {
      ...ports,
      sequence: { offset: 4, type: number(4) },
      ackseq: { offset: 8, type: number(4) },
      flags: { offset: 13, type: tcpFlags },
      window: { offset: 14, type: number(2) },
      checksum: { offset: 16, type: number(2) },
      urgptr: { offset: 18, type: number(2) },
    },
  },
  udp: {
    base: TRANSPORT_HEADER,
    transport: 'udp',
    checksum: 6,
    fields: { ...ports, length: { offset: 4, type: number(2) }, checksum: { offset: 6, type: number(2) } },
  },
  udplite: { base: TRANSPORT_HEADER, transport: 'udplite', fields: ports },
  dccp: { base: TRANSPORT_HEADER, transport: 'dccp', fields: ports },
  sctp: {
    base: TRANSPORT_HEADER,
    transport: 'sctp',
    fields: { ...ports, vtag: { offset: 4, type: number(4) }, checksum: { offset: 8, type: number(4) } },
  },
  icmp: {
    base: TRANSPORT_HEADER,
    network: 'ip',
    transport: 'icmp',
    fields: { type: { offset: 0, type: icmpType }, ...icmp },
  },
  icmpv6: {
    base: TRANSPORT_HEADER,
    network: 'ip6',
    transport: 'ipv6-icmp',
    fields: { type: { offset: 0, type: icmpv6Type }, ...icmp },
  },
}
