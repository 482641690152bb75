// Runs test files one after the other, each in a process of its own: a crash, a process.exit() or a hang costs one file, and is counted.
//
//   node --import tsx test/support/runner.ts [PATTERN] [--dir=FOLDER] [--name=REGEXP] [--limit=SECONDS]
//
// Closes with "N passed, N failed, N skipped" alone on a line; the exit code is 0 only if something passed and nothing failed.

import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { inSandbox } from '../../scripts/sandbox.mjs'
import { LIMIT_VARIABLE, NAME_VARIABLE } from './suite.ts'
import { runTestFile } from './test-process.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { dir: { type: 'string' }, name: { type: 'string' }, limit: { type: 'string' } },
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
for (const name of files) {
  console.log(`\n${name}`)
  const result = await runTestFile(join(folder, name))
  total.passed += result.passed
  total.skipped += result.skipped.length
  failures.push(...result.failures.map((failure) => `${name}: ${failure}`))
  for (const { test, reason } of result.skipped) console.log(`  skipped: ${test} (${reason})`)
  for (const failure of result.failures) console.log(`  failed: ${failure}`)
  console.log(`  ${(result.milliseconds / 1000).toFixed(1)} s`)
}
if (files.length === 0) console.error(`netlink-ct: no test file matches ${positionals.join(' ')}`)
else if (total.passed + total.skipped === 0 && failures.length === 0) console.error('netlink-ct: no test ran')

if (failures.length > 0 && files.length > 1) console.log(['', 'Failed:', ...failures.map((failure) => `  ${failure}`)].join('\n'))
console.log(`\n${total.passed} passed, ${failures.length} failed, ${total.skipped} skipped`)
process.exitCode = failures.length === 0 && total.passed + total.skipped > 0 ? 0 : 1
