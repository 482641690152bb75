// Work that costs the same for one and for many: callers that come while a round runs are served together by the next.

export class Gather<T> {
  readonly #work: (items: readonly T[]) => Promise<void>
  #waiting: { readonly item: T; readonly resolve: () => void; readonly reject: (reason: unknown) => void }[] = []
  #running = false

  constructor(work: (items: readonly T[]) => Promise<void>) {
    this.#work = work
  }

  add(item: T): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      if (!this.#running) {
        this.#running = true
        // After the current turn, so that all calls of one Promise.all are in the first round.
        queueMicrotask(() => void this.#rounds())
      }
    })
  }

  async #rounds(): Promise<void> {
    while (this.#waiting.length > 0) {
      const round = this.#waiting
      this.#waiting = []
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
  async #oneByOne(
    round: readonly { readonly item: T; readonly resolve: () => void; readonly reject: (reason: unknown) => void }[],
  ): Promise<void> {
    for (const { item, resolve, reject } of round) await this.#work([item]).then(resolve, reject)
  }
}
