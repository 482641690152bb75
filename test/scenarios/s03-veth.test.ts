// S3: connect container and host by veth. By hand:
//   ip link add veth0 type veth peer name ceth0; ip link set ceth0 netns netns0; ip addr add 172.18.0.11/16 dev veth0; …

import * as assert from 'uvu/assert'
import { createNetns, createVethPair, deleteLink } from '../../lib/index.ts'
import { ping, run } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipLink } from '../support/witness.ts'
import { inLab } from './support/scenario.ts'

const test = suite('S3: connect container and host by veth')

test('they ping each other, and the container reaches nobody else', async () => {
  await inLab(async (lab) => {
    await using netns0 = await createNetns()
    await createVethPair({
      name: 'veth0',
      addresses: ['172.18.0.11/16'],
      up: true,
      peer: { netns: netns0, name: 'ceth0', addresses: ['172.18.0.10/16'], up: true },
    })
    assert.is((await ipLink(undefined, 'veth0')).linkinfo?.info_kind, 'veth')
    assert.ok((await ipLink(netns0, 'ceth0')).flags.includes('UP'))
    assert.ok(await ping('172.18.0.10'), 'the host reaches the container')
    assert.ok(await ping('172.18.0.11', { netns: netns0 }), 'the container reaches the host')
    for (const other of [lab.hostLanAddress, lab.lanAddress, lab.internetAddress]) {
      const { code, stderr } = await run('ping', ['-c', '1', other], { netns: netns0 })
      assert.is.not(code, 0)
      assert.match(stderr, /Network is unreachable/)
    }
    await deleteLink('veth0')
  })
})

test.run()
