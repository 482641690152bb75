// Tables, chains, sets, rules and counters as libnftables-json(5) has them.

import type { Body } from '../../native.ts'
import { hooks, policies } from '../compile/object/chain.ts'
import { readCounter } from '../compile/object/counter.ts'
import { setFlags } from '../compile/set-attributes.ts'
import { NFT_OBJECT_COUNTER } from '../compile/statement/counter.ts'
import { families } from '../message.ts'
import type {
  Chain,
  ChainType,
  Family,
  Hook,
  NamedCounter,
  NamedMap,
  NamedSet,
  OtherObject,
  Rule,
  SetElement,
  SetFlag,
  Table,
} from '../schema.ts'
import { readComment, readSetComment } from '../userdata.ts'
import { bodies, count, nested, number, optionalBytes, optionalNumber, optionalText, present, text } from './body.ts'
import { decompileElements } from './elements.ts'
import { type KnownSet, objectKinds } from './known-set.ts'
import type { FindSet } from './reader.ts'
import { decompileRule } from './rule.ts'

const familyWords = Object.keys(families) as Family[]

/** Nothing for a family that the kernel got after this was written. */
export function familyOf(body: Body): Family | undefined {
  const given = number(body['family'])
  return familyWords.find((word) => families[word] === given)
}

const commentOf = (body: Body): string | undefined => readComment(optionalBytes(body['userdata']))

/** NFT_TABLE_F_DORMANT, NFT_TABLE_F_OWNER, NFT_TABLE_F_PERSIST. */
const tableFlags = ['dormant', 'owner', 'persist'] as const

export function decompileTable(family: Family, body: Body): Table {
  const bits = number(body['flags'])
  const flags = tableFlags.filter((_, bit) => (bits & (1 << bit)) !== 0)
  return present({
    family,
    name: text(body['name']),
    handle: count(body['handle']),
    comment: commentOf(body),
    flags: flags.length === 0 ? undefined : flags,
  })
}

export function decompileChain(family: Family, body: Body): Chain {
  const hook = nested(body['hook'])
  const devices = hook === undefined ? [] : bodies(hook['devices']).map(String)
  const policy = Object.entries(policies).find(([, value]) => value === optionalNumber(body['policy']))?.[0]
  return present({
    family,
    table: text(body['table']),
    name: text(body['name']),
    handle: count(body['handle']),
    comment: commentOf(body),
    type: optionalText(body['type']) as ChainType | undefined,
    hook: hook && hookWord(family, number(hook['number'])),
    prio: hook && number(hook['priority']),
    dev: devices.length > 1 ? devices : (devices[0] ?? (hook && optionalText(hook['device']))),
    policy: hook === undefined ? undefined : (policy as Chain['policy']),
  })
}

function hookWord(family: Family, wanted: number): Hook | undefined {
  const found = Object.entries(hooks[family]).find(([, value]) => value === wanted)
  return found?.[0] as Hook | undefined
}

const flagNames: readonly SetFlag[] = ['constant', 'interval', 'timeout', 'dynamic']
const MEMORY = 1

const spelled = (key: KnownSet['key']): string | readonly string[] => {
  const names = key.fields.map(({ name }) => name)
  return names.length > 1 ? names : (names[0] ?? '')
}

export function decompileSet(family: Family, set: KnownSet, elements: readonly Body[]): NamedSet | NamedMap {
  const { body } = set
  const bits = number(body['flags'])
  const flags = flagNames.filter((flag) => (bits & setFlags[flag]) !== 0)
  const timeout = count(body['timeout'])
  const gcInterval = number(body['gcInterval'])
  const elem = decompileElements(set, elements)
  const desc = nested(body['desc']) ?? {}
  const data = set.objects ?? (set.data === 'verdict' ? 'verdict' : set.data?.fields.map(({ name }) => name).join(' . '))
  const expressions = [nested(body['expr']) ?? [], bodies(body['expressions'])].flat()
  return present({
    family,
    name: set.name,
    table: set.table,
    type: spelled(set.key),
    handle: count(body['handle']),
    comment: readSetComment(optionalBytes(body['userdata'])),
    map: set.isMap ? (data ?? '') : undefined,
    policy: number(body['policy']) === MEMORY ? ('memory' as const) : undefined,
    flags: flags.length === 0 ? undefined : flags,
    timeout: timeout === 0 ? undefined : timeout / 1000,
    'gc-interval': gcInterval === 0 ? undefined : gcInterval / 1000,
    // Of a constant set it is how many elements it has.
    size: (bits & setFlags.constant) !== 0 ? undefined : optionalNumber(desc['size']) || undefined,
    stmt: expressions.length === 0 ? undefined : decompileRule(family, expressions as Body[], () => undefined),
    elem: elem.length === 0 ? undefined : (elem as SetElement[]),
  })
}

export function decompileRuleObject(family: Family, body: Body, find: FindSet): Rule {
  return present({
    family,
    table: text(body['table']),
    chain: text(body['chain']),
    handle: count(body['handle']),
    comment: commentOf(body),
    expr: decompileRule(family, bodies(body['expressions']), find),
  })
}

/** An object with a name. Counters have words; what others hold stays in the bytes that the kernel sends. */
export function decompileObject(family: Family, body: Body): { counter: NamedCounter } | { object: OtherObject } {
  const place = {
    family,
    table: text(body['table']),
    name: text(body['name']),
    handle: count(body['handle']),
    ...present({ comment: commentOf(body) }),
  }
  const type = number(body['type'])
  const data = optionalBytes(body['data']) ?? new Uint8Array()
  if (type !== NFT_OBJECT_COUNTER) return { object: { ...place, type: objectKinds[type] ?? String(type), data } }
  return { counter: { ...place, ...readCounter(data) } }
}
