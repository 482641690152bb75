// However a process or a worker ends, it ends well: with the right exit code, without a signal, without a word.

import { once } from 'node:events'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { createNetns, deleteNetns } from '../lib/index.ts'
import { kernelState, type Outcome, run } from './support/lab.ts'
import { suite } from './support/suite.ts'
import { startWorker } from './support/worker.ts'

const test = suite('teardown', { limit: 240_000 })

const fixture = join(import.meta.dirname, 'support/fixtures/teardown-child.ts')

const end = (load: string, how: string, after: number): Promise<Outcome> =>
  run(process.execPath, ['--import', 'tsx', fixture, load, how, String(after)], { limit: 120_000 })

const ends = { natural: 0, exit: 0, throw: 1, terminate: 0 } as const
const words = {
  natural: 'by itself',
  exit: 'by process.exit(0)',
  throw: 'by an error that nobody catches',
  terminate: 'by worker.terminate()',
} as const

for (const load of ['idle', 'job', 'stream'] as const) {
  for (const how of ['natural', 'exit', 'throw', 'terminate'] as const) {
    const busy = { idle: 'with nothing to do', job: 'with a job in flight', stream: 'in a stream of jobs' }[load]
    test(`a process ${busy} ends ${words[how]}`, async () => {
      for (const after of [0, 1, 3]) {
        const { code, stdout, stderr } = await end(load, how, after)
        // A signal would leave no code.
        assert.is(code, ends[how], `after ${after} jobs: ${stderr}`)
        if (how === 'throw') {
          assert.match(stderr, /Error: on purpose/)
          assert.not.match(stderr, /Sanitizer|runtime error|FATAL|terminate called|native stack/i)
        } else assert.is(stderr, '')
        assert.is(stdout, '')
      }
    })
  }
}

/** Lets a worker make bridges in a namespace; resolves with their outcomes, when the worker is gone. */
async function inWorker(netns: string, prefix: string, count: number): Promise<string[]> {
  const worker = startWorker('bridges.ts', { netns, prefix, count })
  const exit = once(worker, 'exit')
  const [outcomes] = (await once(worker, 'message')) as [string[]]
  assert.equal(await exit, [0])
  return outcomes
}

test('the addon is loaded again by the next worker, and by workers at the same time, beside the main thread', async () => {
  const ns = await createNetns('workers')
  try {
    for (const prefix of ['a', 'b', 'c']) {
      assert.equal(await inWorker('workers', prefix, 3), ['made', 'made', 'made'])
      assert.is((await ns.listLinks({ kind: 'bridge' })).filter(({ name }) => name.startsWith(prefix)).length, 3)
    }
    const [mine, ...theirs] = await Promise.all([
      Promise.all(Array.from({ length: 5 }, (_, at) => ns.createBridge({ name: `m${at}` }))),
      inWorker('workers', 'd', 5),
      inWorker('workers', 'e', 5),
    ])
    assert.is(mine.length, 5)
    assert.equal(theirs, [Array(5).fill('made'), Array(5).fill('made')])
    assert.is((await ns.listLinks({ kind: 'bridge' })).length, 9 + 15)
  } finally {
    await ns.close()
    await deleteNetns('workers')
  }
})

test('the addon is loaded by one worker after the other in a process whose main thread never loads it', async () => {
  const { code, stderr } = await run(process.execPath, [
    '--import',
    'tsx',
    '--input-type=module',
    '-e',
    `import { startWorker } from ${JSON.stringify(join(import.meta.dirname, 'support/worker.ts'))}
    import { once } from 'node:events'
    for (const load of ['idle', 'job', 'stream', 'idle', 'stream']) {
      const worker = startWorker('teardown-child.ts', [load, 'natural', '1'])
      const [code] = await once(worker, 'exit')
      if (code !== 0) process.exit(3)
    }`,
  ])
  assert.equal([code, stderr], [0, ''])
})

test('nothing is left in the kernel of any of them', async () => {
  const before = await kernelState()
  for (const how of ['exit', 'throw', 'terminate'] as const) await end('stream', how, 2)
  assert.equal(await kernelState(), before)
})

test.run()
