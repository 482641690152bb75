// A resolver for a network: what its containers are called, answered on the gateways, and everything else asked elsewhere.

import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { warn } from '../diagnostics/warning.ts'
import { fields, integer, invalidType } from '../invalid.ts'
import type { Netns } from '../netns/netns.ts'
import type { Endpoint } from '../network/attach/endpoint.ts'
import { listen } from '../network/attach/news.ts'
import { NetworkError } from '../network/errors.ts'
import { isNetwork } from '../network/known.ts'
import type { Network } from '../network/network.ts'
import type { Link } from '../rtnetlink/link/link.ts'
import { Answers, mostTurns } from './answers.ts'
import { follow } from './follow.ts'
import {
  cut,
  type Query,
  type Reply,
  rcodeOf,
  rcodes,
  readQuery,
  relay,
  udpLimit,
  writeQuestion,
  writeRefusal,
  writeReply,
} from './message.ts'
import { dnsPort, type NetworkDns, parseServer } from './options.ts'
import { HostServers } from './resolv-conf.ts'
import { resolve, type Scope, subnetsOf, whoQuestion } from './resolver.ts'
import { type Answerer, isInUse, type ServerStats, Sockets } from './server.ts'
import { Upstream } from './upstream.ts'
import { Waiting } from './waiting.ts'
import { entryOf, Zone } from './zone.ts'

export interface ServeOptions {
  /** Where the host's servers are read, if the network has none of its own. @defaultValue '/etc/resolv.conf' */
  readonly resolvConf?: string
  /** Milliseconds after which others' servers have not answered, all tries together. @defaultValue 4500, less than clients wait */
  readonly timeout?: number
  /** Milliseconds from one query to the next on a TCP connection. @defaultValue 10000 */
  readonly idle?: number
  /** Queries that wait for others' answers: so many of one container, of too many the oldest is given up. @defaultValue 64 */
  readonly pendingEach?: number
  /** The same, of all. @defaultValue 1024 */
  readonly pending?: number
  /** TCP connections of one container. @defaultValue 32 */
  readonly connectionsEach?: number
  /** The same, of all. @defaultValue 512 */
  readonly connections?: number
  /** Whether the process stays alive for it. @defaultValue true */
  readonly persistent?: boolean
}

export interface DnsStats extends ServerStats {
  /** Those that could not be read. */
  malformed: number
  /** Those that others were asked. */
  forwarded: number
  /** Those to which nobody had an answer. */
  failed: number
  /** Those given up as their sender, or all, had too many waiting. */
  dropped: number
}

const longestTcp = 65_535
/** How long, in milliseconds, whoever has the port may take to say that it is a resolver of ours. */
const longestWho = 1000

interface Limits {
  readonly resolvConf: string
  readonly timeout: number
  readonly idle: number
  readonly pendingEach: number
  readonly pending: number
  readonly connectionsEach: number
  readonly connections: number
  readonly persistent: boolean
}

function checked(options: ServeOptions): Limits {
  const given = fields(options, 'options', [
    ...['resolvConf', 'timeout', 'idle', 'pendingEach', 'pending', 'connectionsEach', 'connections', 'persistent'],
  ])
  const { resolvConf = '/etc/resolv.conf', persistent = true } = given
  if (typeof resolvConf !== 'string') throw invalidType('options.resolvConf', 'a path', resolvConf)
  if (typeof persistent !== 'boolean') throw invalidType('options.persistent', 'a boolean', persistent)
  const number = (key: string, usual: number, most: number): number => integer(given[key] ?? usual, `options.${key}`, 1, most)
  return {
    resolvConf,
    persistent,
    timeout: number('timeout', 4500, 600_000),
    idle: number('idle', 10_000, 600_000),
    pendingEach: number('pendingEach', 64, 65_536),
    pending: number('pending', 1024, 65_536),
    connectionsEach: number('connectionsEach', 32, 65_536),
    connections: number('connections', 512, 65_536),
  }
}

/** Of this process, by the host's inode. */
const resolvers = new Map<bigint, Map<string, DnsServer>>()

/**
 * Serves the names of a network that has `dns`, on its gateways in the host's namespace: resolves when it knows every endpoint that there is and
 * listens. What is attached and detached in this process it knows at once, the rest as soon as the kernel tells. DNS_OFF: the network
 * was made without `dns`. DNS_SERVED: somebody serves it already. It ends with `close`, and when the network is deleted.
 */
export async function serveDns(network: Network, options: ServeOptions = {}): Promise<DnsServer> {
  if (!isNetwork(network)) throw invalidType('network', 'a Network whose containers the host forwards', network)
  const limits = checked(options)
  const { dns, name } = network
  if (dns === undefined) throw new NetworkError('DNS_OFF', `the network '${name}' was made without dns`)
  const server = new DnsServer(network, dns, limits)
  await server.start()
  return server
}

