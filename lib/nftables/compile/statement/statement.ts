// Every kind of statement, by its key.

import { onlyKey } from '../../../invalid.ts'
import type { Statement } from '../../schema.ts'
import type { Program } from '../program.ts'
import { counter } from './counter.ts'
import { limit } from './limit.ts'
import { log } from './log.ts'
import { mangle } from './mangle.ts'
import { match } from './match.ts'
import { dnat, masquerade, redirect, snat } from './nat.ts'
import { notrack } from './notrack.ts'
import { other } from './other.ts'
import { queue } from './queue.ts'
import { reject } from './reject.ts'
import { type VerdictName, verdict } from './verdict.ts'
import { vmap } from './vmap.ts'

type KeyOf<T> = T extends unknown ? keyof T : never
type StatementName = Exclude<KeyOf<Statement>, VerdictName> & string

const compilers: Record<StatementName, (program: Program, value: unknown, path: string) => void> = {
  match,
  vmap,
  mangle,
  snat,
  dnat,
  masquerade,
  redirect,
  counter,
  limit,
  log,
  reject,
  notrack,
  queue,
  other,
}

const isStatement = (name: string): name is StatementName => Object.hasOwn(compilers, name)
const names = [...Object.keys(compilers), 'accept', 'drop', 'continue', 'return', 'jump', 'goto']

export function statement(program: Program, value: unknown, path: string): void {
  const name = onlyKey(value, path, names)
  if (isStatement(name)) compilers[name](program, (value as Record<string, unknown>)[name], `${path}.${name}`)
  else verdict(program, value, path)
}
