// S22: containers find each other by name. By hand: dnsmasq, or a resolver of one's own, on the gateway

import * as assert from 'uvu/assert'
import { createNetwork, openNetns } from '../../lib/index.ts'
import { dig, noDig } from '../dns/support/dig.ts'
import { addresses, fakeServer } from '../dns/support/fake-server.ts'
import { suite } from '../support/suite.ts'
import { inLab } from './support/scenario.ts'

const test = suite('S22: containers find each other by name')

const at = '@172.18.0.1'

test.skipIf(noDig, 'A, AAAA, PTR and aliases, within the network', async () => {
  await inLab(async () => {
    const network = await createNetwork({
      name: 'lab',
      bridge: 'br0',
      subnets: ['172.18.0.0/16', 'fd00::/64'],
      dns: { domain: 'lab.test' },
    })
    const other = await createNetwork({ name: 'other', subnets: ['172.19.0.0/16'], dns: true })
    const { netns } = await network.attach({ name: 'web' })
    await network.attach({ name: 'db', aliases: ['mysql'] })
    await other.attach({ name: 'stranger' })
    assert.equal((await dig(netns, at, 'db')).data, ['172.18.0.3'])
    assert.equal((await dig(netns, at, 'db', 'AAAA')).data, ['fd00::3'])
    assert.equal((await dig(netns, at, 'mysql')).data, ['172.18.0.3'])
    assert.equal((await dig(netns, at, '-x', '172.18.0.3')).data, ['db.lab.test.'])
    assert.is((await dig(netns, at, 'stranger.lab.test')).status, 'NXDOMAIN', 'of another network')
    await network.detach('db')
    assert.is((await dig(netns, at, 'db.lab.test')).status, 'NXDOMAIN', 'gone with the container')
    for (const one of [network, other]) await one.delete({ force: true })
  })
})

test.skipIf(noDig, 'other names are forwarded, and nothing of them from an internal network', async () => {
  await inLab(async (lab) => {
    await using internet = await openNetns('internet')
    await using upstream = await fakeServer(internet, lab.internetAddress, (asked) => [addresses(asked, '198.51.100.7')], {
      port: 5300,
    })
    const dns = { servers: [`${lab.internetAddress}:5300`] }
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'], dns })
    const inner = await createNetwork({ name: 'inner', subnets: ['172.19.0.0/16'], internal: true, dns: true })
    const [web, db] = [await network.attach({ name: 'web' }), await inner.attach({ name: 'db' })]
    assert.equal((await dig(web.netns, at, 'www.example.org')).data, ['198.51.100.7'])
    assert.equal(
      upstream.asked.map(({ name }) => name.toLowerCase()),
      ['www.example.org'],
    )
    assert.equal((await dig(db.netns, '@172.19.0.1', 'www.example.org')).data, [])
    assert.is(upstream.asked.length, 1)
    for (const one of [network, inner]) await one.delete({ force: true })
  })
})

test.skipIf(noDig, 'an answer that does not fit comes cut by UDP, and whole by TCP', async () => {
  await inLab(async () => {
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'], dns: true })
    const names = Array.from({ length: 40 }, (_, i) => `app${i}`)
    const [first] = await network.attachMany(names.map((name) => ({ name, aliases: ['app'] })))
    if (first === undefined) throw new Error('not attached')
    const cut = await dig(first.netns, at, '+noedns', '+ignore', 'app')
    assert.ok(cut.flags.includes('tc') && !cut.byTcp)
    const whole = await dig(first.netns, at, '+noedns', 'app')
    assert.equal([whole.byTcp, whole.data.length], [true, 40])
    await network.delete({ force: true })
  })
})

test.run()
