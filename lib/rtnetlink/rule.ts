// Policy routing rules: which table a packet is routed by; see ip-rule(8).

import { type Family, networkOf, parseAddress, parseCidr } from '../cidr.ts'
import { fields, integer, invalidType, invalidValue, oneOf } from '../invalid.ts'
import { interfaceName } from '../names.ts'
import type { Body, NamespaceHandle } from '../native.ts'
import { familyName, familyNumber } from './address.ts'
import * as c from './constants.ts'
import { dump, nested, number, optionalNumber, optionalText } from './exchange.ts'
import { type Operation, perform } from './operation.ts'
import { type RouteTable, tableOf } from './route-spec.ts'

const actions = { lookup: 1, goto: 2, nop: 3, blackhole: 6, unreachable: 7, prohibit: 8 } as const
export type RuleAction = keyof typeof actions
const FIB_RULE_INVERT = 2

export interface Range {
  readonly start: number
  readonly end: number
}

export interface RuleSpec {
  /** Lower comes first. @defaultValue one below the lowest, as the kernel chooses */
  readonly priority?: number
  /** A network or an address. */
  readonly from?: string
  readonly to?: string
  /** @defaultValue that of `from` and `to`, or 'inet' */
  readonly family?: 'inet' | 'inet6'
  /** Name of the device that the packet came in by. */
  readonly iif?: string
  readonly oif?: string
  readonly mark?: number
  /** @defaultValue all bits, when there is a mark */
  readonly mask?: number
  readonly ipProtocol?: number
  readonly sourcePorts?: Range
  readonly destinationPorts?: Range
  readonly uids?: Range
  /** The packets that don't match. */
  readonly not?: boolean
  /** @defaultValue 'lookup' */
  readonly action?: RuleAction
  /** For `lookup`. @defaultValue 'main' */
  readonly table?: RouteTable
  /** For `goto`: the priority of the rule to go on with. */
  readonly goto?: number
  /** Reject routes whose prefix is this long or shorter. */
  readonly suppressPrefixLength?: number
  readonly suppressGroup?: number
  /** Look in the table of the VRF that the packet belongs to. */
  readonly l3mdev?: boolean
}

export interface Rule {
  readonly priority: number
  readonly family: 'inet' | 'inet6'
  /** `'all'`, or a network with its prefix. */
  readonly from: string
  readonly to: string
  readonly action: string
  readonly not: boolean
  readonly table?: number
  readonly iif?: string
  readonly oif?: string
  readonly mark?: number
  readonly mask?: number
  readonly ipProtocol?: number
  readonly sourcePorts?: Range
  readonly destinationPorts?: Range
  readonly uids?: Range
  readonly goto?: number
  readonly suppressPrefixLength?: number
  readonly suppressGroup?: number
  readonly l3mdev?: boolean
}

const names = [
  ...['priority', 'from', 'to', 'family', 'iif', 'oif', 'mark', 'mask', 'ipProtocol', 'sourcePorts', 'destinationPorts', 'uids'],
  ...['not', 'action', 'table', 'goto', 'suppressPrefixLength', 'suppressGroup', 'l3mdev'],
]

interface Selector {
  readonly family: Family
  readonly text: string
  readonly length: number
}

function selector(value: string | undefined, path: string): Selector | undefined {
  if (value === undefined || value === 'all') return undefined
  if (typeof value !== 'string') throw invalidType(path, "a network such as '10.0.0.0/8'", value)
  if (!value.includes('/')) {
    const { family, text } = parseAddress(value, path)
    return { family, text, length: family === c.AF_INET ? 32 : 128 }
  }
  const { family, text, prefixLength } = networkOf(parseCidr(value, path))
  return { family, text, length: prefixLength }
}

function range(value: Range | undefined, path: string, highest: number): Range | undefined {
  if (value === undefined) return undefined
  fields(value, path, ['start', 'end'])
  const start = integer(value.start, `${path}.start`, 0, highest)
  return { start, end: integer(value.end, `${path}.end`, start, highest) }
}

const optional = (value: unknown, path: string, from: number, to: number): number | undefined =>
  value === undefined ? undefined : integer(value, path, from, to)

