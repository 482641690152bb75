// The process of one test file: imports it, runs the suites that it queued with uvu, and tells the runner how it went. It does not call
// process.exit(): that the file ends by itself, with nothing left in the event loop, is part of the test.

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { report, reported } from './report.ts'

type Outcome = readonly [errors: string | true, passed: number, skipped: number, total: number]

declare global {
  // uvu's own: with UVU_DEFER its run() only queues.
  var UVU_DEFER: number
  var UVU_QUEUE: [string, ...(() => Promise<Outcome>)[]][]
}

// A process that naturally ends is checked for leaks, as this one is. A child that calls process.exit() leaves all of V8 behind.
if (process.env['ASAN_OPTIONS'] !== undefined) process.env['ASAN_OPTIONS'] += ':detect_leaks=0'

const file = process.argv[2] ?? ''
globalThis.UVU_DEFER = 1
globalThis.UVU_QUEUE = [[file]]

await import(pathToFileURL(resolve(file)).href)

const [, ...runs] = globalThis.UVU_QUEUE[0] ?? []
if (runs.length === 0) report({ type: 'failed', test: file, error: 'no suite called run()' })
for (const run of runs) {
  const before = { ...reported }
  try {
    const [errors, passed, , total] = await run()
    if (errors !== true) console.error(`\n${errors}`)
    else if (passed < total) report({ type: 'failed', test: file, error: `${total - passed} of ${total} tests did not run` })
    if (passed !== reported.passed - before.passed)
      report({ type: 'failed', test: file, error: 'a suite that is not of suite.ts' })
  } catch (error) {
    if (reported.failed === before.failed) report({ type: 'failed', test: file, error: String(error) })
  }
}
report({ type: 'done' })
