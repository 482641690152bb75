// S13: N applications on a bridge, full mesh. By hand: for i in 1 2 3 4 5; do ip netns add app$i; …; done

import * as assert from 'uvu/assert'
import { createNetwork } from '../../lib/index.ts'
import { json, ping } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { addressOf, inLab } from './support/scenario.ts'

const test = suite('S13: N applications on a bridge, full mesh')

test('every pair pings', async () => {
  await inLab(async () => {
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'] })
    const apps = await network.attachMany(Array.from({ length: 5 }, (_, i) => ({ name: `app${i + 1}` })))
    const ports = await json<{ ifname: string; master: string }[]>('ip', ['link', 'show', 'master', 'br0'])
    assert.is(ports.length, 5)
    for (const from of apps) {
      const others = apps.filter((app) => app !== from)
      const reached = await Promise.all(others.map((to) => ping(addressOf(to), { netns: from.netns, within: 10_000 })))
      assert.equal(reached, [true, true, true, true], from.name)
    }
    await network.delete({ force: true })
  })
})

test.run()