export class DnsServer implements AsyncDisposable {
  /** Name of the network. */
  readonly network: string
  readonly #served: Network
  readonly #host: Netns
  readonly #dns: NetworkDns
  readonly #limits: Limits
  readonly #scope: Scope
  readonly #upstream: Upstream
  readonly #answers = new Answers()
  readonly #waiting: Waiting
  readonly #sockets: Sockets
  readonly #counts = { malformed: 0, forwarded: 0, failed: 0, dropped: 0 }
  readonly #undo: (() => unknown)[] = []
  #port = 0
  #turn = 0
  #closing: Promise<void> | undefined

  /** @internal use serveDns */
  constructor(network: Network, dns: NetworkDns, limits: Limits) {
    this.network = network.name
    this.#served = network
    this.#host = network.host
    this.#dns = dns
    this.#limits = limits
    const { domain, ttl } = dns
    const { name, internal } = network
    const zone = new Zone((keys) => this.#answers.forget(keys.flatMap((key) => this.#shortened(key))))
    this.#scope = { network: name, subnets: subnetsOf(network.subnets), domain, ttl, internal, zone }
    const own = dns.servers.map((one) => parseServer(one, 'the alias'))
    const hosts = new HostServers(limits.resolvConf)
    this.#upstream = new Upstream(
      this.#host,
      async () => (own.length > 0 ? own : this.#withoutOwn(await hosts.servers())),
      limits.timeout,
    )
    this.#waiting = new Waiting({ each: limits.pendingEach, all: limits.pending })
    const { connectionsEach, connections, idle } = limits
    const answerer: Answerer = {
      answers: this.#answers,
      subnets: this.#scope.subnets,
      answer: (message, source, byTcp) => this.#answer(message, source, byTcp),
    }
    this.#sockets = new Sockets(answerer, { connectionsEach, connections, idle })
  }

  /** Where it listens: `['172.18.0.1:53', '[fd00::1]:53']`. Containers ask port 53, and are led there. */
  get addresses(): string[] {
    return this.#served.gateways.map((gateway) =>
      gateway.includes(':') ? `[${gateway}]:${this.#port}` : `${gateway}:${this.#port}`,
    )
  }

  /** What it has done so far. */
  stats(): DnsStats {
    return { ...this.#sockets.stats, ...this.#counts }
  }

  /** @internal */
  async start(): Promise<void> {
    const own = resolvers.get(this.#host.inode) ?? new Map<string, DnsServer>()
    if (own.has(this.network)) throw this.#alreadyServed('this process')
    resolvers.set(this.#host.inode, own.set(this.network, this))
    this.#undo.push(() => own.delete(this.network))
    try {
      this.#undo.push(
        listen(this.#host, this.network, {
          attached: (endpoint) => this.#scope.zone.add(entryOf(endpoint)),
          detached: (endpoint) => this.#scope.zone.remove(endpoint.hostIndex),
          deleted: () => this.close(),
        }),
      )
      const leave = await follow(this.#host, {
        network: this.network,
        bridge: this.#served.bridgeIndex,
        seen: (link) => this.#learn(link),
        gone: (index, isDeleted) => this.#scope.zone.forget(index, isDeleted),
        ended: (reason) => this.#ended(reason),
      })
      this.#undo.push(leave)
      this.#port = await this.#listen()
      if (this.#port !== this.#dns.port) await this.#served.moveDns(this.#port)
    } catch (error) {
      await this.close()
      throw error
    }
  }

  #learn(link: Link): void {
    const endpoint: Endpoint | undefined = this.#served.endpointOn(link)
    if (endpoint !== undefined) this.#scope.zone.learn(entryOf(endpoint, link.peerNetnsid))
  }

