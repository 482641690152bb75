// Waiting for what the kernel does in its own time.

import { setTimeout as pause } from 'node:timers/promises'

/** Asks again and again until it is so; rejects when it is not within `limit` milliseconds. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, limit = 15_000): Promise<void> {
  const end = performance.now() + limit
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not within ${limit} ms: ${what}`)
    await pause(10)
  }
}
