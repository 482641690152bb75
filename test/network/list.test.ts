// listNetworks and openNetwork: what the kernel tells of networks, whoever made them.

import * as assert from 'uvu/assert'
import { createNetns, createNetwork, listNetworks, NetworkError, openNetwork } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { output } from '../support/lab.ts'
import { askProgram } from '../support/program.ts'
import { suite } from '../support/suite.ts'
import { sweep } from './support/sweep.ts'
import { linkShown } from './support/witness.ts'

const test = suite('networks of a host')
test.after.each(sweep)

test('are none at first, and none of other people’s bridges', async () => {
  assert.equal(await listNetworks(), [])
  await output('ip', ['link', 'add', 'br0', 'type', 'bridge'])
  assert.equal(await listNetworks(), [])
})

test('are listed by name with all that they are, in another process as in this one', async () => {
  const made = [
    await createNetwork({ name: 'b', subnets: ['10.2.0.0/24'], gateways: ['10.2.0.9'], icc: false, mtu: 1400 }),
    await createNetwork({ name: 'a', subnets: ['fd00:1::/64', '10.1.0.0/24'], reserved: ['10.1.0.128/25'] }),
    await createNetwork({ name: 'c', subnets: ['10.3.0.0/24'], internal: true }),
    await createNetwork({ name: 'd', driver: 'ptp', subnets: ['10.4.0.0/24'], masquerade: false }),
  ]
  const expected = made.map((network) => network.toJSON()).sort((a, b) => a.name.localeCompare(b.name))
  assert.equal(
    (await listNetworks()).map((network) => network.toJSON()),
    expected,
  )
  assert.equal(await askProgram('console.log(JSON.stringify(await ct.listNetworks()))'), expected)
  assert.equal(await askProgram("console.log(JSON.stringify(await ct.openNetwork('a')))"), expected[0])
})

test('go on handing out addresses behind those that are leased', async () => {
  const lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
  for (const name of ['c1', 'c2', 'c3']) await lab.attach({ name })
  await lab.detach('c1')
  const [found] = await listNetworks()
  const attached = await Promise.all(['c4', 'c5'].map((name) => found?.attach({ name })))
  assert.equal(
    attached.map((endpoint) => endpoint?.addresses[0]),
    ['10.9.0.5/24', '10.9.0.6/24'],
  )
})

test('are those of the namespace that is asked for', async () => {
  await using box = await createNetns()
  await createNetwork({ name: 'inside', subnets: ['10.9.0.0/24'], host: box })
  assert.equal(await listNetworks(), [])
  assert.equal(
    (await listNetworks({ host: box })).map(({ name }) => name),
    ['inside'],
  )
})

test('that lost what they remember are not listed, and not opened, with the reason', async () => {
  await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
  const alias = (await linkShown('br-lab'))?.ifalias ?? ''
  await output('ip', ['link', 'set', 'br-lab', 'alias', 'spoiled'])
  assert.equal(await listNetworks(), [])
  const failure = await failureOf(openNetwork('lab'))
  assert.instance(failure, NetworkError)
  assert.is(
    failure.message,
    'NETWORK_NOT_FOUND: the device br-lab is called netlink-ct/lab, but its alias, which says what the network is, was changed',
  )
  await output('ip', ['link', 'set', 'br-lab', 'alias', alias])
  assert.is((await openNetwork('lab')).name, 'lab')
})

test('are not asked for with unknown options', async () => {
  for (const options of [{ hots: 1 }, { host: 'box' }, null, []])
    assert.instance(await failureOf(listNetworks(options as never)), TypeError)
})

test.run()
