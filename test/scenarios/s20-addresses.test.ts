// S20: a network manager gives out addresses. By hand: the NetworkManager class of the tutorial's runtime, in the memory of one process

import * as assert from 'uvu/assert'
import { createNetwork } from '../../lib/index.ts'
import { attachElsewhere } from '../network/support/processes.ts'
import { addressesShown } from '../network/support/witness.ts'
import { failureOf } from '../support/failure.ts'
import { suite } from '../support/suite.ts'
import { inLab } from './support/scenario.ts'

const test = suite('S20: a network manager gives out addresses', { limit: 120_000 })

test('the next free one, the one that was asked for, and an error that says that there is none left', async () => {
  await inLab(async () => {
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/29'] })
    const first = await network.attach({ name: 'first' })
    const fixed = await network.attach({ name: 'fixed', addresses: ['172.18.0.5/29'] })
    const shown = async ({ netns }: typeof first): Promise<string | undefined> =>
      (await addressesShown(netns)).find((line) => line.startsWith('eth0'))
    assert.equal([await shown(first), await shown(fixed)], ['eth0 172.18.0.2/29', 'eth0 172.18.0.5/29'])
    const taken = await failureOf(network.attach({ name: 'other', addresses: ['172.18.0.5/29'] }))
    assert.is(taken.code, 'ADDRESS_IN_USE')
    const rest = await network.attachMany(['third', 'fourth', 'sixth'].map((name) => ({ name })))
    assert.equal(rest.map(({ addresses }) => addresses[0]).sort(), ['172.18.0.3/29', '172.18.0.4/29', '172.18.0.6/29'])
    assert.is((await failureOf(network.attach({ name: 'seventh' }))).code, 'SUBNET_FULL')
    await network.detach('fourth')
    assert.is((await network.attach({ name: 'seventh' })).addresses[0], rest[1]?.addresses[0], 'what was given back')
    await network.delete({ force: true })
  })
})

test('no address twice, with 8 processes at once', async () => {
  await inLab(async () => {
    const network = await createNetwork({ name: 'lab', bridge: 'br0', subnets: ['172.18.0.0/16'] })
    const each = 6
    const processes = await Promise.all(
      Array.from({ length: 8 }, (_, id) =>
        attachElsewhere('lab', ...Array.from({ length: each }, (_, at) => ({ name: `p${id}-${at}` }))),
      ),
    )
    const told = processes.flatMap(({ endpoints }) => endpoints)
    assert.is(new Set(told.flatMap(({ addresses }) => addresses)).size, 8 * each)
    for (const { addresses, netns } of told)
      assert.ok((await addressesShown({ path: netns })).includes(`eth0 ${addresses[0]}`), addresses[0])
    for (const process of processes) await process.kill()
    await network.delete({ force: true })
  })
})

test.run()