function ruleBody(spec: RuleSpec): Body {
  fields(spec, 'rule', names)
  const from = selector(spec.from, 'rule.from')
  const to = selector(spec.to, 'rule.to')
  const family = (familyNumber(spec.family, 'rule.family') || (from?.family ?? to?.family ?? c.AF_INET)) as Family
  if ([from, to].some((one) => one !== undefined && one.family !== family)) {
    throw invalidValue('rule', 'has selectors of two address families', spec)
  }
  for (const name of ['not', 'l3mdev'] as const) {
    if (spec[name] !== undefined && typeof spec[name] !== 'boolean') throw invalidType(`rule.${name}`, 'a boolean', spec[name])
  }
  const action = spec.action === undefined ? 'lookup' : oneOf(spec.action, 'rule.action', Object.keys(actions) as RuleAction[])
  if ((action === 'goto') !== (spec.goto !== undefined)) throw invalidValue('rule.goto', "goes with the action 'goto'", spec.goto)
  const table = action === 'lookup' && spec.l3mdev !== true ? tableOf(spec.table, 'rule.table') : undefined
  return {
    family,
    fromLength: from?.length ?? 0,
    toLength: to?.length ?? 0,
    headerTable: table !== undefined && table < 256 ? table : 0,
    action: actions[action],
    flags: spec.not ? FIB_RULE_INVERT : 0,
    from: from?.text,
    to: to?.text,
    priority: optional(spec.priority, 'rule.priority', 0, 0xffffffff),
    iif: spec.iif === undefined ? undefined : interfaceName(spec.iif, 'rule.iif'),
    oif: spec.oif === undefined ? undefined : interfaceName(spec.oif, 'rule.oif'),
    mark: optional(spec.mark, 'rule.mark', 0, 0xffffffff),
    mask: optional(spec.mask, 'rule.mask', 0, 0xffffffff),
    ipProtocol: optional(spec.ipProtocol, 'rule.ipProtocol', 1, 255),
    sourcePorts: range(spec.sourcePorts, 'rule.sourcePorts', 65535),
    destinationPorts: range(spec.destinationPorts, 'rule.destinationPorts', 65535),
    uids: range(spec.uids, 'rule.uids', 0xffffffff),
    table,
    goto: optional(spec.goto, 'rule.goto', 1, 0xffffffff),
    suppressPrefixLength: optional(spec.suppressPrefixLength, 'rule.suppressPrefixLength', 0, 128),
    suppressGroup: optional(spec.suppressGroup, 'rule.suppressGroup', 0, 0xffffffff),
    l3mdev: spec.l3mdev ? 1 : undefined,
  } as Body
}

export function ruleAddition(spec: RuleSpec): Operation {
  const body = ruleBody(spec)
  return { devices: [], build: () => [{ type: 'RTM_NEWRULE', flags: c.NLM_F_CREATE | c.NLM_F_EXCL, body, step: 'add the rule' }] }
}

/** What was not given does not narrow the match. */
export function ruleDeletion(spec: RuleSpec): Operation {
  const body: Body = {
    ...ruleBody(spec),
    ...(spec.action === undefined ? { action: 0 } : {}),
    ...(spec.table === undefined ? { table: undefined, headerTable: 0 } : {}),
  }
  return { devices: [], build: () => [{ type: 'RTM_DELRULE', flags: 0, body, step: 'delete the rule' }] }
}

/** EEXIST when there is an equal rule. */
export async function addRule(handle: NamespaceHandle, spec: RuleSpec): Promise<void> {
  await perform(handle, ruleAddition(spec))
}

/** The first rule that matches all that is given. ENOENT when none does. */
export async function deleteRule(handle: NamespaceHandle, spec: RuleSpec): Promise<void> {
  await perform(handle, ruleDeletion(spec))
}

const rangeFrom = (body: Body | undefined): Range | undefined =>
  body === undefined ? undefined : { start: number(body, 'start'), end: number(body, 'end') }

export function ruleFrom(body: Body): Rule {
  const network = (field: 'from' | 'to'): string => {
    const address = optionalText(body, field)
    return address === undefined ? 'all' : `${address}/${number(body, `${field}Length`)}`
  }
  const action = c.wordOf(actions, number(body, 'action'))
  const suppressed = optionalNumber(body, 'suppressPrefixLength')
  const optional = {
    table: action === 'lookup' ? (optionalNumber(body, 'table') ?? number(body, 'headerTable')) : undefined,
    iif: optionalText(body, 'iif'),
    oif: optionalText(body, 'oif'),
    mark: optionalNumber(body, 'mark'),
    mask: optionalNumber(body, 'mask'),
    ipProtocol: optionalNumber(body, 'ipProtocol') || undefined,
    sourcePorts: rangeFrom(nested(body, 'sourcePorts')),
    destinationPorts: rangeFrom(nested(body, 'destinationPorts')),
    uids: rangeFrom(nested(body, 'uids')),
    goto: optionalNumber(body, 'goto'),
    // The kernel writes -1 for none.
    suppressPrefixLength: suppressed === 0xffffffff ? undefined : suppressed,
    suppressGroup: optionalNumber(body, 'suppressGroup'),
    l3mdev: number(body, 'l3mdev') === 0 ? undefined : true,
  }
  return {
    priority: number(body, 'priority'),
    family: familyName(number(body, 'family')),
    from: network('from'),
    to: network('to'),
    action,
    not: (number(body, 'flags') & FIB_RULE_INVERT) !== 0,
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<Rule>),
  }
}

/** In the order of their priorities, IPv4 first. */
export async function listRules(handle: NamespaceHandle, filter: { readonly family?: 'inet' | 'inet6' } = {}): Promise<Rule[]> {
  fields(filter, 'filter', ['family'])
  const family = familyNumber(filter.family, 'filter.family')
  const rules: Rule[] = []
  for (const one of family === c.AF_UNSPEC ? [c.AF_INET, c.AF_INET6] : [family]) {
    rules.push(...(await dump(handle, 'RTM_GETRULE', { family: one }, 'the rules', ruleFrom)))
  }
  return rules
}
