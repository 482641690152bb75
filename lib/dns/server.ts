// The sockets of a resolver: UDP and TCP on each of the network's gateways, in the namespace of the host.

import type { Socket as DatagramSocket, RemoteInfo } from 'node:dgram'
import { createServer, type Server, type Socket } from 'node:net'
import { type Cidr, contains, parseAddress } from '../cidr.ts'
import type { Netns } from '../netns/netns.ts'
import { Answers } from './answers.ts'
import { serveTcpClient } from './tcp-client.ts'

export interface ServerStats {
  /** Queries that came, by UDP and TCP. */
  queries: number
  /** Those from elsewhere than the network's subnets, which get no answer. */
  strangers: number
  /** Answers that could not be sent: whoever asked is gone. */
  unsent: number
  /** Connections that were refused, being too many of one client or in all. */
  refused: number
}

export interface Answerer {
  /** Answered before, in the very same words. */
  readonly answers: Answers
  readonly subnets: readonly Cidr[]
  /** undefined for what deserves no answer. `source` is the address that asks. */
  answer(message: Buffer, source: string, byTcp: boolean): Buffer | undefined | Promise<Buffer | undefined>
}

export interface ServerBounds {
  /** TCP connections of one client, and of all. */
  readonly connectionsEach: number
  readonly connections: number
  /** Milliseconds from one whole query to the next on a connection. */
  readonly idle: number
}

/** Of queries that come while the thread is busy with something else: some thousands, so that none of them has to be asked again. */
const receiveBuffer = 4 * 1024 * 1024

/** Ports tried where another than 53 is looked for: one that is free for UDP, TCP and all gateways. */
const mostPorts = 16

export class Sockets {
  readonly stats: ServerStats = { queries: 0, strangers: 0, unsent: 0, refused: 0 }
  readonly #answerer: Answerer
  readonly #bounds: ServerBounds
  readonly #datagrams: DatagramSocket[] = []
  readonly #servers: Server[] = []
  readonly #connections = new Map<Socket, string>()

  constructor(answerer: Answerer, bounds: ServerBounds) {
    this.#answerer = answerer
    this.#bounds = bounds
  }

  /** Listens on all gateways at one port; with 0 at one that is free. Resolves to the port; rejects with EADDRINUSE, and nothing listens. */
  async listen(host: Netns, gateways: readonly string[], port: number, persistent: boolean): Promise<number> {
    for (let left = mostPorts; ; left--) {
      try {
        return await this.#listenAt(host, gateways, port, persistent)
      } catch (error) {
        await this.close()
        if (port !== 0 || left === 0 || !isInUse(error)) throw error
      }
    }
  }

  async #listenAt(host: Netns, gateways: readonly string[], port: number, persistent: boolean): Promise<number> {
    let chosen = port
    for (const gateway of gateways) {
      const socket = await host.bindUdp({ address: gateway, port: chosen, ipv6Only: true, receiveBuffer })
      this.#datagrams.push(socket)
      chosen = socket.address().port
      const server = createServer({ noDelay: true }, (connection) => this.#welcome(connection))
      this.#servers.push(server)
      await host.listen(server, { host: gateway, port: chosen, ipv6Only: true })
      if (!persistent) {
        socket.unref()
        server.unref()
      }
    }
    // Heard from now on, when everything listens.
    for (const socket of this.#datagrams) this.#serve(socket)
    return chosen
  }

  #serve(socket: DatagramSocket): void {
    const { stats } = this
    const { answers } = this.#answerer
    const send = (answer: Buffer, { port, address }: RemoteInfo): void => {
      socket.send(answer, port, address, (error) => {
        if (error !== null) stats.unsent++
      })
    }
    socket.on('message', (message, from) => {
      stats.queries++
      if (!this.#isOwn(from.address)) {
        stats.strangers++
        return
      }
      const query = Answers.queryOf(message)
      const ready = query === undefined ? undefined : answers.take(query, message)
      const answer = ready ?? this.#answerer.answer(message, from.address, false)
      if (answer instanceof Promise) void answer.then((bytes) => bytes && send(bytes, from))
      else if (answer !== undefined) send(answer, from)
    })
    // Of one datagram that could not be received.
    socket.on('error', () => stats.unsent++)
  }

  /** Only the network's own addresses are answered: nothing is sent elsewhere, whatever a datagram says of where it comes from. */
  #isOwn(text: string): boolean {
    if (text.includes('%')) return false
    const address = parseAddress(text, 'the source')
    return this.#answerer.subnets.some((subnet) => contains(subnet, address))
  }

  #welcome(connection: Socket): void {
    const { remoteAddress: source } = connection
    const own = [...this.#connections.values()].filter((one) => one === source).length
    const isStranger = source === undefined || !this.#isOwn(source)
    if (isStranger) this.stats.strangers++
    if (isStranger || own >= this.#bounds.connectionsEach || this.#connections.size >= this.#bounds.connections) {
      if (!isStranger) this.stats.refused++
      connection.on('error', () => {})
      connection.resetAndDestroy()
      return
    }
    this.#connections.set(connection, source)
    connection.on('close', () => this.#connections.delete(connection))
    serveTcpClient(connection, this.#bounds.idle, (message) => {
      this.stats.queries++
      return this.#answerer.answer(message, source, true)
    })
  }

  async close(): Promise<void> {
    for (const connection of this.#connections.keys()) connection.destroy()
    const closing = [
      ...this.#datagrams.splice(0).map((socket) => new Promise<void>((resolve) => socket.close(resolve))),
      ...this.#servers
        .splice(0)
        .map((server) => new Promise<unknown>((resolve) => (server.listening ? server.close(resolve) : resolve(0)))),
    ]
    await Promise.all(closing)
  }
}

/** Somebody has the port: the kernel says so at bind, or at listen. */
export const isInUse = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
