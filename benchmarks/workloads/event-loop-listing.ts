// How late JavaScript runs while many links, routes and addresses are listed, again and again.

import { contenders } from '../contenders/contender.ts'
import { timerDelay } from '../event-loop-delay.ts'
import { makeDevice, populate, subjects } from '../population.ts'
import type { Workload } from './workload.ts'

const counts = { links: 1000, routes: 10_000, addresses: 10_000 } as const
const times = 10

async function listAgainAndAgain(): Promise<void> {
  for (const subject of subjects) await contenders['netlink-ct'].list?.(subject, times)
}

const delayWhile = (work: () => Promise<void>, share: number) => async (): Promise<number> => {
  await makeDevice()
  for (const subject of subjects) await populate(subject, counts[subject])
  // Compiles what is measured.
  await listAgainAndAgain()
  return timerDelay(work, share)
}

const idle = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 1000))

export const eventLoopListing: Workload = {
  title: `event loop delay while ${counts.links} links, ${counts.routes} routes and ${counts.addresses} addresses are listed, 99th percentile`,
  unit: 'ms',
  trials: {
    idle: delayWhile(idle, 0.99),
    'netlink-ct': delayWhile(listAgainAndAgain, 0.99),
    'the median': delayWhile(listAgainAndAgain, 0.5),
    'the longest': delayWhile(listAgainAndAgain, 1),
  },
  targets: [{ atMost: 2 }],
}
