// S14: NAT seen from outside. By hand: curl api.ipify.org

import * as assert from 'uvu/assert'
import { createNetwork } from '../../lib/index.ts'
import { curl } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { addressOf, inLab } from './support/scenario.ts'

const test = suite('S14: NAT seen from outside')

test('the far server sees the address of the host, whoever asks, and the server beside the container its own', async () => {
  await inLab(async (lab) => {
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'] })
    const [one, other] = [await network.attach({ name: 'one' }), await network.attach({ name: 'other' })]
    const seen = async (url: string, { netns }: typeof one): Promise<string | undefined> =>
      (await curl(url, { netns })).answer?.peer
    for (const container of [one, other]) assert.is(await seen(`http://${lab.internetAddress}/`, container), lab.hostWanAddress)
    assert.is((await curl(`http://${lab.internetAddress}/`)).answer?.peer, lab.hostWanAddress, 'the host itself')
    await using _ = await lab.serve({ netns: other.netns, http: 80 })
    assert.is(await seen(`http://${addressOf(other)}/`, one), addressOf(one), 'within the network')
    await network.delete({ force: true })
  })
})

test.run()
