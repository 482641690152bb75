// Policy routing rules: which table a packet is routed by; see ip-rule(8).

import { type Abortable, signalOf } from '../../abort.ts'
import { type Family, networkOf, parseAddress, parseCidr } from '../../cidr.ts'
import { dump, nested, number, optionalNumber, optionalText, present } from '../../exchange.ts'
import { fields, integer, invalidType, invalidValue, oneOf } from '../../invalid.ts'
import { interfaceName } from '../../names.ts'
import type { Body, NamespaceHandle } from '../../native.ts'
import * as c from '../constants.ts'
import { familyName, familyNumber } from '../family.ts'
import { type Operation, perform } from '../operation.ts'
import { type Realm, realmFrom, realmNumber } from './realm.ts'
import { protocolOf, type RouteProtocol, type RouteTable, tableOf } from './spec.ts'

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
  /** The type of service, of which the kernel compares the bits 0x1c: `dscp` says more. Not both. */
  readonly tos?: number
  /** From 0 to 63 (Linux 6.13). */
  readonly dscp?: number
  /** The bits of `dscp` that are compared (Linux 6.15). @defaultValue all */
  readonly dscpMask?: number
  /** IPv6, from 0 to 0xfffff (Linux 6.14). */
  readonly flowLabel?: number
  /** The bits of `flowLabel` that are compared. @defaultValue all */
  readonly flowLabelMask?: number
  /** IPv4: the id of the tunnel that the packet came out of. */
  readonly tunnelId?: number
  readonly ipProtocol?: number
  readonly sourcePorts?: Range
  /** The bits that are compared with a single port (Linux 6.15): `sourcePorts` must start where it ends. */
  readonly sourcePortMask?: number
  readonly destinationPorts?: Range
  readonly destinationPortMask?: number
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
  /** Look in the table of the VRF that the packet belongs to, in place of `table`. */
  readonly l3mdev?: boolean
  /** IPv4: the realm of packets that the rule routes. */
  readonly realm?: Realm
  /** Who makes it: a mark that the kernel keeps. */
  readonly protocol?: RouteProtocol
}

/** Read back as it was given, with the kernel's numbers. */
type RuleSelectors = Pick<
  RuleSpec,
  | 'iif'
  | 'oif'
  | 'mark'
  | 'mask'
  | 'tos'
  | 'dscp'
  | 'dscpMask'
  | 'flowLabel'
  | 'flowLabelMask'
  | 'tunnelId'
  | 'ipProtocol'
  | 'sourcePorts'
  | 'sourcePortMask'
  | 'destinationPorts'
  | 'destinationPortMask'
  | 'uids'
  | 'goto'
  | 'suppressPrefixLength'
  | 'suppressGroup'
  | 'l3mdev'
  | 'realm'
  | 'protocol'
>

/** What is listed can be added again as it is. */
export interface Rule extends RuleSelectors {
  readonly priority: number
  readonly family: 'inet' | 'inet6'
  /** `'all'`, or a network with its prefix. */
  readonly from: string
  readonly to: string
  readonly action: RuleAction
  readonly not: boolean
  readonly table?: number
}

