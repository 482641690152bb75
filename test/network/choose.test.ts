// Ports of the host that are left to choice: told by nft and by packets, at attach and later, among threads, processes and the dead.

import { once } from 'node:events'
import { createServer } from 'node:net'
import * as assert from 'uvu/assert'
import { createNetwork, type Network, NetworkError, openNetwork, type Port } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { output, readSysctl, writeSysctl } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { attachElsewhere } from './support/processes.ts'
import { sweep } from './support/sweep.ts'
import { until } from './support/until.ts'
import { elementsShown, linkShown } from './support/witness.ts'

const test = suite('ports left to choice')
const rangeKey = 'net.ipv4.ip_local_port_range'

let lab: Network
let range: string
test.before.each(async () => {
  range = await readSysctl(rangeKey)
  await output('ip', ['link', 'set', 'lo', 'up'])
  lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24', 'fd00:9::/64'] })
})
test.after.each(async () => {
  await lab.delete({ force: true })
  await writeSysctl(rangeKey, range)
  await output('ip', ['link', 'set', 'lo', 'down'])
  await sweep()
})

const numbers = (ports: readonly Port[]): number[] => ports.map(({ hostPort }) => hostPort)

test('is one for local use, the same in both families, told by ports and remembered', async () => {
  await writeSysctl(rangeKey, '40000 40009')
  const web = await lab.attach({ name: 'web', publish: ['80', ':90', '127.0.0.1::53/udp', { containerPort: 70 }] })
  assert.equal(
    web.ports.map(({ protocol, containerPort }) => `${containerPort}/${protocol}`),
    ['80/tcp', '90/tcp', '53/udp', '70/tcp'],
  )
  for (const port of numbers(web.ports)) assert.ok(port >= 40_000 && port <= 40_009, String(port))
  const [http, , dns] = numbers(web.ports)
  assert.ok((await elementsShown('ports4')).includes(`tcp . ${http} comment lab/web : 10.9.0.2 . 80`))
  assert.ok((await elementsShown('ports6')).includes(`tcp . ${http} comment lab/web : fd00:9::2 . 80`))
  assert.equal(await elementsShown('ports4_at'), [`127.0.0.1 . udp . ${dns} comment lab/web : 10.9.0.2 . 53`])
  assert.match((await linkShown(web.hostIfname))?.ifalias ?? '', new RegExp(` ${http}:80( |$)`))
  const found = await (await openNetwork('lab')).endpoint('web')
  const sorted = (ports: readonly Port[]): Port[] => [...ports].sort((a, b) => a.containerPort - b.containerPort)
  assert.equal(sorted(found.ports), sorted(web.ports))
})

test('begins somewhere, and is another one each time', async () => {
  const starts = new Set<number>()
  for (let round = 0; round < 8; round++) {
    const web = await lab.attach({ name: 'web', publish: ['80'] })
    for (const port of numbers(web.ports)) starts.add(port)
    await web.detach()
  }
  assert.ok(starts.size >= 6, [...starts].join(' '))
})

test('steps over what other containers have, on whichever address, until there is none', async () => {
  await writeSysctl(rangeKey, '40000 40003')
  await lab.attach({ name: 'other', publish: ['127.0.0.1:40001:80', '[::]:40002:80', '40003:80/udp'] })
  const web = await lab.attach({ name: 'web' })
  await web.publish(['80', '81'])
  assert.equal(numbers(web.ports).sort(), [40_000, 40_003])
  const failure = await failureOf(() => web.publish('82'))
  assert.instance(failure, NetworkError)
  assert.is(failure.message, 'PORT_IN_USE: none of the ports 40000-40003/tcp of the host is free')
  assert.is(web.ports.length, 2)
  // Of another protocol, and of one family of one address, there are more.
  await web.publish(['82/udp', '[::]::82'])
  assert.equal(numbers(web.ports).slice(3), [40_001])
})

test('of a range is the first that is free; what is there already fulfils the wish', async () => {
  const [a, b] = [await lab.attach({ name: 'a', publish: ['8000-8002:80'] }), await lab.attach({ name: 'b' })]
  await b.publish({ hostPort: [8000, 8002], containerPort: 80 })
  assert.equal([...numbers(a.ports), ...numbers(b.ports)], [8000, 8001])
  await b.publish(['8000-8002:80', '8001:80'])
  assert.equal(numbers(b.ports), [8001, 8002])
  await b.publish(['8000-8002:80', '80'])
  assert.equal(numbers(b.ports), [8001, 8002])
  await b.unpublish('80')
  assert.equal(b.ports, [])
  assert.equal(await elementsShown('ports4'), ['tcp . 8000 comment lab/a : 10.9.0.2 . 80'])
  await b.publish('8000-8002:80')
  assert.equal(numbers(b.ports), [8001])
})

test('is never the port of a process of the host', async () => {
  const server = createServer()
  await once(server.listen(40_000, '0.0.0.0'), 'listening')
  try {
    await writeSysctl(rangeKey, '40000 40001')
    for (let round = 0; round < 4; round++) {
      const web = await lab.attach({ name: 'web', publish: ['80'] })
      assert.equal(numbers(web.ports), [40_001])
      await web.unpublish('80')
      await web.publish('40000-40001:80')
      assert.equal(numbers(web.ports), [40_001])
      await web.detach()
    }
    const failure = await failureOf(() => lab.attach({ name: 'web', publish: ['40000-40000:80'] }))
    assert.match(failure.message, /40000\/tcp cannot be published: a process of the host has it/)
  } finally {
    server.close()
  }
})

test('is free again where its container died', async () => {
  const dead = await attachElsewhere('lab', { name: 'dead', publish: ['8000-8001:80', '8000-8001:81'] })
  await dead.kill()
  const ifname = dead.endpoints[0]?.hostIfname ?? ''
  await until('the device is gone', async () => (await linkShown(ifname)) === undefined)
  const web = await lab.attach({ name: 'web', publish: ['8000-8001:80'], addresses: ['10.9.0.77/24'] })
  assert.equal(numbers(web.ports), [8000])
  assert.ok((await elementsShown('ports4')).includes('tcp . 8000 comment lab/web : 10.9.0.77 . 80'))
})

test('is found by many that choose at the same time', async () => {
  await writeSysctl(rangeKey, '40000 40019')
  const names = Array.from({ length: 20 }, (_, at) => `c${at}`)
  const endpoints = await Promise.all(names.map((name) => lab.attach({ name, publish: ['80'] })))
  const found = endpoints.flatMap((endpoint) => numbers(endpoint.ports)).sort()
  assert.equal(
    found,
    Array.from({ length: 20 }, (_, at) => 40_000 + at),
  )
  assert.is((await elementsShown('ports4')).length, 20)
})

test.run()
