// What belongs to nobody is removed, and nothing else, while others attach and detach.

import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { check, createNetwork, gc, type Network, setBandwidth } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { kernelState, output, readSysctl, run, writeSysctl } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { changes } from './support/changes.ts'
import { attachElsewhere } from './support/processes.ts'
import { sweep } from './support/sweep.ts'
import { until } from './support/until.ts'
import { elementsShown, linkShown, linksShown } from './support/witness.ts'

const test = suite('gc')
const table = 'inet netlink-ct'
const nothing = { endpoints: [], elements: [], table: false, leaseTables: [], devices: [], connections: 0, settings: [] }
/** Held, or their namespaces would go with the garbage. */
const held: unknown[] = []

async function createLab(): Promise<Network> {
  const lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
  held.push(lab, await lab.attach({ name: 'web', publish: ['8080:80', '5353:53/udp'] }))
  return lab
}

test.after.each(async () => {
  held.splice(0)
  await sweep()
})

test('removes nothing where nothing is left, not of others either', async () => {
  await output('nft', ['-f', '-'], { input: `table ip theirs { set s { type ipv4_addr; elements = { 10.9.0.9 }; }; }` })
  await output('ip', ['link', 'add', 'br0', 'type', 'bridge'])
  assert.equal(await gc(), { removed: nothing })
  await createLab()
  await output('nft', ['add', 'element', ...table.split(' '), 'published4', '{ 10.9.0.99 }'])
  const before = await kernelState()
  assert.equal(await gc(), { removed: nothing })
  assert.equal(changes(before, await kernelState()), [])
})

test('cleans up after a process that was killed, to exactly what the others have', async () => {
  const lab = await createLab()
  const before = await kernelState()
  const other = await attachElsewhere(
    'lab',
    { name: 'c1', publish: ['8081:80'] },
    { name: 'c2' },
    { name: 'c3', publish: ['8082:80'] },
  )
  const names = other.endpoints.map(({ hostIfname }) => hostIfname)
  await other.kill()
  for (const name of names) await until(`${name} is gone`, async () => (await linkShown(name)) === undefined)
  assert.is((await elementsShown('ports4')).length, 4)
  const { removed } = await gc()
  assert.equal(removed, {
    ...nothing,
    elements: ['ports4: lab/c1', 'ports4: lab/c3', 'published4: lab/c1', 'published4: lab/c3'],
  })
  assert.equal(changes(before, await kernelState()), [])
  assert.equal(
    (await lab.endpoints()).map(({ name }) => name),
    ['web'],
  )
})

test('detaches all but those that are to be kept, in whichever namespaces they are', async () => {
  const lab = await createLab()
  await output('ip', ['netns', 'add', 'box'])
  held.push(await lab.attach({ name: 'boxed', netns: 'box', publish: ['8081:80'] }), await lab.attach({ name: 'quiet' }))
  const more = await createNetwork({ name: 'more', subnets: ['10.8.0.0/24'] })
  held.push(more, await more.attach({ name: 'web', publish: ['8082:80'] }))
  assert.equal((await gc({ keep: ['lab/web', { network: 'lab', name: 'quiet' }] })).removed, {
    ...nothing,
    endpoints: ['lab/boxed', 'more/web'],
  })
  assert.equal(
    (await lab.endpoints()).map(({ name }) => name),
    ['web', 'quiet'],
  )
  assert.equal(await more.endpoints(), [])
  assert.equal(await check(), [])
  assert.equal((await gc({ keep: [] })).removed.endpoints, ['lab/quiet', 'lab/web'])
  assert.equal(await elementsShown('ports4'), [])
  await output('ip', ['netns', 'delete', 'box'])
})

test('removes what a deleted bridge left: host ends, elements, at last the table', async () => {
  await createLab()
  await createNetwork({ name: 'more', subnets: ['10.8.0.0/24'] })
  await output('ip', ['link', 'delete', 'br-lab'])
  const first = (await gc()).removed
  assert.equal(first.endpoints, ['lab/web'])
  assert.ok(first.elements.includes('subnets4: lab') && first.elements.includes('networks: lab'))
  assert.is(first.table, false)
  assert.equal(await elementsShown('subnets4'), ['10.8.0.0/24 comment more'])
  assert.equal(await check(), [])
  await output('ip', ['link', 'delete', 'br-more'])
  assert.is((await gc()).removed.table, true)
  assert.is((await run('nft', ['list', 'ruleset'])).stdout, '')
  assert.equal(
    (await linksShown()).map(({ ifname }) => ifname),
    ['lo'],
  )
})

