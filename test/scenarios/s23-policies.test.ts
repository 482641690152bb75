// S23: network policies: allow and deny by container, network, CIDR and port, changed at run time

import * as assert from 'uvu/assert'
import { allow, createNetwork, deletePolicy, deny, isolate, listPolicies } from '../../lib/index.ts'
import { udpClient } from '../network/support/udp-client.ts'
import { suite } from '../support/suite.ts'
import { addressOf, answers, inLab, silence } from './support/scenario.ts'

const test = suite('S23: network policies', { limit: 120_000 })

test('by container, network, CIDR and port, while they run', async () => {
  await inLab(async (lab) => {
    const shop = await createNetwork({ name: 'shop', subnets: ['172.18.0.0/16'] })
    const bank = await createNetwork({ name: 'bank', subnets: ['172.19.0.0/16'] })
    const [web, db, vault] = [
      await shop.attach({ name: 'web' }),
      await shop.attach({ name: 'db' }),
      await bank.attach({ name: 'vault' }),
    ]
    for (const { name, netns } of [web, db, vault]) for (const port of [80, 81]) await lab.serve({ netns, name, http: port })
    await lab.routeFromLan('172.18.0.0/15')
    const from = { web: web.netns, vault: vault.netns, lan: 'lan' } as const
    const asked = { db, web, vault } as const
    const ask = (who: keyof typeof from, whom: keyof typeof asked, port: number, within?: number): Promise<string | undefined> =>
      answers(`http://${addressOf(asked[whom])}:${port}/`, from[who], within)

    assert.is(await ask('web', 'db', 80), 'db')
    await isolate({ name: 'quiet', containers: 'shop' })
    assert.is(await ask('web', 'db', 80, silence), undefined, 'nothing but what is allowed')
    await allow({ name: 'web-db', from: 'shop/web', to: 'shop/db', ports: '80' })
    assert.is(await ask('web', 'db', 80), 'db', 'by container and port')
    assert.is(await ask('web', 'db', 81, silence), undefined)
    assert.is(await ask('vault', 'web', 80, silence), undefined)
    await allow({ name: 'bank-web', from: { network: 'bank' }, to: 'shop/web' })
    assert.is(await ask('vault', 'web', 80), 'web', 'by network')
    await allow({ name: 'lan-web', from: '192.0.2.0/24', to: 'shop/web', ports: '80' })
    assert.is(await ask('lan', 'web', 80), 'web', 'by CIDR')
    assert.is(await ask('lan', 'web', 81, silence), undefined)
    const names = ['bank-web', 'lan-web', 'quiet', 'web-db']
    assert.equal(
      (await listPolicies()).map(({ name }) => name),
      names,
    )
    for (const name of names) await deletePolicy(name)
    assert.is(await ask('web', 'db', 81), 'db', 'as before')
    assert.is(await ask('lan', 'web', 80, silence), undefined)
    for (const network of [shop, bank]) await network.delete({ force: true })
  })
})

test('a deny ends what is under way, until it is removed', async () => {
  await inLab(async (lab) => {
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'] })
    const [web, db] = [await network.attach({ name: 'web' }), await network.attach({ name: 'db' })]
    await lab.serve({ netns: db.netns, name: 'db', udp: 53 })
    await using client = udpClient(addressOf(db), 53, web.netns)
    assert.is(await client.ask(), 'db')
    await deny({ name: 'cut', from: 'lab/web', to: 'lab/db' })
    assert.is(await client.ask(), undefined)
    await deletePolicy('cut')
    assert.is(await client.ask(), 'db')
    await network.delete({ force: true })
  })
})

test.run()
