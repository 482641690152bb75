// Things done that deserve a word: the kernel's, which it attaches to a success, and the library's own.

import { type Channel, channel } from 'node:diagnostics_channel'
import type { KernelWarning } from '../native.ts'

/** What the channel `netlink-ct:warning` is told. What it is about was done. */
export interface NetlinkWarning {
  readonly source: 'kernel' | 'library'
  /** What was done, in words (`make the bridge br0`), or the type of the message that did it. */
  readonly operation: string
  /** Inode of the namespace it was done in. */
  readonly netns?: bigint
  readonly message: string
  /** The attribute it is about, as in a NetlinkError; absent when it is about none. */
  readonly attribute?: string
}

const warnings: Channel = channel('netlink-ct:warning')

/** Whether anybody listens: a warning that costs something to find need not be looked for otherwise. */
export const isWarned = (): boolean => warnings.hasSubscribers

export function warn(warning: NetlinkWarning): void {
  warnings.publish(warning)
}

/** The kernel's text as a warning about `operation`. */
export function kernelWarning(warning: KernelWarning, operation: string, netns?: bigint): NetlinkWarning {
  const place = netns === undefined ? {} : { netns }
  return { source: 'kernel', operation, ...place, ...warning }
}
