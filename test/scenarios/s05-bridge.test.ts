// S5: two containers on a bridge. By hand: ip link add br0 type bridge; ip link set veth0 master br0; ip link set veth1 master br0

import * as assert from 'uvu/assert'
import { createBridge, createNetns, createVethPair, deleteLinks } from '../../lib/index.ts'
import { json, ping } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipAddresses, ipLink, ipRoutes } from '../support/witness.ts'
import { inLab } from './support/scenario.ts'

const test = suite('S5: two containers on a bridge')

test('they reach each other at layer 2, without an address of the host, and their neighbor tables show it', async () => {
  await inLab(async () => {
    await using netns0 = await createNetns()
    await using netns1 = await createNetns()
    await createBridge({ name: 'br0', up: true })
    const pair = (name: string, netns: typeof netns0, peer: string, address: string): Promise<unknown> =>
      createVethPair({ name, master: 'br0', up: true, peer: { netns, name: peer, addresses: [address], up: true } })
    await pair('veth0', netns0, 'ceth0', '172.18.0.10/16')
    await pair('veth1', netns1, 'ceth1', '172.18.0.20/16')

    assert.ok(await ping('172.18.0.20', { netns: netns0 }))
    assert.ok(await ping('172.18.0.10', { netns: netns1 }))
    assert.equal(
      (await ipAddresses(undefined, 'br0')).filter(({ family }) => family === 'inet'),
      [],
    )
    assert.not.ok((await ipRoutes(undefined)).some(({ dst }) => dst === '172.18.0.0/16'))

    const { address: mac } = await ipLink(netns1, 'ceth1')
    const [shown] = await json<{ dst: string; lladdr: string }[]>('ip', ['neigh', 'show', '172.18.0.20'], { netns: netns0 })
    assert.is(shown?.lladdr, mac)
    const neighbor = (await netns0.listNeighbors()).find(({ address }) => address === '172.18.0.20')
    assert.is(neighbor?.mac, mac)
    await deleteLinks(['veth0', 'veth1', 'br0'])
  })
})

test.run()
