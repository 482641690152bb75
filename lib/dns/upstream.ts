// Asking others, from where the host lives. Each question goes out of a socket of its own, from a random port and with a random id, to one
// server; what does not come from there, or is the answer to something else, is not heard. Nothing is remembered, so nothing false either.

import { randomInt } from 'node:crypto'
import type { Socket as DatagramSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Netns } from '../netns/netns.ts'
import { Frames, frame } from './frames.ts'
import { isAnswerTo, isTruncated, largestUdp, type Query, rcodeOf, rcodes, writeForwarded } from './message.ts'
import { formatServer, type ServerAddress } from './options.ts'

/** Each server is asked so often. */
const rounds = 2
const mostTries = 6
/** How long, in milliseconds, a server that did not answer comes behind the others. */
const penance = 10_000

export class Upstream {
  readonly #host: Netns
  readonly #servers: () => Promise<readonly ServerAddress[]>
  readonly #timeout: number
  /** Until when a server comes last. */
  readonly #silent = new Map<string, number>()

  /** `timeout` in milliseconds is for all tries together. */
  constructor(host: Netns, servers: () => Promise<readonly ServerAddress[]>, timeout: number) {
    this.#host = host
    this.#servers = servers
    this.#timeout = timeout
  }

  /**
   * The first useful answer of a server: one after the other is asked, the next when the one before refuses, fails, or has been silent for
   * a while, in which case it is still listened to. undefined when there is none, or when `signal` ends it. `limit` is how many bytes
   * the client takes; more than a datagram is asked for by TCP.
   */
  async ask(query: Query, limit: number, signal: AbortSignal): Promise<Buffer | undefined> {
    const servers = await this.#ordered()
    const tries = Array.from({ length: rounds }, () => servers)
      .flat()
      .slice(0, mostTries)
    if (tries.length === 0) return undefined
    const end = new AbortController()
    const stop = (): void => end.abort(signal.reason)
    signal.addEventListener('abort', stop)
    const patience = Math.ceil(this.#timeout / Math.max(3, tries.length))
    let timer: NodeJS.Timeout | undefined
    const whole = setTimeout(stop, this.#timeout)
    try {
      if (signal.aborted) return undefined
      return await new Promise<Buffer | undefined>((resolve) => {
        let next = 0
        let running = 0
        let refused: Buffer | undefined
        const launch = (): void => {
          const server = tries[next]
          if (server === undefined) return
          next++
          running++
          timer = setTimeout(() => {
            this.#blame(server)
            launch()
          }, patience)
          const failed = (): void => {
            running--
            if (end.signal.aborted) resolve(refused)
            else if (next < tries.length) {
              clearTimeout(timer)
              launch()
            } else if (running === 0) resolve(refused)
          }
          this.#try(server, query, limit, end.signal).then((answer) => {
            if (isUseful(answer)) {
              this.#silent.delete(formatServer(server))
              resolve(answer)
            } else {
              refused ??= answer
              failed()
            }
          }, failed)
        }
        end.signal.addEventListener('abort', () => resolve(refused))
        launch()
      })
    } finally {
      clearTimeout(timer)
      clearTimeout(whole)
      signal.removeEventListener('abort', stop)
      end.abort()
    }
  }

  /** In the order of the file; those that were silent lately come last. */
  async #ordered(): Promise<ServerAddress[]> {
    const now = performance.now()
    const until = (server: ServerAddress): number => {
      const time = this.#silent.get(formatServer(server)) ?? 0
      return time > now ? 1 : 0
    }
    return [...(await this.#servers())].sort((a, b) => until(a) - until(b))
  }

  #blame(server: ServerAddress): void {
    this.#silent.set(formatServer(server), performance.now() + penance)
  }

  async #try(server: ServerAddress, query: Query, limit: number, signal: AbortSignal): Promise<Buffer> {
    const asked = writeForwarded(query, randomInt(0x10000))
    if (limit > largestUdp) return this.#askTcp(server, query, asked, signal)
    const answer = await this.#askUdp(server, query, asked, signal)
    // Without EDNS it surely does not fit.
    if (!isTruncated(answer) || query.edns === undefined) return answer
    const whole = await this.#askTcp(server, query, asked, signal).catch(() => answer)
    // The part that came is better than nothing for a client that does not speak TCP.
    return whole.length <= limit ? whole : answer
  }

  async #askUdp({ family, text, port }: ServerAddress, query: Query, asked: Buffer, signal: AbortSignal): Promise<Buffer> {
    const socket = await this.#host.bindUdp({ address: family === 2 ? '0.0.0.0' : '::' })
    try {
      signal.throwIfAborted()
      // Connected, it hears that server only, and that nobody listens there.
      socket.connect(port, text)
      await once(socket, 'connect', { signal })
      return await new Promise<Buffer>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        socket.on('error', reject)
        socket.on('message', (message) => {
          if (isAnswerTo(asked, query, message)) resolve(message)
        })
        socket.send(asked, (error) => {
          if (error !== null) reject(error)
        })
      })
    } finally {
      close(socket)
    }
  }

  async #askTcp({ text, port }: ServerAddress, query: Query, asked: Buffer, signal: AbortSignal): Promise<Buffer> {
    const socket = await this.#host.connect({ host: text, port, signal })
    try {
      socket.write(frame(asked))
      const frames = new Frames()
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        const answer = frames.push(chunk)?.find((message) => isAnswerTo(asked, query, message))
        if (answer !== undefined) return answer
      }
      throw new Error(`${text} ended the connection without an answer`)
    } finally {
      socket.destroy()
    }
  }
}

const isUseful = (answer: Buffer): boolean => [rcodes.ok, rcodes.absent].some((rcode) => rcode === rcodeOf(answer))

/** What comes late is nobody's error any more. */
function close(socket: DatagramSocket): void {
  socket.removeAllListeners()
  socket.on('error', () => {})
  socket.close()
}
