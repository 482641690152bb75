// Work that costs the same for one and for many: callers that come while a round runs are served together by the next.

import { AbortError } from '../../abort.ts'

interface Waiting<T> {
  readonly item: T
  readonly signal: AbortSignal | undefined
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

function isWanted({ signal, reject }: Waiting<unknown>): boolean {
  if (signal?.aborted) reject(new AbortError(signal))
  return !signal?.aborted
}

export class Gather<T> {
  readonly #work: (items: readonly T[]) => Promise<void>
  #waiting: Waiting<T>[] = []
  #running = false

  constructor(work: (items: readonly T[]) => Promise<void>) {
    this.#work = work
  }

  /** Until its round begins it can be called off. */
  add(item: T, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, signal, resolve, reject })
      if (!this.#running) {
        this.#running = true
        // After the current turn, so that all calls of one Promise.all are in the first round.
        queueMicrotask(() => void this.#rounds())
      }
    })
  }

  async #rounds(): Promise<void> {
    while (this.#waiting.length > 0) {
      const round = this.#waiting.filter(isWanted)
      this.#waiting = []
      if (round.length === 0) break
      try {
        await this.#work(round.map(({ item }) => item))
        for (const { resolve } of round) resolve()
      } catch (error) {
        if (round.length === 1) round[0]?.reject(error)
        else await this.#oneByOne(round)
      }
    }
    this.#running = false
  }

  // Each gets the outcome of its own.
  async #oneByOne(round: readonly Waiting<T>[]): Promise<void> {
    for (const { item, resolve, reject } of round) await this.#work([item]).then(resolve, reject)
  }
}
