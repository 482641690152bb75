// An HTTP server that says who it is and whom it saw: node serve.mjs NAME PORT… Says "ready" when all ports listen. Ends with its
// standard input, so that it cannot outlive the demo.

import { once } from 'node:events'
import { createServer } from 'node:http'

const [name, ...ports] = process.argv.slice(2)
for (const port of ports) {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(`${JSON.stringify({ server: name, port: Number(port), saw: request.socket.remoteAddress })}\n`)
  })
  await once(server.listen(Number(port), '0.0.0.0'), 'listening')
}
console.log('ready')
process.stdin.resume().on('end', () => process.exit(0))
