// What somebody took away of networks on a wire: found, put back, collected.

import * as assert from 'uvu/assert'
import { check, createNetns, createNetwork, type Damage, gc, openNetwork, repair } from '../../../lib/index.ts'
import { createLab, type Lab, output } from '../../support/lab.ts'
import { suite } from '../../support/suite.ts'
import { address, attachSoon, dead, inside, leasesShown, reaches, spec, withNetwork } from '../support/lan.ts'
import { sweep } from '../support/sweep.ts'
import { until } from '../support/until.ts'
import { linkShown } from '../support/witness.ts'

let lab: Lab
const test = suite('the state of a network on a wire')
test.before(async () => {
  lab = await createLab()
})
test.after(async () => {
  await lab[Symbol.asyncDispose]()
  await sweep()
})

const told = (findings: readonly Damage[]): string[] =>
  findings.map(({ kind, what, endpoint = '', repairable }) => `${kind} ${what} ${endpoint}${repairable ? '' : ' !'}`)

test('is as it should be while containers come and go', () =>
  withNetwork({}, async (network) => {
    await network.attach({ name: 'web', labels: { app: 'shop' }, bandwidth: { ingress: '8mbit' } })
    assert.equal(told(await check()), [])
    assert.equal(told(await network.check()), [])
    let isOver = false
    const churn = (async () => {
      while (!isOver) await (await network.attach({ name: 'churn', labels: { a: 'b' } })).detach()
    })()
    for (let round = 0; round < 10; round++) assert.equal(told(await check()), [])
    isOver = true
    await churn
  }))

test('tells a flushed ruleset, and has the leases back by repair', () =>
  withNetwork({}, async (network) => {
    const web = await network.attach({ name: 'web', labels: { app: 'shop' } })
    const before = await output('nft', ['list', 'ruleset'])
    await output('nft', ['flush', 'ruleset'])
    assert.equal(told(await check()), ['table-missing the table inet netlink-ct/wire, or a set of it '])
    assert.equal(told((await repair()).remaining), [])
    assert.is(await output('nft', ['list', 'ruleset']), before)
    await output('nft', ['flush', 'set', 'inet', 'netlink-ct/wire', 'words'])
    assert.equal((await network.endpoint('web')).labels, {})
    await web.detach()
  }))

test('tells parts of leases that are missing, or are nobody’s, and mends them', () =>
  withNetwork({}, async (network) => {
    await network.attach({ name: 'web', addresses: ['192.0.2.10/24'] })
    const before = await output('nft', ['list', 'ruleset'])
    const edit = (input: string): Promise<string> => output('nft', ['-f', '-'], { input })
    await edit(`
      delete element inet netlink-ct/wire addresses4 { 192.0.2.10 }
      add element inet netlink-ct/wire addresses4 { 192.0.2.11 comment "ghost", 192.0.2.12 }
    `)
    assert.equal(told(await check()).sort(), [
      'element-missing an element of addresses4 (web) ',
      'element-orphaned addresses4: ghost ',
    ])
    const { repaired, remaining } = await network.repair()
    assert.equal([repaired.length, told(remaining)], [2, []])
    assert.equal(await leasesShown(), ['192.0.2.10 comment web', '192.0.2.12'], 'what somebody made by hand is his')
    await edit('delete element inet netlink-ct/wire addresses4 { 192.0.2.12 }')
    assert.is(await output('nft', ['list', 'ruleset']), before)
  }))

test('does not list a container that died, tells of its lease, and has it back by repair and by gc', () =>
  withNetwork({}, async (network) => {
    await network.attach({ name: 'alive' })
    for (const collect of [repair, gc]) {
      await dead({ name: 'dead', addresses: ['192.0.2.60/24'] })
      await until('its device is gone', async () => (await network.endpoints()).length === 1)
      const failure = await network.endpoint('dead').catch((error: { code?: string }) => error)
      assert.is((failure as { code?: string }).code, 'ENDPOINT_NOT_FOUND')
      assert.equal(told(await check()), ["element-orphaned the lease of 'dead', which is gone dead"])
      const report = await collect()
      if ('removed' in report) assert.equal(report.removed.endpoints, ['wire/dead'])
      assert.equal(told(await check()), [])
      assert.equal((await leasesShown()).length, 1)
    }
  }))

test('keeps the containers that somebody knows', () =>
  withNetwork({}, async (network) => {
    await network.attachMany([{ name: 'a' }, { name: 'b' }])
    assert.equal((await gc({ keep: ['wire/a'] })).removed.endpoints, ['wire/b'])
    assert.equal(
      (await network.endpoints()).map(({ name }) => name),
      ['a'],
    )
  }))

test('loses its containers with the parent, and goes on when that is back', async () => {
  await output('ip', ['-batch', '-'], { input: 'link add up0 type veth peer name up1\nlink set up0 up\nlink set up1 up' })
  await using box = await createNetns()
  const network = await createNetwork({ ...spec, parent: 'up0' })
  const web = await network.attach({ name: 'web', netns: box, addresses: ['192.0.2.10/24'] })
  await output('ip', ['link', 'set', 'up0', 'down'])
  assert.equal(told(await check()), ['link-down the parent up0 is down  !'])
  await output('ip', ['link', 'set', 'up0', 'name', 'old0'])
  assert.equal(told(await network.check()), ['parent-missing the parent up0  !'])
  assert.equal((await network.endpoints()).length, 1, 'what is there stays')
  await output('ip', ['link', 'delete', 'old0'])
  assert.is(await linkShown('eth0', inside(web)), undefined)
  assert.equal(await network.endpoints(), [])
  await output('ip', ['-batch', '-'], { input: 'link add up0 type veth peer name up1\nlink set up0 up\nlink set up1 up' })
  const again = await network.attach({ name: 'web', netns: box, addresses: ['192.0.2.10/24'] })
  assert.ok(await linkShown('eth0', inside(again)))
  await web.detach()
  assert.ok(await linkShown('eth0', inside(again)), 'the first one’s detach is not the second one’s')
  await output('ip', ['link', 'delete', 'up0'])
  await network.delete()
  assert.is((await output('nft', ['list', 'ruleset'])).trim(), '')
})

test('that lost its device is told of and collected, with its containers', async () => {
  const network = await createNetwork(spec)
  await using box = await createNetns()
  await network.attach({ name: 'web', netns: box })
  await output('ip', ['link', 'delete', 'br-wire'])
  assert.equal(told(await check()), ["network-lost the device of 'wire' is gone; its table of leases is left  !"])
  const { removed } = await gc()
  assert.equal([removed.endpoints, removed.leaseTables], [['wire/web'], ['netlink-ct/wire']])
  assert.is(await linkShown('eth0', { path: box.path }), undefined)
  assert.is((await output('nft', ['list', 'ruleset'])).trim(), '')
  assert.equal(told(await check()), [])
})

test('that lost its device is there again when it is made again, with its containers', async () => {
  const network = await createNetwork(spec)
  const web = await network.attach({ name: 'web' })
  await output('ip', ['link', 'delete', 'br-wire'])
  await createNetwork(spec)
  assert.equal((await (await openNetwork('wire')).endpoint('web')).addresses, web.addresses)
  assert.ok(await reaches(lab.lan, address(web)))
  const other = await attachSoon(network, { name: 'other' }).catch((error: { code: string }) => error.code)
  assert.is(other, 'NETWORK_NOT_FOUND', 'an object of the lost one is no object of the new one')
  await (await openNetwork('wire')).delete({ force: true })
})

test.run()
