// The JavaScript thread never waits for the kernel.

import * as assert from 'uvu/assert'
import { read } from '../lib/exchange.ts'
import { createNetns, createNetwork, Netns, type Network } from '../lib/index.ts'
import { output } from './support/command.ts'
import { suite } from './support/suite.ts'

const test = suite('event loop')

const inFlight = 50

/** The times between turns of the event loop while `work` runs, and how long it takes. All in milliseconds. */
async function watchTurns(work: () => Promise<unknown>): Promise<{ turns: number; longest: number; total: number }> {
  const start = performance.now()
  let turns = 0
  let longest = 0
  let last = start
  const look = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  const timer = setInterval(() => {
    turns++
    look()
  }, 1)
  try {
    await work()
    look()
  } finally {
    clearInterval(timer)
  }
  return { turns, longest, total: performance.now() - start }
}

const attachMany = (network: Network, name: string): Promise<unknown> =>
  Promise.all(Array.from({ length: inFlight }, (_, number) => network.attach({ name: `${name}${number}` })))

test(`keeps turning while ${inFlight} attaches are in flight, and while they are detached`, async () => {
  const network = await createNetwork({ name: 'turns', subnets: ['172.30.0.0/24'] })
  try {
    for (const work of [
      () => attachMany(network, 'c'),
      async () => Promise.all((await network.endpoints()).map((endpoint) => endpoint.detach())),
    ]) {
      const { turns, longest, total } = await watchTurns(work)
      const seen = `${turns} turns in ${total.toFixed(1)} ms, the longest wait ${longest.toFixed(1)} ms`
      // The kernel's part is nearly all of the time. A thread that waited for it would turn once, at the end.
      assert.ok(longest < total / 2, seen)
      assert.ok(turns >= 5, seen)
    }
  } finally {
    await network.delete({ force: true })
  }
})

test('turns again and again while 10 000 routes become objects', async () => {
  await using ns = await createNetns()
  const routes = Array.from({ length: 10_000 }, (_, at) => `route add 10.${at >> 8}.${at & 255}.0/24 dev lo`)
  await output('ip', ['-batch', '-'], { netns: ns, input: ['link set lo up', ...routes].join('\n') })
  let made = 0
  let atOnce = 0
  let mostAtOnce = 0
  let over = false
  const turn = (): void => {
    atOnce = 0
    if (!over) setImmediate(turn)
  }
  setImmediate(turn)
  await read(Netns.handleOf(ns), { type: 'RTM_GETROUTE', flags: 0, body: { family: 2, table: 254 } }, () => {
    made++
    mostAtOnce = Math.max(mostAtOnce, ++atOnce)
  })
  over = true
  assert.is(made, 10_000)
  assert.ok(mostAtOnce < made / 4, `${mostAtOnce} objects in one turn`)
})

test('turns again and again while a watch tells of 2 000 routes to somebody who only listens', async () => {
  await using ns = await createNetns()
  const routes = Array.from({ length: 2000 }, (_, at) => `route add 10.${at >> 8}.${at & 255}.0/24 dev lo`)
  await output('ip', ['-batch', '-'], { netns: ns, input: ['link set lo up', ...routes].join('\n') })
  let told = 0
  let atOnce = 0
  let mostAtOnce = 0
  let over = false
  const turn = (): void => {
    atOnce = 0
    if (!over) setImmediate(turn)
  }
  setImmediate(turn)
  for await (const event of ns.watch({ routes: true })) {
    if (event.type === 'synced') break
    told++
    mostAtOnce = Math.max(mostAtOnce, ++atOnce)
    // The consumer's own work, without which so few are told in less than a turn.
    for (const end = performance.now() + 0.02; performance.now() < end; );
  }
  over = true
  assert.ok(told >= 2000)
  assert.ok(mostAtOnce < told / 4, `${mostAtOnce} events in one turn`)
})

test.run()
