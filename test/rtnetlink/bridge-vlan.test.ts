// VLANs of bridges, with bridge(8) as the witness where the kernel has them; what is sent is held against recordings in test/golden.

import * as assert from 'uvu/assert'
import { type BridgeVlan, createNetns, type Netns } from '../../lib/index.ts'
import { type Body, native } from '../../lib/native.ts'
import { bridgeVlansFrom, vlanAddition, vlanChange, vlanDeletion } from '../../lib/rtnetlink/bridge/vlan.ts'
import type { Operation } from '../../lib/rtnetlink/operation.ts'
import { failureOf } from '../support/failure.ts'
import { json, run } from '../support/lab.ts'
import { suite } from '../support/suite.ts'

const test = suite('VLANs of bridges')

async function refusalOf(args: string): Promise<string | undefined> {
  await using ns = await createNetns()
  const { code, stderr } = await run('ip', ['link', 'add', ...args.split(' ')], { netns: ns })
  return code === 0 ? undefined : stderr.trim()
}
const refusal = await refusalOf('br0 type bridge vlan_filtering 1')
const noFiltering = refusal && `the kernel has no VLAN filtering (${refusal})`
const noVlanDevices = await refusalOf('link lo name lo.10 type vlan id 10')
const noPackets = noFiltering ?? (noVlanDevices && `the kernel has no VLAN devices (${noVlanDevices})`)

async function town(...ports: string[]): Promise<Netns> {
  const ns = await createNetns()
  await ns.createBridge({ name: 'br0', up: true, vlanFiltering: true })
  for (const name of ports) await ns.createVethPair({ name, master: 'br0', up: true, peer: { name: `${name}-far`, up: true } })
  return ns
}

interface Row {
  vlan: number
  vlanEnd?: number
  flags?: string[]
  state?: string
}

/** `3 pvid untagged`, `4-6`: of one device, in order. */
async function shown(ns: Netns, dev: string): Promise<string[]> {
  const found = await json<{ ifname: string; vlans: Row[] }[]>('bridge', ['-compressvlans', 'vlan', 'show', 'dev', dev], {
    netns: ns,
  })
  return found.flatMap(({ vlans }) =>
    vlans.map(({ vlan, vlanEnd, flags = [] }) =>
      [
        vlanEnd === undefined ? `${vlan}` : `${vlan}-${vlanEnd}`,
        ...(flags.includes('PVID') ? ['pvid'] : []),
        ...(flags.includes('Egress Untagged') ? ['untagged'] : []),
      ].join(' '),
    ),
  )
}

const said = (vlans: readonly BridgeVlan[]): string[] =>
  vlans.map(({ start, end, pvid, untagged }) =>
    [start === end ? `${start}` : `${start}-${end}`, ...(pvid ? ['pvid'] : []), ...(untagged ? ['untagged'] : [])].join(' '),
  )

test.skipIf(noFiltering, 'members are added, listed and deleted, and a port has one VLAN for what has no tag', async () => {
  await using ns = await town('v0', 'v1')
  assert.equal(await shown(ns, 'v0'), ['1 pvid untagged'])
  await ns.addBridgeVlans('v0', 2)
  await ns.addBridgeVlans('v0', 3, { pvid: true, untagged: true })
  await ns.addBridgeVlans('v0', { start: 4, end: 6 })
  const all = ['1 untagged', '2', '3 pvid untagged', '4-6']
  assert.equal(await shown(ns, 'v0'), all)
  assert.equal(said(await ns.listBridgeVlans({ link: 'v0' })), all)
  assert.equal(await shown(ns, 'v1'), ['1 pvid untagged'])
  const { index } = await ns.getLink('v1')
  assert.equal(said((await ns.listBridgeVlans()).filter(({ link }) => link === index)), ['1 pvid untagged'])
  await ns.deleteBridgeVlans('v0', [1, { start: 4, end: 5 }])
  assert.equal(await shown(ns, 'v0'), ['2', '3 pvid untagged', '6'])
})