const names = [
  ...['priority', 'from', 'to', 'family', 'iif', 'oif', 'mark', 'mask', 'ipProtocol', 'sourcePorts', 'destinationPorts', 'uids'],
  ...['not', 'action', 'table', 'goto', 'suppressPrefixLength', 'suppressGroup', 'l3mdev'],
  ...[
    'tos',
    'dscp',
    'dscpMask',
    'flowLabel',
    'flowLabelMask',
    'tunnelId',
    'sourcePortMask',
    'destinationPortMask',
    'realm',
    'protocol',
  ],
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

/** Masks, with what they are masks of. */
const masks = [
  ['mask', 'mark'],
  ['dscpMask', 'dscp'],
  ['flowLabelMask', 'flowLabel'],
  ['sourcePortMask', 'sourcePorts'],
  ['destinationPortMask', 'destinationPorts'],
] as const

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
  if (spec.table !== undefined && (spec.l3mdev === true || action !== 'lookup')) {
    throw invalidValue('rule.table', "goes with the action 'lookup', and not with l3mdev", spec.table)
  }
  for (const [name, only] of [
    ['tunnelId', c.AF_INET],
    ['realm', c.AF_INET],
    ['flowLabel', c.AF_INET6],
  ] as const) {
    if (spec[name] !== undefined && family !== only)
      throw invalidValue(`rule.${name}`, `is for ${only === c.AF_INET ? 'IPv4' : 'IPv6'} rules`, spec[name])
  }
  for (const [mask, masked] of masks) {
    if (spec[mask] !== undefined && spec[masked] === undefined)
      throw invalidValue(`rule.${mask}`, `goes with ${masked}`, spec[mask])
  }
  const tunnelId = optional(spec.tunnelId, 'rule.tunnelId', 1, Number.MAX_SAFE_INTEGER)
  const table = action === 'lookup' && spec.l3mdev !== true ? tableOf(spec.table, 'rule.table') : undefined
  return {
    family,
    fromLength: from?.length ?? 0,
    toLength: to?.length ?? 0,
    tos: optional(spec.tos, 'rule.tos', 0, 255),
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
    dscp: optional(spec.dscp, 'rule.dscp', 0, 63),
    dscpMask: optional(spec.dscpMask, 'rule.dscpMask', 1, 63),
    flowLabel: optional(spec.flowLabel, 'rule.flowLabel', 0, 0xfffff),
    // The kernel takes a label with its mask only.
    flowLabelMask: optional(
      spec.flowLabelMask ?? (spec.flowLabel === undefined ? undefined : 0xfffff),
      'rule.flowLabelMask',
      1,
      0xfffff,
    ),
    tunnelId: tunnelId === undefined ? undefined : BigInt(tunnelId),
    sourcePortMask: optional(spec.sourcePortMask, 'rule.sourcePortMask', 1, 0xffff),
    destinationPortMask: optional(spec.destinationPortMask, 'rule.destinationPortMask', 1, 0xffff),
    realm: spec.realm === undefined ? undefined : realmNumber(spec.realm, 'rule.realm'),
    protocol: spec.protocol === undefined ? undefined : protocolOf(spec.protocol, 'rule.protocol'),
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

/** As ip-rule(8) would say it: `100: from 10.9.0.0/24 lookup 100`. */
function ruleWords({ priority, from = 'all', to, iif, oif, mark, table, action }: RuleSpec): string {
  const selectors = { to, iif, oif, fwmark: mark }
  const words = Object.entries(selectors).flatMap(([word, value]) => (value === undefined ? [] : [`${word} ${value}`]))
  const then = table === undefined ? (action === undefined ? [] : [action]) : [`lookup ${table}`]
  return [...(priority === undefined ? [] : [`${priority}:`]), `from ${from}`, ...words, ...then].join(' ')
}

export function ruleAddition(spec: RuleSpec): Operation {
  const body = ruleBody(spec)
  return {
    devices: [],
    build: () => [{ type: 'RTM_NEWRULE', flags: c.NLM_F_CREATE | c.NLM_F_EXCL, body, step: `add the rule ${ruleWords(spec)}` }],
  }
}

/** What was not given does not narrow the match. */
export function ruleDeletion(spec: RuleSpec): Operation {
  const body: Body = {
    ...ruleBody(spec),
    ...(spec.action === undefined ? { action: 0 } : {}),
    ...(spec.table === undefined ? { table: undefined, headerTable: 0 } : {}),
  }
  return { devices: [], build: () => [{ type: 'RTM_DELRULE', flags: 0, body, step: `delete the rule ${ruleWords(spec)}` }] }
}

/** EEXIST when there is an equal rule, or one with more selectors: where the kernel looks for one, an absent selector matches any. */
export async function addRule(handle: NamespaceHandle, spec: RuleSpec): Promise<void> {
  await perform(handle, ruleAddition(spec))
}

/** The first rule that matches all that is given. ENOENT when none does. */
export async function deleteRule(handle: NamespaceHandle, spec: RuleSpec): Promise<void> {
  await perform(handle, ruleDeletion(spec))
}

const rangeFrom = (body: Body | undefined): Range | undefined =>
  body === undefined ? undefined : { start: number(body['start']), end: number(body['end']) }

/** The kernel tells all bits where none were chosen. */
function maskFrom(body: Body, field: string, all: number): number | undefined {
  const mask = number(body[field])
  return mask === 0 || mask === all ? undefined : mask
}

export function ruleFrom(body: Body): Rule {
  const network = (field: 'from' | 'to'): string => {
    const address = optionalText(body[field])
    return address === undefined ? 'all' : `${address}/${number(body[`${field}Length`])}`
  }
  // No other has ever been given out.
  const action = c.wordOf(actions, number(body['action'])) as RuleAction
  const tunnelId = body['tunnelId']
  const suppressed = optionalNumber(body['suppressPrefixLength'])
  const optional = {
    table:
      action === 'lookup' && number(body['l3mdev']) === 0
        ? (optionalNumber(body['table']) ?? number(body['headerTable']))
        : undefined,
    iif: optionalText(body['iif']),
    oif: optionalText(body['oif']),
    // Of a mark of 0 the kernel tells the mask only.
    mark: optionalNumber(body['mark']) ?? (number(body['mask']) === 0 ? undefined : 0),
    mask: optionalNumber(body['mask']),
    tos: number(body['tos']) || undefined,
    dscp: optionalNumber(body['dscp']),
    dscpMask: maskFrom(body, 'dscpMask', 63),
    flowLabel: optionalNumber(body['flowLabel']),
    flowLabelMask: maskFrom(body, 'flowLabelMask', 0xfffff),
    tunnelId: typeof tunnelId === 'bigint' && tunnelId !== 0n ? Number(tunnelId) : undefined,
    ipProtocol: optionalNumber(body['ipProtocol']) || undefined,
    sourcePorts: rangeFrom(nested(body['sourcePorts'])),
    sourcePortMask: maskFrom(body, 'sourcePortMask', 0xffff),
    destinationPorts: rangeFrom(nested(body['destinationPorts'])),
    destinationPortMask: maskFrom(body, 'destinationPortMask', 0xffff),
    uids: rangeFrom(nested(body['uids'])),
    goto: optionalNumber(body['goto']),
    // The kernel writes -1 for none.
    suppressPrefixLength: suppressed === 0xffffffff ? undefined : suppressed,
    suppressGroup: optionalNumber(body['suppressGroup']),
    l3mdev: number(body['l3mdev']) === 0 ? undefined : true,
    realm: realmFrom(optionalNumber(body['realm'])),
    protocol: number(body['protocol']) === 0 ? undefined : c.wordOrNumber(c.RTPROT, number(body['protocol'])),
  }
  return {
    priority: number(body['priority']),
    family: familyName(number(body['family'])),
    from: network('from'),
    to: network('to'),
    action,
    not: (number(body['flags']) & FIB_RULE_INVERT) !== 0,
    ...present(optional),
  }
}

/** In the order of their priorities, IPv4 first. */
export interface RuleFilter extends Abortable {
  /** @defaultValue both */
  readonly family?: 'inet' | 'inet6'
}

export async function listRules(handle: NamespaceHandle, filter: RuleFilter = {}): Promise<Rule[]> {
  fields(filter, 'filter', ['family', 'signal'])
  const signal = signalOf(filter, 'filter')
  const family = familyNumber(filter.family, 'filter.family')
  const rules: Rule[] = []
  for (const one of family === c.AF_UNSPEC ? [c.AF_INET, c.AF_INET6] : [family]) {
    rules.push(...(await dump(handle, 'RTM_GETRULE', { family: one }, 'the rules', ruleFrom, { signal })))
  }
  return rules
}
