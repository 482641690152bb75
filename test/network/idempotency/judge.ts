// Brings a cell about, makes its call, and says what came of it.

import * as assert from 'uvu/assert'
import type { Cell, Changes, Row } from './cell.ts'
import { World } from './world.ts'

interface Result {
  readonly value?: unknown
  readonly error?: Error & { readonly code?: unknown }
  readonly changes: readonly string[]
}

async function resultOf<T>(row: Row<T>, cell: Cell<T>): Promise<Result> {
  await using world = await World.make()
  const it = await cell.prepare(world)
  await world.look()
  try {
    const value = await (cell.call ?? row.call)(world, it)
    // As a caller would print it, while what it is of is there.
    const json = value === undefined ? undefined : JSON.parse(JSON.stringify(value, plain))
    return { value: json, changes: await world.changes() }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { error, changes: await world.changes() }
  }
}

const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value)

/** Whether `value` has all that `wanted` has. */
function holds(value: unknown, wanted: unknown): boolean {
  if (wanted instanceof RegExp) return typeof value === 'string' && wanted.test(value)
  if (typeof wanted !== 'object' || wanted === null) return Object.is(value, wanted)
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(wanted))
    return Array.isArray(value) && value.length === wanted.length && wanted.every((one, at) => holds(value[at], one))
  return Object.entries(wanted).every(([key, one]) => holds((value as Record<string, unknown>)[key], one))
}

const matches = (line: string, pattern: string | RegExp): boolean =>
  typeof pattern === 'string' ? line === pattern : pattern.test(line)

function expectChanges(found: readonly string[], wanted: Changes): void {
  const extra = found.filter((line) => !wanted.some((pattern) => matches(line, pattern)))
  const lacking = wanted.filter((pattern) => !found.some((line) => matches(line, pattern)))
  assert.is(
    extra.length + lacking.length,
    0,
    `not expected:\n${extra.join('\n')}\nnot found:\n${lacking.join('\n')}\namong:\n${found.join('\n')}`,
  )
}

function expectValue(value: unknown, wanted: unknown): void {
  if (wanted === undefined) assert.is(value, undefined)
  else assert.ok(holds(value, wanted), `${JSON.stringify(value)} does not hold what ${JSON.stringify(wanted)} has`)
}

/** Throws an assertion when something else comes of it than what the cell says. */
export async function judge<T>(row: Row<T>, cell: Cell<T>): Promise<void> {
  const { outcome } = cell
  const { value, error, changes: all } = await resultOf(row, cell)
  const changes = all.filter((line) => row.ignores?.test(line) !== true)
  if (outcome.kind === 'refuses') {
    assert.ok(error, `it resolved to ${JSON.stringify(value)}, with\n${changes.join('\n')}`)
    assert.is(error.code, outcome.code, error.message)
    for (const words of outcome.says) assert.ok(error.message.includes(words), `'${error.message}' does not say '${words}'`)
    return expectChanges(changes, outcome.lines ?? [])
  }
  if (error !== undefined) throw error
  if ('value' in outcome) expectValue(value, outcome.value)
  expectChanges(changes, outcome.kind === 'changes' ? outcome.lines : [])
}
