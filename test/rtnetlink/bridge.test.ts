// Bridges, with ip(8) as the witness.

import * as assert from 'uvu/assert'
import { type BridgeOptions, createBridge, createNetns, deleteLink, host, type Netns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { json, kernelState, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipAddresses, ipLink } from '../support/witness.ts'

const test = suite('createBridge')

const pick = <T extends object>(object: T, keys: readonly (keyof T)[]): Partial<T> =>
  Object.fromEntries(keys.map((key) => [key, object[key]])) as Partial<T>

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
  assert.ok(link.bridge)
  assert.equal(pick(link.bridge, ['stp', 'forwardDelay', 'helloTime', 'maxAge', 'ageingTime', 'priority']), {
    stp: true,
    forwardDelay: 4.5,
    helloTime: 1.24,
    maxAge: 12,
    ageingTime: 123.48,
    priority: 4096,
  })
  assert.equal(pick(link.bridge, ['vlanFiltering', 'multicastSnooping']), { vlanFiltering: false, multicastSnooping: false })
  assert.is(link.bridge.bridgeId, '1000.02:42:ac:12:00:01')
  assert.is(link.bridge.rootId, link.bridge.bridgeId)
  assert.equal([link.bridge.rootPort, link.bridge.rootPathCost], [data['root_port'], data['root_path_cost']])
  assert.equal(JSON.parse(JSON.stringify(link)), link)
})

/** Everything that this kernel lets be set, in the library's words and in those of ip(8). */
const options = {
  groupForwardMask: [8, 'group_fwd_mask', '0x8'],
  groupAddress: ['01:80:c2:00:00:0e', 'group_addr', '01:80:c2:00:00:0e'],
  multicastRouter: ['permanent', 'mcast_router', 2],
  multicastQuerier: [true, 'mcast_querier', 1],
  multicastQueryUseIfaddr: [true, 'mcast_query_use_ifaddr', 1],
  multicastHashMax: [512, 'mcast_hash_max', 512],
  multicastLastMemberCount: [3, 'mcast_last_member_cnt', 3],
  multicastStartupQueryCount: [4, 'mcast_startup_query_cnt', 4],
  multicastLastMemberInterval: [2.5, 'mcast_last_member_intvl', 250],
  multicastMembershipInterval: [200, 'mcast_membership_intvl', 20_000],
  multicastQuerierInterval: [201.04, 'mcast_querier_intvl', 20_104],
  multicastQueryInterval: [60, 'mcast_query_intvl', 6000],
  multicastQueryResponseInterval: [9, 'mcast_query_response_intvl', 900],
  multicastStartupQueryInterval: [15, 'mcast_startup_query_intvl', 1500],
  multicastStats: [true, 'mcast_stats_enabled', 1],
  igmpVersion: [3, 'mcast_igmp_version', 3],
  mldVersion: [2, 'mcast_mld_version', 2],
  nfCallIptables: [true, 'nf_call_iptables', 1],
  nfCallIp6tables: [true, 'nf_call_ip6tables', 1],
  nfCallArptables: [true, 'nf_call_arptables', 1],
  noLinkLocalLearn: [true, 'no_linklocal_learn', 1],
} as const satisfies { readonly [Name in keyof BridgeOptions]?: readonly [BridgeOptions[Name], string, unknown] }

const names = Object.keys(options) as (keyof typeof options)[]
const chosen: BridgeOptions = Object.fromEntries(names.map((name) => [name, options[name][0]]))

async function shown(ns: Netns): Promise<unknown[]> {
  const data = (await ipLink(ns, 'br0')).linkinfo?.info_data ?? {}
  return names.map((name) => data[options[name][1]])
}

test('every other option is the same in ip(8): given at creation, and changed later', async () => {
  await using ns = await createNetns()
  const wanted = names.map((name) => options[name][2])
  const made = await ns.createBridge({ name: 'br0', ...chosen })
  assert.equal(await shown(ns), wanted)
  assert.ok(made.bridge)
  assert.equal(pick(made.bridge, names), chosen)
  await ns.deleteLink('br0')

  const plain = await ns.createBridge({ name: 'br0' })
  assert.not.equal(await shown(ns), wanted)
  const changed = await ns.setBridge('br0', chosen)
  assert.equal(await shown(ns), wanted)
  assert.is(changed.index, plain.index)
  assert.equal(
    changed.bridge,
    made.bridge && { ...made.bridge, bridgeId: changed.bridge?.bridgeId, rootId: changed.bridge?.rootId },
  )
})

test('one option that is changed leaves all others as they were', async () => {
  await using ns = await createNetns()
  await ns.createBridge({ name: 'br0', ...chosen })
  const before = await kernelState(ns)
  await ns.setBridge('br0', { multicastQueryInterval: 90, noLinkLocalLearn: false })
  await ns.setBridge('br0', {})
  const after = (await ipLink(ns, 'br0')).linkinfo?.info_data ?? {}
  assert.equal([after['mcast_query_intvl'], after['no_linklocal_learn']], [9000, 0])
  await output('ip', ['link', 'set', 'br0', 'type', 'bridge', 'mcast_query_interval', '6000', 'no_linklocal_learn', '1'], {
    netns: ns,
  })
  assert.equal(await kernelState(ns), before)
})

test('a limit of what is learned holds', async () => {
  await using ns = await createNetns()
  await using inside = await createNetns()
  const { bridge } = await ns.createBridge({ name: 'br0', up: true, addresses: ['10.0.0.1/24'], fdbMaxLearned: 1 })
  assert.is(bridge?.fdbMaxLearned, 1)
  const mac = '02:00:00:00:00:01'
  const peer = { netns: inside, name: 'eth0', mac, up: true, addresses: ['10.0.0.2/24'] }
  await ns.createVethPair({ name: 'v0', master: 'br0', up: true, peer })
  const learned = async (): Promise<unknown[]> => {
    await output('ping', ['-c1', '-W2', '10.0.0.1'], { netns: inside })
    const rows = await json('bridge', ['fdb', 'show', 'br', 'br0', 'brport', 'v0', 'dynamic'], { netns: ns })
    return rows.map((row) => row['mac'])
  }
  assert.equal(await learned(), [mac])
  await inside.setLink('eth0', { mac: '02:00:00:00:00:02' })
  assert.equal(await learned(), [mac])
  assert.is((await ns.setBridge('br0', { fdbMaxLearned: 0 })).bridge?.fdbMaxLearned, 0)
  assert.equal((await learned()).sort(), [mac, '02:00:00:00:00:02'])
})

test('what is no bridge, and what the kernel refuses, is said in its words', async () => {
  await using ns = await createNetns()
  await ns.createVethPair({ name: 'a', peer: { name: 'b' } })
  await ns.createBridge({ name: 'br0' })
  const plain = await failureOf(ns.setBridge('a', { stp: true }))
  assert.equal([plain.code, plain.syscall], ['ENOTSUP', 'RTM_NEWLINK'])
  assert.is((await failureOf(ns.setBridge('nosuch0', { stp: true }))).code, 'ENODEV')
  assert.is((await failureOf(ns.setBridge(0x7ffffff0, { stp: true }))).code, 'ENODEV')
  assert.is((await failureOf(ns.setBridge('br0', { helloTime: 100 }))).code, 'ERANGE')
  assert.is((await failureOf(ns.setBridge('br0', { groupForwardMask: 1 }))).code, 'EINVAL')
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
