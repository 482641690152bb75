// Ports of bridges, with bridge(8) and ip(8) as the witnesses.

import * as assert from 'uvu/assert'
import { type BridgePortOptions, createNetns, type Netns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { json, kernelState, run } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipLink } from '../support/witness.ts'

const test = suite('ports of a bridge')

/** Without what it was set to by nobody: it follows the carrier. */
async function port(ns: Netns, name: string): Promise<Record<string, unknown>> {
  const [row = {}] = await json('bridge', ['-d', 'link', 'show', 'dev', name], { netns: ns })
  return row
}

async function town(): Promise<Netns> {
  const ns = await createNetns()
  await ns.createBridge({ name: 'br0', up: true })
  for (const at of [0, 1])
    await ns.createVethPair({ name: `v${at}`, master: 'br0', up: true, peer: { name: `w${at}`, up: true } })
  return ns
}

/** In the library's words, in those of `bridge link` 6.1, and the opposite of what a new port has. */
const shown = {
  hairpin: [true, 'hairpin', true],
  guard: [true, 'guard', true],
  rootBlock: [true, 'root_block', true],
  fastLeave: [true, 'fastleave', true],
  learning: [false, 'learning', false],
  flood: [false, 'flood', false],
  multicastFlood: [false, 'mcast_flood', false],
  broadcastFlood: [false, 'bcast_flood', false],
  multicastToUnicast: [true, 'mcast_to_unicast', true],
  multicastRouter: ['permanent', 'mcast_router', 2],
  neighborSuppress: [true, 'neigh_suppress', true],
  vlanTunnel: [true, 'vlan_tunnel', true],
  isolated: [true, 'isolated', true],
  locked: [true, 'locked', true],
  cost: [77, 'cost', 77],
  priority: [9, 'priority', 9],
} as const satisfies { readonly [Name in keyof BridgePortOptions]?: readonly [BridgePortOptions[Name], string, unknown] }
const names = Object.keys(shown) as (keyof typeof shown)[]
const chosen: BridgePortOptions = Object.fromEntries(names.map((name) => [name, shown[name][0]]))

for (const name of names) {
  test(`${name} alone is changed, and the rest is as it was`, async () => {
    await using ns = await town()
    const before = await port(ns, 'v0')
    const known = await ns.getLink('v0')
    const [value, word, seen] = shown[name]
    assert.is.not(before[word], seen)
    const link = await ns.setBridgePort('v0', { [name]: value })
    const after = await port(ns, 'v0')
    assert.equal(after, { ...before, [word]: seen })
    assert.equal(link.port, { ...known.port, [name]: value })
    const back = await ns.setBridgePort('v0', { [name]: known.port?.[name] })
    assert.equal(await port(ns, 'v0'), before)
    assert.equal(back.port, known.port)
  })
}

test('hairpin and rootBlock together, and the other port is as it was', async () => {
  await using ns = await town()
  const [before, other] = [await port(ns, 'v0'), await port(ns, 'v1')]
  await ns.setBridgePort('v0', { hairpin: true, rootBlock: true })
  assert.equal(await port(ns, 'v0'), { ...before, hairpin: true, root_block: true })
  assert.equal(await port(ns, 'v1'), other)
})

test('what bridge(8) does not show, ip(8) or the kernel bears witness to', async () => {
  await using ns = await town()
  const { port: read } = await ns.setBridgePort('v0', {
    ...{ proxyArp: true, proxyArpWifi: true, groupForwardMask: 8, multicastHostsLimit: 99, multicastMaxGroups: 1 },
    ...{ neighborVlanSuppress: true, locked: true, mab: true, backupPort: 'v1', backupNexthop: 7 },
  })
  const data = (await ipLink(ns, 'v0')).linkinfo?.info_slave_data ?? {}
  assert.equal(
    ['proxy_arp', 'proxy_arp_wifi', 'group_fwd_mask', 'backup_port'].map((name) => data[name]),
    [true, true, '0x8', 'v1'],
  )
  assert.equal([read?.proxyArp, read?.proxyArpWifi, read?.groupForwardMask, read?.multicastHostsLimit], [true, true, 8, 99])
  assert.equal([read?.neighborVlanSuppress, read?.mab, read?.multicastMaxGroups, read?.backupNexthop], [true, true, 1, 7])
  assert.is(read?.backupPort, (await ns.getLink('v1')).index)
  // The kernel takes one group, which may be what IPv6 has joined behind the port, and refuses a second.
  await run('bridge', ['mdb', 'add', 'dev', 'br0', 'port', 'v0', 'grp', '239.1.1.1'], { netns: ns })
  const refused = await failureOf(ns.addMdbEntry({ bridge: 'br0', port: 'v0', group: '239.1.1.2' }))
  assert.match(refused.extack ?? '', /mcast_max_groups=1/)
  const without = await ns.setBridgePort('v0', { backupPort: null, backupNexthop: 0 })
  assert.is(without.port?.backupPort, undefined)
  assert.is((await ipLink(ns, 'v0')).linkinfo?.info_slave_data?.['backup_port'], undefined)
})

