// How late JavaScript runs while 64 attaches are in flight, again and again.

import type { Endpoint } from 'netlink-ct'
import { openBenchNetwork, warmUp } from '../contenders/library.ts'
import { timerDelay } from '../event-loop-delay.ts'
import { quantile } from '../statistics.ts'
import type { Workload } from './workload.ts'

const inFlight = 64
// One time gives too few samples for a 99th percentile: as many as the milliseconds that it takes.
const times = 8

async function attachAgainAndAgain(): Promise<void> {
  const network = await openBenchNetwork()
  // Held while the clock runs: the namespaces of endpoints that nobody holds end.
  const endpoints: Endpoint[] = []
  for (let time = 0; time < times; time++) {
    const attached = Array.from({ length: inFlight }, (_, number) => network.attach({ name: `c${time}-${number}` }))
    endpoints.push(...(await Promise.all(attached)))
  }
  await Promise.all(endpoints.map((endpoint) => endpoint.netns?.close()))
}

/** Milliseconds from turn to turn of the event loop. It keeps one core busy, as a program that computes does. */
async function turnTime(work: () => Promise<void>, share: number): Promise<number> {
  const turns: number[] = []
  let last = performance.now()
  let running = true
  const turn = (): void => {
    const now = performance.now()
    turns.push(now - last)
    last = now
    if (running) setImmediate(turn)
  }
  setImmediate(turn)
  await work()
  running = false
  return quantile(turns, share)
}

const idle = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, inFlight * times))

export const eventLoop: Workload = {
  title: `event loop delay while ${inFlight} attaches are in flight, 99th percentile`,
  unit: 'ms',
  trials: {
    idle: () => timerDelay(idle, 0.99),
    'netlink-ct': async () => {
      await warmUp()
      return timerDelay(attachAgainAndAgain, 0.99)
    },
    'the longest': async () => {
      await warmUp()
      return timerDelay(attachAgainAndAgain, 1)
    },
    'setImmediate to setImmediate': async () => {
      await warmUp()
      return turnTime(attachAgainAndAgain, 0.99)
    },
  },
  targets: [{ atMost: 2 }],
}
