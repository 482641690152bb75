// Many operations in one submission, each with its own outcome.

import * as assert from 'uvu/assert'
import { type Batch, createNetns, type Netns } from '../../lib/index.ts'
import { native } from '../../lib/native.ts'
import { failureOf } from '../support/failure.ts'
import { json, kernelState } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipAddresses, ipLink, ipLinks, ipRoutes } from '../support/witness.ts'

const test = suite('batch')

async function town(): Promise<Netns> {
  const ns = await createNetns()
  await ns.createBridge({ name: 'br0', up: true, addresses: ['10.0.0.1/16'] })
  return ns
}

test('a thousand routes are added in one call, and every one is there', async () => {
  await using ns = await town()
  const result = await ns.batch((batch: Batch) => {
    for (let at = 0; at < 1000; at++) batch.addRoute({ to: `10.${100 + (at >> 8)}.${at & 255}.0/24`, via: '10.0.0.2' })
  })
  assert.ok(result.ok)
  assert.is(result.items.length, 1000)
  assert.is((await ipRoutes(ns)).filter(({ gateway }) => gateway === '10.0.0.2').length, 1000)
})

test('each item has its own outcome, and the first error tells its position', async () => {
  await using ns = await town()
  const result = await ns.batch((batch) =>
    batch
      .addRoute({ to: '10.1.0.0/24', via: '10.0.0.2' })
      .addRoute({ to: '10.2.0.0/24', via: '192.0.2.1' })
      .addRoute({ to: '10.1.0.0/24', via: '10.0.0.2' })
      .addRoute({ to: '10.3.0.0/24', dev: 'nosuch0' })
      .addRoute({ to: '10.4.0.0/24', via: '10.0.0.2' }),
  )
  assert.equal(
    result.items.map(({ status }) => status),
    ['done', 'failed', 'failed', 'failed', 'done'],
  )
  const codes = result.items.map((item) => (item.status === 'failed' ? item.error.code : undefined))
  assert.equal(codes, [undefined, 'ENETUNREACH', 'EEXIST', 'ENODEV', undefined])
  assert.not(result.ok)
  assert.is(result.error?.code, 'ENETUNREACH')
  assert.is(result.error?.index, 1)
  const indexes = result.items.map((item) => (item.status === 'failed' ? item.error.index : undefined))
  assert.equal(indexes, [undefined, 1, 2, 3, undefined])
  assert.equal((await ipRoutes(ns)).map(({ dst }) => dst).sort(), ['10.0.0.0/16', '10.1.0.0/24', '10.4.0.0/24'])
})

test('a link that an item makes is named by later ones', async () => {
  await using ns = await town()
  const result = await ns.batch((batch) =>
    batch
      .createLink({ kind: 'ifb', name: 'i0', mtu: 1300, up: true })
      .addAddress('i0', '10.77.0.1/24')
      .addRoute({ to: '10.78.0.0/16', dev: 'i0' })
      .setLink('i0', { alias: 'made in a batch' }),
  )
  assert.ok(result.ok)
  const [address] = await ipAddresses(ns, 'i0')
  assert.is(address?.local, '10.77.0.1')
  assert.is((await ipLink(ns, 'i0')).ifalias, 'made in a batch')
  assert.ok((await ipRoutes(ns)).some(({ dst, dev }) => dst === '10.78.0.0/16' && dev === 'i0'))
})

test('after a create that finds its name taken, nothing is done to the device that has the name', async () => {
  await using ns = await town()
  const before = await kernelState(ns)
  const result = await ns.batch((batch) =>
    batch
      .createLink({ kind: 'bridge', name: 'br0', up: true, alias: 'not mine' })
      .setLink('br0', { mtu: 1234 })
      .addAddress('br0', '10.99.0.1/24')
      .addRoute({ to: '10.98.0.0/16', dev: 'br0' })
      .deleteLink('br0'),
  )
  assert.is(result.error?.code, 'EEXIST')
  assert.is(result.error?.index, 0)
  assert.equal(
    result.items.map((item) => (item.status === 'skipped' ? item.because : item.status)),
    ['failed', 0, 0, 0, 0],
  )
  assert.equal(await kernelState(ns), before)
})

test('a link that could not be completed is not there, and what was done to it is skipped', async () => {
  await using ns = await town()
  const before = await kernelState(ns)
  const result = await ns.batch((batch) =>
    batch
      .createLink({ kind: 'ifb', name: 'i0', altnames: ['br0'], up: true })
      .addAddress('i0', '10.77.0.1/24')
      .addRoute({ to: '10.78.0.0/16', dev: 'i0' })
      .createLink({ kind: 'ifb', name: 'i1', addresses: ['10.79.0.1/24', '10.79.0.1/24'] })
      .deleteLink('i1'),
  )
  assert.equal(
    result.items.map((item) => (item.status === 'skipped' ? item.because : item.status === 'failed' ? item.error.code : 'done')),
    ['EEXIST', 0, 0, 'EEXIST', 3],
  )
  assert.equal([result.ok, result.error?.index, result.error?.syscall], [false, 0, 'RTM_NEWLINKPROP'])
  assert.equal(await kernelState(ns), before)
})

