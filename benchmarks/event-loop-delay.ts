// How late the event loop is.

import { monitorEventLoopDelay } from 'node:perf_hooks'

const resolution = 1

/** Milliseconds that a timer of 1 ms fires late. The histogram of Node counts from timer to timer, so that 1 ms is in each value. */
export async function timerDelay(work: () => Promise<void>, share: number): Promise<number> {
  const histogram = monitorEventLoopDelay({ resolution })
  histogram.enable()
  await work()
  histogram.disable()
  return (share === 1 ? histogram.max : histogram.percentile(share * 100)) / 1e6 - resolution
}
