// What is called off, is: before it began, and under way; and nothing is left of it, neither in the kernel nor on the signal.

import { getEventListeners } from 'node:events'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { createNetns, Netns, stats } from '../lib/index.ts'
import { failureOf } from './support/failure.ts'
import { type Answers, calls } from './support/fixtures/aborted-calls.ts'
import { kernelState, output } from './support/lab.ts'
import { betweenMarks } from './support/marks.ts'
import { suite } from './support/suite.ts'

{
  const test = suite('a signal that is aborted already')
  const trace = betweenMarks<Answers>(join(import.meta.dirname, 'support/fixtures/aborted-calls.ts'))
  trace.catch(() => {}) // each test awaits it

  for (const verb of Object.keys(calls)) {
    test(`ends ${verb} as it ends Node’s own operations`, async () => {
      assert.equal((await trace).answers.aborted[verb], { name: 'AbortError', code: 'ABORT_ERR', cause: 'Error: enough' })
    })
  }

  for (const verb of Object.keys(calls)) {
    test(`is told from anything else by ${verb}`, async () => {
      const { name, code, message } = (await trace).answers.wrong[verb] ?? {}
      assert.equal([name, code], ['TypeError', 'ERR_INVALID_ARG_TYPE'])
      assert.match(message ?? '', /^((options|filter)\.)?signal must be an AbortSignal, got (5|null|{}|"now"|true)$/)
    })
  }

  test('ends them before any system call', async () => assert.equal((await trace).between, []))

  test('can be given to every listing and every flush by a filter', () => {
    const verbs = Object.getOwnPropertyNames(Netns.prototype).filter((name) => /^(list[A-Z]|flush(?!Fdb|Mdb))/.test(name))
    assert.ok(verbs.length > 14, verbs.join(' '))
    assert.equal(
      verbs.filter((verb) => !(verb in calls)),
      [],
    )
  })

  test.run()
}

{
  const test = suite('a signal that is aborted under way', { limit: 180_000 })

  let ns: Netns
  test.before.each(async () => {
    ns = await createNetns()
  })
  test.after.each(() => ns.close())

  /** Aborts in the same turn in which `call` began. */
  async function calledOff(call: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const controller = new AbortController()
    const outcome = failureOf(call(controller.signal))
    controller.abort()
    assert.is((await outcome).name, 'AbortError')
    assert.equal(getEventListeners(controller.signal, 'abort'), [])
  }

  test('ends a listing of 100 000 routes between its parts', async () => {
    await output('ip', ['link', 'add', 'd0', 'up', 'type', 'bridge'], { netns: ns })
    const routes = Array.from({ length: 100_000 }, (_, at) => `route add 10.${at >> 16}.${(at >> 8) & 255}.${at & 255}/32 dev d0`)
    await output('ip', ['-batch', '-'], { netns: ns, input: routes.join('\n') })
    const controller = new AbortController()
    let turn = 0
    const outcome = failureOf(ns.listRoutes({ signal: controller.signal })).then((error) => ({ error, turn }))
    const spin = async (): Promise<void> => {
      await setImmediate()
      turn++
    }
    while (stats().queued + stats().inFlight > 0) await spin()
    for (let part = 0; part < 5; part++) await spin()
    const aborted = turn
    controller.abort()
    const ended = outcome.then(() => true)
    while (!(await Promise.race([ended, spin().then(() => false)])));
    const { error, turn: last } = await outcome
    assert.is(error.name, 'AbortError')
    assert.ok(last - aborted < 5, `${last - aborted} turns later`)
  })

  test('leaves addresses and routes that were to be flushed', async () => {
    const world = [
      'link add br0 up type bridge',
      'address add 10.0.0.1/24 dev br0',
      'neighbor add 10.0.0.2 lladdr 02:00:00:00:00:01 dev br0',
    ]
    await output('ip', ['-batch', '-'], { netns: ns, input: world.join('\n') })
    const before = await kernelState(ns)
    await calledOff((signal) => ns.flushAddresses({ signal }))
    await calledOff((signal) => ns.flushRoutes({ table: 'all', signal }))
    await calledOff((signal) => ns.flushNeighbors({ states: ['permanent'], signal }))
    assert.equal(await kernelState(ns), before)
    assert.match(await output('ip', ['neighbor'], { netns: ns }), /10.0.0.2/)
  })

  test('leaves no namespace', async () => {
    const before = await kernelState()
    await calledOff((signal) => createNetns('blue', { signal }))
    assert.equal(await kernelState(), before)
    await calledOff((signal) => createNetns(undefined, { signal }))
  })

  test('sends nothing of a batch whose devices are still looked for', async () => {
    const before = await kernelState(ns)
    await calledOff((signal) => ns.batch((b) => b.addAddress('lo', '10.0.0.1/32').setLink('lo', { up: true }), { signal }))
    assert.equal(await kernelState(ns), before)
  })

  test('applies no commands whose sets are still looked for', async () => {
    const set = { family: 'ip', table: 't', name: 's' } as const
    await ns.nftables.apply([{ add: { table: { family: 'ip', name: 't' } } }, { add: { set: { ...set, type: 'ipv4_addr' } } }])
    const before = await kernelState(ns)
    await calledOff((signal) => ns.nftables.apply([{ add: { element: { ...set, elem: ['10.0.0.1'] } } }], { signal }))
    await calledOff((signal) => ns.nftables.list({ signal }))
    assert.equal(await kernelState(ns), before)
  })

  test('starts no process', async () => {
    await calledOff((signal) => ns.spawn('touch', ['/run/started'], { signal }))
    assert.is((await output('sh', ['-c', 'ls /run/started 2>&1 || :'])).includes('No such file'), true)
  })

  test.run()
}

{
  const test = suite('a signal that is shared', { limit: 180_000 })

  test('by 10 000 operations keeps no listener and warns of none', async () => {
    const warnings: Error[] = []
    const note = (warning: Error): void => void warnings.push(warning)
    process.on('warning', note)
    const { signal } = new AbortController()
    await using ns = await createNetns()
    let most = 0
    const operations = [
      () => ns.listLinks({ signal }),
      () => ns.listRoutes({ table: 'all', signal }),
      () => ns.batch((b) => b.setLink('lo', { up: true }), { signal }),
      () => ns.waitForLink('lo', { signal }),
    ]
    for (let round = 0; round < 10_000; round += operations.length) {
      await Promise.all(operations.map((operation) => operation()))
      most = Math.max(most, getEventListeners(signal, 'abort').length)
    }
    process.off('warning', note)
    assert.is(most, 0)
    assert.equal(warnings, [])
  })

  test.run()
}
