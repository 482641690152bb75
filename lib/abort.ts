// Being called off, in Node's own form.

/** As Node's own operations reject when their signal is aborted: `AbortError`, `ABORT_ERR`, the signal's reason as the cause. */
export class AbortError extends Error {
  override readonly name: string = 'AbortError'
  readonly code: string = 'ABORT_ERR'

  constructor(signal: AbortSignal) {
    super('The operation was aborted', { cause: signal.reason })
  }
}
