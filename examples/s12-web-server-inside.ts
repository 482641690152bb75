// Two namespaces joined directly, without bridge or host, and a web server of Node.js inside one of them.
//
// A socket belongs to the namespace in which it was made, whoever uses it. So one Node process can serve in one namespace and ask in
// another: Netns.listen and Netns.connect make the socket there, and everything else is ordinary node:http.

import { createServer, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { createNetns, deleteNetns, host, type Netns } from 'netlink-ct'
import { example } from './support.ts'

await example('S12: a web server inside a namespace, and its client in another one', async ({ step, look, expect, after }) => {
  step('Two namespaces.', 'ip netns add frontend; ip netns add backend')
  const make = async (name: string): Promise<Netns> => {
    const netns = await createNetns(name)
    after(async () => {
      await netns.close()
      await deleteNetns(name)
    })
    return netns
  }
  const frontend = await make('frontend')
  const backend = await make('backend')

  step(
    'A cable between them. None of its ends is ever on the host.',
    'ip -n frontend link add veth-front type veth peer name veth-back netns backend',
    'ip -n frontend address add 10.0.0.1/24 dev veth-front; ip -n frontend link set veth-front up',
    'ip -n backend address add 10.0.0.2/24 dev veth-back; ip -n backend link set veth-back up',
  )
  await frontend.createVethPair({
    name: 'veth-front',
    addresses: ['10.0.0.1/24'],
    up: true,
    peer: { netns: backend, name: 'veth-back', addresses: ['10.0.0.2/24'], up: true },
  })
  const links = await look(host, 'ip -brief link')
  expect('the host has no end of it', !links.output.includes('veth-'))

  step('A web server in the backend.', 'ip netns exec backend python3 -m http.server 80')
  const server = createServer((question, answer) => answer.end(`hello ${question.socket.remoteAddress}, from the backend\n`))
  await backend.listen(server, { host: '10.0.0.2', port: 80 })
  after(async () => server.close())

  step('A client in the frontend, also by Node.js.', 'ip netns exec frontend curl http://10.0.0.2/')
  const socket = await frontend.connect({ host: '10.0.0.2', port: 80 })
  const answer = await new Promise<string>((resolve, reject) => {
    const question = request({ path: '/', headers: { host: '10.0.0.2' }, createConnection: () => socket })
    question.on('response', (response) => resolve(text(response))).on('error', reject)
    question.end()
  })
  console.log(`    ${answer.trim()}`)
  expect('the server answers, and saw the frontend', answer === 'hello 10.0.0.1, from the backend\n')

  step('A client that is a process, too, and one on the host, which has no way there.')
  const curl = await look(frontend, 'curl --silent --max-time 10 http://10.0.0.2/')
  expect('curl in the frontend gets the same answer', curl.output === answer.trim())
  const outside = await look(host, 'curl --silent --show-error --max-time 10 http://10.0.0.2/')
  expect('curl on the host does not reach it', outside.code !== 0)
})
