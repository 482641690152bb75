// Long work in JavaScript, done little by little.

import { setImmediate } from 'node:timers/promises'

/** Milliseconds for which such work may hold the event loop at a time. */
const slice = 1

/** `if (pace.isTired) await pace.rest()`: what else waits in the event loop has its turn. */
export class Pace {
  #end = performance.now() + slice

  get isTired(): boolean {
    return performance.now() >= this.#end
  }

  async rest(): Promise<void> {
    await setImmediate()
    this.#end = performance.now() + slice
  }
}
