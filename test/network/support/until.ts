// Waiting for what the kernel does in its own time.

import { setTimeout as pause } from 'node:timers/promises'

/** Resolves when `condition` holds; rejects with `what` when it does not for ten seconds. */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`still not after ten seconds: ${what}`)
    await pause(5)
  }
}
