// A client that keeps its source port, so that conntrack takes all that it sends for one connection.

import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type NetnsRef, spawnIn } from '../../support/command.ts'
import type { Answer } from '../../support/server.ts'

export interface UdpClient extends AsyncDisposable {
  /** Sends a datagram; resolves to the name of the server that answered. */
  ask(): Promise<string | undefined>
}

export function udpClient(address: string, port: number, netns?: NetnsRef): UdpClient {
  const script = join(import.meta.dirname, 'udp-client.mjs')
  const child = spawnIn(netns, process.execPath, [script, address, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const gone = once(child, 'close')
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  return {
    async ask() {
      child.stdin?.write('hello\n')
      const { value, done } = await lines.next()
      if (done) throw new Error('the UDP client is gone')
      return value === '' ? undefined : (JSON.parse(value) as Answer).server
    },
    async [Symbol.asyncDispose]() {
      child.stdin?.end()
      await gone
    },
  }
}
