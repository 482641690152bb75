// The options of a bridge's port; see bridge(8), `bridge link set`, and linux/if_link.h, IFLA_BRPORT_*.

import { number, optionalNumber } from '../../exchange.ts'
import { fields } from '../../invalid.ts'
import type { Body, Message } from '../../native.ts'
import * as c from '../constants.ts'
import { type LinkRef, refBody } from '../link/ref.ts'
import type { Operation, ResolveLink } from '../operation.ts'
import { count, dataOf, flag, multicastRouters, namesOf, type OptionTable, readOptions, word } from './option.ts'

interface PlainOptions {
  /** Of the spanning tree: to be set where the kernel runs none, on a port with a carrier. Without STP 'blocking' is 'forwarding' at once. */
  readonly state?: 'disabled' | 'listening' | 'learning' | 'forwarding' | 'blocking'
  /** Of the spanning tree, 1 to 65535. @defaultValue by the device's speed */
  readonly cost?: number
  /** Of the spanning tree, 0 to 63. @defaultValue 32 */
  readonly priority?: number
  /** Send frames back through the port that they came from. @defaultValue false */
  readonly hairpin?: boolean
  /** Disable the port when a BPDU arrives. @defaultValue false */
  readonly guard?: boolean
  /** Never let the port lead to the root of the spanning tree. @defaultValue false */
  readonly rootBlock?: boolean
  /** A member that leaves a multicast group is forgotten at once. @defaultValue false */
  readonly fastLeave?: boolean
  /** Learn the MAC addresses of what arrives. @defaultValue true */
  readonly learning?: boolean
  /** Send what is for a MAC address that nobody has learned. @defaultValue true */
  readonly flood?: boolean
  /** … and for a multicast group that nobody has joined. @defaultValue true */
  readonly multicastFlood?: boolean
  /** … and broadcasts. @defaultValue true */
  readonly broadcastFlood?: boolean
  /** Send multicast to each member on its own. @defaultValue false */
  readonly multicastToUnicast?: boolean
  /** @defaultValue 'auto' */
  readonly multicastRouter?: 'disabled' | 'auto' | 'permanent' | 'temporary'
  /** The most multicast groups; 0: no limit. Linux 6.3. */
  readonly multicastMaxGroups?: number
  /** The most hosts that IGMPv3 and MLDv2 are tracked for. @defaultValue 512 */
  readonly multicastHostsLimit?: number
  /** Answer ARP from the bridge's own neighbor table. @defaultValue false */
  readonly proxyArp?: boolean
  /** … as IEEE 802.11 and Hotspot 2.0 want it. @defaultValue false */
  readonly proxyArpWifi?: boolean
  /** Answer ARP and neighbor discovery that would be sent through this port. @defaultValue false */
  readonly neighborSuppress?: boolean
  /** … for each VLAN on its own; see `setBridgeVlans`. Linux 6.4. @defaultValue false */
  readonly neighborVlanSuppress?: boolean
  /** Map VLANs to tunnel ids. @defaultValue false */
  readonly vlanTunnel?: boolean
  /** As that of the bridge, for this port. */
  readonly groupForwardMask?: number
  /** Nothing passes between isolated ports. @defaultValue false */
  readonly isolated?: boolean
  /** Let in only from MAC addresses that have a forwarding entry here (802.1X). @defaultValue false */
  readonly locked?: boolean
  /** MAC authentication bypass: a locked port makes locked entries of what it hears. Linux 6.2. @defaultValue false */
  readonly mab?: boolean
  /** The id of the nexthop object that `backupPort` is reached with; 0: none. Linux 6.6. */
  readonly backupNexthop?: number
}

export interface BridgePortOptions extends PlainOptions {
  /** Where traffic goes while this port has no carrier: a port of the same bridge. null: nowhere. */
  readonly backupPort?: LinkRef | null
}

/** A port's options as they are, those that the kernel has. */
export interface BridgePort extends PlainOptions {
  readonly state: 'disabled' | 'listening' | 'learning' | 'forwarding' | 'blocking'
  readonly cost: number
  readonly hairpin: boolean
  readonly isolated: boolean
  readonly learning: boolean
  readonly flood: boolean
  /** Index of the port. */
  readonly backupPort?: number
}

/** BR_STATE_*: also those of a VLAN. */
export const states = { disabled: 0, listening: 1, learning: 2, forwarding: 3, blocking: 4 } as const

const table: OptionTable<PlainOptions> = {
  state: word(states),
  cost: count(1, 65535),
  priority: count(0, 63),
  hairpin: flag,
  guard: flag,
  rootBlock: flag,
  fastLeave: flag,
  learning: flag,
  flood: flag,
  multicastFlood: flag,
  broadcastFlood: flag,
  multicastToUnicast: flag,
  multicastRouter: word(multicastRouters),
  multicastMaxGroups: count(0, 0xffffffff),
  multicastHostsLimit: count(1, 0xffffffff),
  proxyArp: flag,
  proxyArpWifi: flag,
  neighborSuppress: flag,
  neighborVlanSuppress: flag,
  vlanTunnel: flag,
  groupForwardMask: count(0, 65535),
  isolated: flag,
  locked: flag,
  mab: flag,
  backupNexthop: count(0, 0xffffffff),
}

const names: readonly string[] = [...namesOf(table), 'backupPort']

/** A device has no carrier before it is there, so no state but 'disabled' could be set. */
export const newPortNames: readonly string[] = names.filter((name) => name !== 'state')

/** IFLA_PROTINFO for the options that are there. */
export function portData(options: BridgePortOptions, path: string, resolve: ResolveLink, known: readonly string[] = names): Body {
  fields(options, path, known)
  const { backupPort, ...plain } = options
  const data = dataOf(table, plain, path)
  if (backupPort === undefined) return data
  if (backupPort !== null) refBody(backupPort, `${path}.backupPort`)
  return { ...data, backupPort: backupPort === null ? 0 : resolve(backupPort) }
}

export const portMessage = (index: number, port: Body, name: string): Message => ({
  type: 'RTM_SETLINK',
  flags: 0,
  body: { family: c.AF_BRIDGE, index, port },
  step: `change the options of the port ${name}`,
})

/** The device that the options name. */
export function backupOf(options: BridgePortOptions | undefined, path: string): Operation['devices'] {
  const ref = options?.backupPort
  return ref === undefined || ref === null ? [] : [{ ref, path: `${path}.backupPort` }]
}

export function bridgePortFrom(data: Body): BridgePort {
  const backupPort = optionalNumber(data['backupPort'])
  return {
    state: 'disabled',
    cost: number(data['cost']),
    hairpin: false,
    isolated: false,
    learning: false,
    flood: false,
    ...readOptions(table, data),
    ...(backupPort === undefined ? {} : { backupPort }),
  }
}
