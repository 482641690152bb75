// Changes of one thing one after the other, of different things at the same time.

export class Turns<K> {
  readonly #last = new Map<K, Promise<unknown>>()

  /** Runs `work` when everything that came before for `key` is over, however it ended. */
  take<T>(key: K, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve()
    const mine = before.then(work, work)
    this.#last.set(key, mine)
    const forget = (): void => {
      if (this.#last.get(key) === mine) this.#last.delete(key)
    }
    mine.then(forget, forget)
    return mine
  }
}
