// Commands of libnftables-json(5) to the messages of one atomic batch.

import { fields, list, onlyKey } from '../../invalid.ts'
import {
  families,
  type KernelMessage,
  type KernelObject,
  type MessageType,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
} from '../message.ts'
import type { Command } from '../schema.ts'
import { chainBody, chainReference } from './object/chain.ts'
import { elementsBody } from './object/element.ts'
import { family } from './object/place.ts'
import { ruleBody, ruleReference } from './object/rule.ts'
import { addSet, setReference } from './object/set.ts'
import { tableBody, tableReference } from './object/table.ts'
import { type SetShape, Transaction } from './transaction.ts'

export interface Compiled {
  /** To be sent as they are, in one batch. */
  readonly messages: readonly KernelMessage[]
  /** The sets of these commands and of `known`: what later commands may speak of. */
  readonly sets: ReadonlyMap<string, SetShape>
}

/**
 * Compiles `commands`; nothing is sent. Throws a TypeError or RangeError that names the place of what is unknown or malformed.
 * `known` are sets that exist already, as an earlier call returned them.
 */
export function compile(commands: readonly Command[], known?: ReadonlyMap<string, SetShape>): Compiled {
  const transaction = new Transaction(known)
  list(commands, 'commands').forEach((command, index) => {
    compileCommand(transaction, command, `commands[${index}]`)
  })
  return { messages: transaction.messages, sets: transaction.declarations }
}

type Verb = 'add' | 'create' | 'insert' | 'replace' | 'delete' | 'destroy' | 'flush'
type Kind = 'table' | 'chain' | 'rule' | 'set' | 'map' | 'element'

const verbs: readonly Verb[] = ['add', 'create', 'insert', 'replace', 'delete', 'destroy', 'flush']
const kinds: readonly Kind[] = ['table', 'chain', 'rule', 'set', 'map', 'element']
const suffix = { table: 'TABLE', chain: 'CHAIN', rule: 'RULE', set: 'SET', map: 'SET', element: 'SETELEM' } as const

function compileCommand(transaction: Transaction, command: unknown, path: string): void {
  const verb = onlyKey(command, path, verbs)
  const value = (command as Record<Verb, unknown>)[verb]
  const place = `${path}.${verb}`
  if (verb === 'flush') flush(transaction, value, place)
  else if (verb === 'delete' || verb === 'destroy') remove(transaction, verb, value, place)
  else if (verb === 'insert' || verb === 'replace') placeRule(transaction, verb, value, place)
  else add(transaction, verb, value, place)
}

const send = (transaction: Transaction, type: MessageType, flags: number, body: KernelObject): void =>
  void transaction.messages.push({ type, flags, body })

function add(transaction: Transaction, verb: 'add' | 'create', value: unknown, path: string): void {
  const kind = onlyKey(value, path, kinds)
  const given = (value as Record<Kind, unknown>)[kind]
  const place = `${path}.${kind}`
  const flags = verb === 'create' ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_CREATE
  if (kind === 'table') send(transaction, 'NFT_MSG_NEWTABLE', flags, tableBody(given, place))
  else if (kind === 'chain') send(transaction, 'NFT_MSG_NEWCHAIN', flags, chainBody(given, place))
  else if (kind === 'element') send(transaction, 'NFT_MSG_NEWSETELEM', flags, elementsBody(transaction, given, false, place))
  else if (kind === 'rule') {
    send(transaction, 'NFT_MSG_NEWRULE', NLM_F_CREATE | NLM_F_APPEND, ruleBody(transaction, given, 'position', place))
  } else addSet(transaction, kind, given, flags, place)
}

function placeRule(transaction: Transaction, verb: 'insert' | 'replace', value: unknown, path: string): void {
  onlyKey(value, path, ['rule'])
  const given = (value as { rule: unknown }).rule
  const role = verb === 'replace' ? 'handle' : 'position'
  send(
    transaction,
    'NFT_MSG_NEWRULE',
    verb === 'replace' ? NLM_F_REPLACE : NLM_F_CREATE,
    ruleBody(transaction, given, role, `${path}.rule`),
  )
}

function remove(transaction: Transaction, verb: 'delete' | 'destroy', value: unknown, path: string): void {
  const kind = onlyKey(value, path, kinds)
  const given = (value as Record<Kind, unknown>)[kind]
  const type: MessageType = `NFT_MSG_${verb === 'delete' ? 'DEL' : 'DESTROY'}${suffix[kind]}`
  send(transaction, type, 0, removed(transaction, kind, given, `${path}.${kind}`))
}

function removed(transaction: Transaction, kind: Kind, given: unknown, path: string): KernelObject {
  switch (kind) {
    case 'table':
      return tableReference(given, path)
    case 'chain':
      return chainReference(given, path)
    case 'rule':
      return ruleReference(given, path)
    case 'set':
    case 'map':
      return setReference(given, path)
    case 'element':
      return elementsBody(transaction, given, true, path)
  }
}

/** Flushing is deleting what something holds, without naming any of it. */
function flush(transaction: Transaction, value: unknown, path: string): void {
  const kind = onlyKey(value, path, ['ruleset', 'table', 'chain', 'set', 'map'])
  const given = (value as Record<string, unknown>)[kind]
  const place = `${path}.${kind}`
  if (kind === 'ruleset') {
    const wanted = given === null ? undefined : fields(given, place, ['family'])['family']
    const number = wanted === undefined ? 0 : families[family(wanted, `${place}.family`).word]
    send(transaction, 'NFT_MSG_DELTABLE', 0, { family: number })
  } else if (kind === 'set' || kind === 'map') {
    const { name, ...rest } = setReference(given, place)
    send(transaction, 'NFT_MSG_DELSETELEM', 0, { ...rest, set: name })
  } else {
    const { name, ...rest } = kind === 'table' ? tableReference(given, place) : chainReference(given, place)
    send(transaction, 'NFT_MSG_DELRULE', 0, { ...rest, [kind]: name })
  }
}
