// Starts the process of one test file and makes sense of how it goes, whatever way it ends.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { sandboxed } from '../../scripts/sandbox.mjs'
import { REPORT_VARIABLE, type Report } from './report.ts'

export interface FileResult {
  /** What it wrote to its standard streams, where that was kept. */
  output: string
  passed: number
  failures: string[]
  skipped: { test: string; reason: string }[]
  milliseconds: number
}

/** What `import()` of a file and the natural end of its process may take, beside its tests. */
const EDGE_LIMIT = Number(process.env['NETLINK_CT_TEST_EDGE'] ?? 30_000)

/** `apart`: in a sandbox of its own, beside others, its output kept. */
export async function runTestFile(file: string, { apart = false } = {}): Promise<FileResult> {
  const result: FileResult = { output: '', passed: 0, failures: [], skipped: [], milliseconds: 0 }
  const started = performance.now()
  const preload = process.env['NETLINK_CT_TEST_PRELOAD']
  const node = [process.execPath, '--expose-gc', '--import', 'tsx', join(import.meta.dirname, 'run-file.ts'), file]
  // For Node alone: what makes the sandbox lacks the symbols that the addon needs.
  const all = ['env', ...(preload === undefined ? [] : [`LD_PRELOAD=${preload}`]), ...node] as const
  const [first, ...rest] = all
  const [command, words] = apart ? sandboxed(first, rest) : [first, rest]
  const shown = apart ? 'pipe' : 'inherit'
  const child = spawn(command, words, {
    stdio: ['ignore', shown, shown, 'pipe'],
    env: { ...process.env, [REPORT_VARIABLE]: '3' },
  })
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (result.output += text))

  let running: string | undefined
  let done = false
  let killed = false
  let watchdog: NodeJS.Timeout | undefined
  const expectWithin = (limit: number, complaint: string): void => {
    clearTimeout(watchdog)
    watchdog = setTimeout(() => {
      killed = true
      result.failures.push(complaint)
      child.kill('SIGKILL')
    }, limit)
  }
  expectWithin(EDGE_LIMIT, `not imported after ${EDGE_LIMIT} ms`)

  const lines = createInterface({ input: child.stdio[3] as Readable })
  lines.on('line', (line) => {
    const event = JSON.parse(line) as Report
    running = undefined
    expectWithin(EDGE_LIMIT, `no further test after ${EDGE_LIMIT} ms`)
    if (event.type === 'start') {
      running = event.test
      expectWithin(event.limit, `${event.test}: no result after ${event.limit} ms`)
    } else if (event.type === 'passed') result.passed++
    else if (event.type === 'failed') result.failures.push(`${event.test}: ${event.error}`)
    else if (event.type === 'skipped') result.skipped.push(event)
    else {
      done = true
      expectWithin(EDGE_LIMIT, `its tests are over, but something keeps the process from ending for ${EDGE_LIMIT} ms`)
    }
  })

  const read = new Promise((resolve) => lines.once('close', resolve))
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (...end) => resolve(end))
  })
  await read
  clearTimeout(watchdog)
  if (!killed && (!done || code !== 0)) {
    const where = done ? 'after its tests' : running === undefined ? 'outside a test' : `in: ${running}`
    result.failures.push(`the process ended ${where} (${signal ?? `exit code ${code}`})`)
  }
  result.milliseconds = performance.now() - started
  return result
}
