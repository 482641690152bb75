// Node's own sockets inside namespaces: servers, connections, datagrams.

import { once } from 'node:events'
import { readFileSync, readlinkSync } from 'node:fs'
import { createServer as createHttpServer, get, type IncomingMessage } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import * as assert from 'uvu/assert'
import { createNetns, type Netns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { run } from '../support/lab.ts'
import { suite } from '../support/suite.ts'

const test = suite('sockets inside a namespace')

async function pair(): Promise<{ a: Netns; b: Netns } & AsyncDisposable> {
  const a = await createNetns()
  const b = await createNetns()
  await a.setLink('lo', { up: true })
  await a.createVethPair({
    name: 'e0',
    up: true,
    addresses: ['10.0.0.1/24'],
    peer: { netns: b, name: 'e0', up: true, addresses: ['10.0.0.2/24'] },
  })
  return {
    a,
    b,
    async [Symbol.asyncDispose]() {
      await a.close()
      await b.close()
    },
  }
}

test('an http server inside answers a client inside another namespace', async () => {
  await using town = await pair()
  const server = createHttpServer((request, response) => response.end(`you are ${request.socket.remoteAddress}`))
  await town.a.listen(server, { host: '10.0.0.1', port: 80 })
  assert.equal(server.address(), { address: '10.0.0.1', family: 'IPv4', port: 80 })
  const socket = await town.b.connect({ host: '10.0.0.1', port: 80 })
  const [response] = (await once(get({ createConnection: () => socket, path: '/' }), 'response')) as [IncomingMessage]
  assert.is(await text(response), 'you are 10.0.0.2')
  server.close()
  server.closeAllConnections()
})

test('a program of the namespace reaches the server, one outside does not', async () => {
  await using town = await pair()
  const server = createHttpServer((_, response) => response.end('inside'))
  await town.a.listen(server, { port: 8080 })
  try {
    const ask = ['-s', '-m', '2', 'http://127.0.0.1:8080/']
    assert.is((await run('curl', ask, { netns: town.a })).stdout, 'inside')
    // Refused where the sandbox's loopback is up, unreachable where it is down.
    const outside = await run('curl', ask)
    assert.is.not(outside.code, 0)
    assert.is(outside.stdout, '')
  } finally {
    server.close()
    server.closeAllConnections()
  }
})

test('the main thread and the pool are at home while a server listens inside', async () => {
  await using town = await pair()
  const server = await town.a.listen(createServer(), {})
  assert.ok((server.address() as AddressInfo).port > 0)
  const home = readlinkSync('/proc/self/ns/net')
  readFileSync('/proc/self/stat')
  assert.is(readlinkSync('/proc/thread-self/ns/net'), home)
  server.close()
})

test('refusals are those of Node and of the kernel: ECONNREFUSED, EADDRINUSE, EADDRNOTAVAIL, an abort', async () => {
  await using town = await pair()
  const server = await town.a.listen(createServer(), { port: 81 })
  assert.is((await failureOf(town.b.connect({ host: '10.0.0.1', port: 80 }))).code, 'ECONNREFUSED')
  assert.is((await failureOf(town.a.listen(createServer(), { port: 81 }))).code, 'EADDRINUSE')
  assert.is((await failureOf(town.a.listen(createServer(), { host: '10.0.0.77', port: 1 }))).code, 'EADDRNOTAVAIL')
  assert.is((await failureOf(town.b.connect({ host: '10.0.0.1', port: 81, signal: AbortSignal.abort() }))).name, 'AbortError')
  server.close()
})

test('datagrams pass between two namespaces, and tell where they come from', async () => {
  await using town = await pair()
  const server = await town.a.bindUdp({ port: 53 })
  const client = await town.b.bindUdp({ address: '10.0.0.2', port: 5353 })
  client.send('question', 53, '10.0.0.1')
  const [message, from] = (await once(server, 'message')) as [Buffer, AddressInfo]
  assert.is(String(message), 'question')
  assert.equal([from.address, from.port], ['10.0.0.2', 5353])
  server.close()
  client.close()
})

test('a connection comes from the local address and port that were asked for', async () => {
  await using town = await pair()
  await town.b.addAddress('e0', '10.0.0.3/24')
  const server = await town.a.listen(
    createServer((socket) => socket.end(`${socket.remoteAddress}:${socket.remotePort}`)),
    { port: 80 },
  )
  const socket = await town.b.connect({ host: '10.0.0.1', port: 80, localAddress: '10.0.0.3', localPort: 4000 })
  assert.is(await text(socket), '10.0.0.3:4000')
  server.close()
})

test('bad options are refused by name', async () => {
  await using ns = await createNetns()
  assert.match((await failureOf(ns.listen(createServer(), { prot: 80 } as object))).message, "did you mean 'port'")
  assert.match((await failureOf(ns.listen(createServer(), { host: 'localhost' }))).message, 'options.host')
  assert.match((await failureOf(ns.connect({ host: '10.0.0.1', port: 0 }))).message, 'from 1 to 65535')
  assert.match((await failureOf(ns.bindUdp({ port: 70000 }))).message, 'from 0 to 65535')
})

test.run()
