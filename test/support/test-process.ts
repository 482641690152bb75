// Starts the process of one test file and makes sense of how it goes, whatever way it ends.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { REPORT_VARIABLE, type Report } from './report.ts'

export interface FileResult {
  passed: number
  failures: string[]
  skipped: { test: string; reason: string }[]
  milliseconds: number
}

/** What `import()` of a file and the natural end of its process may take, beside its tests. */
const EDGE_LIMIT = Number(process.env['NETLINK_CT_TEST_EDGE'] ?? 30_000)

export async function runTestFile(file: string): Promise<FileResult> {
  const result: FileResult = { passed: 0, failures: [], skipped: [], milliseconds: 0 }
  const started = performance.now()
  const preload = process.env['NETLINK_CT_TEST_PRELOAD']
  const child = spawn(process.execPath, ['--expose-gc', '--import', 'tsx', join(import.meta.dirname, 'run-file.ts'), file], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, [REPORT_VARIABLE]: '3', ...(preload === undefined ? {} : { LD_PRELOAD: preload }) },
  })

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
