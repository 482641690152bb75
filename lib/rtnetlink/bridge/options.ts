// The options of a bridge; see ip-link(8), `type bridge`, and linux/if_link.h, IFLA_BR_*.

import { nested, number } from '../../exchange.ts'
import { invalidType, invalidValue } from '../../invalid.ts'
import type { Body } from '../../native.ts'
import { protocols, type VlanProtocol } from '../link/kind/vlan.ts'
import {
  count,
  dataOf,
  flag,
  multicastRouters,
  namesOf,
  type Option,
  type OptionTable,
  readOptions,
  seconds,
  word,
} from './option.ts'

interface PlainOptions {
  /** The spanning tree protocol. @defaultValue false */
  readonly stp?: boolean
  readonly forwardDelay?: number
  readonly helloTime?: number
  readonly maxAge?: number
  /** How long a learned MAC address is kept. @defaultValue 300 */
  readonly ageingTime?: number
  /** Of the spanning tree: the bridge with the lowest is its root. 0 to 65535. */
  readonly priority?: number
  /** Ports and the bridge carry the VLANs that they are members of, and no others. @defaultValue false */
  readonly vlanFiltering?: boolean
  /** @defaultValue '802.1q' */
  readonly vlanProtocol?: VlanProtocol
  /** The VLAN that new ports are members of, untagged; 0: none. @defaultValue 1 */
  readonly vlanDefaultPvid?: number
  /** Count packets for each VLAN. */
  readonly vlanStats?: boolean
  /** … and for each VLAN of each port. Only while no port has a VLAN. */
  readonly vlanStatsPerPort?: boolean
  /** A bit for each of the link-local addresses 01:80:c2:00:00:00 to 0f: forward what is sent to it. The kernel refuses 0, 1 and 2. */
  readonly groupForwardMask?: number
  /** The address that STP is spoken to: 01:80:c2:00:00:00, 04 to 0f. */
  readonly groupAddress?: string
  /** Only the ports that want a multicast group get it. @defaultValue true */
  readonly multicastSnooping?: boolean
  /** @defaultValue 'auto' */
  readonly multicastRouter?: 'disabled' | 'auto' | 'permanent'
  /** Ask for members, as a multicast router does. @defaultValue false */
  readonly multicastQuerier?: boolean
  /** Ask from the bridge's own address, in place of 0.0.0.0. */
  readonly multicastQueryUseIfaddr?: boolean
  /** The most groups: a power of two. */
  readonly multicastHashMax?: number
  readonly multicastLastMemberCount?: number
  readonly multicastStartupQueryCount?: number
  readonly multicastLastMemberInterval?: number
  readonly multicastMembershipInterval?: number
  readonly multicastQuerierInterval?: number
  readonly multicastQueryInterval?: number
  readonly multicastQueryResponseInterval?: number
  readonly multicastStartupQueryInterval?: number
  readonly multicastStats?: boolean
  readonly igmpVersion?: 2 | 3
  readonly mldVersion?: 1 | 2
  /** Whether IPv4 packets that are bridged go through iptables and nft's family ip; likewise the next two. */
  readonly nfCallIptables?: boolean
  readonly nfCallIp6tables?: boolean
  readonly nfCallArptables?: boolean
  /** The most MAC addresses that are learned; 0: no limit. Linux 6.7. */
  readonly fdbMaxLearned?: number
}

interface Switches {
  /** Learn nothing from link-local packets. */
  readonly noLinkLocalLearn?: boolean
  /** Multicast snooping for each VLAN. Linux 5.15. */
  readonly multicastVlanSnooping?: boolean
  /** The multiple spanning tree protocol. Linux 5.18. */
  readonly mst?: boolean
}

/** Times are in seconds, with hundredths (the kernel counts USER_HZ). */
export interface BridgeOptions extends PlainOptions, Switches {}

/** A bridge's options as they are, those that the kernel has; and what the spanning tree made of it. */
export interface BridgeInfo extends BridgeOptions {
  readonly stp: boolean
  readonly forwardDelay: number
  readonly helloTime: number
  readonly maxAge: number
  readonly ageingTime: number
  readonly priority: number
  readonly vlanFiltering: boolean
  readonly multicastSnooping: boolean
  /** Priority and MAC address, as in `8000.02:42:ac:12:00:01`. */
  readonly bridgeId: string
  /** Of the root of the spanning tree. */
  readonly rootId: string
  /** The number of the port towards the root; 0 on the root itself. */
  readonly rootPort: number
  readonly rootPathCost: number
}

