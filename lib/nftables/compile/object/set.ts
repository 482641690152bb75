// set networks { type ifname; }, map ports4 { type inet_proto . inet_service : ipv4_addr . inet_service; }

import { type Fields, fields, integer, invalidType, invalidValue, name, oneOf, words } from '../../../invalid.ts'
import { keyType } from '../../datatype/concatenation.ts'
import type { KernelObject } from '../../message.ts'
import { NLM_F_CREATE } from '../../message.ts'
import type { SetFlag } from '../../schema.ts'
import { compileElements, sendElements } from '../elements.ts'
import { setAttributes, setFlags } from '../set-attributes.ts'
import type { SetShape, Transaction } from '../transaction.ts'
import { place } from './place.ts'
import { handle } from './table.ts'

const known = [
  'family',
  'table',
  'name',
  'type',
  'flags',
  'comment',
  'handle',
  'elem',
  'timeout',
  'gc-interval',
  'size',
  'policy',
  'stmt',
]
const flagNames: readonly SetFlag[] = ['constant', 'interval', 'timeout', 'dynamic']
const policies = { performance: 0, memory: 1 } as const
const MOST = 2 ** 32 - 1

/** Appends the message of a set or map, and of its elements. */
export function addSet(transaction: Transaction, kind: 'set' | 'map', value: unknown, flags: number, path: string): void {
  const given = fields(value, path, kind === 'map' ? [...known, 'map'] : known)
  if (given['stmt'] !== undefined) throw invalidValue(`${path}.stmt`, 'is listed, and cannot be added', given['stmt'])
  const { family, table, body } = place(given, path)
  const setName = name(given['name'], `${path}.name`)
  const named = given['flags'] === undefined ? [] : words(given['flags'], `${path}.flags`, flagNames)
  const shape: SetShape = {
    key: keyType(given['type'], `${path}.type`),
    ...(kind === 'map' && { data: mapData(given['map'], `${path}.map`) }),
    interval: named.includes('interval'),
  }
  transaction.declare(family, table, setName, shape)
  const id = transaction.nextSetId()
  const definition = { ...body, name: setName, id, ...attributes(shape, given, named, path) }
  transaction.send({ type: 'NFT_MSG_NEWSET', flags, body: definition }, path)
  if (given['elem'] === undefined) return
  const elements = compileElements(shape, given['elem'], `${path}.elem`)
  const message = { type: 'NFT_MSG_NEWSETELEM', flags: NLM_F_CREATE, body: { ...body, set: setName, setId: id } } as const
  sendElements(transaction, message, elements, path)
}

function mapData(value: unknown, path: string): NonNullable<SetShape['data']> {
  if (value === undefined) throw invalidType(path, 'the data type of the map', value)
  return value === 'verdict' ? 'verdict' : keyType(value, path)
}

function attributes(shape: SetShape, given: Fields, named: readonly SetFlag[], path: string): KernelObject {
  const timeout = given['timeout']
  const isTimed = timeout !== undefined || named.includes('timeout')
  const bits = named.reduce((sum, flag) => sum | setFlags[flag], isTimed ? setFlags.timeout : 0)
  const size = given['size'] === undefined ? undefined : integer(given['size'], `${path}.size`, 1, MOST)
  const gcInterval = given['gc-interval']
  const policy = given['policy']
  return {
    ...setAttributes(shape, { flags: bits, size, comment: given['comment'], path }),
    ...(timeout !== undefined && { timeout: BigInt(integer(timeout, `${path}.timeout`, 1, MOST)) * 1000n }),
    ...(gcInterval !== undefined && {
      gcInterval: integer(gcInterval, `${path}.gc-interval`, 1, Math.floor(MOST / 1000)) * 1000,
    }),
    ...(policy !== undefined && { policy: policies[oneOf(policy, `${path}.policy`, ['performance', 'memory'])] }),
  }
}

export function setReference(value: unknown, path: string): KernelObject {
  const given = fields(value, path, [...known, 'map'])
  const { body } = place(given, path)
  const reference = { ...body, name: name(given['name'], `${path}.name`) }
  return given['handle'] === undefined ? reference : { ...reference, handle: handle(given['handle'], `${path}.handle`) }
}
