// Bridges, with ip(8) as the witness.

import * as assert from 'uvu/assert'
import { createBridge, createNetns, deleteLink, host } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { kernelState, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipAddresses, ipLink } from '../support/witness.ts'

const test = suite('createBridge')

test('every option arrives, and is read back', async () => {
  await using ns = await createNetns()
  const link = await ns.createBridge({
    name: 'br0',
    mac: '02:42:AC:12:00:01',
    mtu: 1400,
    up: true,
    addresses: ['172.18.0.1/16', 'fd00:18::1/64'],
    group: 7,
    alias: 'a bridge, über alles',
    stp: true,
    forwardDelay: 4.5,
    helloTime: 1.24,
    maxAge: 12,
    ageingTime: 123.48,
    priority: 4096,
    multicastSnooping: false,
  })
  const seen = await ipLink(ns, 'br0')
  assert.is(seen.address, '02:42:ac:12:00:01')
  assert.is(seen.mtu, 1400)
  assert.ok(seen.flags.includes('UP'))
  assert.is(seen.group, '7')
  assert.is(seen.ifalias, 'a bridge, über alles')
  assert.is(seen.linkinfo?.info_kind, 'bridge')
  const data = seen.linkinfo?.info_data ?? {}
  assert.equal(
    ['stp_state', 'forward_delay', 'hello_time', 'max_age', 'ageing_time', 'priority', 'mcast_snooping'].map(
      (name) => data[name],
    ),
    [1, 450, 124, 1200, 12348, 4096, 0],
  )
  const addresses = (await ipAddresses(ns, 'br0')).filter(({ scope }) => scope === 'global')
  assert.equal(
    addresses.map(({ local, prefixlen, broadcast }) => [local, prefixlen, broadcast]),
    [
      ['172.18.0.1', 16, '172.18.255.255'],
      ['fd00:18::1', 64, undefined],
    ],
  )

  assert.is(link.index, seen.ifindex)
  assert.is(link.name, 'br0')
  assert.is(link.kind, 'bridge')
  assert.is(link.mac, '02:42:ac:12:00:01')
  assert.is(link.mtu, 1400)
  assert.is(link.group, 7)
  assert.is(link.alias, 'a bridge, über alles')
  assert.ok(link.up)
  assert.equal(link.bridge, {
    stp: true,
    forwardDelay: 4.5,
    helloTime: 1.24,
    maxAge: 12,
    ageingTime: 123.48,
    priority: 4096,
    vlanFiltering: false,
    multicastSnooping: false,
  })
  assert.equal(JSON.parse(JSON.stringify(link)), link)
})

test('without options it is down, and has a MAC address of its own that ports do not change', async () => {
  await using ns = await createNetns()
  const bridge = await ns.createBridge({ name: 'br0' })
  assert.not.ok(bridge.up)
  assert.match(bridge.mac ?? '', /^.[26ae]:/)
  // A bridge that was given none would take the lowest of its ports'.
  await ns.createVethPair({ name: 'port0', mac: '02:00:00:00:00:01', master: 'br0', peer: { name: 'far0' } })
  assert.is((await ipLink(ns, 'br0')).address, bridge.mac)
  await using other = await createNetns()
  assert.is.not((await other.createBridge({ name: 'br0' })).mac, bridge.mac)
})

test('VLAN filtering is set, or refused in the words of a kernel that lacks it, and nothing is left', async () => {
  await using ns = await createNetns()
  const before = await kernelState(ns)
  try {
    const link = await ns.createBridge({ name: 'br0', vlanFiltering: true })
    assert.is((await ipLink(ns, 'br0')).linkinfo?.info_data?.['vlan_filtering'], 1)
    assert.ok(link.bridge?.vlanFiltering)
  } catch (error) {
    assert.is((error as { code?: string }).code, 'ENOTSUP')
    assert.equal(await kernelState(ns), before)
  }
})

test('the exported function makes it in the namespace of this process', async () => {
  const before = await kernelState()
  const link = await createBridge({ name: 'nlct0' })
  assert.is((await ipLink(undefined, 'nlct0')).ifindex, link.index)
  await deleteLink(link)
  assert.equal(await kernelState(), before)
})

test('a name that is taken is EEXIST and harms nobody', async () => {
  const before = await kernelState()
  await output('ip', ['link', 'add', 'nlct0', 'type', 'bridge', 'priority', '8192'])
  const taken = await kernelState()
  const error = await failureOf(createBridge({ name: 'nlct0', priority: 1, alias: 'mine', up: true, addresses: ['10.0.0.1/24'] }))
  assert.is(error.code, 'EEXIST')
  assert.is(error.errno, -17)
  assert.is(error.syscall, 'RTM_NEWLINK')
  assert.is(error.operation, 'make the bridge nlct0')
  assert.equal(await kernelState(), taken)
  await host.deleteLink('nlct0')
  assert.equal(await kernelState(), before)
})

test('what the kernel refuses after the bridge was made takes the bridge away again', async () => {
  await using ns = await createNetns()
  const before = await kernelState(ns)
  const failures: [Parameters<typeof ns.createBridge>[0], code: string, syscall: string][] = [
    [{ name: 'br0', helloTime: 100 }, 'ERANGE', 'RTM_NEWLINK'],
    [{ name: 'br0', up: true, alias: 'gone', addresses: ['10.0.0.1/24', '10.0.0.1/24'] }, 'EEXIST', 'RTM_NEWADDR'],
    [{ name: 'br0', addresses: ['10.0.0.1/24', 'ff02::1/128'] }, 'EADDRNOTAVAIL', 'RTM_NEWADDR'],
    [{ name: 'br0', mtu: 68, addresses: ['fd00::1/64'] }, 'EINVAL', 'RTM_NEWADDR'],
  ]
  for (const [spec, code, syscall] of failures) {
    const error = await failureOf(ns.createBridge(spec))
    assert.equal([error.code, error.syscall], [code, syscall], error.message)
    assert.equal(await kernelState(ns), before)
  }
})

test("an address that is there already is refused in the kernel's words", async () => {
  await using ns = await createNetns()
  const error = await failureOf(ns.createBridge({ name: 'br0', addresses: ['10.0.0.1/24', '10.0.0.1/24'] }))
  assert.is(error.code, 'EEXIST')
  assert.is(error.syscall, 'RTM_NEWADDR')
  assert.is(error.operation, 'add the address 10.0.0.1/24')
  assert.is(error.extack, 'ipv4: Address already assigned')
})

test.run()
