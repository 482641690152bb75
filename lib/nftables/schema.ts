// The vocabulary of libnftables-json(5): what `nft -j` prints and takes. Every object of the language is a union of objects with one key,
// so a switch over the key is complete or does not compile.

import type { KernelObject } from './message.ts'

export type Family = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge' | 'netdev'

// ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

export type Command =
  | { readonly add: Addition }
  /** As `add`, but what exists already is an error. */
  | { readonly create: Addition }
  /** As `add`, but a rule goes to the front of its chain, or before `handle`. */
  | { readonly insert: { readonly rule: Rule } }
  | { readonly replace: { readonly rule: Rule & { readonly handle: number } } }
  | { readonly delete: Removal }
  /** As `delete`, but what is absent already is no error (Linux 6.3). */
  | { readonly destroy: Removal }
  | { readonly flush: Emptying }
  /** What `list()` gave, to be added; its handles, which were the kernel's, are ignored. */
  | Listed

export type Addition =
  | { readonly table: Table }
  | { readonly chain: Chain }
  | { readonly rule: Rule }
  | { readonly set: NamedSet }
  | { readonly map: NamedMap }
  | { readonly element: Elements }
  | { readonly counter: NamedCounter }

export type Removal =
  | { readonly table: TableRef }
  | { readonly chain: ChainRef }
  | { readonly rule: ChainRefByChain & { readonly handle: number } }
  | { readonly set: SetRef }
  | { readonly map: SetRef }
  | { readonly element: Elements }
  | { readonly counter: SetRef }

export type Emptying =
  | { readonly ruleset: { readonly family?: Family } | null }
  | { readonly table: TableRef }
  | { readonly chain: ChainRef }
  | { readonly set: SetRef }
  | { readonly map: SetRef }

/** An object of a listing. */
export type Listed =
  | { readonly table: Table }
  | { readonly chain: Chain }
  | { readonly rule: Rule }
  | { readonly set: NamedSet }
  | { readonly map: NamedMap }
  | { readonly counter: NamedCounter }
  | { readonly object: OtherObject }

export interface TableRef {
  readonly family: Family
  readonly name: string
}

export interface ChainRef extends TableRef {
  readonly table: string
}

export interface SetRef extends TableRef {
  readonly table: string
}

export interface ChainRefByChain {
  readonly family: Family
  readonly table: string
  readonly chain: string
}

export interface Table extends TableRef {
  readonly comment?: string
  /** As the kernel reports it; ignored in commands. */
  readonly handle?: number
  /** `dormant`: its chains see no packets. The others are listed, and not to be had. */
  readonly flags?: readonly ('dormant' | 'owner' | 'persist')[]
}

export type ChainType = 'filter' | 'nat' | 'route'
export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting' | 'ingress' | 'egress'

export interface Chain extends ChainRef {
  readonly comment?: string
  readonly handle?: number
  /** A base chain has all of type, hook and prio; another one none. */
  readonly type?: ChainType
  readonly hook?: Hook
  readonly prio?: number
  readonly dev?: string | readonly string[]
  readonly policy?: 'accept' | 'drop'
}

export interface Rule extends ChainRefByChain {
  readonly expr: readonly Statement[]
  readonly comment?: string
  /** In `replace` the rule that goes; in `add` and `insert` the neighbor after or before which the new one stands. */
  readonly handle?: number
}

export type SetFlag = 'constant' | 'interval' | 'timeout' | 'dynamic'

export interface NamedSet extends SetRef {
  /** A data type, or those of a concatenation: `ipv4_addr`, `['inet_proto', 'inet_service']`. */
  readonly type: string | readonly string[]
  readonly flags?: SetFlag | readonly SetFlag[]
  readonly comment?: string
  readonly handle?: number
  readonly elem?: readonly SetElement[]
  /** Seconds an element lives, if it does not say. */
  readonly timeout?: number
  readonly 'gc-interval'?: number
  /** Most elements that the kernel accepts. */
  readonly size?: number
  readonly policy?: 'performance' | 'memory'
  /** What each element carries; listed, and not to be had. */
  readonly stmt?: readonly Statement[]
}

export interface NamedMap extends Omit<NamedSet, 'elem'> {
  /** The type of the data; a concatenation is spelled `ipv4_addr . inet_service`, or as a list. */
  readonly map: string | readonly string[]
  readonly elem?: readonly MapElement[]
}

/** A counter with a name. */
export interface NamedCounter extends SetRef {
  readonly comment?: string
  readonly handle?: number
  readonly packets?: number
  readonly bytes?: number
}

/** A quota, a limit, … with a name: listed with what it holds as bytes, and not to be had. */
export interface OtherObject extends NamedCounter {
  readonly type: string
  readonly data: Uint8Array
}

export interface Elements extends SetRef {
  readonly elem: readonly (SetElement | MapElement)[]
}

// ── elements ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

export type SetElement = Immediate | { readonly elem: ElementDetails }
export type MapElement = readonly [key: SetElement, data: Immediate | Verdict]

export interface ElementDetails {
  readonly val: Immediate
  readonly comment?: string
  /** Seconds. */
  readonly timeout?: number
  readonly expires?: number
  /** Listed, and not to be had. */
  readonly counter?: { readonly packets: number; readonly bytes: number }
}

/** What stands for itself, without looking at a packet. */
export type Immediate = Scalar | Prefix | Range | Concat<Immediate>
export type Scalar = string | number | boolean

