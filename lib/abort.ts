// Being called off, in Node's own form. Nothing here listens to a signal: work asks it between its steps, so no listener can be left on it.

import { fields, invalidType } from './invalid.ts'

/** Of verbs that can be called off. */
export interface Abortable {
  /** Rejects with an AbortError once it is aborted: before anything was done, or between two steps, and what was done is undone. */
  readonly signal?: AbortSignal | undefined
}

/** As Node's own operations reject when their signal is aborted: `AbortError`, `ABORT_ERR`, the signal's reason as the cause. */
export class AbortError extends Error {
  override readonly name: string = 'AbortError'
  readonly code: string = 'ABORT_ERR'

  constructor(signal: AbortSignal) {
    super('The operation was aborted', { cause: signal.reason })
  }
}

/** By its shape, as Node does: it may be another realm's. */
export function checkSignal(signal: unknown, path: string): AbortSignal | undefined {
  if (signal === undefined) return undefined
  if (typeof signal !== 'object' || signal === null || !('aborted' in signal)) throw invalidType(path, 'an AbortSignal', signal)
  return signal as AbortSignal
}

/** The signal of an operation that begins; one that is aborted already ends it here. */
export function signalOf(options: { readonly signal?: unknown }, path: string): AbortSignal | undefined {
  const signal = checkSignal(options.signal, `${path}.signal`)
  throwIfAborted(signal)
  return signal
}

/** Of verbs that have no other option. */
export function onlySignal(options: Abortable): AbortSignal | undefined {
  fields(options, 'options', ['signal'])
  return signalOf(options, 'options')
}

/** Between two steps. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortError(signal)
}
