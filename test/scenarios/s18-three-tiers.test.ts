// S18: three tiers. By hand: three bridges, frontend → backend → database, only the frontend has NAT and port 80

import * as assert from 'uvu/assert'
import { allow, createNetwork } from '../../lib/index.ts'
import { type NetnsRef, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { addressOf, answers, inLab, silence } from './support/scenario.ts'

const test = suite('S18: three tiers', { limit: 120_000 })

const tiers = { frontend: '172.18.0.0/16', backend: '172.19.0.0/16', database: '172.20.0.0/16' } as const

/** Who asks, by rows; who is asked, by columns: `port 80` is that of the host. */
const columns = ['frontend', 'backend', 'database', 'internet', 'port 80'] as const
const expected: Readonly<Record<string, readonly boolean[]>> = {
  //         frontend backend database internet port 80
  frontend: [true, true, false, true, true],
  backend: [false, true, true, false, false],
  database: [false, false, true, false, false],
  lan: [false, false, false, false, true],
  internet: [false, false, false, true, true],
  host: [true, true, true, true, true],
}

test('the whole matrix of who reaches whom', async () => {
  await inLab(async (lab) => {
    const frontend = await createNetwork({ name: 'frontend', subnets: [tiers.frontend] })
    const backend = await createNetwork({ name: 'backend', subnets: [tiers.backend], internal: true })
    const database = await createNetwork({ name: 'database', subnets: [tiers.database], internal: true })
    const web = await frontend.attach({ name: 'web', publish: ['80:80'] })
    const api = await backend.attach({ name: 'api', routes: [{ to: tiers.frontend }, { to: tiers.database }] })
    const db = await database.attach({ name: 'db', routes: [{ to: tiers.backend }] })
    await allow({ name: 'web-api', from: 'frontend/web', to: 'backend/api', ports: '80' })
    await allow({ name: 'api-db', from: 'backend/api', to: 'database/db', ports: '80' })

    const containers: Readonly<Record<string, typeof web>> = { frontend: web, backend: api, database: db }
    // Only the firewall is to keep them apart, not that they lack a route.
    for (const { netns, gateways } of [api, db])
      await output('ip', ['route', 'add', 'default', 'via', gateways[0] ?? ''], { netns })
    for (const place of ['lan', 'internet'] as const)
      for (const subnet of Object.values(tiers))
        await output('ip', ['route', 'add', subnet, 'via', place === 'lan' ? lab.hostLanAddress : lab.hostWanAddress], {
          netns: place,
        })
    await output('ip', ['route', 'add', '203.0.113.2', 'via', lab.hostLanAddress], { netns: 'lan' })
    for (const [name, { netns }] of Object.entries(containers)) await lab.serve({ netns, name, http: 80 })

    const urls = [...Object.values(containers).map(addressOf), lab.internetAddress, lab.hostWanAddress]
    const names = ['frontend', 'backend', 'database', 'internet', 'frontend']
    const found: Record<string, boolean[]> = {}
    for (const [from, row] of Object.entries(expected)) {
      const netns: NetnsRef | undefined = containers[from]?.netns ?? (from === 'host' ? undefined : from)
      found[from] = []
      for (const [at, address] of urls.entries())
        found[from].push((await answers(`http://${address}/`, netns, row[at] ? 5000 : silence)) === names[at])
    }
    for (const [from, row] of Object.entries(expected)) assert.equal(found[from], row, `${from} asks ${columns.join(', ')}`)
    for (const network of [frontend, backend, database]) await network.delete({ force: true })
  })
})

test.run()
