// A network with names and two containers, in a process of its own: node --import tsx resolver.ts NETWORK SUBNETS. Prints one line of JSON when
// it is there, and one for each line that it reads: what the resolver has done. Its end is that of its input.

import { createInterface } from 'node:readline'
import { createNetwork, serveDns } from '../../../lib/index.ts'

const [, , name = '', subnets = ''] = process.argv
const network = await createNetwork({ name, subnets: subnets.split(','), dns: { domain: 'lab.test', serve: false } })
const server = await serveDns(network, { resolvConf: '/nowhere', timeout: 200, idle: 1000 })
const [web, db] = await network.attachMany([
  { name: 'web', aliases: ['both'] },
  { name: 'db', aliases: ['both'] },
])
console.log(JSON.stringify({ web: web?.netns.path, db: db?.netns.path }))
for await (const _ of createInterface({ input: process.stdin })) console.log(JSON.stringify(server.stats()))
await network.delete({ force: true })
