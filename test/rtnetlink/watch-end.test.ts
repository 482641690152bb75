// How a watch is refused, and the ways it ends.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { createNetns, deleteNetns, host, openNetns, type WatchOptions } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { output } from '../support/lab.ts'
import { plainEnv, runProgram } from '../support/program.ts'
import { suite } from '../support/suite.ts'
import { Watcher } from '../support/watcher.ts'

const test = suite('the end of a watch')

const descriptors = (): number => readdirSync('/proc/self/fd').length

test('options are checked at once, and a misspelled name is told with the right one', async () => {
  const cases: [WatchOptions, RegExp, string][] = [
    [{ link: true } as WatchOptions, /did you mean 'links'/, 'ERR_INVALID_ARG_VALUE'],
    [{}, /must name what to watch: links/, 'ERR_INVALID_ARG_VALUE'],
    [{ links: 1 } as unknown as WatchOptions, /options.links must be a boolean/, 'ERR_INVALID_ARG_TYPE'],
    [{ links: true, maxQueue: 0 }, /options.maxQueue must be from 1/, 'ERR_OUT_OF_RANGE'],
    [{ links: true, signal: {} } as WatchOptions, /options.signal must be an AbortSignal/, 'ERR_INVALID_ARG_TYPE'],
    ...['routes', 'rules', 'neighbors', 'fdb'].map((name): [WatchOptions, RegExp, string] => {
      const why = new RegExp(`options.allNamespaces does not go with ${name}: watch each namespace by itself`)
      return [{ links: true, [name]: true, allNamespaces: true }, why, 'ERR_INVALID_ARG_VALUE']
    }),
  ]
  for (const [options, message, code] of cases) {
    const error = await failureOf(() => host.watch(options))
    assert.match(error.message, message)
    assert.is(error.code, code)
  }
})

test('a signal ends it as it ends Node’s own: AbortError, ABORT_ERR, the reason as the cause; before, during and between', async () => {
  const reason = new Error('enough')
  const isAbort = (error: Error & { code?: string }): void => {
    assert.is(error.name, 'AbortError')
    assert.is(error.code, 'ABORT_ERR')
    assert.is(error.cause, reason)
  }
  isAbort(await failureOf(host.watch({ links: true, signal: AbortSignal.abort(reason) }).next()))
  const pending = new AbortController()
  const idle = host.watch({ nsids: true, signal: pending.signal })
  await new Watcher(idle).synced()
  const next = failureOf(idle.next())
  pending.abort(reason)
  isAbort(await next)
  assert.equal(await idle.next(), { done: true, value: undefined })
  const between = new AbortController()
  const busy = host.watch({ links: true, signal: between.signal })
  await busy.next()
  between.abort(reason)
  isAbort(await failureOf(busy.next()))
})

test('return() ends a pending next() as done and closes the socket; leaving a for await does as well', async () => {
  await host.listLinks()
  for await (const event of host.watch({ links: true })) if (event.type === 'synced') break
  const before = descriptors()
  const watch = host.watch({ nexthops: true })
  await new Watcher(watch).synced()
  assert.is(descriptors(), before + 1)
  const next = watch.next()
  assert.equal(await watch.return(), { done: true, value: undefined })
  assert.equal(await next, { done: true, value: undefined })
  assert.equal(await watch.next(), { done: true, value: undefined })
  assert.is(descriptors(), before)
  assert.equal(await host.watch({ links: true }).return(), { done: true, value: undefined })
})

test('it ends, and is no error, with the close of its Netns', async () => {
  const ns = await createNetns()
  const watch = ns.watch({ links: true })
  await new Watcher(watch).synced()
  const next = watch.next()
  await ns.close()
  assert.equal(await next, { done: true, value: undefined })
})

test('it ends when the name of its namespace is removed by somebody else', async () => {
  await using ns = await createNetns('watched')
  const watch = ns.watch({ links: true })
  await new Watcher(watch).synced()
  const next = watch.next()
  await output('ip', ['netns', 'delete', 'watched'])
  assert.equal(await next, { done: true, value: undefined })
})

test('it ends with deleteNetns, in the middle of its state as well', async () => {
  await using ns = await createNetns('short')
  const idle = ns.watch({ links: true })
  await new Watcher(idle).synced()
  const busy = ns.watch({ links: true, routes: true })
  assert.is((await busy.next()).value?.type, 'link')
  const next = idle.next()
  await deleteNetns('short')
  assert.equal(await next, { done: true, value: undefined })
  for await (const event of busy) assert.is.not(event.type, 'overrun')
})

test('one of a namespace that was opened by pid goes on when the process is gone, until it is closed', async () => {
  const child = spawn('unshare', ['--net', 'sh', '-c', 'echo here; exec cat'], {
    env: plainEnv(),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  await using ns = await openNetns({ pid: child.pid as number })
  const watch = ns.watch({ links: true })
  const watcher = new Watcher(watch)
  await watcher.synced()
  child.stdin.end()
  await once(child, 'exit')
  await ns.createLink({ name: 'd0', kind: 'ifb' })
  await watcher.until('d0', (event) => event.type === 'link' && event.action === 'add' && event.link.name === 'd0')
  const next = watch.next()
  await ns.close()
  // News of the new link may still be on their way.
  for (let result = await next; !result.done; result = await watch.next()) assert.is(result.value.type, 'link')
})

test('the other namespaces on the machine make no difference to it', async () => {
  await using ns = await createNetns('staying')
  const watch = ns.watch({ links: true })
  const watcher = new Watcher(watch)
  await watcher.synced()
  await output('ip', ['netns', 'add', 'passing'])
  await output('ip', ['netns', 'delete', 'passing'])
  await output('ip', ['link', 'add', 'd0', 'type', 'ifb'], { netns: ns })
  assert.is((await watcher.take()).type, 'link')
  await watch.return()
  await output('ip', ['netns', 'delete', 'staying'])
})

test('the process ends under a watch that is not persistent, and waits for one that is', async () => {
  const program = (persistent: boolean): string => `
    const watch = ct.host.watch({ nexthops: true, persistent: ${persistent} })
    await watch.next()
    console.log('synced')
    watch.next().then(() => console.log('never'))
    ${persistent ? "setTimeout(() => { console.log('still there'); process.exit(3) }, 300).unref()" : ''}`
  assert.equal({ ...(await runProgram(program(false))), stderr: '' }, { code: 0, stdout: 'synced\n', stderr: '' })
  assert.is((await runProgram(program(true))).stdout, 'synced\nstill there\n')
})

test.run()