/** br_group_address_store() takes these and no others. */
const groupAddress: Option<string> = {
  data: (value, path) => {
    if (typeof value !== 'string') throw invalidType(path, 'a MAC address', value)
    if (!/^01:80:c2:00:00:0[04-9a-f]$/i.test(value))
      throw invalidValue(path, "must be '01:80:c2:00:00:00' or one from '01:80:c2:00:00:04' to '01:80:c2:00:00:0f'", value)
    return value.toLowerCase()
  },
  read: String,
}

/** Longer intervals are a u64 in the message, which holds a number as well. */
const table: OptionTable<PlainOptions> = {
  stp: flag,
  forwardDelay: seconds,
  helloTime: seconds,
  maxAge: seconds,
  ageingTime: seconds,
  priority: count(0, 65535),
  vlanFiltering: flag,
  vlanProtocol: word(protocols),
  vlanDefaultPvid: count(0, 4094),
  vlanStats: flag,
  vlanStatsPerPort: flag,
  groupForwardMask: count(0, 65535),
  groupAddress,
  multicastSnooping: flag,
  multicastRouter: word({
    disabled: multicastRouters.disabled,
    auto: multicastRouters.auto,
    permanent: multicastRouters.permanent,
  }),
  multicastQuerier: flag,
  multicastQueryUseIfaddr: flag,
  multicastHashMax: count(1, 0x80000000),
  multicastLastMemberCount: count(0, 0xffffffff),
  multicastStartupQueryCount: count(0, 0xffffffff),
  multicastLastMemberInterval: seconds,
  multicastMembershipInterval: seconds,
  multicastQuerierInterval: seconds,
  multicastQueryInterval: seconds,
  multicastQueryResponseInterval: seconds,
  multicastStartupQueryInterval: seconds,
  multicastStats: flag,
  igmpVersion: count(2, 3) as Option<2 | 3>,
  mldVersion: count(1, 2) as Option<1 | 2>,
  nfCallIptables: flag,
  nfCallIp6tables: flag,
  nfCallArptables: flag,
  fdbMaxLearned: count(0, 0xffffffff),
}

/** enum br_boolopt_id. */
const switchBits = { noLinkLocalLearn: 1, multicastVlanSnooping: 2, mst: 4 } as const
const switchNames = Object.keys(switchBits) as (keyof Switches)[]

export const bridgeOptionNames: readonly string[] = [...namesOf(table), ...switchNames]

function switchData(options: Switches, path: string): Body {
  let values = 0
  let mask = 0
  for (const name of switchNames) {
    if (options[name] === undefined) continue
    mask |= switchBits[name]
    if (flag.data(options[name], `${path}.${name}`) === 1) values |= switchBits[name]
  }
  return mask === 0 ? {} : { switches: { values, mask } }
}

/** IFLA_INFO_DATA for the options that are there. */
export const bridgeData = (options: BridgeOptions, path: string): Body => ({
  ...dataOf(table, options, path),
  ...switchData(options, path),
})

function readSwitches(data: Body): Switches {
  const switches = nested(data['switches'])
  if (switches === undefined) return {}
  const known = switchNames.filter((name) => (number(switches['mask']) & switchBits[name]) !== 0)
  return Object.fromEntries(known.map((name) => [name, (number(switches['values']) & switchBits[name]) !== 0]))
}

/** struct ifla_bridge_id. */
function idText(id: unknown): string {
  const pairs = Array.from(id instanceof Uint8Array ? id : [], (byte) => byte.toString(16).padStart(2, '0'))
  return `${pairs.slice(0, 2).join('')}.${pairs.slice(2).join(':')}`
}

export const bridgeInfoFrom = (data: Body): BridgeInfo => ({
  stp: false,
  forwardDelay: 0,
  helloTime: 0,
  maxAge: 0,
  ageingTime: 0,
  priority: 0,
  vlanFiltering: false,
  multicastSnooping: false,
  ...readOptions(table, data),
  ...readSwitches(data),
  bridgeId: idText(data['bridgeId']),
  rootId: idText(data['rootId']),
  rootPort: number(data['rootPort']),
  rootPathCost: number(data['rootPathCost']),
})
