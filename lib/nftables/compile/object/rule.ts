// A rule: its statements one after the other, and the comment that nft prints behind it.

import { fields, list, name } from '../../../invalid.ts'
import type { KernelObject } from '../../message.ts'
import { commentUserdata } from '../../userdata.ts'
import { Program } from '../program.ts'
import { statement } from '../statement/statement.ts'
import type { Transaction } from '../transaction.ts'
import { place } from './place.ts'
import { handle } from './table.ts'

const known = ['family', 'table', 'chain', 'expr', 'comment', 'handle']

/** `handle` is the rule that is replaced, or the neighbor of one that is added. */
export function sendRule(
  transaction: Transaction,
  flags: number,
  value: unknown,
  role: 'handle' | 'position',
  path: string,
): void {
  const given = fields(value, path, known)
  const { family, table, body } = place(given, path)
  const program = new Program(transaction, family, table)
  const parts: string[] = []
  list(given['expr'], `${path}.expr`).forEach((one, index) => {
    const place = `${path}.expr[${index}]`
    statement(program, one, place)
    while (parts.length < program.expressions.length) parts.push(place)
  })
  const comment = given['comment']
  const whole = {
    ...body,
    chain: name(given['chain'], `${path}.chain`),
    ...((given['handle'] !== undefined || role === 'handle') && { [role]: handle(given['handle'], `${path}.handle`) }),
    expressions: program.expressions,
    ...(comment !== undefined && { userdata: commentUserdata(comment, `${path}.comment`) }),
  }
  transaction.send({ type: 'NFT_MSG_NEWRULE', flags, body: whole }, path, parts)
}

export function ruleReference(value: unknown, path: string): KernelObject {
  const given = fields(value, path, known)
  const { body } = place(given, path)
  return { ...body, chain: name(given['chain'], `${path}.chain`), handle: handle(given['handle'], `${path}.handle`) }
}
