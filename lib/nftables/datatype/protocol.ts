// The numbers in packet headers that have names.

import { type DataType, integerType } from './datatype.ts'

export const protocols = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  esp: 50,
  ah: 51,
  'ipv6-icmp': 58,
  comp: 108,
  sctp: 132,
  udplite: 136,
} as const

export const networkProtocol: DataType = integerType('nf_proto', 2, 1, { order: 'host', words: { ipv4: 2, ipv6: 10 } })

export const inetProtocol: DataType = integerType('inet_proto', 12, 1, { order: 'big', words: protocols })

/** A port. By number only: what `http` means is a file's business, not the kernel's. */
export const inetService: DataType = integerType('inet_service', 13, 2, { order: 'big' })

export const etherType: DataType = integerType('ether_type', 10, 2, {
  order: 'big',
  words: { ip: 0x0800, arp: 0x0806, vlan: 0x8100, '8021q': 0x8100, '8021ad': 0x88a8, ip6: 0x86dd },
})

export const icmpType: DataType = integerType('icmp_type', 14, 1, {
  order: 'big',
  words: {
    'echo-reply': 0,
    'destination-unreachable': 3,
    'source-quench': 4,
    redirect: 5,
    'echo-request': 8,
    'router-advertisement': 9,
    'router-solicitation': 10,
    'time-exceeded': 11,
    'parameter-problem': 12,
    'timestamp-request': 13,
    'timestamp-reply': 14,
    'info-request': 15,
    'info-reply': 16,
    'address-mask-request': 17,
    'address-mask-reply': 18,
  },
})

export const icmpv6Type: DataType = integerType('icmpv6_type', 29, 1, {
  order: 'big',
  words: {
    'destination-unreachable': 1,
    'packet-too-big': 2,
    'time-exceeded': 3,
    'parameter-problem': 4,
    'echo-request': 128,
    'echo-reply': 129,
    'mld-listener-query': 130,
    'mld-listener-report': 131,
    'mld-listener-done': 132,
    'nd-router-solicit': 133,
    'nd-router-advert': 134,
    'nd-neighbor-solicit': 135,
    'nd-neighbor-advert': 136,
    'nd-redirect': 137,
    'router-renumbering': 138,
    'mld2-listener-report': 143,
  },
})

export const tcpFlags: DataType = integerType('tcp_flag', 15, 1, {
  order: 'big',
  bitmask: true,
  words: { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ecn: 64, cwr: 128 },
})
