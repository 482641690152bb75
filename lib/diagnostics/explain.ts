// What an operation sends to the kernel, for people who want to learn or to look for a mistake.

import { invalidType } from '../invalid.ts'
import { recording, type Sent } from './record.ts'

export type Explanation<T> = PromiseSettledResult<T> & {
  /** In order; questions (`RTM_GETLINK`) with the changes. */
  readonly sent: readonly Sent[]
}

/**
 * Runs `work`, and resolves to how it ended and to all that was sent to the kernel on its behalf, in words near to those of `ip`, `tc`, `nft`
 * and `sysctl`. It does what it always does: nothing is left out, nothing is only tried.
 *
 * ```ts
 * const { sent } = await explain(() => network.attach({ name: 'web', publish: ['8080:80'] }))
 * for (const { words, step } of sent) console.log(words, '#', step)
 * ```
 *
 * What others do at the same time is not in it. Detaches that come at the same time are served together: what was sent for all of them is
 * told to the first. A refusal of `work` is no refusal here: it is the `reason`, as of `Promise.allSettled`.
 *
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when `work` is no function.
 */
export async function explain<T>(work: () => PromiseLike<T> | T): Promise<Explanation<T>> {
  if (typeof work !== 'function') throw invalidType('work', 'a function', work)
  const sent: Sent[] = []
  const [outcome] = await Promise.allSettled([recording(sent, work)])
  return { ...outcome, sent }
}