export interface Prefix {
  readonly prefix: { readonly addr: string | number; readonly len: number }
}
export interface Range {
  readonly range: readonly [from: Scalar, to: Scalar]
}
export interface Concat<T> {
  readonly concat: readonly T[]
}

// ── expressions ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What is read from a packet or its connection. */
export type Selector = Payload | Meta | Ct | Fib
export type Expression = Selector | Binary | Concat<Expression> | MapLookup | Immediate

export interface Payload {
  readonly payload: { readonly protocol: string; readonly field: string } | RawPayload
}
/** Bytes of the link, network or transport header that have no name: nft's `@th,64,128`. In bits, whole bytes, at most 16 of them. */
export interface RawPayload {
  readonly base: 'll' | 'nh' | 'th'
  readonly offset: number
  readonly len: number
}
export interface Meta {
  readonly meta: { readonly key: string }
}
export interface Ct {
  readonly ct: { readonly key: string; readonly dir?: 'original' | 'reply'; readonly family?: 'ip' | 'ip6' }
}
export type FibFlag = 'saddr' | 'daddr' | 'mark' | 'iif' | 'oif'
export interface Fib {
  readonly fib: { readonly result: 'oif' | 'oifname' | 'type'; readonly flags: FibFlag | readonly FibFlag[] }
}

export type Operands = readonly [left: Expression, right: Expression]
export type Binary =
  | { readonly '&': Operands }
  | { readonly '|': Operands }
  | { readonly '^': Operands }
  | { readonly '<<': Operands }
  | { readonly '>>': Operands }

/** `key map @name`, or with the elements in place. */
export interface MapLookup {
  readonly map: { readonly key: Expression; readonly data: string | AnonymousMap }
}
export interface AnonymousSet {
  readonly set: readonly SetElement[]
}
export interface AnonymousMap {
  readonly set: readonly MapElement[]
}

// ── statements ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

export type Statement =
  | { readonly match: Match }
  | Verdict
  | { readonly vmap: VerdictMap }
  | { readonly mangle: Mangle }
  | { readonly snat: Nat | null }
  | { readonly dnat: Nat | null }
  | { readonly masquerade: PortNat | null }
  | { readonly redirect: PortNat | null }
  | { readonly counter: Counter | null }
  | { readonly limit: Limit }
  | { readonly log: Log | null }
  | { readonly reject: Reject | null }
  | { readonly notrack: null }
  | { readonly queue: Queue | null }
  | { readonly other: OtherExpression }

export type Verdict =
  | { readonly accept: null }
  | { readonly drop: null }
  | { readonly continue: null }
  | { readonly return: null }
  | { readonly jump: { readonly target: string } }
  | { readonly goto: { readonly target: string } }

/** `in` asks whether any of the bits is set: what `ct state established,related` means. */
export type Operator = '==' | '!=' | '<' | '>' | '<=' | '>=' | 'in'

export interface Match {
  readonly op: Operator
  readonly left: Expression
  /** A value, `@name` of a set, a list of bits, or a set in place. */
  readonly right: Immediate | AnonymousSet | readonly Scalar[] | { readonly '|': readonly Scalar[] }
}

export interface VerdictMap {
  readonly key: Expression
  readonly data: string | AnonymousMap
}

export interface Mangle {
  readonly key: Meta | Ct | Payload
  readonly value: Expression
}

export type NatFlag = 'random' | 'fully-random' | 'persistent'

export interface PortNat {
  readonly port?: number | Range
  readonly flags?: NatFlag | readonly NatFlag[]
}
export interface Nat extends PortNat {
  /** Which packets it is for, where the table holds both. */
  readonly family?: 'ip' | 'ip6'
  /** An address, a range, or a map that gives it, with the port if its data is a concatenation. */
  readonly addr?: Scalar | Range | MapLookup
  /** What newer nft prints beside a map whose data is address and port. */
  readonly type_flags?: 'concat' | readonly 'concat'[]
}

/** A counter of the rule's own, or the name of one that was declared. */
export type Counter = string | { readonly packets?: number; readonly bytes?: number }

export interface Limit {
  readonly rate: number
  readonly per: 'second' | 'minute' | 'hour' | 'day' | 'week'
  readonly rate_unit?: 'packets' | 'bytes' | 'kbytes' | 'mbytes'
  readonly burst?: number
  readonly burst_unit?: 'bytes' | 'kbytes' | 'mbytes'
  /** Match what is over the rate. */
  readonly inv?: boolean
}

export type LogLevel = 'emerg' | 'alert' | 'crit' | 'err' | 'warn' | 'notice' | 'info' | 'debug' | 'audit'

export interface Log {
  readonly prefix?: string
  readonly level?: LogLevel
  readonly group?: number
  readonly snaplen?: number
  readonly 'queue-threshold'?: number
}

export interface Reject {
  readonly type?: 'tcp reset' | 'icmp' | 'icmpv6' | 'icmpx'
  readonly expr?: string | number
}

/**
 * An expression of the kernel's that there are no words for here, named as in `nft --debug=netlink`. Its data are attributes as
 * linux/netfilter/nf_tables.h has them, or bytes. Where they speak of a set in place, they only make sense in the rule that was listed.
 */
export interface OtherExpression {
  readonly name: string
  readonly data: KernelObject | Uint8Array
}

export interface Queue {
  readonly num?: number | Range
  readonly flags?: 'bypass' | 'fanout' | readonly ('bypass' | 'fanout')[]
}
