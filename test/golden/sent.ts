// What a call of the library sends, without sending it: devices are looked up in the world's table, and the first message that is not
// such a question ends the call.

import { NetlinkError } from '../../lib/errors.ts'
import { type Body, type Message, native, type Outcome } from '../../lib/native.ts'
import { devices } from './world.ts'

const ECANCELED = 125
const stop = { errno: ECANCELED, syscall: 'golden' }

const isStop = (thrown: unknown): boolean =>
  thrown instanceof AggregateError
    ? thrown.errors.every(isStop)
    : thrown instanceof NetlinkError && thrown.code === 'ECANCELED' && thrown.syscall === 'golden'

function lookedUp({ body }: Message): Outcome {
  const found = Object.entries(devices).find(([name, { index }]) => body['name'] === name || body['index'] === index)
  if (found === undefined) return { error: { errno: 19, syscall: 'RTM_GETLINK' }, replies: [] }
  return { replies: [{ ...found[1], name: found[0] }] }
}

/** The submission, without the looks at what it made; or when there was none the last look-up. */
export async function sentBy(call: () => Promise<unknown>): Promise<readonly Message[]> {
  const { submit, dump } = native
  let sent: readonly Message[] = []
  let done = false
  const ended = (messages: readonly Message[]): Promise<never> => {
    if (!done) sent = messages
    done = true
    return Promise.reject(stop)
  }
  native.dump = (_handle, message) => ended([message])
  native.submit = (_handle, messages) => {
    const changes = messages.filter(({ type }) => !type.startsWith('RTM_GET'))
    const questions = messages.filter(({ type }) => type !== 'RTM_GETLINK')
    if (questions.length > 0) return ended(changes.length > 0 ? changes : questions)
    if (!done && messages.length > 0) sent = messages
    return Promise.resolve(messages.map(lookedUp))
  }
  try {
    await call()
  } catch (thrown) {
    if (!isStop(thrown)) throw thrown
  } finally {
    Object.assign(native, { submit, dump })
  }
  return sent
}

/** As the kernel would read it: what our own decoder makes of the bytes. */
export function decoded({ type, bytes }: { readonly type: string; readonly bytes: Uint8Array }): Body {
  return native.decoded(type, bytes)
}

/** The bytes of a message behind the nlmsghdr. */
export function bytesOf(message: Message): Uint8Array {
  const bytes = native.encoded(message)
  if (bytes === undefined) throw new Error(`${message.type} cannot be encoded`)
  return bytes.subarray(16)
}
