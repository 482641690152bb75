// What is to be taken away, in the reverse order of how it came: at the end, after an error, and after Ctrl-C.

import type { Narrator, Step } from './narrator.ts'

export class Undo {
  readonly #steps: { readonly step: Step | undefined; readonly work: () => Promise<void> }[] = []

  /** Without a `step` it happens without a word. */
  push(step: Step | undefined, work: () => Promise<void>): void {
    this.#steps.push({ step, work })
  }

  /** Does all of it, whatever fails on the way; throws what failed. */
  async run(narrator: Narrator): Promise<void> {
    const failures: unknown[] = []
    for (const { step, work } of this.#steps.splice(0).reverse()) {
      const done = step === undefined ? work() : narrator.undo(step, work)
      await done.catch((failure: unknown) => failures.push(failure))
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('; '))
  }
}
