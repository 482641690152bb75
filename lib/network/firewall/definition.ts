// What our tables are made of: sets, whose elements are all that ever changes, and chains whose rules stay.

import type { Command, Expression, SetFlag, Statement } from '../../nftables/schema.ts'

/** Of a host's networks; of frames on their bridges, while one asks who sends. */
export type TableFamily = 'inet' | 'bridge'

export const TABLE_NAME = 'netlink-ct'
/** Part of the tables' comment: another version of this library can tell that the rules are not its own. */
export const TABLE_VERSION = 5
export const TABLE_COMMENT: string = `netlink-ct rules, version ${TABLE_VERSION}: networks and published ports are elements`

export interface CommentedRule {
  readonly expr: readonly Statement[]
  readonly comment?: string
}

export interface ChainDefinition {
  readonly hook?: {
    readonly type: 'filter' | 'nat'
    readonly hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'
    readonly prio: number
  }
  readonly rules: readonly (readonly Statement[] | CommentedRule)[]
}

export interface SetDefinition {
  readonly type: string
  readonly map?: string
  readonly flags?: SetFlag
}

export interface TableDefinition {
  readonly family: TableFamily
  readonly sets: Readonly<Record<string, SetDefinition>>
  readonly chains: Readonly<Record<string, ChainDefinition>>
}

/** In an order that the kernel takes. */
export function commandsOf({ family, sets, chains }: TableDefinition): Command[] {
  const place = { family, table: TABLE_NAME }
  const entries = Object.entries(chains)
  return [
    { create: { table: { family, name: TABLE_NAME, comment: TABLE_COMMENT } } },
    ...Object.entries(sets).map(([name, { type, map, flags }]): Command => {
      const definition = { ...place, name, type: type.split(' . '), ...(flags && { flags }) }
      return map === undefined ? { add: { set: definition } } : { add: { map: { ...definition, map } } }
    }),
    ...entries.map(([name, { hook }]): Command => {
      return { add: { chain: { ...place, name, ...(hook && { ...hook, policy: 'accept' }) } } }
    }),
    ...entries.flatMap(([chain, { rules }]) =>
      rules.map((rule): Command => ({ add: { rule: { ...place, chain, ...('expr' in rule ? rule : { expr: rule }) } } })),
    ),
  ]
}

/** The range of groups in which links are deleted; see detach.cc. */
const LEAVING = 0xf0000000

type Prefix = { readonly prefix: { readonly addr: string; readonly len: number } }

export const meta = (key: string): Expression => ({ meta: { key } })
export const field = (protocol: string, name: string): Expression => ({ payload: { protocol, field: name } })
export const is = (left: Expression, right: string | number | Prefix): Statement => ({ match: { op: '==', left, right } })
export const isNot = (left: Expression, right: string | number): Statement => ({ match: { op: '!=', left, right } })
export const accept: Statement = { accept: null }
export const drop: Statement = { drop: null }
export const jump = (target: string): Statement => ({ jump: { target } })
export const goto = (target: string): Statement => ({ goto: { target } })
export const leaving = (key: 'iifgroup' | 'oifgroup'): Statement => is({ '&': [meta(key), LEAVING] }, LEAVING)
