// The library's own figures.

import { native } from '../native.ts'

export interface Stats {
  /** Netlink sockets that are open: those of requests in the whole process, those of watches in this thread. */
  readonly sockets: number
  /** Operations of this thread that wait for their turn. */
  readonly queued: number
  /** Operations of this thread that the kernel is at work on, or whose promise is about to settle. */
  readonly inFlight: number
  /** Watches of this thread that are open. */
  readonly watchers: number
  /** How often the kernel dropped news for a watch of this thread, since it began. */
  readonly overruns: number
}

/** A snapshot; it asks nobody and waits for nothing. */
export function stats(): Stats {
  const { queued, pending } = native.statistics()
  const { watchers, losses, sockets } = native.listening()
  return { sockets: sockets + watchers, queued, inFlight: pending - queued, watchers, overruns: losses }
}
