// A process to be killed: node victim.mjs LIBRARY. It loads the library, and on two lines of its standard input first opens what it needs,
// then does what it is told. It says `loaded`, `open` and `done`, and never ends by itself.

import { createInterface } from 'node:readline'

/** @type {typeof import('../../../lib/index.ts')} */
const { openNetwork } = await import(process.argv[2] ?? '')
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

/** @typedef {import('./victims.ts').Task} Task */
/** @returns {Promise<Task>} */
const next = async () => JSON.parse((await lines.next()).value ?? 'null')

/**
 * @param {import('../../../lib/index.ts').Network} network
 * @param {string} name
 * @param {{ address: string, port: string, netns?: string }} place
 */
async function churn(network, name, { address, port, netns }) {
  for (;;) {
    const endpoint = await network.attach({ name, addresses: [address], publish: [`${port}:80`], ...(netns && { netns }) })
    await endpoint.publish(`${port}:53/udp`)
    await endpoint.unpublish(`${port}:80`)
    await endpoint.detach()
  }
}

/** @param {Task} task */
async function open(task) {
  const network = await openNetwork(task.network)
  const name = 'endpoint' in task ? task.endpoint : undefined
  const endpoint = name === undefined ? undefined : await network.endpoint(name)
  return async () => {
    if (task.verb === 'attach') await network.attach(task.spec)
    else if (task.verb === 'delete') await network.delete({ force: true })
    else if (task.verb === 'detach') await endpoint?.detach()
    else if (task.verb === 'publish') await endpoint?.publish(task.ports)
    else if (task.verb === 'unpublish') await endpoint?.unpublish(task.ports)
    else await Promise.all(task.lanes.map((lane, at) => churn(network, `lane${at}`, lane)))
  }
}

console.log('loaded')
const work = await open(await next())
console.log('open')
await next()
await work()
console.log('done')
process.stdin.resume()
setInterval(() => {}, 2 ** 30)
