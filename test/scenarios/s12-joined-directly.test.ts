// S12: two namespaces joined directly, a web server in one. By hand:
//   ip link add veth-front type veth peer name veth-back; ip link set veth-front netns frontend; ip link set veth-back netns backend
//   ip netns exec backend python3 -m http.server

import { once } from 'node:events'
import { createServer } from 'node:http'
import * as assert from 'uvu/assert'
import { createNetns, deleteNetns } from '../../lib/index.ts'
import { curl, kernelState } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipLinks } from '../support/witness.ts'

const test = suite('S12: two namespaces joined directly')

test('a Node.js server that listens in one answers a client in the other, and the host has none of it', async () => {
  const before = await kernelState()
  await using frontend = await createNetns('frontend')
  await using backend = await createNetns('backend')
  await frontend.createVethPair({
    name: 'veth-front',
    addresses: ['172.18.0.10/16'],
    up: true,
    peer: { netns: backend, name: 'veth-back', addresses: ['172.18.0.20/16'], up: true },
  })
  const server = await backend.listen(
    createServer(({ socket }, response) => response.end(`hello, ${socket.remoteAddress}`)),
    { port: 8000 },
  )
  const { body, status } = await curl('http://172.18.0.20:8000/', { netns: 'frontend' })
  assert.equal([status, body], [200, 'hello, 172.18.0.10'])
  assert.is((await curl('http://172.18.0.20:8000/', { within: 800 })).status, 0, 'from the host')
  assert.not.ok((await ipLinks(undefined)).some(({ ifname }) => ifname.startsWith('veth-')))
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
  for (const name of ['frontend', 'backend']) await deleteNetns(name)
  assert.equal(await kernelState(), before)
})

test.run()