test('leaves a network that lost its alias or its name, and its containers, alone', async () => {
  await createLab()
  const alias = (await linkShown('br-lab'))?.ifalias ?? ''
  await output('ip', ['link', 'set', 'br-lab', 'alias', 'mine'])
  const before = await kernelState()
  assert.equal(await gc(), { removed: nothing })
  assert.equal(changes(before, await kernelState()), [])
  await output('ip', ['link', 'set', 'br-lab', 'alias', alias])
  assert.equal(await check(), [])
})

test('removes the devices of limits whose containers are gone', async () => {
  const lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
  const web = await lab.attach({ name: 'web' })
  await setBandwidth(web.hostIfname, { ingress: '1mbit' })
  await output('ip', ['link', 'delete', web.hostIfname])
  const { removed } = await gc()
  assert.is(removed.devices.length, 1)
  assert.equal(
    (await linksShown()).filter(({ linkinfo }) => linkinfo?.info_kind === 'ifb'),
    [],
  )
})

test('gives back forwarding of IPv6 and its listeners when the last bridge was deleted by hand', async () => {
  await output('ip', ['link', 'add', 'wan0', 'type', 'veth', 'peer', 'name', 'wan1'])
  await writeSysctl('net.ipv6.conf.wan0.accept_ra', 1)
  await createNetwork({ name: 'lab', subnets: ['fd00:9::/64'] })
  assert.is(await readSysctl('net.ipv6.conf.wan0.accept_ra'), '2')
  await output('ip', ['link', 'delete', 'br-lab'])
  assert.equal((await gc()).removed.settings, ['net.ipv6.conf.all.forwarding'])
  assert.is(await readSysctl('net.ipv6.conf.all.forwarding'), '0')
  assert.is(await readSysctl('net.ipv6.conf.wan0.accept_ra'), '1')
})

test(
  'touches nothing that lives while four processes attach and detach',
  async () => {
    const lab = await createNetwork({ name: 'lab', subnets: ['10.77.0.0/21'] })
    held.push(lab, await lab.attach({ name: 'web', publish: ['8080:80'] }))
    const before = await kernelState()
    const script = join(import.meta.dirname, 'support/churner.ts')
    let running = 4
    const churners = Array.from({ length: running }, async (_, id) => {
      const args = ['--import', 'tsx', script, 'lab', String(id), '5', '20']
      const outcome = await run(process.execPath, args, { limit: 90_000 })
      running--
      return outcome
    })
    let rounds = 0
    const endpoints: string[] = []
    while (running > 0) {
      endpoints.push(...(await gc()).removed.endpoints)
      rounds++
    }
    for (const { code, stdout, stderr } of await Promise.all(churners)) {
      assert.is(code, 0, stderr)
      const { operations, refused } = JSON.parse(stdout.trim().split('\n').pop() ?? '')
      assert.ok(operations > 10, stdout)
      assert.equal(
        Object.keys(refused).filter((text) => text !== 'PORT_IN_USE'),
        [],
      )
    }
    assert.ok(rounds > 3, `${rounds} rounds`)
    // Only those that were being detached anyway.
    assert.equal(
      endpoints.filter((name) => !/^lab\/c\d+-\d+$/.test(name)),
      [],
    )
    await gc()
    assert.equal(await check(), [])
    assert.equal(changes(before, await kernelState()), [])
  },
  { limit: 120_000 },
)

test('refuses what it does not understand', async () => {
  for (const options of [
    { keep: 'lab/web' },
    { keep: ['web'] },
    { keep: ['a/b/c'] },
    { keep: [{ network: 'lab' }] },
    { kep: [] },
    { keep: [1] },
  ])
    assert.instance(await failureOf(gc(options as never)), TypeError, JSON.stringify(options))
})

test.run()
