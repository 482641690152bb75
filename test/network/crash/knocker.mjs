// Knocks at ports of the host without a pause, from where it lives: UDP always from the same sockets, so that a connection that conntrack
// remembers would be found again, and TCP. Lines of JSON in: { addresses, knock: [ports] }, and { rest: port } that ends it: the answer
// is who was heard at which port, and who answers at the port `rest` of each address.

import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'

/** @type {Set<string>} */
const heard = new Set()
/** @type {(() => void)[]} */
let stops = []
/** @type {(() => void)[]} */
let knocks = []
/** @type {string[]} */
let addresses = []

/** @param {string} host @param {number} port @param {(server: string) => void} tell */
function knockTcp(host, port, tell) {
  const socket = connect({ host, port })
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk) => (text += chunk))
  socket.on('error', () => socket.destroy())
  socket.on('close', () => text !== '' && tell(JSON.parse(text).server))
  return socket
}

/** @param {string} host @param {number} port */
function begin(host, port) {
  const udp = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  udp.on('message', (message) => heard.add(`${JSON.parse(message.toString()).server} at ${host} ${port}/udp`))
  udp.on('error', () => {})
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set()
  const knock = () => {
    udp.send('hello', port, host, () => {})
    if (sockets.size >= 8) return
    const socket = knockTcp(host, port, (server) => heard.add(`${server} at ${host} ${port}/tcp`))
    sockets.add(socket.on('close', () => sockets.delete(socket)))
  }
  const timer = setInterval(knock, 4)
  knocks.push(knock)
  stops.push(() => {
    clearInterval(timer)
    udp.close()
    for (const socket of sockets) socket.destroy()
  })
}

/** @param {string} host @param {number} port @returns {Promise<string>} */
const answerOf = (host, port) =>
  new Promise((resolve) => {
    const socket = knockTcp(host, port, resolve)
    socket.on('close', () => resolve(''))
    socket.setTimeout(5000, () => socket.destroy())
  })

/** @param {number} port */
const answersOf = (port) => Promise.all(addresses.map((host) => answerOf(host, port)))

console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  if (command.knock !== undefined) {
    heard.clear()
    addresses = command.addresses
    for (const host of addresses) for (const port of command.knock) begin(host, port)
    for (const knock of knocks) knock()
    console.log('{}')
    continue
  }
  // What is sent last is answered before somebody who is asked after it, twice.
  for (const knock of knocks) knock()
  await pause(4)
  for (const knock of knocks) knock()
  await answersOf(command.rest)
  const rest = await answersOf(command.rest)
  for (const stop of stops) stop()
  stops = []
  knocks = []
  console.log(JSON.stringify({ heard: [...heard].sort(), rest }))
}
process.exit(0)
