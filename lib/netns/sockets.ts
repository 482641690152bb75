// Ordinary Node sockets that live inside a namespace: born there, and then like any other. A socket belongs to the namespace it
// was made in, whoever uses it.

import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { Server, Socket } from 'node:net'
import { type Abortable, AbortError, signalOf } from '../abort.ts'
import { parseAddress } from '../cidr.ts'
import { kernel } from '../errors.ts'
import { fields, integer, invalidType } from '../invalid.ts'
import { type NamespaceHandle, native } from '../native.ts'

export interface ListenOptions {
  /** An address of the namespace; names are not looked up. @defaultValue '0.0.0.0' */
  readonly host?: string
  /** 0 for any that is free: ask `server.address()`. @defaultValue 0 */
  readonly port?: number
  readonly backlog?: number
  /** `host: '::'` does not take IPv4 too. @defaultValue false */
  readonly ipv6Only?: boolean
}

export interface ConnectOptions extends Abortable {
  /** An address; names are not looked up, as the namespace has no resolver of its own. */
  readonly host: string
  readonly port: number
  /** The local address to come from. */
  readonly localAddress?: string
  readonly localPort?: number
  readonly noDelay?: boolean
}

export interface BindUdpOptions {
  /** @defaultValue '0.0.0.0' */
  readonly address?: string
  /** @defaultValue 0, any that is free */
  readonly port?: number
  /** `address: '::'` does not take IPv4 too. @defaultValue false */
  readonly ipv6Only?: boolean
  /**
   * Bytes that the kernel keeps for who does not read at once, SO_RCVBUFFORCE; where that is not permitted no more than net.core.rmem_max.
   * @defaultValue net.core.rmem_default
   */
  readonly receiveBuffer?: number
}

/** INT_MAX, half of it: the kernel doubles it. */
const largestBuffer = 0x3fffffff

const port = (value: unknown, path: string, lowest = 0): number => (value === undefined ? 0 : integer(value, path, lowest, 65535))

const dual = (ipv6Only: unknown): boolean => {
  if (ipv6Only !== undefined && typeof ipv6Only !== 'boolean') throw invalidType('options.ipv6Only', 'a boolean', ipv6Only)
  return ipv6Only !== true
}

/** `server.listen` inside. Takes any net.Server, so those of http, https, http2 and tls. Resolves when it listens. */
export async function listen<S extends Server>(handle: NamespaceHandle, server: S, options: ListenOptions = {}): Promise<S> {
  fields(options, 'options', ['host', 'port', 'backlog', 'ipv6Only'])
  if (!(server instanceof Server)) throw invalidType('server', 'a net.Server (of http, https, http2, tls, net)', server)
  const { bytes } = parseAddress(options.host ?? '0.0.0.0', 'options.host')
  const request = {
    transport: 'tcp',
    address: bytes,
    port: port(options.port, 'options.port'),
    bound: true,
    dual: dual(options.ipv6Only),
    receiveBuffer: 0,
  } as const
  const backlog = options.backlog === undefined ? undefined : integer(options.backlog, 'options.backlog', 1, 65535)
  const fd = await kernel(native.socket(handle, request))
  // `exclusive`: in a cluster worker the descriptor would go to the primary.
  server.listen({ fd, exclusive: true, ...(backlog === undefined ? {} : { backlog }) })
  await once(server, 'listening')
  return server
}

/** A TCP connection from inside. Resolves when it stands; rejects with Node's own error (ECONNREFUSED, EHOSTUNREACH). */
export async function connect(handle: NamespaceHandle, options: ConnectOptions): Promise<Socket> {
  fields(options, 'options', ['host', 'port', 'localAddress', 'localPort', 'noDelay', 'signal'])
  const remote = parseAddress(options.host, 'options.host')
  const remotePort = port(options.port, 'options.port', 1)
  const local = options.localAddress === undefined ? undefined : parseAddress(options.localAddress, 'options.localAddress')
  const localPort = port(options.localPort, 'options.localPort')
  const signal = signalOf(options, 'options')
  const bound = local !== undefined || localPort > 0
  const address = local?.bytes ?? new Uint8Array(remote.bytes.length)
  const fd = await kernel(
    native.socket(handle, { transport: 'tcp', address, port: localPort, bound, dual: false, receiveBuffer: 0 }),
  )
  if (signal?.aborted) {
    closeSync(fd)
    throw new AbortError(signal)
  }
  // `manualStart`: nothing can be read before it is connected.
  const socket = new Socket({ fd, manualStart: true, ...(signal && { signal }) } as ConstructorParameters<typeof Socket>[0])
  if (options.noDelay !== undefined) socket.setNoDelay(options.noDelay)
  socket.connect({ host: remote.text, port: remotePort })
  await once(socket, 'connect')
  return socket
}

/** A UDP socket bound inside. Resolves when it is. */
export async function bindUdp(handle: NamespaceHandle, options: BindUdpOptions = {}): Promise<DatagramSocket> {
  fields(options, 'options', ['address', 'port', 'ipv6Only', 'receiveBuffer'])
  const { family, bytes } = parseAddress(options.address ?? '0.0.0.0', 'options.address')
  const request = {
    transport: 'udp',
    address: bytes,
    port: port(options.port, 'options.port'),
    bound: true,
    dual: dual(options.ipv6Only),
    receiveBuffer:
      options.receiveBuffer === undefined ? 0 : integer(options.receiveBuffer, 'options.receiveBuffer', 1, largestBuffer),
  } as const
  const fd = await kernel(native.socket(handle, request))
  const socket = createSocket(family === 2 ? 'udp4' : 'udp6')
  const listening = once(socket, 'listening') // before bind: for a descriptor the event comes at once
  socket.bind({ fd, exclusive: true })
  await listening
  return socket
}
