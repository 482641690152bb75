// A process that lives in one place of the city: it says its name to whoever asks on the TCP ports 80 and 81 and UDP port 53, and asks others on
// command. Lines of JSON in: { id, protocol, address, port, within }; out: { id, answer }, where the answer is what the other said.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, isIPv6 } from 'node:net'
import { createInterface } from 'node:readline'

const name = process.argv[2] ?? ''

/** @param {string | undefined} address */
const plain = (address) => address?.replace(/^::ffff:/, '')

const tcp = [80, 81].map((port) => {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.end(JSON.stringify({ server: name, peer: plain(socket.remoteAddress) }))
  })
  return server.listen(port, '::')
})
const udp = createSocket('udp6')
udp.on('message', (_, { address, port }) => {
  udp.send(JSON.stringify({ server: name, peer: plain(address) }), port, address, () => {})
})
udp.bind(53, '::')
await Promise.all([...tcp, udp].map((server) => once(server, 'listening')))

/**
 * @typedef {{ server: string, peer: string }} Answer
 * @typedef {{ id: number, protocol: 'tcp' | 'udp', address: string, port: number, within: number }} Question
 */

/**
 * @param {Question} question
 * @returns {Promise<Answer | undefined>}
 */
const askTcp = ({ address, port, within }) =>
  new Promise((resolve) => {
    const socket = connect({ host: address, port })
    let text = ''
    const finish = () => {
      clearTimeout(limit)
      socket.destroy()
      resolve(text === '' ? undefined : JSON.parse(text))
    }
    const limit = setTimeout(finish, within)
    socket.setEncoding('utf8').on('data', (chunk) => (text += chunk))
    socket.on('end', finish).on('error', finish)
  })

/**
 * @param {Question} question
 * @returns {Promise<Answer | undefined>}
 */
const askUdp = ({ address, port, within }) =>
  new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    const finish = (/** @type {Answer | undefined} */ answer) => {
      clearTimeout(limit)
      socket.close()
      resolve(answer)
    }
    const limit = setTimeout(() => finish(undefined), within)
    socket.once('error', () => finish(undefined))
    // Connected, so that it hears of a refusal and takes an answer from nobody else.
    socket.once('connect', () => socket.send('hello'))
    socket.connect(port, address)
    socket.once('message', (message) => finish(JSON.parse(message.toString())))
  })

console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  /** @type {Question} */
  const question = JSON.parse(line)
  const ask = question.protocol === 'tcp' ? askTcp : askUdp
  void ask(question).then((answer) => console.log(JSON.stringify({ id: question.id, answer })))
}
process.exit(0)
