// One trial, in a process of its own: node --import tsx benchmarks/trial.ts WORKLOAD CONTENDER. Prints the figures as JSON.

import { readlinkSync } from 'node:fs'
import { workloads } from './workloads/index.ts'
import { onlyFigure } from './workloads/workload.ts'

const [workload = '', contender = ''] = process.argv.slice(2)
const trial = workloads[workload]?.trials[contender]
if (trial === undefined) throw new RangeError(`no such trial: ${workload} ${contender}`)
if (readlinkSync('/proc/self/ns/net') === readlinkSync(`/proc/${process.ppid}/ns/net`)) {
  throw new Error('a trial runs in a network namespace of its own: npm run bench')
}
const outcome = await trial()
console.log(JSON.stringify(typeof outcome === 'number' ? { [onlyFigure]: outcome } : outcome))
