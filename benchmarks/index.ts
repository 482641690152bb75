// Measures netlink-ct beside others: npm run bench [-- WORKLOAD… --rounds=5 --json --check]. See README.md.

import { parseArgs } from 'node:util'
import { inSandbox } from '../scripts/sandbox.mjs'
import { buildFloor } from './contenders/floor.ts'
import { circumstances, formatReport, reportOf } from './report.ts'
import { runTrial } from './run-trial.ts'
import { formatTable, tableOf } from './table.ts'
import { workloads } from './workloads/index.ts'
import { type Figures, isTable, onlyFigure, type TableWorkload, type Workload } from './workloads/workload.ts'

const usage = `usage: npm run bench -- [WORKLOAD…] [--rounds=5] [--json] [--check]
workloads: ${Object.keys(workloads).join(' ')}`

function usageError(problem: string): never {
  console.error(`${problem}\n${usage}`)
  process.exit(2)
}

function options() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: 'string', default: '5' },
        json: { type: 'boolean', default: false },
        check: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    const rounds = Number(values.rounds)
    if (!Number.isInteger(rounds) || rounds < 1) usageError('--rounds takes a whole number from 1')
    const unknown = positionals.find((name) => workloads[name] === undefined)
    if (unknown !== undefined) usageError(`no such workload: ${unknown}`)
    return { ...values, rounds, names: positionals.length === 0 ? Object.keys(workloads) : positionals }
  } catch (error) {
    return usageError(error instanceof Error ? error.message : String(error))
  }
}

const { rounds, json, check, help, names } = options()
if (help) {
  console.log(usage)
  process.exit()
}
if (!inSandbox()) {
  console.error('netlink-ct: benchmarks run in a sandbox only: npm run bench')
  process.exit(1)
}
buildFloor()
const from = circumstances(rounds)
const selected = names.flatMap((name) => {
  const workload = workloads[name]
  return workload === undefined ? [] : [{ name, workload, samples: new Map<string, Figures[]>() }]
})

// Round by round and not contender by contender: what disturbs the machine for a while then disturbs all of them.
for (let round = 1; round <= rounds; round++) {
  for (const { name, workload, samples } of selected) {
    for (const contender of Object.keys(workload.trials)) {
      process.stderr.write(`round ${round} of ${rounds}: ${name}, ${contender}\n`)
      samples.set(contender, [...(samples.get(contender) ?? []), await runTrial(name, contender)])
    }
  }
}

const isOrdinary = (one: (typeof selected)[number]): one is (typeof selected)[number] & { workload: Workload } =>
  !isTable(one.workload)
const isTabular = (one: (typeof selected)[number]): one is (typeof selected)[number] & { workload: TableWorkload } =>
  isTable(one.workload)

const reports = selected.filter(isOrdinary).map(({ name, workload, samples }) => {
  const figures = [...samples].map(([contender, all]) => [contender, all.map((one) => one[onlyFigure] ?? Number.NaN)] as const)
  return reportOf(name, workload, Object.fromEntries(figures))
})
const tables = selected
  .filter(isTabular)
  .map(({ name, workload, samples }) => tableOf(name, workload, Object.fromEntries(samples)))
if (json) {
  console.log(JSON.stringify({ ...from, workloads: reports, tables }, undefined, 2))
} else {
  const { date, kernel, cores, node, load } = from
  console.log(
    `Linux ${kernel}, ${cores} cores, Node.js ${node}, ${date}, load ${load.toFixed(2)}; medians of ${rounds} rounds, min – max`,
  )
  for (const report of reports) console.log(`\n${formatReport(report)}`)
  for (const table of tables) console.log(`\n${formatTable(table)}`)
}
if (check && reports.some(({ judgements }) => judgements.some(({ met }) => !met))) process.exitCode = 1