test('a state is set on a port with a carrier', async () => {
  await using ns = await town()
  for (const state of ['learning', 'disabled', 'forwarding'] as const) {
    assert.is((await ns.setBridgePort('v0', { state })).port?.state, state)
    assert.is((await port(ns, 'v0'))['state'], state)
  }
  await ns.setLink('w1', { up: false })
  assert.is((await failureOf(ns.setBridgePort('v1', { state: 'learning' }))).code, 'ENETDOWN')
})

test('a device is made with its options as a port, alone and as an end of a pair', async () => {
  await using ns = await town()
  await using inside = await createNetns()
  const { index } = await ns.getLink('v1')
  const { state, ...options } = chosen
  const [end] = await ns.createVethPair({
    ...{ name: 'a0', master: 'br0', up: true },
    bridgePort: { ...options, backupPort: 'v1' },
    peer: { netns: inside, name: 'eth0', up: true },
  })
  const a0 = await port(ns, 'a0')
  for (const name of names) assert.is(a0[shown[name][1]], shown[name][2], name)
  assert.is(end.port?.backupPort, index)

  const made = await ns.createLink({ kind: 'ifb', name: 'i0', master: 'br0', bridgePort: { isolated: true, backupPort: index } })
  assert.is((await port(ns, 'i0'))['isolated'], true)
  assert.is(made.port?.backupPort, index)

  await inside.createBridge({ name: 'br1' })
  const [, peer] = await ns.createVethPair({
    name: 'b0',
    peer: { netns: inside, name: 'b1', master: 'br1', bridgePort: { hairpin: true } },
  })
  assert.is((await port(inside, 'b1'))['hairpin'], true)
  assert.is(peer.port?.hairpin, true)
})

test('a backup that is no port of the bridge is refused, and nothing is left', async () => {
  await using ns = await town()
  const before = await kernelState(ns)
  const error = await failureOf(
    ns.createLink({ kind: 'ifb', name: 'i0', master: 'br0', bridgePort: { backupPort: 'w0', isolated: true } }),
  )
  assert.equal([error.code, error.operation], ['ENOENT', 'change the options of the port i0'])
  assert.equal(await kernelState(ns), before)
})

test('what is no port is ENOTSUP, what is not there ENODEV', async () => {
  await using ns = await town()
  const error = await failureOf(ns.setBridgePort('w0', { hairpin: true }))
  assert.equal([error.code, error.syscall, error.operation], ['ENOTSUP', 'RTM_SETLINK', 'change the options of the port w0'])
  assert.is((await failureOf(ns.setBridgePort('nosuch0', { hairpin: true }))).code, 'ENODEV')
  assert.is((await failureOf(ns.setBridgePort('v0', { backupPort: 'nosuch0' }))).code, 'ENODEV')
})

test('a batch makes a bridge and its ports, with options', async () => {
  await using ns = await createNetns()
  const result = await ns.batch((batch) =>
    batch
      .createLink({ kind: 'bridge', name: 'br0', up: true })
      .createLink({ kind: 'ifb', name: 'i0', master: 'br0' })
      .createLink({ kind: 'ifb', name: 'i1', master: 'br0', bridgePort: { isolated: true, backupPort: 'i0' } })
      .setBridge('br0', { ageingTime: 10 })
      .setBridgePort('i0', { guard: true }),
  )
  assert.ok(result.ok, String(result.error))
  assert.is((await ipLink(ns, 'br0')).linkinfo?.info_data?.['ageing_time'], 1000)
  assert.is((await port(ns, 'i0'))['guard'], true)
  assert.is((await port(ns, 'i1'))['isolated'], true)
  assert.is((await ipLink(ns, 'i1')).linkinfo?.info_slave_data?.['backup_port'], 'i0')
})

test.run()
