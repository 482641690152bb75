// One native watcher, waited for.

import { AbortError } from '../../abort.ts'
import { kernel, NetlinkError } from '../../errors.ts'
import { type NamespaceHandle, native, type Taken, type WatchOptions } from '../../native.ts'

/** From the wish to listen to the end of it, whoever ends it: the consumer, a signal, the namespace. */
export class Subscription {
  #watcher: number | undefined
  #over = false
  #ended = false
  #failure: Error | undefined
  #rung = false
  #ring: (() => void) | undefined
  readonly #cleanups: (() => void)[] = []

  get over(): boolean {
    return this.#over
  }

  /** Whether somebody ended it; else it failed. */
  get ended(): boolean {
    return this.#ended
  }

  /** Throws, once, what it was ended with. */
  check(): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
  }

  /** Runs when it is over; at once when it is already. */
  onEnd(cleanup: () => void): void {
    if (this.#over) cleanup()
    else this.#cleanups.push(cleanup)
  }

  endWith(signal: AbortSignal): void {
    const abort = (): void => this.end(new AbortError(signal))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    this.onEnd(() => signal.removeEventListener('abort', abort))
  }

  async open(handle: NamespaceHandle, options: WatchOptions, persistent: boolean): Promise<void> {
    const opened = await kernel(native.watch(handle, options, () => this.#wake()))
    if (typeof opened !== 'number') throw new NetlinkError(opened)
    if (this.#over) return native.unwatch(opened)
    this.#watcher = opened
    if (!persistent) native.keepAlive(opened, false)
  }

  /** Resolves with what there is, as soon as there is something; with undefined when it is over. */
  async take(): Promise<Taken | undefined> {
    while (!this.#over && this.#watcher !== undefined) {
      this.#rung = false
      const taken = native.take(this.#watcher)
      if (taken.news.length > 0 || taken.lost) return taken
      if (taken.error !== undefined) throw new NetlinkError(taken.error)
      if (this.#rung) continue
      await new Promise<void>((resolve) => {
        this.#ring = resolve
      })
    }
    return undefined
  }

  /** What there is now, which may be nothing. */
  takeNow(): Taken | undefined {
    return this.#over || this.#watcher === undefined ? undefined : native.take(this.#watcher)
  }

  end(failure?: Error): void {
    if (this.#over) return
    this.#ended = true
    this.#failure = failure
    this.close()
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    if (this.#watcher !== undefined) native.unwatch(this.#watcher)
    for (const cleanup of this.#cleanups.splice(0)) cleanup()
    this.#wake()
  }

  #wake(): void {
    this.#rung = true
    this.#ring?.()
    this.#ring = undefined
  }
}
