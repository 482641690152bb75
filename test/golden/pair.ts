// A command of somebody else's tool, and the call of this library that wishes the same: their messages are held against each other.

import type { Netns } from '../../lib/index.ts'
import type { Body } from '../../lib/native.ts'

/** What one of the two sends besides, as in a body. `any`: with whatever value. */
export interface Besides {
  readonly ours?: Body
  readonly theirs?: Body
}

export interface Pair {
  readonly command: string
  /** In the namespaces of world.ts: `ct` is the one that the commands call so. */
  readonly call: (here: Netns, ct: Netns) => Promise<unknown>
  readonly besides: Besides
  /** Commands that make what this one finds. */
  readonly after: readonly string[]
}

export interface Circumstances extends Besides {
  readonly after?: readonly string[]
}

/** The value of a field in `ours` or `theirs` that may be any. */
export const any = 'any value'

export function pair(command: string, call: Pair['call'], { after = [], ...besides }: Circumstances = {}): Pair {
  return { command, call, besides, after }
}
