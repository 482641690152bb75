// Sends one datagram and prints the answer: node ask-udp.mjs ADDRESS PORT MESSAGE MILLISECONDS. Exit code 1: no answer, 2: refused.

import { createSocket } from 'node:dgram'

const [, , address = '', port = '', message = '', limit = ''] = process.argv
const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
socket.on('error', () => process.exit(2))
socket.on('message', (answer) => {
  console.log(answer.toString())
  socket.close()
  clearTimeout(watchdog)
})
const watchdog = setTimeout(() => process.exit(1), Number(limit))
// Connected, so that an ICMP error comes back as one.
socket.connect(Number(port), address, () => socket.send(message))
