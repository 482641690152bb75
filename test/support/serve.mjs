// Servers that say whom they saw: HTTP, TCP and UDP, on the ports of the JSON object in the first argument. Prints the ports that it
// got as one line of JSON when all of them listen; ends with its standard input, so that it cannot outlive the test.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'

/** @type {{ name?: string, host?: string, http?: number, tcp?: number, udp?: number }} */
const { name = '', host = '0.0.0.0', http, tcp, udp } = JSON.parse(process.argv[2] ?? '{}')

/** @type {Record<string, number>} */
const ports = {}

/** @param {string | undefined} address */
const plain = (address) => address?.replace(/^::ffff:/, '')

if (http !== undefined) {
  const server = createHttpServer((request, response) => {
    const { remoteAddress, remotePort } = request.socket
    response.setHeader('content-type', 'application/json')
    response.end(`${JSON.stringify({ server: name, peer: plain(remoteAddress), port: remotePort, url: request.url })}\n`)
  }).listen(http, host)
  await once(server, 'listening')
  ports['http'] = /** @type {import('node:net').AddressInfo} */ (server.address()).port
}
if (tcp !== undefined) {
  const server = createTcpServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.write(`${JSON.stringify({ server: name, peer: plain(socket.remoteAddress), port: socket.remotePort })}\n`)
    socket.pipe(socket)
  }).listen(tcp, host)
  await once(server, 'listening')
  ports['tcp'] = /** @type {import('node:net').AddressInfo} */ (server.address()).port
}
if (udp !== undefined) {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  socket.on('message', (message, { address, port }) => {
    socket.send(JSON.stringify({ server: name, peer: plain(address), port, message: message.toString() }), port, address)
  })
  socket.bind(udp, host)
  await once(socket, 'listening')
  ports['udp'] = socket.address().port
}
console.log(JSON.stringify(ports))
process.stdin.resume().on('end', () => process.exit(0))
