// Knocks at ports of the host without a pause, from where it lives: UDP always from the same sockets, so that a connection that conntrack
// remembers would be found again, and TCP. Lines of JSON in: { address, knock: [ports] }, and { rest: port } that ends it: the answer
// is who was heard at which port, and who answers at the port `rest`.

import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'

/** @type {Set<string>} */
const heard = new Set()
/** @type {(() => void)[]} */
let stops = []
/** @type {(() => void)[]} */
let knocks = []
let address = ''

/** @param {number} port @param {(server: string) => void} tell */
function knockTcp(port, tell) {
  const socket = connect({ host: address, port })
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk) => (text += chunk))
  socket.on('error', () => socket.destroy())
  socket.on('close', () => text !== '' && tell(JSON.parse(text).server))
  return socket
}

/** @param {number} port */
function begin(port) {
  const udp = createSocket('udp4')
  udp.on('message', (message) => heard.add(`${JSON.parse(message.toString()).server} at ${port}/udp`))
  udp.on('error', () => {})
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set()
  const knock = () => {
    udp.send('hello', port, address, () => {})
    if (sockets.size >= 8) return
    const socket = knockTcp(port, (server) => heard.add(`${server} at ${port}/tcp`))
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

/** @param {number} port @returns {Promise<string>} */
const answerOf = (port) =>
  new Promise((resolve) => {
    const socket = knockTcp(port, resolve)
    socket.on('close', () => resolve(''))
    socket.setTimeout(5000, () => socket.destroy())
  })

console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  if (command.knock !== undefined) {
    heard.clear()
    address = command.address
    for (const port of command.knock) begin(port)
    for (const knock of knocks) knock()
    console.log('{}')
    continue
  }
  // What is sent last is answered before somebody who is asked after it, twice.
  for (const knock of knocks) knock()
  await pause(4)
  for (const knock of knocks) knock()
  await answerOf(command.rest)
  const rest = await answerOf(command.rest)
  for (const stop of stops) stop()
  stops = []
  knocks = []
  console.log(JSON.stringify({ heard: [...heard].sort(), rest }))
}
process.exit(0)
