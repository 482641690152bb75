// Every kind of expression that can be loaded, by its key.

import { onlyKey } from '../../../invalid.ts'
import type { Operand } from '../operand.ts'
import type { Program } from '../program.ts'
import { bitwise } from './bitwise.ts'
import { concat } from './concat.ts'
import { ct } from './ct.ts'
import { fib } from './fib.ts'
import { meta } from './meta.ts'
import { payload } from './payload.ts'

export type Compiler = (program: Program, value: unknown, path: string) => Operand

type Key = 'payload' | 'meta' | 'ct' | 'fib' | 'concat' | '&' | '|' | '^' | '<<' | '>>'

const compilers = (): Record<Key, Compiler> => ({
  payload,
  meta,
  ct,
  fib,
  concat,
  '&': bitwise('&'),
  '|': bitwise('|'),
  '^': bitwise('^'),
  '<<': bitwise('<<'),
  '>>': bitwise('>>'),
})

const keys: readonly Key[] = ['payload', 'meta', 'ct', 'fib', 'concat', '&', '|', '^', '<<', '>>']

/** Whether it has to be loaded, instead of standing for itself. */
export function isLoaded(expression: unknown): boolean {
  if (typeof expression !== 'object' || expression === null || Array.isArray(expression)) return false
  const [key] = Object.keys(expression)
  return key !== undefined && (keys as readonly string[]).includes(key)
}

export function operand(program: Program, expression: unknown, path: string): Operand {
  const key = onlyKey(expression, path, keys)
  return compilers()[key](program, (expression as Record<Key, unknown>)[key], `${path}.${key}`)
}
