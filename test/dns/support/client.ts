// Bytes to a resolver and back, from inside a container.

import type { Socket } from 'node:net'
import * as codec from 'dns-packet'
import type { Netns } from '../../../lib/index.ts'

export const query = (name: string, type: codec.RecordType = 'A', id = 7): Buffer =>
  codec.encode({ type: 'query', id, flags: codec.RECURSION_DESIRED, questions: [{ name, type }] })

export const framed = (message: Buffer): Buffer => {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

/** The answer to each of the messages, or undefined for what got none before the answer to a last, proper one came. */
export async function askUdp(netns: Netns, gateway: string, messages: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
  const socket = await netns.bindUdp({ address: gateway.includes(':') ? '::' : '0.0.0.0' })
  const heard: Buffer[] = []
  const next = (): Promise<Buffer> => new Promise((resolve) => socket.once('message', resolve))
  try {
    const answers: (Buffer | undefined)[] = []
    for (const [at, message] of messages.entries()) {
      const last = query('web', 'A', 0xff00 + (at % 0xff))
      const sent = Buffer.from(message)
      heard.length = 0
      socket.send(sent, 53, gateway)
      socket.send(last, 53, gateway)
      for (;;) {
        const answer = await next()
        if (answer.readUInt16BE() === last.readUInt16BE()) break
        heard.push(answer)
      }
      answers.push(heard[0])
    }
    return answers
  } finally {
    await new Promise<void>((resolve) => socket.close(resolve))
  }
}

/** What a connection says until it ends, or until so many messages came. */
export async function messagesOf(connection: Socket, count: number): Promise<Buffer[]> {
  const messages: Buffer[] = []
  let rest = Buffer.alloc(0)
  if (count === 0) return messages
  for await (const chunk of connection as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE()) {
      const length = rest.readUInt16BE()
      messages.push(rest.subarray(2, 2 + length))
      rest = rest.subarray(2 + length)
      if (messages.length === count) return messages
    }
  }
  return messages
}
