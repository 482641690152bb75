// One network, made by several at the same moment: it is there once, and all have it.

import * as assert from 'uvu/assert'
import { createNetwork } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { sweep } from './support/sweep.ts'
import { elementsShown, linkShown } from './support/witness.ts'

const test = suite('a network made at the same time')
test.after.each(sweep)

for (const driver of ['bridge', 'ptp'] as const) {
  test(`${driver}: is made once and opened by the others`, async () => {
    const networks = await Promise.all(Array.from({ length: 5 }, () => createNetwork({ name: 'lab', driver })))
    assert.is(new Set(networks.map(({ subnets }) => subnets.join())).size, 1)
    assert.equal((await linkShown('br-lab'))?.altnames, ['netlink-ct/lab'])
    assert.equal((await elementsShown('networks')).length, 1)
    const [first, second] = networks
    assert.ok(first !== undefined && second !== undefined)
    await using _a = await first.attach({ name: 'a', publish: ['8080:80'] })
    await using _b = await second.attach({ name: 'b' })
    assert.equal(
      (await first.endpoints()).map(({ name }) => name),
      ['a', 'b'],
    )
    assert.equal(await first.check(), [])
    await _a.detach()
    await _b.detach()
    await first.delete()
    assert.is(await linkShown('br-lab'), undefined)
  })
}

test('with other options is refused with the difference', async () => {
  const outcomes = await Promise.allSettled([createNetwork({ name: 'lab' }), createNetwork({ name: 'lab', icc: false })])
  const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []))
  assert.is(refusals.length, 1)
  assert.match(refusals[0] as string, /NETWORK_DIFFERS: there is a network 'lab' with icc (true, not false|false, not true)/)
  for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value.delete()
})

test('on a bridge of somebody else’s is refused as ever', async () => {
  await output('ip', ['link', 'add', 'br-lab', 'type', 'bridge'])
  const failure = await failureOf(() => createNetwork({ name: 'lab' }))
  assert.is(failure.code, 'EEXIST')
  await output('ip', ['link', 'delete', 'br-lab'])
})

test.run()
