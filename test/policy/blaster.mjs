// Sends, thousands of times a second, and tells what it hears: node blaster.mjs send ADDRESS PORT | hear PORT | talk ADDRESS PORT.
// send: UDP, each datagram with the instant it was sent, in milliseconds of the machine's monotonic clock, which all processes share.
// hear: listens for those on UDP, and on TCP for what `talk` sends; prints on each line of input { latest, count, tcp }, where `latest` is the
// latest instant at which something that arrived had been sent.
// talk: one TCP connection that writes such instants all the time.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, isIPv6 } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as millisecond } from 'node:timers/promises'

const [, , role = '', ...args] = process.argv
const now = () => Number(process.hrtime.bigint()) / 1e6

let over = false
process.stdin.on('end', () => {
  over = true
  setTimeout(() => process.exit(0), 100).unref()
})

if (role === 'hear') {
  const heard = { latest: 0, count: 0, tcp: 0, tcpLatest: 0 }
  const socket = createSocket('udp6')
  socket.on('message', (message) => {
    heard.count++
    heard.latest = Math.max(heard.latest, message.readDoubleBE(0))
  })
  socket.bind(Number(args[0]), '::')
  const server = createServer((connection) => {
    connection.on('error', () => connection.destroy())
    connection.on('data', (chunk) => {
      heard.tcp += chunk.length
      for (let at = 0; at + 8 <= chunk.length; at += 8) heard.tcpLatest = Math.max(heard.tcpLatest, chunk.readDoubleBE(at))
    })
  }).listen(Number(args[0]), '::')
  await Promise.all([once(socket, 'listening'), once(server, 'listening')])
  console.log('ready')
  for await (const _ of createInterface({ input: process.stdin })) console.log(JSON.stringify(heard))
  process.exit(0)
}

const [address = '', port = ''] = args
process.stdin.resume()
const stamp = () => {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(now())
  return bytes
}
if (role === 'send') {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  socket.on('error', () => {})
  console.log('ready')
  while (!over) {
    for (let burst = 0; burst < 4; burst++) socket.send(stamp(), Number(port), address)
    await millisecond(1)
  }
  process.exit(0)
} else {
  const connection = connect({ host: address, port: Number(port) })
  connection.setNoDelay(true)
  connection.on('error', () => process.exit(0))
  await once(connection, 'connect')
  console.log('ready')
  while (!over) {
    if (connection.writableLength < 65_536) connection.write(stamp())
    await millisecond(1)
  }
  process.exit(0)
}
