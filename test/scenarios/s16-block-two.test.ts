// S16: block two containers on the same network. By hand: iptables -I FORWARD -s A -d B -j DROP, and the other way round

import * as assert from 'uvu/assert'
import { type AttachedEndpoint, createNetwork, deletePolicy, deny } from '../../lib/index.ts'
import { ping } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { addressOf, inLab, silence, withBridgeNetfilter } from './support/scenario.ts'

const test = suite('S16: block two containers on the same network')

for (const setting of [0, 1] as const) {
  test(`A and B do not reach each other, both reach C, with bridge-nf-call-iptables=${setting}`, async () => {
    await withBridgeNetfilter(setting, () =>
      inLab(async () => {
        const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'] })
        const [a, b, c] = [
          await network.attach({ name: 'a' }),
          await network.attach({ name: 'b' }),
          await network.attach({ name: 'c' }),
        ]
        const reaches = (from: AttachedEndpoint, to: AttachedEndpoint, within = 5000): Promise<boolean> =>
          ping(addressOf(to), { netns: from.netns, within })
        assert.ok(await reaches(a, b), 'before')
        await deny({ name: 'a-b', from: 'lab/a', to: 'lab/b' })
        await deny({ name: 'b-a', from: 'lab/b', to: 'lab/a' })
        assert.not(await reaches(a, b, silence))
        assert.not(await reaches(b, a, silence))
        for (const [from, to] of [
          [a, c],
          [c, a],
          [b, c],
          [c, b],
        ] as const)
          assert.ok(await reaches(from, to), `${from.name} reaches ${to.name}`)
        for (const name of ['a-b', 'b-a']) await deletePolicy(name)
        assert.ok(await reaches(a, b), 'afterwards')
        await network.delete({ force: true })
      }),
    )
  })
}

test.run()
