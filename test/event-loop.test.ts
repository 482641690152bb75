// The JavaScript thread never waits for the kernel.

import * as assert from 'uvu/assert'
import { createNetwork, type Network } from '../lib/index.ts'
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

test.run()
