// A row is a verb; its cells say what it does to what is there already.

import type { World } from './world.ts'

export const columns = ['absent', 'equal', 'different', 'half'] as const
export type Column = (typeof columns)[number]

/** Lines of the difference between two states (facts.ts), all of them: a pattern stands for one line or more. */
export type Changes = readonly (string | RegExp)[]

export type Outcome =
  /** Nothing is changed; what it resolves to is not looked at. */
  | { readonly kind: 'nothing' }
  /** Nothing is changed, and it resolves to that; objects need to hold what is given only. */
  | { readonly kind: 'gives'; readonly value: unknown }
  | { readonly kind: 'changes'; readonly lines: Changes; readonly value?: unknown }
  /** The message holds all of the words, and nothing is changed but what `lines` tell. */
  | { readonly kind: 'refuses'; readonly code: string; readonly says: readonly string[]; readonly lines?: Changes }

export interface Cell<T> {
  /** What is there, in words. */
  readonly given: string
  /** Brings it about. */
  prepare(world: World): Promise<T>
  /** Instead of the row's. */
  call?(world: World, it: T): unknown
  readonly outcome: Outcome
}

export interface Row<T = unknown> {
  /** As it is called: 'Network.attach'. */
  readonly verb: string
  /** Beside others of the same verb: 'ptp'. */
  readonly variant?: string
  /** Why it cannot be tried here. */
  readonly lacks: string | undefined
  call(world: World, it: T): unknown
  /** Differences that are nobody's promise. */
  readonly ignores?: RegExp
  /** A cell that makes no sense is told why. */
  readonly cells: Readonly<Record<Column, Cell<T> | readonly Cell<T>[] | string>>
}

export const nothing: Outcome = { kind: 'nothing' }
export const gives = (value: unknown): Outcome => ({ kind: 'gives', value })
export const changes = (...lines: Changes): Outcome => ({ kind: 'changes', lines })
export const changesAndGives = (value: unknown, ...lines: Changes): Outcome => ({ kind: 'changes', lines, value })
export const refuses = (code: string, ...says: string[]): Outcome => ({ kind: 'refuses', code, says })

/** Of what is not atomic, and says so. */
export const refusesAfter = (lines: Changes, code: string, ...says: string[]): Outcome => ({ kind: 'refuses', code, says, lines })

export const when = <T>(given: string, prepare: Cell<T>['prepare'], outcome: Outcome, call?: Cell<T>['call']): Cell<T> => ({
  given,
  prepare,
  outcome,
  ...(call === undefined ? {} : { call }),
})

/** A cell, several of a column, or none. */
export const cellsOf = <T>(cells: Cell<T> | readonly Cell<T>[] | string): readonly Cell<T>[] =>
  typeof cells === 'string' ? [] : 'given' in cells ? [cells] : cells

/** As it stands in the printed table. */
export function told(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'nothing':
      return 'no-op'
    case 'gives':
      return 'gives it'
    case 'changes':
      return 'does it'
    case 'refuses':
      return outcome.code
  }
}

/** A row whose states are made by shell commands in the namespace; `base` comes before those of each cell. */
export function shellRows(base: string, lacks?: string) {
  return (
    verb: string,
    call: (world: World) => unknown,
    cells: Readonly<Record<Column, readonly [given: string, commands: string, outcome: Outcome] | string>>,
  ): Row<void> => ({
    verb,
    lacks,
    call,
    cells: Object.fromEntries(
      columns.map((column) => {
        const cell = cells[column]
        if (typeof cell === 'string') return [column, cell]
        const [given, commands, outcome] = cell
        return [column, { given, prepare: (world: World) => world.shell(`${base}\n${commands}`), outcome }]
      }),
    ) as Row<void>['cells'],
  })
}
