// S6: host and containers, gateway. By hand: ip addr add 172.18.0.1/16 dev br0; ip route add default via 172.18.0.1

import * as assert from 'uvu/assert'
import { addAddress, createBridge, createNetns, createVethPair, deleteLinks } from '../../lib/index.ts'
import { ping } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipRoutes } from '../support/witness.ts'
import { inLab } from './support/scenario.ts'

const test = suite('S6: host and containers, gateway')

test('the host reaches the container, and the container the host at its other addresses', async () => {
  await inLab(async (lab) => {
    await using netns0 = await createNetns()
    await createBridge({ name: 'br0', up: true })
    const peer = { netns: netns0, name: 'ceth0', addresses: ['172.18.0.10/16'], up: true }
    await createVethPair({ name: 'veth0', master: 'br0', up: true, peer })
    assert.not(await ping(lab.hostLanAddress, { netns: netns0, within: 800 }), 'there is no way yet')

    await addAddress('br0', '172.18.0.1/16')
    await netns0.addRoute({ to: 'default', via: '172.18.0.1' })
    assert.is((await ipRoutes(netns0, 'default'))[0]?.gateway, '172.18.0.1')
    assert.ok(await ping('172.18.0.10'), 'the host reaches the container')
    for (const address of ['172.18.0.1', lab.hostLanAddress, lab.hostWanAddress])
      assert.ok(await ping(address, { netns: netns0 }), address)
    await deleteLinks(['veth0', 'br0'])
  })
})

test.run()
