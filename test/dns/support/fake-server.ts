// A DNS server that does as it is told, in any namespace: what others would be, well kept or hostile.

import type { Socket as DatagramSocket } from 'node:dgram'
import { createServer, type Server } from 'node:net'
import * as codec from 'dns-packet'
import type { Netns } from '../../../lib/index.ts'

export interface Asked {
  readonly name: string
  readonly type: string
  readonly id: number
  readonly byTcp: boolean
  readonly query: codec.Packet
  /** Port of whoever asks. */
  readonly port: number
}

/** What is sent, in this order; nothing for silence. */
export type Behaviour = (asked: Asked) => readonly (codec.Packet | Buffer)[]

export interface FakeServer extends AsyncDisposable {
  readonly asked: Asked[]
  behave: Behaviour
}

/** A well-behaved answer: the addresses of a name. */
export function addresses({ name, id, query }: Asked, ...data: readonly string[]): codec.Packet {
  const answers = data.map(
    (address): codec.Answer => ({ name, type: address.includes(':') ? 'AAAA' : 'A', ttl: 60, data: address }),
  )
  return { type: 'response', id, flags: codec.RECURSION_DESIRED | codec.RECURSION_AVAILABLE, questions: query.questions, answers }
}

export const failure = ({ id, query }: Asked, rcode: number): codec.Packet => ({
  type: 'response',
  id,
  flags: codec.RECURSION_AVAILABLE | rcode,
  questions: query.questions,
})

const bytesOf = (answer: codec.Packet | Buffer): Buffer => (Buffer.isBuffer(answer) ? answer : codec.encode(answer))

export async function fakeServer(
  netns: Netns,
  address: string,
  behave: Behaviour,
  { tcp = true, port = 53 } = {},
): Promise<FakeServer> {
  const asked: Asked[] = []
  const server = { asked, behave }
  const hear = (message: Buffer, byTcp: boolean, from: number): Buffer[] => {
    const query = codec.decode(message)
    const [{ name = '', type = 'A' } = {}] = query.questions ?? []
    const one: Asked = { name, type, id: query.id ?? 0, byTcp, query, port: from }
    asked.push(one)
    return server.behave(one).map(bytesOf)
  }
  const socket: DatagramSocket = await netns.bindUdp({ address, port })
  socket.on('message', (message, from) => {
    for (const answer of hear(message, false, from.port)) socket.send(answer, from.port, from.address)
  })
  const listener: Server = createServer((connection) => {
    connection.on('error', () => {})
    connection.on('data', (chunk: Buffer) => {
      for (const answer of hear(chunk.subarray(2), true, connection.remotePort ?? 0)) {
        const length = Buffer.alloc(2)
        length.writeUInt16BE(answer.length)
        // In pieces, as a network may deliver it.
        connection.write(length.subarray(0, 1))
        connection.write(length.subarray(1))
        connection.write(answer)
      }
    })
  })
  if (tcp) await netns.listen(listener, { host: address, port })
  return Object.assign(server, {
    async [Symbol.asyncDispose](): Promise<void> {
      await new Promise<void>((resolve) => socket.close(resolve))
      if (tcp) await new Promise((resolve) => listener.close(resolve))
    },
  })
}