test('after a create that finds its index taken, nothing is done to the device that has the index', async () => {
  await using ns = await town()
  const { index } = await ns.getLink('br0')
  const before = await kernelState(ns)
  const result = await ns.batch((batch) =>
    batch
      .createLink({ kind: 'ifb', name: 'i0', index, mtu: 1300, alias: 'not mine', up: true, addresses: ['10.77.0.1/24'] })
      .setLink('i0', { up: false })
      .addAddress(index, '10.78.0.1/24')
      .addAddress({ index }, '10.79.0.1/24')
      .createLink({ kind: 'ifb', name: 'i1', index, master: 'nobody' })
      .deleteLink('i1'),
  )
  assert.equal(
    result.items.map((item) => (item.status === 'skipped' ? item.because : item.status === 'failed' ? item.error.code : 'done')),
    ['EEXIST', 0, 0, 0, 'ENODEV', 4],
  )
  assert.equal(await kernelState(ns), before)
})

test('a link with an index of the caller is made, completed and named by it', async () => {
  await using ns = await town()
  const result = await ns.batch((batch) =>
    batch
      .createLink({ kind: 'ifb', name: 'i0', index: 77, alias: 'mine', up: true })
      .addAddress(77, '10.77.0.1/24')
      .setLink('i0', { mtu: 1300 }),
  )
  assert.ok(result.ok)
  const { ifindex, ifalias, mtu } = await ipLink(ns, 'i0')
  assert.equal([ifindex, ifalias, mtu, (await ipAddresses(ns, 'i0'))[0]?.local], [77, 'mine', 1300, '10.77.0.1'])
})

test('a name stands for the device that an earlier item makes, and not for one that a later item makes', async () => {
  await using ns = await town()
  const result = await ns.batch((batch) =>
    batch
      .setLink('br0', { alias: 'the old one' })
      .addAddress('i0', '10.77.0.1/24')
      .createLink({ kind: 'ifb', name: 'i0', master: 'i0' })
      .deleteLink('br0')
      .createLink({ kind: 'bridge', name: 'br0' })
      .setLink('br0', { alias: 'the new one' }),
  )
  const said = result.items.map((item) => (item.status === 'failed' ? item.error.code : item.status))
  assert.equal(said, ['done', 'ENODEV', 'ENODEV', 'done', 'done', 'done'])
  assert.is((await ipLink(ns, 'br0')).ifalias, 'the new one')
})

test('bad arguments are refused when the item is added, and nothing is sent', async () => {
  await using ns = await town()
  const before = await kernelState(ns)
  const error = await failureOf(ns.batch((batch) => batch.createLink({ kind: 'ifb', name: 'i0' }).addAddress('i0', '10.0.0.1')))
  assert.match(error.message, 'prefix length')
  assert.equal(await kernelState(ns), before)
})

test('two hundred links, more than one submission carries, are made and deleted', async () => {
  await using ns = await createNetns()
  const names = Array.from({ length: 200 }, (_, at) => `i${at}`)
  assert.ok((await ns.batch((batch) => names.forEach((name) => void batch.createLink({ kind: 'ifb', name })))).ok)
  assert.is((await ipLinks(ns)).length, 201)
})

test('ends of a flood are appended', async () => {
  await using ns = await createNetns()
  const all = { mac: '00:00:00:00:00:00', link: 'vx' }
  const result = await ns.batch((batch) =>
    batch
      .createLink({ kind: 'vxlan', name: 'vx', id: 5, up: true })
      .appendFdbEntry({ ...all, remote: '192.0.2.1' })
      .appendFdbEntry({ ...all, remote: '192.0.2.2' }),
  )
  assert.ok(result.ok)
  const entries = await json<{ mac: string; dst?: string }[]>('bridge', ['fdb', 'show', 'dev', 'vx'], { netns: ns })
  assert.equal(entries.map(({ dst }) => dst).sort(), ['192.0.2.1', '192.0.2.2'])
})

test('an empty batch is done', async () => {
  await using ns = await createNetns()
  assert.equal(await ns.batch(() => undefined), { items: [], ok: true })
})

test('what the kernel says though it did an item is with the item', async () => {
  await using ns = await town()
  const { submit } = native
  // No operation of a batch is known to be warned about by Linux 6.18: the warning is put into its mouth.
  native.submit = async (handle, messages) => {
    const outcomes = await submit(handle, messages)
    return outcomes.map((outcome, at) => (at === 1 ? { ...outcome, warning: { message: 'but', attribute: 'RTA_DST' } } : outcome))
  }
  try {
    const result = await ns.batch((batch) =>
      batch.addAddress(1, '10.1.0.1/24').addRoute({ to: '10.2.0.0/24', via: '10.0.0.2' }).setLink(1, { mtu: 60000 }),
    )
    assert.ok(result.ok)
    const warning = { source: 'kernel', operation: 'add the route to 10.2.0.0/24', message: 'but', attribute: 'RTA_DST' }
    assert.equal(result.items, [{ status: 'done' }, { status: 'done', warnings: [warning] }, { status: 'done' }])
  } finally {
    native.submit = submit
  }
})

test.run()
