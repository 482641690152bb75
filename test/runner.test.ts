// Each trap in which uvu 0.5.6 exits 0, or a run ends without a word: the runner's exit code and last line over suites made to fall in.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from './support/suite.ts'

const support = join(import.meta.dirname, 'support')

async function runFixtures(...args: string[]): Promise<{ code: number | null; output: string; last: string | undefined }> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(support, 'runner.ts'), `--dir=${join(support, 'fixtures')}`, ...args],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NETLINK_CT_TEST_EDGE: '3000' } },
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, output, last: output.trimEnd().split('\n').at(-1) }
}

const test = suite('runner')

/** One fixture, what the run over it must close with, and words that its output must hold. */
const traps: [name: string, fixture: string, last: string, ...words: string[]][] = [
  ['a failing test fails the run and not the tests after it', 'failing', '1 passed, 1 failed, 0 skipped', 'failing.test.ts:5'],
  [
    'a throwing before hook fails the run',
    'before-throws',
    '0 passed, 2 failed, 0 skipped',
    'no ground to stand on',
    '2 of 2 tests',
  ],
  ['a throwing after hook fails the run', 'after-throws', '1 passed, 1 failed, 0 skipped', 'left a mess', 'after hook'],
  [
    'a throwing after.each hook runs once per test and fails it',
    'each-throws',
    '0 passed, 2 failed, 0 skipped',
    'mess 2',
    'broken',
  ],
  ['a forgotten run() fails the run', 'forgotten-run', '0 passed, 1 failed, 0 skipped', 'no suite called run()'],
  [
    'a thrown value that is no Error fails its test only',
    'non-error',
    '1 passed, 4 failed, 0 skipped',
    'undefined',
    '{ code: 7 }',
  ],
  [
    'a test that exits the process fails the run',
    'exits',
    '1 passed, 1 failed, 0 skipped',
    'in: exits › calls process.exit (exit code 0)',
  ],
  [
    'a test that waits for ever is named after its limit',
    'hangs',
    '1 passed, 1 failed, 0 skipped',
    'hangs › waits for ever: no result after 300 ms',
  ],
  [
    'a test that blocks the thread is named after its limit',
    'spins',
    '0 passed, 1 failed, 0 skipped',
    'spins › never gives the thread back',
  ],
  [
    'an empty event loop under a pending test fails the run',
    'empties',
    '0 passed, 1 failed, 0 skipped',
    'in: empties › waits for what',
  ],
  [
    'a process kept alive after its tests fails the run',
    'lingers',
    '1 passed, 1 failed, 0 skipped',
    'something keeps the process from ending',
  ],
  ['a crash is counted, with its signal', 'crashes', '0 passed, 1 failed, 0 skipped', 'in: crashes › dies of a signal (SIGSEGV)'],
  ['an unhandled rejection fails the run', 'rejects', '0 passed, 1 failed, 0 skipped', 'nobody listens'],
  [
    'a file that throws while it is imported fails the run',
    'throws-on-import',
    '0 passed, 1 failed, 0 skipped',
    'not even imported',
  ],
  ['a suite that did not come from suite.ts fails the run', 'raw-uvu', '0 passed, 1 failed, 0 skipped', 'not of suite.ts'],
]
for (const [name, fixture, last, ...words] of traps) {
  test(name, async () => {
    const run = await runFixtures(fixture)
    assert.is(run.last, last, run.output)
    assert.is(run.code, 1, run.output)
    for (const word of words) assert.ok(run.output.includes(word), `"${word}" in:\n${run.output}`)
  })
}

test('passing and skipped tests make a green run, with the reason of each skip', async () => {
  const run = await runFixtures('green')
  assert.is(run.last, '2 passed, 0 failed, 1 skipped', run.output)
  assert.is(run.code, 0, run.output)
  assert.match(run.output, /skipped: green › the device answers \(no such device here\)/)
})

test('a pattern that matches no file fails the run', async () => {
  const run = await runFixtures('no-such-file')
  assert.is(run.last, '0 passed, 0 failed, 0 skipped', run.output)
  assert.is(run.code, 1, run.output)
})

test('a file that fails does not keep the next one from running', async () => {
  const run = await runFixtures('exits', 'green')
  assert.is(run.last, '3 passed, 1 failed, 1 skipped', run.output)
  assert.is(run.code, 1, run.output)
})

test('--name chooses tests by their names', async () => {
  const run = await runFixtures('failing', '--name=goes on')
  assert.is(run.last, '1 passed, 0 failed, 0 skipped', run.output)
  assert.is(run.code, 0, run.output)
})

test.run()
