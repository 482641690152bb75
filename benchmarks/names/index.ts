// Names under load: npm run bench:names [-- CONTENDER… --rate=10000 --seconds=60 --clients=20 --churners=20 --hold=100 --json]. So many queries a second
// from inside so many containers, while others are attached, held for so many milliseconds, and detached. See README.md.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { inSandbox } from '../../scripts/sandbox.mjs'
import { contenders, type NameServer } from './contenders.ts'
import { type Load, now, type Plan, type Sample } from './load.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rate: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '60' },
    clients: { type: 'string', default: '20' },
    churners: { type: 'string', default: '20' },
    hold: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  },
})
const number = (key: 'rate' | 'seconds' | 'clients' | 'churners' | 'hold'): number => {
  const value = Number(values[key])
  if (!Number.isFinite(value) || value < 0) throw new RangeError(`--${key} takes a number`)
  return value
}
const [rate, seconds, clients, churners, hold] = [
  number('rate'),
  number('seconds'),
  number('clients'),
  number('churners'),
  number('hold'),
]
if (!inSandbox()) {
  console.error('netlink-ct: benchmarks run in a sandbox only: npm run bench:names')
  process.exit(1)
}

/** From when on a name has an address, or (undefined) none; between `begin` and `end` it may be as before. */
interface Change {
  readonly begin: number
  readonly end: number
  readonly address: string | undefined
}

type History = readonly Change[]

/** Whether a name was, or may have been, so at some time between question and answer. */
function isTrue([asked, answered, , answer]: Sample, history: History): boolean {
  // JSON has no undefined.
  const address = answer ?? undefined
  return history.some((change, at) => {
    // Of a change that goes on both states hold, so each begins at the begin of its change and ends with the end of the next.
    const until = history[at + 1]?.end ?? Number.POSITIVE_INFINITY
    return change.address === address && change.begin <= answered && until >= asked
  })
}

async function churn(server: NameServer, name: string, signal: AbortSignal): Promise<History> {
  const history: Change[] = [{ begin: 0, end: 0, address: undefined }]
  while (!signal.aborted) {
    let begin = now()
    const endpoint = await server.network.attach({ name })
    await server.added(endpoint)
    history.push({ begin, end: now(), address: endpoint.addresses[0]?.split('/')[0] })
    await pause(hold)
    begin = now()
    await server.removed(endpoint)
    await endpoint.detach()
    history.push({ begin, end: now(), address: undefined })
    await pause(hold / 4)
  }
  return history
}

interface Figures extends Omit<Load, 'latencies' | 'samples'> {
  /** Answers that were true before or after, but not when they were given. */
  readonly stale: number
  readonly attaches: number
  readonly median: number
  readonly p99: number
  readonly p999: number
  readonly most: number
}

async function measure(server: NameServer): Promise<Figures> {
  const asking = await Promise.all(
    Array.from({ length: clients }, async (_, at) => {
      const endpoint = await server.network.attach({ name: `s${at}` })
      await server.added(endpoint)
      return endpoint
    }),
  )
  const passing = Array.from({ length: Math.max(1, churners) }, (_, at) => `c${at}`)
  const plan: Plan = {
    ...{ server: server.network.gateways[0] ?? '', rate, seconds, passing },
    paths: asking.map(({ netns }) => netns.path),
    stable: asking.map(({ name, addresses }) => [name, addresses[0]?.split('/')[0] ?? ''] as const),
  }
  const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'load.ts'), JSON.stringify(plan)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ended = once(child, 'close')
  await lines.next()
  const end = new AbortController()
  const churning = passing.slice(0, churners).map((name) => churn(server, name, end.signal))
  child.stdin.write('go\n')
  const { value } = await lines.next()
  end.abort()
  const histories = await Promise.all(churning)
  await ended
  const { samples, latencies, ...load } = JSON.parse(value ?? '{}') as Load
  const untouched: History = [{ begin: 0, end: 0, address: undefined }]
  const stale = samples.filter((sample) => !isTrue(sample, histories[sample[2]] ?? untouched)).length
  const at = (part: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))] ?? Number.NaN
  const attaches = histories.reduce((sum, history) => sum + (history.length - 1) / 2, 0)
  return { ...load, stale, attaches, median: at(0.5), p99: at(0.99), p999: at(0.999), most: at(1) }
}

const names = positionals.length === 0 ? Object.keys(contenders) : positionals
const rows: ({ readonly contender: string } & Figures)[] = []
for (const contender of names) {
  const one = contenders[contender]
  if (one === undefined) throw new RangeError(`no such contender: ${contender}; there are ${Object.keys(contenders).join(', ')}`)
  if (one.missing !== undefined) {
    console.error(`${contender} is left out: ${one.missing}`)
    continue
  }
  process.stderr.write(`${contender}: ${rate} queries/s for ${seconds} s\n`)
  const server = await one.start()
  try {
    rows.push({ contender, ...(await measure(server)) })
  } finally {
    await server.stop()
  }
}

if (values.json) console.log(JSON.stringify(rows, undefined, 2))
else {
  const round = (value: number): string => String(Math.round(value))
  const head = ['', 'sent', 'lost', 'wrong', 'stale', 'median µs', '99 %', '99.9 %', 'most', 'attached']
  const body = rows.map((row) => [
    ...[row.contender, round(row.sent), round(row.lost), round(row.wrong), round(row.stale)],
    ...[row.median, row.p99, row.p999, row.most, row.attaches].map(round),
  ])
  console.log(
    `Linux ${release()}, ${cpus().length} cores, Node.js ${process.version}: ${rate} queries/s from ${clients} containers for ${seconds} s, ${churners} others come and go\n`,
  )
  const width = (column: number): number => Math.max(...[head, ...body].map((row) => (row[column] ?? '').length))
  for (const row of [head, ...body]) console.log(row.map((cell, column) => cell.padStart(width(column))).join('  '))
}
process.exitCode = rows.some(({ contender, lost, wrong, stale }) => contender === 'netlink-ct' && lost + wrong + stale > 0)
  ? 1
  : 0
