// Changes of the table that go by what was read before: bound to the ruleset's generation, and begun anew when somebody was faster.

import { kernel, NetlinkError, TornDumpError } from '../../errors.ts'
import { type Message, type NamespaceHandle, native } from '../../native.ts'
import { generationOf } from './table.ts'

const mostRestarts = 256

/** `read` tells the messages of one transaction; none: nothing is to be done. Whether something was done. ERESTART when others are always faster. */
export async function guarded(
  handle: NamespaceHandle,
  step: string,
  read: () => Promise<readonly Message[]>,
  restarts: number = mostRestarts,
): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    try {
      const generation = await generationOf(handle)
      const messages = await read()
      if (messages.length === 0) return false
      await kernel(
        native.transact(
          handle,
          messages.map((message) => ({ ...message, step })),
          generation,
        ),
      )
      return true
    } catch (error) {
      const isRestart = error instanceof TornDumpError || (error instanceof NetlinkError && error.code === 'ERESTART')
      if (!isRestart || attempt >= restarts) throw error
    }
  }
}
