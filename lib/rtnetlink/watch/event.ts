// What watch() yields.

import type { AddressInfo } from '../address.ts'
import type { Link } from '../link/link.ts'
import type { FdbEntry } from '../neighbor/fdb.ts'
import type { Neighbor } from '../neighbor/neighbor.ts'
import type { Nexthop } from '../route/nexthop.ts'
import type { Route } from '../route/route.ts'
import type { Rule } from '../route/rule.ts'

export type Action = 'add' | 'change' | 'delete'

/**
 * Common to all events about an object. A map that is set on 'add' and 'change' and from which is deleted on 'delete', each by `key`, is
 * what the kernel has.
 */
export interface ObjectEvent {
  readonly action: Action
  /** What the object is known by: one for each object of a type, in all namespaces that are watched. */
  readonly key: string
  /** The namespace it is in, by this one's id of it; absent for the watched one itself. */
  readonly netnsid?: number
}

export interface LinkEvent extends ObjectEvent {
  readonly type: 'link'
  /** On 'delete', as it was last known. */
  readonly link: Link
  /** On 'change'. */
  readonly previous?: Link
  /** On 'delete', when the link was not deleted but moved: the namespace it went to, by this one's id of it. */
  readonly movedTo?: number
}

export interface AddressEvent extends ObjectEvent {
  readonly type: 'address'
  readonly address: AddressInfo
  readonly previous?: AddressInfo
}

export interface RouteEvent extends ObjectEvent {
  readonly type: 'route'
  readonly route: Route
  readonly previous?: Route
}

export interface RuleEvent extends ObjectEvent {
  readonly type: 'rule'
  readonly rule: Rule
  readonly previous?: Rule
}

export interface NeighborEvent extends ObjectEvent {
  readonly type: 'neighbor'
  readonly neighbor: Neighbor
  readonly previous?: Neighbor
}

export interface FdbEvent extends ObjectEvent {
  readonly type: 'fdb'
  readonly entry: FdbEntry
  readonly previous?: FdbEntry
}

export interface NexthopEvent extends ObjectEvent {
  readonly type: 'nexthop'
  readonly nexthop: Nexthop
  readonly previous?: Nexthop
}

export interface NsidEvent extends ObjectEvent {
  readonly type: 'nsid'
  readonly nsid: number
  readonly previous?: number
}

/** The kernel dropped news. The state is read again; what has changed meanwhile comes as events, then 'synced'. */
export interface OverrunEvent {
  readonly type: 'overrun'
}

/** Everything that the kernel has was told: the state at the start, or after an overrun. */
export interface SyncedEvent {
  readonly type: 'synced'
}

export type NetEvent =
  | LinkEvent
  | AddressEvent
  | RouteEvent
  | RuleEvent
  | NeighborEvent
  | FdbEvent
  | NexthopEvent
  | NsidEvent
  | OverrunEvent
  | SyncedEvent
