// Calling off at each request to the kernel in turn.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { getEventListeners } from 'node:events'
import * as assert from 'uvu/assert'
import { kernelState } from '../../support/lab.ts'
import { changes } from './changes.ts'

export interface Attempt<T> {
  /** undefined when it was called off. */
  readonly result?: T
  /** How many requests there were until it settled. */
  readonly requests: number
}

/** Aborts when the `nth` request is made. */
export async function abortedAt<T>(nth: number, call: (signal: AbortSignal) => Promise<T>): Promise<Attempt<T>> {
  const controller = new AbortController()
  let requests = 0
  const count = (): void => {
    requests++
    if (requests === nth) controller.abort()
  }
  subscribe('netlink-ct:request:start', count)
  try {
    return { result: await call(controller.signal), requests }
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error
    return { requests }
  } finally {
    unsubscribe('netlink-ct:request:start', count)
    assert.equal(getEventListeners(controller.signal, 'abort'), [])
  }
}

/** At each request in turn. Resolves to how many of them called it off. */
export async function everyStep<T>(
  call: (signal: AbortSignal) => Promise<T>,
  undo: (result: T) => Promise<unknown>,
  state: () => Promise<unknown> = kernelState,
): Promise<number> {
  for (let nth = 1, calledOff = 0; ; nth++) {
    const before = await state()
    const { result, requests } = await abortedAt(nth, call)
    if (result === undefined) calledOff++
    else await undo(result)
    assert.equal(changes(before, await state()), [], `called off at request ${nth}`)
    if (requests < nth) return calledOff
  }
}
