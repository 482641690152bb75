// A rule while it is being read: what its registers hold, what its matches proved, and the statements found so far.

import type { Body } from '../../native.ts'
import type { Family, Statement } from '../schema.ts'
import { initialKnowledge, type Knowledge, learn, missing, type Need, sameNeeds } from './knowledge.ts'
import type { KnownSet } from './known-set.ts'
import { Inexpressible, Registers } from './registers.ts'

/** A set that a rule looks something up in, with its elements where it has no name. */
export interface FoundSet {
  readonly set: KnownSet
  readonly elements: readonly Body[]
}

export type FindSet = (name: string) => FoundSet | undefined

interface Found {
  readonly statement: Statement
  readonly before: Knowledge
  /** It is a match that the compiler adds by itself where something needs it. */
  readonly proves: Need | undefined
}

export class Reader {
  readonly registers: Registers = new Registers()
  readonly #find: FindSet
  #known: Knowledge
  #found: Found[] = []
  #pushed = 0

  constructor(family: Family, find: FindSet) {
    this.#known = initialKnowledge(family)
    this.#find = find
  }

  get known(): Knowledge {
    return this.#known
  }

  get statements(): Statement[] {
    return this.#found.map(({ statement }) => statement)
  }

  /** Grows with every statement, hidden ones included. */
  get size(): number {
    return this.#pushed
  }

  set(name: string): FoundSet {
    const found = this.#find(name)
    if (found === undefined) throw new Inexpressible()
    return found
  }

  /**
   * Appends a statement. The matches in front of it that exist only for what it `needs` go: precisely those that the compiler would
   * put there again.
   */
  push(statement: Statement, needs: readonly Need[] = [], proves?: Need): void {
    this.#hide(needs)
    this.#pushed++
    this.#found.push({ statement, before: this.#known, proves })
    if (proves !== undefined) this.#known = learn(this.#known, proves)
    this.registers.clear()
  }

  #hide(needs: readonly Need[]): void {
    for (let hidden = Math.min(needs.length, this.#found.length); hidden > 0; hidden--) {
      const tail = this.#found.slice(-hidden)
      const proofs = tail.flatMap(({ proves }) => proves ?? [])
      const before = tail[0]?.before
      if (before === undefined || proofs.length < hidden || !sameNeeds(missing(before, needs), proofs)) continue
      this.#found.splice(-hidden)
      return
    }
  }

  know(change: Partial<Knowledge>): void {
    this.#known = { ...this.#known, ...change }
  }
}
