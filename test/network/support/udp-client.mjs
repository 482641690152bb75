// One UDP socket, so one source port, for as long as the process lives: node udp-client.mjs ADDRESS PORT. Each line on the standard
// input is sent as a datagram; the answer, or an empty line when none came within two seconds, is printed.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const [, , address = '', port = ''] = process.argv
const socket = createSocket('udp4')
socket.on('error', () => {})
socket.bind()
await once(socket, 'listening')
for await (const line of createInterface({ input: process.stdin })) {
  const signal = AbortSignal.timeout(2000)
  socket.send(line, Number(port), address)
  const [answer] = await once(socket, 'message', { signal }).catch(() => [''])
  console.log(String(answer))
}
socket.close()
