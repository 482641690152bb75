// Questions that wait for others' answers: so many for each who asks and so many in all. Of too many the oldest is given up, for whoever asked
// has waited longest and asks again.

export interface Bounds {
  readonly each: number
  readonly all: number
}

export class Waiting {
  readonly #bounds: Bounds
  readonly #of = new Map<string, Set<AbortController>>()
  readonly #all = new Map<AbortController, string>()

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  get size(): number {
    return this.#all.size
  }

  /** Begins one for `asker`; the signal says that it was given up. */
  begin(asker: string): AbortController {
    const own = this.#of.get(asker) ?? new Set()
    const [ownOldest] = own
    if (ownOldest !== undefined && own.size >= this.#bounds.each) this.#giveUp(ownOldest)
    const [oldest] = this.#all.keys()
    if (oldest !== undefined && this.#all.size >= this.#bounds.all) this.#giveUp(oldest)
    const mine = new AbortController()
    own.add(mine)
    this.#of.set(asker, own)
    this.#all.set(mine, asker)
    return mine
  }

  end(one: AbortController): void {
    const asker = this.#all.get(one)
    if (asker === undefined) return
    this.#all.delete(one)
    const own = this.#of.get(asker)
    own?.delete(one)
    if (own?.size === 0) this.#of.delete(asker)
  }

  giveUpAll(): void {
    for (const one of [...this.#all.keys()]) this.#giveUp(one)
  }

  #giveUp(one: AbortController): void {
    this.end(one)
    one.abort()
  }
}
