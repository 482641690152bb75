// Runs test files, each in a process of its own: a crash, a process.exit() or a hang costs one file, and is counted. Several run beside each
// other, each in a sandbox of its own.
//
//   node --import tsx test/support/runner.ts [PATTERN...] [--dir=FOLDER] [--name=REGEXP] [--limit=SECONDS] [--jobs=NUMBER]
//
// Closes with "N passed, N failed, N skipped" alone on a line; the exit code is 0 only if something passed and nothing failed.

import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { inSandbox } from '../../scripts/sandbox.mjs'
import { LIMIT_VARIABLE, NAME_VARIABLE } from './suite.ts'
import { type FileResult, runTestFile } from './test-process.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { dir: { type: 'string' }, name: { type: 'string' }, limit: { type: 'string' }, jobs: { type: 'string' } },
})

if (!inSandbox()) {
  console.error('netlink-ct: tests run in a sandbox only: npm test')
  process.exit(1)
}
if (values.name !== undefined) process.env[NAME_VARIABLE] = values.name
if (values.limit !== undefined) process.env[LIMIT_VARIABLE] = String(Number(values.limit) * 1000)

const folder = values.dir ?? join(import.meta.dirname, '..')
const support = relative(folder, import.meta.dirname)
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts') && !(support !== '' && name.startsWith(`${support}/`)))
  .filter((name) => positionals.length === 0 || positionals.some((pattern) => name.includes(pattern)))
  .sort()

const total = { passed: 0, skipped: 0 }
const failures: string[] = []
const jobs = Math.min(Number(values.jobs ?? Math.min(2, availableParallelism())), files.length)

function tell(name: string, result: FileResult): void {
  if (jobs > 1) console.log(`\n${name}\n${result.output.trimEnd()}`)
  total.passed += result.passed
  total.skipped += result.skipped.length
  failures.push(...result.failures.map((failure) => `${name}: ${failure}`))
  for (const { test, reason } of result.skipped) console.log(`  skipped: ${test} (${reason})`)
  for (const failure of result.failures) console.log(`  failed: ${failure}`)
  console.log(`  ${(result.milliseconds / 1000).toFixed(1)} s`)
}

/** One file after another, until there are none. */
async function work(queue: string[]): Promise<void> {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (jobs === 1) console.log(`\n${name}`)
    tell(name, await runTestFile(join(folder, name), { apart: jobs > 1 }))
  }
}

const queue = [...files]
await Promise.all(Array.from({ length: Math.max(1, jobs) }, () => work(queue)))
if (files.length === 0) console.error(`netlink-ct: no test file matches ${positionals.join(' ')}`)
else if (total.passed + total.skipped === 0 && failures.length === 0) console.error('netlink-ct: no test ran')

if (failures.length > 0 && files.length > 1) console.log(['', 'Failed:', ...failures.map((failure) => `  ${failure}`)].join('\n'))
console.log(`\n${total.passed} passed, ${failures.length} failed, ${total.skipped} skipped`)
process.exitCode = failures.length === 0 && total.passed + total.skipped > 0 ? 0 : 1
