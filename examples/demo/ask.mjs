// Fetches a URL and prints one line of JSON, the answer or why there is none: node ask.mjs URL MILLISECONDS

import { get } from 'node:http'

const [url = '', limit] = process.argv.slice(2)
const request = get(url, { agent: false, signal: AbortSignal.timeout(Number(limit)) }, async (response) => {
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += chunk
  process.stdout.write(body)
})
request.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
  console.log(JSON.stringify({ error: error.code === 'ABORT_ERR' ? 'no answer' : (error.code ?? error.message) }))
})
