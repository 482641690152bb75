// What a test file's process tells the runner: one JSON value a line on file descriptor 3. Written synchronously, so that the runner
// knows the running test even if the next thing that happens is a crash or an endless loop.

import { writeSync } from 'node:fs'

export type Report =
  | { type: 'start'; test: string; limit: number }
  | { type: 'passed'; test: string }
  | { type: 'failed'; test: string; error: string }
  | { type: 'skipped'; test: string; reason: string }
  | { type: 'done' }

/** Set by the runner in the process of a test file. Without it (a file run by hand) nobody listens on descriptor 3. */
export const REPORT_VARIABLE = 'NETLINK_CT_TEST_REPORT'

const listening = process.env[REPORT_VARIABLE] === '3'
// A test's own children are not test files of the runner.
delete process.env[REPORT_VARIABLE]

/** How many of each kind this process has reported. */
export const reported: Record<Report['type'], number> = { start: 0, passed: 0, failed: 0, skipped: 0, done: 0 }

export function report(event: Report): void {
  reported[event.type]++
  if (listening) writeSync(3, `${JSON.stringify(event)}\n`)
}
