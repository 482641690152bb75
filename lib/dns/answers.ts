// Answers that were given before, ready to be sent again: by the very bytes of the query, without its id.

/** Bytes of all answers and queries of a network. */
const mostBytes = 4 * 1024 * 1024
/** Longer queries have something in them that is new each time. */
const longestQuery = 300
/** More addresses are turned round as the answer is written. */
export const mostTurns = 8

interface Ready {
  readonly key: string
  /** The same answer, its addresses turned round by one each: whoever takes the first one takes another each time. */
  readonly turns: readonly Buffer[]
  next: number
  readonly bytes: number
}

export class Answers {
  readonly #ready = new Map<string, Ready>()
  readonly #byKey = new Map<string, Set<string>>()
  #bytes = 0

  static queryOf(message: Buffer): string | undefined {
    return message.length > longestQuery ? undefined : message.toString('latin1', 2)
  }

  get bytes(): number {
    return this.#bytes
  }

  /** A copy for this client, with its id. */
  take(query: string, message: Buffer): Buffer | undefined {
    const ready = this.#ready.get(query)
    if (ready === undefined) return undefined
    const turn = ready.turns[ready.next]
    if (turn === undefined) return undefined
    ready.next = (ready.next + 1) % ready.turns.length
    // Sent in its own time: the one before may still be on its way.
    const answer = Buffer.from(turn)
    message.copy(answer, 0, 0, 2)
    return answer
  }

  /** `key` is the name or address that the answer is about. */
  keep(query: string, key: string, turns: readonly Buffer[]): void {
    this.#forget(query)
    const bytes = turns.reduce((sum, turn) => sum + turn.length, 2 * query.length)
    // The first turn is being sent.
    this.#ready.set(query, { key, turns, next: 1 % turns.length, bytes })
    this.#bytes += bytes
    const queries = this.#byKey.get(key)
    if (queries === undefined) this.#byKey.set(key, new Set([query]))
    else queries.add(query)
    for (const oldest of this.#ready.keys()) {
      if (this.#bytes <= mostBytes) break
      this.#forget(oldest)
    }
  }

  /** What was said about these names and addresses does not hold any more. */
  forget(keys: readonly string[]): void {
    for (const key of keys) for (const query of this.#byKey.get(key) ?? []) this.#forget(query)
  }

  #forget(query: string): void {
    const ready = this.#ready.get(query)
    if (ready === undefined) return
    this.#ready.delete(query)
    this.#bytes -= ready.bytes
    const queries = this.#byKey.get(ready.key)
    queries?.delete(query)
    if (queries?.size === 0) this.#byKey.delete(ready.key)
  }
}
