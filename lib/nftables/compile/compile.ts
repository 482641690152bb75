// Commands of libnftables-json(5) to the messages of one atomic batch.

import { fields, invalidType, invalidValue, list, onlyKey } from '../../invalid.ts'
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
import { counterBody, counterReference } from './object/counter.ts'
import { sendNamedElements } from './object/element.ts'
import { family } from './object/place.ts'
import { ruleReference, sendRule } from './object/rule.ts'
import { addSet, setReference } from './object/set.ts'
import { tableBody, tableReference } from './object/table.ts'
import { type MessagePlace, type SetPlace, type SetShape, Transaction } from './transaction.ts'

export interface Compiled {
  /** To be sent as they are, in one batch. */
  readonly messages: readonly KernelMessage[]
  /** Where each message comes from. */
  readonly places: readonly MessagePlace[]
  /** The sets of these commands and of `known`: what later commands may speak of. */
  readonly sets: ReadonlyMap<string, SetShape>
}

/**
 * Compiles `commands`; nothing is sent. Throws a TypeError or RangeError that names the place of what is unknown or malformed.
 * `known` are sets that exist already, as an earlier call returned them.
 */
export function compile(commands: readonly Command[], known?: ReadonlyMap<string, SetShape>): Compiled {
  const transaction = new Transaction(known)
  compileAll(transaction, commands)
  return { messages: transaction.messages, places: transaction.places, sets: transaction.declarations }
}

/**
 * The same, or the sets that must be known for it: those that the commands speak of and do not declare. Throws for what is malformed
 * whatever these sets are.
 */
export function compileOrAsk(
  commands: readonly Command[],
  known: ReadonlyMap<string, SetShape>,
): Compiled | { readonly unknown: readonly SetPlace[] } {
  const transaction = new Transaction(known)
  try {
    compileAll(transaction, commands)
  } catch (error) {
    if (transaction.unknown.length === 0) throw error
    return { unknown: transaction.unknown }
  }
  if (transaction.unknown.length > 0) return { unknown: transaction.unknown }
  return { messages: transaction.messages, places: transaction.places, sets: transaction.declarations }
}

function compileAll(transaction: Transaction, commands: readonly Command[]): void {
  list(commands, 'commands').forEach((command, index) => {
    transaction.begin(index)
    compileCommand(transaction, command, `commands[${index}]`)
  })
}

type Verb = 'add' | 'create' | 'insert' | 'replace' | 'delete' | 'destroy' | 'flush'
type Kind = 'table' | 'chain' | 'rule' | 'set' | 'map' | 'element' | 'counter'

const verbs: readonly Verb[] = ['add', 'create', 'insert', 'replace', 'delete', 'destroy', 'flush']
const kinds: readonly Kind[] = ['table', 'chain', 'rule', 'set', 'map', 'element', 'counter']
/** What a listing is made of. */
const listed = ['table', 'chain', 'rule', 'set', 'map', 'counter', 'object'] as const
const suffix = {
  table: 'TABLE',
  chain: 'CHAIN',
  rule: 'RULE',
  set: 'SET',
  map: 'SET',
  element: 'SETELEM',
  counter: 'OBJ',
} as const

function compileCommand(transaction: Transaction, command: unknown, path: string): void {
  const verb = onlyKey(command, path, [...verbs, ...listed])
  const value = (command as Record<string, unknown>)[verb]
  if (!isVerb(verb)) {
    addListed(transaction, verb, value, path)
    return
  }
  const place = `${path}.${verb}`
  if (verb === 'flush') flush(transaction, value, place)
  else if (verb === 'delete' || verb === 'destroy') remove(transaction, verb, value, place)
  else if (verb === 'insert' || verb === 'replace') placeRule(transaction, verb, value, place)
  else add(transaction, verb, value, place)
}

const isVerb = (word: string): word is Verb => (verbs as readonly string[]).includes(word)

/** Its handle was the kernel's; a rule's would name a neighbor. */
function addListed(transaction: Transaction, kind: (typeof listed)[number], value: unknown, path: string): void {
  if (kind === 'object') throw invalidValue(`${path}.object`, 'is listed, and cannot be added', value)
  if (kind !== 'rule') {
    add(transaction, 'add', { [kind]: value }, path)
    return
  }
  if (typeof value !== 'object' || value === null) throw invalidType(`${path}.rule`, 'an object', value)
  const { handle: _, ...rule } = value as { handle?: unknown }
  add(transaction, 'add', { rule }, path)
}

const send = (transaction: Transaction, type: MessageType, flags: number, body: KernelObject, path: string): void =>
  transaction.send({ type, flags, body }, path)

function add(transaction: Transaction, verb: 'add' | 'create', value: unknown, path: string): void {
  const kind = onlyKey(value, path, kinds)
  const given = (value as Record<Kind, unknown>)[kind]
  const place = `${path}.${kind}`
  const flags = verb === 'create' ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_CREATE
  if (kind === 'table') send(transaction, 'NFT_MSG_NEWTABLE', flags, tableBody(given, place), place)
  else if (kind === 'chain') send(transaction, 'NFT_MSG_NEWCHAIN', flags, chainBody(given, place), place)
  else if (kind === 'counter') send(transaction, 'NFT_MSG_NEWOBJ', flags, counterBody(given, place), place)
  else if (kind === 'element') sendNamedElements(transaction, { type: 'NFT_MSG_NEWSETELEM', flags }, given, place)
  else if (kind === 'rule') sendRule(transaction, NLM_F_CREATE | NLM_F_APPEND, given, 'position', place)
  else addSet(transaction, kind, given, flags, place)
}

function placeRule(transaction: Transaction, verb: 'insert' | 'replace', value: unknown, path: string): void {
  onlyKey(value, path, ['rule'])
  const given = (value as { rule: unknown }).rule
  const role = verb === 'replace' ? 'handle' : 'position'
  sendRule(transaction, verb === 'replace' ? NLM_F_REPLACE : NLM_F_CREATE, given, role, `${path}.rule`)
}

function remove(transaction: Transaction, verb: 'delete' | 'destroy', value: unknown, path: string): void {
  const kind = onlyKey(value, path, kinds)
  const given = (value as Record<Kind, unknown>)[kind]
  const type: MessageType = `NFT_MSG_${verb === 'delete' ? 'DEL' : 'DESTROY'}${suffix[kind]}`
  const place = `${path}.${kind}`
  if (kind === 'element') sendNamedElements(transaction, { type, flags: 0 }, given, place)
  else send(transaction, type, 0, removed(kind, given, place), place)
}

function removed(kind: Exclude<Kind, 'element'>, given: unknown, path: string): KernelObject {
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
    case 'counter':
      return counterReference(given, path)
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
    send(transaction, 'NFT_MSG_DELTABLE', 0, { family: number }, place)
  } else if (kind === 'set' || kind === 'map') {
    const { name, ...rest } = setReference(given, place)
    send(transaction, 'NFT_MSG_DELSETELEM', 0, { ...rest, set: name }, place)
  } else {
    const { name, ...rest } = kind === 'table' ? tableReference(given, place) : chainReference(given, place)
    send(transaction, 'NFT_MSG_DELRULE', 0, { ...rest, [kind]: name }, place)
  }
}