test.skipIf(noFiltering, 'the bridge itself is a member', async () => {
  await using ns = await town()
  await ns.addBridgeVlans('br0', [10, { start: 20, end: 22 }], { self: true })
  assert.equal(await shown(ns, 'br0'), ['1 pvid untagged', '10', '20-22'])
  await ns.deleteBridgeVlans('br0', { start: 20, end: 22 }, { self: true })
  assert.equal(await shown(ns, 'br0'), ['1 pvid untagged', '10'])
})

test.skipIf(noFiltering, 'a VLAN has a state of its own on a port', async () => {
  await using ns = await town('v0')
  await ns.addBridgeVlans('v0', { start: 4, end: 6 })
  await ns.setBridgeVlans('v0', 5, { state: 'blocking' })
  const [{ vlans = [] } = {}] = await json<{ vlans?: Row[] }[]>('bridge', ['-d', 'vlan', 'show', 'dev', 'v0'], { netns: ns })
  assert.is(vlans.find(({ vlan }) => vlan === 5)?.state, 'blocking')
  const listed = await ns.listBridgeVlans({ link: 'v0' })
  assert.equal(
    listed.filter(({ start }) => start > 1).map(({ start, end, state }) => [start, end, state]),
    [
      [4, 4, 'forwarding'],
      [5, 5, 'blocking'],
      [6, 6, 'forwarding'],
    ],
  )
  assert.is((await failureOf(ns.setBridgeVlans('v0', 9, { state: 'blocking' }))).syscall, 'RTM_NEWVLAN')
})

test.skipIf(noFiltering, 'a batch adds, changes and deletes', async () => {
  await using ns = await town('v0')
  const done = await ns.batch((batch) =>
    batch
      .addBridgeVlans('v0', [2, { start: 4, end: 6 }])
      .setBridgeVlans('v0', 5, { state: 'learning' })
      .deleteBridgeVlans('v0', [1, 2]),
  )
  assert.ok(done.ok, String(done.error))
  assert.is((await ns.listBridgeVlans({ link: 'v0' })).find(({ start }) => start === 5)?.state, 'learning')
  assert.equal(await shown(ns, 'v0'), ['4-6'])
})

test.skipIf(noFiltering, 'a flush of the forwarding entries of one VLAN leaves those of another', async () => {
  await using ns = await town('v0')
  await ns.addBridgeVlans('v0', [10, 20])
  const mac = '02:00:00:00:00:09'
  for (const vlan of [10, 20]) await ns.addFdbEntry({ mac, link: 'v0', vlan })
  await ns.flushFdb('br0', { state: 'static', vlan: 10 })
  const rows = await json<{ mac: string; vlan?: number }[]>('bridge', ['fdb', 'show', 'dev', 'v0'], { netns: ns })
  assert.equal(
    rows.filter((row) => row.mac === mac).map(({ vlan }) => vlan),
    [20],
  )
})

test.skipIf(noPackets, 'containers reach those of their VLAN, tagged and untagged, and no others', async () => {
  await using ns = await town()
  await using a = await createNetns()
  await using b = await createNetns()
  await using c = await createNetns()
  const homes = [a, b, c] as const
  for (const [at, netns] of homes.entries()) {
    const addresses = netns === b ? [] : [`10.0.0.${at + 1}/24`]
    await ns.createVethPair({ name: `v${at}`, master: 'br0', up: true, peer: { netns, name: 'eth0', up: true, addresses } })
    await ns.deleteBridgeVlans(`v${at}`, 1)
  }
  // b's are tagged.
  await b.createLink({ kind: 'vlan', name: 'eth0.10', link: 'eth0', id: 10, up: true, addresses: ['10.0.0.2/24'] })
  await ns.addBridgeVlans('v0', 10, { pvid: true, untagged: true })
  await ns.addBridgeVlans('v1', 10)
  await ns.addBridgeVlans('v2', 20, { pvid: true, untagged: true })
  const reaches = async (from: Netns, to: string): Promise<boolean> =>
    (await run('ping', ['-c1', '-W2', to], { netns: from })).code === 0
  assert.ok(await reaches(a, '10.0.0.2'))
  assert.not.ok(await reaches(a, '10.0.0.3'))
  assert.not.ok(await reaches(c, '10.0.0.2'))
  // Then c moves there.
  await ns.deleteBridgeVlans('v2', 20)
  await ns.addBridgeVlans('v2', 10, { pvid: true, untagged: true })
  assert.ok(await reaches(a, '10.0.0.3'))
  assert.ok(await reaches(c, '10.0.0.2'))
})

