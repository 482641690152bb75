// Environments that end under their watches, and threads that meet in them.

import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import * as assert from 'uvu/assert'
import { createNetns, type NetEvent } from '../../lib/index.ts'
import { output } from '../support/lab.ts'
import { runProgram } from '../support/program.ts'
import { suite } from '../support/suite.ts'
import { Watcher } from '../support/watcher.ts'

const test = suite('watches at the end of their environment')

const library = pathToFileURL(join(import.meta.dirname, '../../lib/index.ts')).href
const text = (body: string): string => `
  import { parentPort, workerData } from 'node:worker_threads'
  import * as ct from ${JSON.stringify(library)}
  const ns = await ct.openNetns({ path: workerData })
  ${body}`

const stages: Record<string, string> = {
  opening: `const watch = ns.watch({ links: true }); watch.next(); parentPort.postMessage('here')`,
  waiting: `const watch = ns.watch({ nsids: true }); await watch.next(); watch.next(); parentPort.postMessage('here')`,
  reading: `let told = false
    for await (const event of ns.watch({ links: true, routes: true, receiveBuffer: 4096 }))
      if (!told && event.type === 'synced') { told = true; parentPort.postMessage('here') }`,
  closed: `const watch = ns.watch({ links: true }); await watch.next(); await watch.return(); parentPort.postMessage('here'); setInterval(() => {}, 1000)`,
}

for (const [stage, body] of Object.entries(stages)) {
  test(`worker.terminate() while a watch is ${stage} leaves nothing behind`, async () => {
    await using ns = await createNetns()
    const create = Array.from({ length: 300 }, (_, at) => `link add l${at} type ifb\nlink delete l${at}`).join('\n')
    const churn = output('ip', ['-batch', '-'], { netns: ns, input: create, limit: 60_000 })
    for (let round = 0; round < 3; round++) {
      const source = `import('tsx/esm/api').then(({ register }) => { register(); return import('data:text/javascript,' + encodeURIComponent(${JSON.stringify(text(body))})) })`
      const worker = new Worker(source, { eval: true, workerData: ns.path })
      const [message] = await once(worker, 'message')
      assert.is(message, 'here')
      await worker.terminate()
    }
    await churn
    assert.is((await ns.listLinks()).length, 1)
  })
}

test('process.exit() and an uncaught error under a busy watch end the process as they do without', async () => {
  const program = (end: string): string => `
    const ns = await ct.createNetns()
    const watch = ns.watch({ links: true })
    await watch.next()
    watch.next()
    for (let at = 0; at < 20; at++) ns.createLink({ name: 'l' + at, kind: 'ifb' }).catch(() => {})
    ${end}`
  assert.is((await runProgram(program('process.exit(7)'))).code, 7)
  assert.is((await runProgram(program("throw new Error('on purpose')"))).code, 1)
})

test('many watches of one namespace, opened and closed while it changes, each tell the state', async () => {
  await using ns = await createNetns()
  const lines = Array.from({ length: 200 }, (_, at) => `link add l${at} type ifb\nlink set l${at} mtu 1400`).join('\n')
  const churn = output('ip', ['-batch', '-'], { netns: ns, input: lines, limit: 60_000 })
  const one = async (): Promise<void> => {
    for (let round = 0; round < 5; round++) {
      await using watch = ns.watch({ links: true, maxQueue: 4 })
      const watcher = new Watcher(watch)
      await watcher.synced()
      assert.ok(watcher.all('link').some(({ link }) => link.name === 'lo'))
    }
  }
  await Promise.all([...Array.from({ length: 8 }, one), churn])
  await using watch = ns.watch({ links: true })
  const watcher = new Watcher(watch)
  await watcher.synced()
  assert.is(watcher.all('link').filter(({ link }: Extract<NetEvent, { type: 'link' }>) => link.mtu === 1400).length, 200)
})

test.run()
