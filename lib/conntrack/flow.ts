// A connection as the kernel's connection tracking knows it; see conntrack(8).

import { nested, number, optionalNumber, optionalText } from '../exchange.ts'
import type { Body } from '../native.ts'

export type FlowProtocol = 'tcp' | 'udp' | 'sctp' | 'dccp' | 'udplite' | 'icmp' | 'icmp6' | 'gre'

/** IPPROTO_*. */
export const flowProtocols: Readonly<Record<FlowProtocol, number>> = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  icmp6: 58,
  sctp: 132,
  udplite: 136,
}

/** IPS_*, in the order of their bits: linux/netfilter/nf_conntrack_common.h. */
export const flowStatuses = [
  'expected',
  'seenReply',
  'assured',
  'confirmed',
  'sourceNat',
  'destinationNat',
  'sequenceAdjusted',
  'sourceNatDone',
  'destinationNatDone',
  'dying',
  'fixedTimeout',
  'template',
  'untracked',
  'helper',
  'offload',
  'hardwareOffload',
] as const
export type FlowStatus = (typeof flowStatuses)[number]

/** Of TCP, in the order of enum tcp_conntrack: linux/netfilter/nf_conntrack_tcp.h. */
const tcpStates = [
  'none',
  'syn_sent',
  'syn_recv',
  'established',
  'fin_wait',
  'close_wait',
  'last_ack',
  'time_wait',
  'close',
  'syn_sent2',
] as const
export type TcpState = (typeof tcpStates)[number]

/** Who sends to whom, in one direction. */
export interface Tuple {
  readonly source: string
  readonly destination: string
  /** Of protocols that have ports. */
  readonly sourcePort?: number
  readonly destinationPort?: number
  /** Of ICMP and ICMPv6. */
  readonly icmp?: { readonly type: number; readonly code: number; readonly id: number }
}

/** A connection when it was read: plain data. */
export interface Flow {
  readonly family: 'inet' | 'inet6'
  /** A number for one that has no name here. */
  readonly protocol: FlowProtocol | number
  /** As the first packet was sent. */
  readonly original: Tuple
  /** As answers come: address translation is what differs from `original`, turned around. */
  readonly reply: Tuple
  /** Of TCP only. */
  readonly state?: TcpState
  readonly status: readonly FlowStatus[]
  /** Seconds until it is forgotten, unless a packet comes; absent for an offloaded one. */
  readonly timeout?: number
  readonly mark: number
  readonly zone: number
  /** The kernel's number for it, while it lives. */
  readonly id: number
  /** Only with net.netfilter.nf_conntrack_acct=1. */
  readonly counters?: Readonly<Record<'original' | 'reply', { readonly packets: bigint; readonly bytes: bigint }>>
}

const AF_INET6 = 10

function tupleFrom(body: Body | undefined): Tuple {
  const ip = (body && nested(body['ip'])) ?? {}
  const protocol = (body && nested(body['protocol'])) ?? {}
  const sourcePort = optionalNumber(protocol['sourcePort'])
  const destinationPort = optionalNumber(protocol['destinationPort'])
  const icmp = (['icmp', 'icmp6'] as const).find((version) => protocol[`${version}Type`] !== undefined)
  return {
    source: optionalText(ip['source4']) ?? optionalText(ip['source6']) ?? '',
    destination: optionalText(ip['destination4']) ?? optionalText(ip['destination6']) ?? '',
    ...(sourcePort === undefined ? {} : { sourcePort }),
    ...(destinationPort === undefined ? {} : { destinationPort }),
    ...(icmp === undefined
      ? {}
      : {
          icmp: {
            type: number(protocol[`${icmp}Type`]),
            code: number(protocol[`${icmp}Code`]),
            id: number(protocol[`${icmp}Id`]),
          },
        }),
  }
}

function countersFrom(body: Body): Flow['counters'] {
  const [original, reply] = (['originalCounters', 'replyCounters'] as const).map((direction) => {
    const { packets, bytes } = nested(body[direction]) ?? {}
    return typeof packets === 'bigint' && typeof bytes === 'bigint' ? { packets, bytes } : undefined
  })
  return original && reply && { original, reply }
}

function protocolFrom(value: number): FlowProtocol | number {
  const known = Object.keys(flowProtocols) as FlowProtocol[]
  return known.find((name) => flowProtocols[name] === value) ?? value
}

export function flowFrom(body: Body): Flow {
  const original = nested(body['original'])
  const tcp = nested(nested(body['protocolInfo'])?.['tcp'])
  const bits = number(body['status'])
  const state = tcp && tcpStates[number(tcp['state'])]
  const timeout = optionalNumber(body['timeout'])
  const counters = countersFrom(body)
  return {
    family: number(body['family']) === AF_INET6 ? 'inet6' : 'inet',
    protocol: protocolFrom(number((original && nested(original['protocol']))?.['number'])),
    original: tupleFrom(original),
    reply: tupleFrom(nested(body['reply'])),
    status: flowStatuses.filter((_, bit) => (bits & (1 << bit)) !== 0),
    mark: number(body['mark']),
    zone: number(body['zone']),
    id: number(body['id']),
    ...(state === undefined ? {} : { state }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(counters === undefined ? {} : { counters }),
  }
}
