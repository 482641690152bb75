// Moving devices between namespaces, with ip(8) as the witness.

import * as assert from 'uvu/assert'
import { createNetns, type Netns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { kernelState, output, ping } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipAddresses, ipLink, ipLinks } from '../support/witness.ts'

const test = suite('moving links')

const names = async (ns: Netns): Promise<string[]> => (await ipLinks(ns)).map(({ ifname }) => ifname)

/** The pair a–b, a with an index that is free everywhere. */
async function town(): Promise<Netns> {
  const ns = await createNetns()
  const batch = 'link add name a index 777 type veth peer name b\nlink set dev a up\naddress add 192.0.2.1/24 dev a'
  await output('ip', ['-batch', '-'], { netns: ns, input: batch })
  return ns
}

test('a device moves with its new name and all other changes in one message', async () => {
  await using ns = await town()
  await using there = await createNetns()
  await there.createBridge({ name: 'br0' })
  await there.createLink({ kind: 'ifb', name: 'other' })
  await using watch = ns.watch({ links: true })
  const events = watch[Symbol.asyncIterator]()
  for (let { value } = await events.next(); value?.type !== 'synced'; { value } = await events.next());
  const link = await ns.setLink('a', {
    ...{ netns: there, name: 'eth0', newIndex: 999, mtu: 1300, master: 'br0', up: true, alias: 'moved', txqlen: 5 },
    ...{ mac: '02:00:00:00:00:77', addAltnames: ['another-name'], group: 4 },
  })
  const seen = await ipLink(there, 'eth0')
  assert.equal([seen.ifindex, seen.mtu, seen.master, seen.ifalias], [999, 1300, 'br0', 'moved'])
  assert.equal([seen.txqlen, seen.address, seen.altnames, seen.group], [5, '02:00:00:00:00:77', ['another-name'], '4'])
  assert.ok(seen.flags.includes('UP'))
  assert.equal(link, await there.getLink('eth0'))
  assert.equal(await names(ns), ['lo', 'b'])
  assert.equal(
    (await ipAddresses(there, 'eth0')).filter(({ scope }) => scope === 'global'),
    [],
  )
  const seenByWatch: unknown[] = []
  for (let { value } = await events.next(); ; { value } = await events.next()) {
    if (value?.type !== 'link' || value.link.name !== 'a') continue
    seenByWatch.push(value.action)
    if (value.action === 'delete') {
      assert.is(typeof value.movedTo, 'number')
      break
    }
  }
  assert.is(seenByWatch.at(-1), 'delete')
})

test('it keeps its index where that is free, and gets another where it is taken', async () => {
  await using ns = await town()
  await using free = await createNetns()
  await using taken = await createNetns()
  await taken.createLink({ kind: 'ifb', name: 'x', index: 777 })
  assert.equal([(await ns.setLink('a', { netns: free })).index, (await ipLink(free, 'a')).ifindex], [777, 777])
  const link = await free.setLink('a', { netns: taken, name: 'a2' })
  assert.is.not(link.index, 777)
  assert.is((await ipLink(taken, 'a2')).ifindex, link.index)
})

test('the two ends of a pair reach each other across the move', async () => {
  await using ns = await town()
  await using there = await createNetns()
  await ns.setLink('b', { netns: there, name: 'eth0', up: true })
  await there.addAddress('eth0', '192.0.2.2/24')
  assert.ok(await ping('192.0.2.2', { netns: ns }))
})

test('a name that is taken there changes nothing, whichever of the two names it is', async () => {
  await using ns = await town()
  await using there = await createNetns()
  await there.createLink({ kind: 'ifb', name: 'x', altnames: ['long-name-of-x', 'short'] })
  const before = await kernelState(ns)
  for (const name of ['x', 'short']) {
    const error = await failureOf(ns.setLink('a', { netns: there, name, up: false }))
    assert.equal([error.code, error.syscall, error.attribute], ['EEXIST', 'RTM_SETLINK', 'IFLA_IFNAME'])
    assert.match(error.message, 'move a')
  }
  assert.equal(await kernelState(ns), before)
  await there.createLink({ kind: 'ifb', name: 'a' })
  assert.is((await failureOf(ns.setLink('a', { netns: there }))).code, 'EEXIST')
  assert.equal(await kernelState(ns), before)
  // Its own name being taken is no hindrance for a new one.
  assert.is((await ns.setLink('a', { netns: there, name: 'y' })).name, 'y')
})

test('an alternative name or an index that is taken there changes nothing', async () => {
  await using ns = await town()
  await using there = await createNetns()
  await there.createLink({ kind: 'ifb', name: 'x', index: 55, altnames: ['shared'] })
  await ns.setLink('a', { addAltnames: ['shared'] })
  const before = await kernelState(ns)
  assert.is((await failureOf(ns.setLink('a', { netns: there }))).code, 'EEXIST')
  await ns.setLink('a', { deleteAltnames: ['shared'] })
  assert.is((await failureOf(ns.setLink('a', { netns: there, newIndex: 55 }))).code, 'EBUSY')
  await ns.setLink('a', { addAltnames: ['shared'] })
  assert.equal(await kernelState(ns), before)
})

test('a change that is refused there brings the device back, with its name, its index, its master, and up', async () => {
  await using ns = await town()
  await using there = await createNetns()
  await there.createLink({ kind: 'ifb', name: 'x' })
  await ns.createBridge({ name: 'br0' })
  await ns.setLink('a', { master: 'br0' })
  for (const change of [{ gsoMaxSize: 0xffffffff }, { addAltnames: ['x'] }, { master: 'x' }, { carrier: true }]) {
    const error = await failureOf(ns.setLink('a', { netns: there, name: 'moved', ...change }))
    assert.is(error.name, 'NetlinkError', error.message)
    assert.equal(await names(there), ['lo', 'x'], JSON.stringify(change))
    const seen = await ipLink(ns, 'a')
    assert.equal([seen.ifindex, seen.master, seen.flags.includes('UP')], [777, 'br0', true])
  }
})

test('the loopback and a device that is not there are refused', async () => {
  await using ns = await town()
  await using there = await createNetns()
  const error = await failureOf(ns.setLink('lo', { netns: there, name: 'lo2' }))
  assert.equal([error.code, error.operation], ['EINVAL', 'move lo'])
  assert.is((await failureOf(ns.setLink('nobody', { netns: there }))).code, 'ENODEV')
  assert.is((await failureOf(ns.setLink('a', { netns: there, master: 'nobody' }))).code, 'ENODEV')
  assert.equal(await names(there), ['lo'])
})

test('a move to where it is already is a change like any other', async () => {
  await using ns = await town()
  const link = await ns.setLink('a', { netns: ns, name: 'c', mtu: 1400 })
  assert.equal([link.name, link.mtu, link.index], ['c', 1400, 777])
  assert.match((await failureOf(ns.setLink('c', { netns: ns, newIndex: 5 }))).message, 'another namespace than its own')
})

test('a batch does not move', async () => {
  await using ns = await town()
  const error = await failureOf(ns.batch((batch) => batch.setLink('a', { netns: ns } as object)))
  assert.match(error.message, 'changes.netns is for setLink alone')
})

test.run()
