// One row of the table: what is measured, of whom, and what would be good.

import { type Contender, type ContenderName, contenders } from '../contenders/contender.ts'

/** Measures once, in a process and a network namespace of its own. In the workload's unit. */
export type Trial = () => Promise<number>

/** What `netlink-ct` should reach. */
export type Target =
  /** In the workload's unit. */
  | { readonly atMost: number }
  /** So many times what the other takes, at most. */
  | { readonly times: number; readonly of: ContenderName }
  /** So many times faster than the other, at least. */
  | { readonly faster: number; readonly than: ContenderName }

/** By what was measured. */
export type Figures = Readonly<Record<string, number>>

/** What the figure of a trial with a single one is called on its way to the report. */
export const onlyFigure = 'figure'

/** Measures several things once, in a process and a network namespace of its own. In microseconds. */
export type TableTrial = () => Promise<Figures>

/** A table: a column for each trial, a row for each thing that they measure, and how many times the first column the last one is. */
export interface TableWorkload {
  readonly title: string
  readonly columns: string
  readonly trials: Readonly<Record<string, TableTrial>>
}

export const isTable = (workload: Workload | TableWorkload): workload is TableWorkload => 'columns' in workload

export interface Workload {
  readonly title: string
  readonly unit: 'µs' | 'ms' | '×'
  /** By the names that they have in the table; `netlink-ct` is the one that is judged. */
  readonly trials: Readonly<Record<string, Trial>>
  readonly targets: readonly Target[]
}

/** The same trial of several contenders. */
export function trialsOf(
  names: readonly ContenderName[],
  measure: (contender: Contender, name: ContenderName) => Promise<number>,
): Record<string, Trial> {
  return Object.fromEntries(names.map((name) => [name, () => measure(contenders[name], name)]))
}

/** The shell is slow, and the same at the tenth container as at the hundredth. */
export const fewerForShell = (name: ContenderName, containers: number): number => (name === 'shell' ? 10 : containers)
