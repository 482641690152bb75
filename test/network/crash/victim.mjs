// A process to be killed: node victim.mjs LIBRARY. It loads the library, and on two lines of its standard input first opens what it needs,
// then does what it is told. It says `loaded`, `open` and `done`, and never ends by itself.

import { createInterface } from 'node:readline'

/** @type {typeof import('../../../lib/index.ts')} */
const library = await import(process.argv[2] ?? '')
const { createNetwork, openNetwork, repair } = library
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

/** @typedef {import('./victims.ts').Task} Task */
/** @returns {Promise<Task>} */
const next = async () => JSON.parse((await lines.next()).value ?? 'null')

/**
 * @param {import('../../../lib/index.ts').Network} network
 * @param {string} name
 * @param {import('./victims.ts').Lane} lane
 */
async function churn(network, name, { addresses, port, netns }) {
  for (;;) {
    const endpoint = await network.attach({ name, addresses, publish: [`${port}:80`], ...(netns && { netns }) })
    await endpoint.publish(`${port}:53/udp`)
    await endpoint.unpublish(`${port}:80`)
    await endpoint.detach()
  }
}

/** @param {Task} task */
async function open(task) {
  if (task.verb === 'create') return () => createNetwork(task.spec)
  if (task.verb === 'repair') return () => repair()
  switch (task.verb) {
    case 'allow':
      return () => library.allow(task.policy)
    case 'deny':
      return () => library.deny(task.policy)
    case 'isolate':
      return () => library.isolate(task.policy)
    case 'applyPolicy':
      return () => library.applyPolicy(task.policy)
    case 'deletePolicy':
      return () => library.deletePolicy(task.policy)
    default:
  }
  const network = await openNetwork(task.network)
  const name = 'endpoint' in task ? task.endpoint : undefined
  const endpoint = name === undefined ? undefined : await network.endpoint(name)
  switch (task.verb) {
    case 'attach':
      return () => network.attach(task.spec)
    case 'attachMany':
      return () => network.attachMany(task.specs)
    case 'detachMany':
      return () => network.detachMany(task.names)
    case 'delete':
      return () => network.delete({ force: true })
    case 'churn':
      return () => Promise.all(task.lanes.map((lane, at) => churn(network, `lane${at}`, lane)))
    case 'leave':
    case 'withdraw': {
      const own = await network.attach(task.spec)
      return () => (task.verb === 'leave' ? own.detach() : own.unpublish(task.spec.publish ?? []))
    }
    case 'detach':
      return () => endpoint?.detach()
    case 'publish':
      return () => endpoint?.publish(task.ports)
    default:
      return () => endpoint?.unpublish(task.ports)
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
