// The library in another process: node --import tsx other-process.ts NETWORK attach SPEC... | detach NAME... | publish NAME PORT...
// SPEC is JSON. Prints one line of JSON when it is done; what it attached lives until its standard input ends or it is killed, and is
// never detached.

import { once } from 'node:events'
import { type AttachSpec, openNetwork } from '../../../lib/index.ts'

const [, , name = '', verb, ...args] = process.argv
const network = await openNetwork(name)
if (verb === 'attach') {
  const endpoints = await Promise.all(args.map((spec) => network.attach(JSON.parse(spec) as AttachSpec)))
  console.log(JSON.stringify(endpoints))
  process.stdin.resume()
  await once(process.stdin, 'end')
  // As a crash would: nothing is detached, and no warning told.
  process.kill(process.pid, 'SIGKILL')
} else if (verb === 'detach') {
  await Promise.all(args.map((endpoint) => network.detach(endpoint)))
  console.log('[]')
} else if (verb === 'publish') {
  const [endpoint = '', ...ports] = args
  await (await network.endpoint(endpoint)).publish(ports)
  console.log('[]')
}
