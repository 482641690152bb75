// S17: a database network. By hand: a bridge of its own, no default route, iptables for app1 → 3306 alone

import * as assert from 'uvu/assert'
import { allow, createNetwork, isolate } from '../../lib/index.ts'
import { ping } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipRoutes } from '../support/witness.ts'
import { addressOf, answers, inLab, silence } from './support/scenario.ts'

const test = suite('S17: a database network')

test('app1 reaches port 3306 of the database, and nobody reaches anything else', async () => {
  await inLab(async (lab) => {
    const network = await createNetwork({ name: 'database', bridge: 'br-db', subnets: ['172.18.0.0/16'], internal: true })
    const [db, app1, app2] = await Promise.all(['db', 'app1', 'app2'].map((name) => network.attach({ name })))
    if (db === undefined || app1 === undefined || app2 === undefined) throw new Error('not attached')
    await isolate({ name: 'nothing', containers: 'database' })
    await allow({ name: 'app1-db', from: 'database/app1', to: 'database/db', ports: '3306' })
    for (const port of [3306, 80]) await lab.serve({ netns: db.netns, name: 'db', http: port })
    await lab.serve({ netns: app1.netns, name: 'app1', http: 3306 })
    const mysql = `http://${addressOf(db)}:3306/`

    assert.is(await answers(mysql, app1.netns), 'db')
    assert.is(await answers(`http://${addressOf(db)}/`, app1.netns, silence), undefined, 'another port')
    assert.is(await answers(mysql, app2.netns, silence), undefined, 'another application')
    assert.is(await answers(`http://${addressOf(app1)}:3306/`, db.netns, silence), undefined, 'the other way round')
    assert.not(await ping(addressOf(db), { netns: app1.netns, within: silence }))

    assert.equal(
      (await ipRoutes(db.netns)).map(({ dst }) => dst),
      ['172.18.0.0/16'],
      'no default route',
    )
    assert.not(await ping(lab.internetAddress, { netns: db.netns, within: silence }))
    await network.delete({ force: true })
  })
})

test.run()
