// Who wants to know what is sent on its behalf: whatever it awaits, and nobody else.

import { AsyncLocalStorage } from 'node:async_hooks'

/** One message to the kernel, or another request of it. */
export interface Sent {
  /** Inode of the namespace that it was for; absent where there was none yet. */
  readonly netns?: bigint
  /** `RTM_NEWLINK`, `NFT_MSG_NEWSETELEM`; of what is no message `create`, `open`, `setSysctl`, … */
  readonly type: string
  /** Near to what ip(8), tc(8), nft(8) and sysctl(8) would take. */
  readonly words: string
  /** What it is for, where that was said. */
  readonly step?: string
}

const storage = new AsyncLocalStorage<Sent[]>()
let recorders = 0

export const isRecorded = (): boolean => recorders > 0
export const recorded = (): Sent[] | undefined => (recorders === 0 ? undefined : storage.getStore())

/** Runs `work`, whose requests go into `into`. */
export async function recording<T>(into: Sent[], work: () => PromiseLike<T> | T): Promise<T> {
  recorders++
  try {
    return await storage.run(into, async () => await work())
  } finally {
    // Following contexts costs every promise of the process something.
    if (--recorders === 0) storage.disable()
  }
}
