// One client's TCP connection: several queries may be on their way, answers come as they are ready (RFC 7766). Who sends nothing whole for a
// while, or takes no answers, is cut off.

import type { Socket } from 'node:net'
import { Frames, frame } from './frames.ts'

/** Queries are short. */
const longestQuery = 4096
/** Queries of one connection on their way; more are not read meanwhile. */
const mostPending = 64
/** Bytes of answers that a client has not taken. */
const mostUnsent = 128 * 1024

export type Answering = (message: Buffer) => Buffer | undefined | Promise<Buffer | undefined>

export function serveTcpClient(socket: Socket, idle: number, answer: Answering): void {
  const frames = new Frames(longestQuery)
  let pending = 0
  const end = (): void => {
    socket.destroy()
  }
  // From the last whole query: a byte now and then does not count.
  const deadline = setTimeout(end, idle).unref()
  const settle = (): void => {
    const isFull = pending >= mostPending || socket.writableLength > mostUnsent
    if (isFull) socket.pause()
    else if (socket.isPaused()) socket.resume()
  }
  const reply = (bytes: Buffer | undefined): void => {
    pending--
    if (bytes === undefined || socket.destroyed) end()
    else socket.write(frame(bytes))
    settle()
  }
  socket.setNoDelay(true)
  socket.on('data', (chunk: Buffer) => {
    const messages = frames.push(chunk)
    if (messages === undefined) return end()
    if (messages.length > 0) deadline.refresh()
    for (const message of messages) {
      pending++
      const answered = answer(message)
      if (answered instanceof Promise) answered.then(reply, end)
      else reply(answered)
    }
    settle()
  })
  socket.on('drain', settle)
  socket.on('error', end)
  socket.on('close', () => clearTimeout(deadline))
}
