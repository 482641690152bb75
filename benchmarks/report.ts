// From the figures of the trials to a table and to JSON.

import { availableParallelism, loadavg, release } from 'node:os'
import type { ContenderName } from './contenders/contender.ts'
import { median } from './statistics.ts'
import type { Target, Workload } from './workloads/workload.ts'

/** The figures of each contender, one for each round. */
export type Samples = Readonly<Record<string, readonly number[]>>

export interface Row {
  readonly contender: string
  readonly median: number
  readonly min: number
  readonly max: number
  readonly samples: readonly number[]
}

export interface Judgement {
  readonly target: Target
  /** What the target is compared with. */
  readonly figure: number
  readonly met: boolean
}

export interface WorkloadReport {
  readonly workload: string
  readonly title: string
  readonly unit: string
  readonly rows: readonly Row[]
  /** What netlink-ct takes as a multiple of what each other contender takes. */
  readonly ratios: Readonly<Record<string, number>>
  readonly judgements: readonly Judgement[]
}

const judged: ContenderName = 'netlink-ct'
const rivals: readonly ContenderName[] = ['floor', 'shell']

/** Of the rounds, not of the medians: what slowed the machine down in one round slowed all of them down. */
const ratioTo = (samples: Samples, rival: string): number =>
  median((samples[judged] ?? []).map((own, round) => own / (samples[rival]?.[round] ?? Number.NaN)))

function judge(target: Target, samples: Samples): Judgement {
  if ('atMost' in target) {
    const figure = median(samples[judged] ?? [])
    return { target, figure, met: figure <= target.atMost }
  }
  if ('times' in target) {
    const figure = ratioTo(samples, target.of)
    return { target, figure, met: figure <= target.times }
  }
  const figure = 1 / ratioTo(samples, target.than)
  return { target, figure, met: figure >= target.faster }
}

export function reportOf(name: string, { title, unit, targets }: Workload, samples: Samples): WorkloadReport {
  const rows = Object.entries(samples).map(([contender, all]) => {
    return { contender, median: median(all), min: Math.min(...all), max: Math.max(...all), samples: all }
  })
  // A growth is a ratio already.
  const compared = unit === '×' ? [] : rivals.filter((rival) => samples[rival] !== undefined)
  const ratios = Object.fromEntries(compared.map((rival) => [rival, ratioTo(samples, rival)]))
  return { workload: name, title, unit, rows, ratios, judgements: targets.map((target) => judge(target, samples)) }
}

export const figure = (value: number): string => (value >= 100 ? String(Math.round(value)) : value.toPrecision(3))

function verdicts({ unit, ratios, judgements }: WorkloadReport): string[] {
  const lines = judgements.map(({ target, figure: value, met }) => {
    const verdict = met ? 'met' : 'not met'
    if ('atMost' in target) return `${figure(value)} ${unit} (target: at most ${target.atMost}; ${verdict})`
    if ('times' in target) return `${figure(value)} × the ${target.of} (target: at most ${target.times}; ${verdict})`
    return `${figure(value)} × faster than the ${target.than} (target: at least ${target.faster}; ${verdict})`
  })
  const judgedRivals = judgements.map(({ target }) =>
    'times' in target ? target.of : 'than' in target ? target.than : undefined,
  )
  const others = Object.entries(ratios).filter(([rival]) => !judgedRivals.some((one) => one === rival))
  return [
    ...lines,
    ...others.map(([rival, ratio]) => {
      return rival === 'floor' || ratio > 1
        ? `${figure(ratio)} × the ${rival}`
        : `${figure(1 / ratio)} × faster than the ${rival}`
    }),
  ]
}

export function formatReport(report: WorkloadReport): string {
  const width = Math.max(...report.rows.map(({ contender }) => contender.length))
  const rows = report.rows.map(({ contender, median, min, max }) => {
    return `  ${contender.padEnd(width)}  ${figure(median).padStart(7)} ${report.unit}   ${figure(min)} – ${figure(max)}`
  })
  return [report.title, ...rows, ...verdicts(report).map((line) => `  → ${judged}: ${line}`)].join('\n')
}

/** Where the figures are from. */
export function circumstances(rounds: number) {
  return {
    date: new Date().toISOString(),
    kernel: release(),
    cores: availableParallelism(),
    node: process.version,
    rounds,
    load: loadavg()[0] ?? 0,
  }
}