test.skipIf(
  refusal === undefined && 'the kernel has VLAN filtering',
  'a kernel without VLANs says so, except where there is nothing to delete',
  async () => {
    await using ns = await createNetns()
    await ns.createBridge({ name: 'br0' })
    await ns.createVethPair({ name: 'v0', master: 'br0', peer: { name: 'v1' } })
    for (const [call, syscall] of [
      [() => ns.addBridgeVlans('v0', 4), 'RTM_SETLINK'],
      [() => ns.setBridgeVlans('v0', 4, { state: 'forwarding' }), 'RTM_NEWVLAN'],
      [() => ns.listBridgeVlans(), 'RTM_GETVLAN'],
    ] as const) {
      const error = await failureOf(call())
      assert.equal([error.code, error.syscall], ['ENOTSUP', syscall])
    }
    await ns.deleteBridgeVlans('v0', 4)
  },
)

/** The bytes of an operation on device 4, behind nlmsghdr and the header of the family. */
function sent({ build }: Operation): string[] {
  return build(() => 4).map((message) => {
    const bytes = native.encoded(message)
    assert.ok(bytes)
    const header = message.type.endsWith('VLAN') ? 8 : 16
    return Buffer.from(bytes.subarray(16 + header)).toString('hex')
  })
}

test('a list of VLANs is one message, each range its two ends', () => {
  // IFLA_AF_SPEC { IFLA_BRIDGE_VLAN_INFO … }: flags and number, 16 bits each.
  const list = '24001a80' + '0800020004000200' + '0800020004000a00' + '08000200' + '0c000400' + '08000200' + '14000600'
  const [bytes] = sent(vlanAddition('v0', [2, 10, { start: 4, end: 6 }], { untagged: true }))
  assert.is(bytes, list)
  const [deleted] = sent(vlanDeletion('v0', [7, { start: 9, end: 9 }]))
  assert.is(deleted, '14001a80' + '0800020000000700' + '0800020000000900')
  // IFLA_BRIDGE_FLAGS is BRIDGE_FLAGS_SELF, and BRIDGE_FLAGS_MASTER too.
  assert.is(sent(vlanAddition('v0', 7, { self: true }))[0], '14001a80' + '0600000002000000' + '0800020000000700')
  assert.is(sent(vlanAddition('v0', 7, { self: true, master: true }))[0], '14001a80' + '0600000003000000' + '0800020000000700')
})

test('settings of VLANs are an entry for each range', () => {
  // BRIDGE_VLANDB_ENTRY { INFO, RANGE, STATE }, of BRIDGE_VLAN_INFO_ONLY_OPTS.
  const [bytes] = sent(vlanChange('v0', [2, { start: 4, end: 6 }], { state: 'blocking' }))
  const state = '0500030004000000'
  assert.is(bytes, `14000180${'0800010040000200'}${state}1c000180${'0800010040000400'}${'0600020006000000'}${state}`)
})

test('what the kernel tells of VLANs is read', () => {
  const header = '0700000004000000'
  const one = `14000180${'0800010006000300'}${'0500030003000000'}`
  const range =
    `3c000180${'0800010004000400'}${'0600020006000000'}${'0500030004000000'}` +
    `${'0500060002000000'}${'0800080007000000'}${'0800070000000000'}${'0500090001000000'}`
  const body: Body = native.decoded('RTM_NEWVLAN', Buffer.from(header + one + range, 'hex'))
  assert.equal(bridgeVlansFrom(body), [
    { link: 4, start: 3, end: 3, pvid: true, untagged: true, state: 'forwarding' },
    {
      ...{ link: 4, start: 4, end: 6, pvid: false, untagged: true, state: 'blocking' },
      ...{ multicastRouter: 'permanent', multicastMaxGroups: 7, neighborSuppress: true },
    },
  ])
  assert.equal(bridgeVlansFrom({ family: 7, index: 4 }), [])
})

test.run()