  #ended(reason: unknown): void {
    if (reason !== undefined)
      warn({
        source: 'library',
        operation: `serve the names of '${this.network}'`,
        netns: this.#host.inode,
        message: String(reason),
      })
    void this.close()
  }

  #alreadyServed(by: string): NetworkError {
    return new NetworkError('DNS_SERVED', `the names of the network '${this.network}' are served by ${by} already`)
  }

  /** At port 53, unless somebody else has that; then where the resolver before this one was, or where there is room. */
  async #listen(): Promise<number> {
    const { gateways } = this.#served
    for (const port of new Set([dnsPort, this.#dns.port])) {
      try {
        return await this.#sockets.listen(this.#host, gateways, port, this.#limits.persistent)
      } catch (error) {
        if (!isInUse(error)) throw error
        if (await this.#isServedAt(port)) throw this.#alreadyServed('another process')
      }
    }
    return this.#sockets.listen(this.#host, gateways, 0, this.#limits.persistent)
  }

  /** Asks whoever listens there whether it serves this network. */
  async #isServedAt(port: number): Promise<boolean> {
    const [gateway = ''] = this.#served.gateways
    // From the gateway itself: other sources are not answered.
    const socket = await this.#host.bindUdp({ address: gateway })
    try {
      const signal = AbortSignal.timeout(longestWho)
      const answered = once(socket, 'message', { signal })
      socket.send(writeQuestion(whoQuestion, 'TXT', 'CH', randomInt(0x10000)), port, gateway)
      const [answer] = (await answered) as [Buffer]
      // Nobody else has an answer to that.
      return (
        rcodeOf(answer) === rcodes.ok &&
        answer.toString('latin1').endsWith(`${String.fromCharCode(this.network.length)}${this.network}`)
      )
    } catch {
      return false
    } finally {
      socket.close()
    }
  }

  /** The host's resolver may be told to ask here: not once more round. */
  #withoutOwn<T extends { readonly text: string }>(servers: readonly T[]): readonly T[] {
    return servers.filter(({ text }) => !this.#served.gateways.includes(text))
  }

  /** A name as it is found: without the endings under which it is asked, too. */
  #shortened(key: string): string[] {
    const { network, domain } = this.#scope
    const endings = [`.${network.toLowerCase()}`, ...(domain === undefined ? [] : [`.${domain}`])]
    return [key, ...endings.flatMap((ending) => (key.endsWith(ending) ? [key.slice(0, -ending.length)] : []))]
  }

  /** Of the other networks that a container of this one is in and that are served here. */
  #others(source: string): Scope[] {
    const entry = this.#scope.zone.at(source)
    if (entry === undefined) return []
    const all = [...(resolvers.get(this.#host.inode)?.values() ?? [])]
    return all.filter((one) => one !== this && one.#scope.zone.hasContainerOf(entry)).map((one) => one.#scope)
  }

  #answer(message: Buffer, source: string, byTcp: boolean): Buffer | undefined | Promise<Buffer | undefined> {
    const query = readQuery(message)
    if (query === undefined || !('name' in query)) {
      this.#counts.malformed++
      return query && writeRefusal(query)
    }
    const answer = resolve(this.#scope, query, () => this.#others(source))
    if ('forward' in answer) return this.#forward(query, answer.forward, source, byTcp)
    const { reply, key } = answer
    if (reply.rcode === rcodes.failed) this.#counts.failed++
    if (byTcp) return writeReply(query, this.#turned(reply), longestTcp)
    const limit = udpLimit(query)
    const asked = key === undefined ? undefined : Answers.queryOf(message)
    const { answers = [] } = reply
    if (asked === undefined || key === undefined || answers.length > mostTurns)
      return writeReply(query, this.#turned(reply), limit)
    const turns = Array.from({ length: Math.max(1, answers.length) }, (_, at) => writeReply(query, turn(reply, at), limit))
    this.#answers.keep(asked, key, turns)
    return turns[0]
  }

  #turned(reply: Reply): Reply {
    return (reply.answers?.length ?? 0) < 2 ? reply : turn(reply, this.#turn++)
  }

  async #forward(query: Query, { network }: Scope, source: string, byTcp: boolean): Promise<Buffer | undefined> {
    this.#counts.forwarded++
    // Another network's servers, where the container is in one that has any and this has none.
    const asking = resolvers.get(this.#host.inode)?.get(network) ?? this
    const limit = byTcp ? longestTcp : udpLimit(query)
    const waiting = this.#waiting.begin(source)
    try {
      const answer = await asking.#upstream.ask(query, limit, waiting.signal)
      if (waiting.signal.aborted) {
        this.#counts.dropped++
        return undefined
      }
      if (answer === undefined) return this.#failure(query, limit)
      return answer.length > limit ? cut(query, answer) : relay(query, answer)
    } catch (error) {
      // Of the host: no socket to be had, or its namespace closed.
      warn({ source: 'library', operation: 'ask a DNS server', netns: this.#host.inode, message: String(error) })
      return this.#failure(query, limit)
    } finally {
      this.#waiting.end(waiting)
    }
  }

  #failure(query: Query, limit: number): Buffer {
    this.#counts.failed++
    return writeReply(query, { rcode: rcodes.failed, recursive: true, authoritative: false }, limit)
  }

  /** Stops answering; the network keeps its `dns`, and others can serve it. Twice is no error. */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #close(): Promise<void> {
    this.#waiting.giveUpAll()
    await this.#sockets.close()
    for (const undo of this.#undo.splice(0).reverse()) await undo()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** Its answers begin with another one. */
function turn(reply: Reply, at: number): Reply {
  const { answers = [] } = reply
  const first = answers.length === 0 ? 0 : at % answers.length
  return { ...reply, answers: [...answers.slice(first), ...answers.slice(0, first)] }
}
