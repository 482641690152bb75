// Tables of figures: medians of the rounds, by what was measured and of which trial.

import { figure } from './report.ts'
import { median } from './statistics.ts'
import type { Figures, TableWorkload } from './workloads/workload.ts'

interface Cell {
  readonly trial: string
  readonly median: number
  /** As a multiple of the first trial's, round by round. */
  readonly ratio: number
  readonly samples: readonly number[]
}

export interface TableReport {
  readonly workload: string
  readonly title: string
  readonly columns: string
  readonly rows: readonly { readonly measured: string; readonly cells: readonly Cell[] }[]
}

export function tableOf(
  name: string,
  { title, columns, trials }: TableWorkload,
  samples: Readonly<Record<string, readonly Figures[]>>,
): TableReport {
  const names = Object.keys(trials)
  const [first = ''] = names
  const of = (trial: string, measured: string): number[] =>
    (samples[trial] ?? []).map((figures) => figures[measured] ?? Number.NaN)
  const rows = Object.keys(samples[first]?.[0] ?? {}).map((measured) => {
    const base = of(first, measured)
    const cells = names.map((trial): Cell => {
      const own = of(trial, measured)
      const ratio = median(own.map((value, round) => value / (base[round] ?? Number.NaN)))
      return { trial, median: median(own), ratio, samples: own }
    })
    return { measured, cells }
  })
  return { workload: name, title, columns, rows }
}

export function formatTable({ title, columns, rows }: TableReport): string {
  const width = Math.max(columns.length, ...rows.map(({ measured }) => measured.length))
  const line = (head: string, cells: readonly string[]): string =>
    `  ${head.padEnd(width)}${cells.map((cell) => cell.padStart(22)).join('')}`
  const heads = rows[0]?.cells.map(({ trial }) => trial) ?? []
  const body = rows.map(({ measured, cells }) =>
    line(
      measured,
      cells.map(({ median: value, ratio }, at) => `${figure(value)} µs${at === 0 ? '' : ` ${`${figure(ratio)} ×`.padStart(6)}`}`),
    ),
  )
  return [title, line(columns, heads), ...body].join('\n')
}
