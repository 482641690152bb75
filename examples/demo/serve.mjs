// An HTTP server that says who it is and whom it saw: node serve.mjs NAME PORT… The demo hears when all ports listen, over the channel
// between two Node processes, and the server ends with the demo, whatever becomes of that.

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
process.send?.('listening')
process.on('disconnect', () => process.exit(0))
