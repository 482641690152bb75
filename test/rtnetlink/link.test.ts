// Looking at devices, changing and deleting them, with ip(8) and bridge(8) as witnesses.

import * as assert from 'uvu/assert'
import { createNetns, getLink, type LinkChanges, NetlinkError, type Netns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { json, kernelState, output, ping } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipLink, ipLinks } from '../support/witness.ts'

const test = suite('links')

const long = 'an-alternative-name-that-is-longer-than-a-name-of-a-device'

/** br0, and the pair a–b; a is a port. */
async function town(): Promise<Netns> {
  const ns = await createNetns()
  const batch = `link add br0 type bridge
    link add name a type veth peer name b
    link set dev a master br0
    link set dev a up
    link property add dev a altname ${long} altname short`
  await output('ip', ['-batch', '-'], { netns: ns, input: batch })
  return ns
}

test('a device is found by its name, its index, its other names, and the Link that was read before', async () => {
  await using ns = await town()
  const { ifindex } = await ipLink(ns, 'a')
  const byName = await ns.getLink('a')
  assert.is(byName.index, ifindex)
  for (const ref of [ifindex, long, 'short', byName, { index: ifindex }]) {
    assert.equal(await ns.getLink(ref), byName)
  }
  assert.equal(byName.altnames, [long, 'short'])
})

test('the exported function looks in the namespace of this process', async () => {
  const { ifindex, address } = await ipLink(undefined, 'lo')
  const link = await getLink('lo')
  assert.equal([link.index, link.mac, link.loopback, link.kind], [ifindex, address, true, undefined])
})

test('what is read is what ip shows, for every device', async () => {
  await using ns = await town()
  await output('ip', ['-batch', '-'], {
    netns: ns,
    input: `link set dev b up promisc on allmulticast on multicast off arp off mtu 1300 txqueuelen 77 group 12 alias hello mode dormant
      link set dev b addrgenmode random gso_max_size 30000 gso_max_segs 99 gro_max_size 31000
      link add vx0 type vxlan id 7 dstport 4789
      link set dev vx0 protodown on
      link add ifb7 type ifb`,
  })
  const seen = await ipLinks(ns)
  const links = await ns.listLinks()
  assert.equal(
    links.map((link) => link.index),
    seen.map((row) => row.ifindex),
  )
  for (const [at, row] of seen.entries()) {
    const link = links[at]
    assert.ok(link)
    assert.is(link.name, row.ifname)
    assert.is(link.kind, row.linkinfo?.info_kind)
    assert.is(link.up, row.flags.includes('UP'))
    assert.is(link.carrier, row.flags.includes('LOWER_UP'))
    assert.is(link.operstate, row.operstate.toLowerCase())
    assert.is(link.loopback, row.flags.includes('LOOPBACK'))
    assert.is(link.arp, !row.flags.includes('NOARP'))
    assert.is(link.multicast, row.flags.includes('MULTICAST'))
    assert.is(link.promiscuous, row.promiscuity > 0)
    assert.is(link.allMulticast, row.allmulti > 0)
    assert.equal([link.minMtu, link.maxMtu], [row.min_mtu ?? 0, row.max_mtu ?? 0])
    assert.equal([link.gsoMaxSize, link.gsoMaxSegments, link.groMaxSize], [row.gso_max_size, row.gso_max_segs, row.gro_max_size])
    assert.is(link.linkMode, row.linkmode.toLowerCase())
    assert.is(link.protodown, row.proto_down ?? false)
    assert.is(link.addressGeneration, row.inet6_addr_gen_mode)
    assert.is(link.mac, row.address)
    assert.is(link.mtu, row.mtu)
    assert.is(String(link.group === 0 ? 'default' : link.group), row.group)
    assert.is(link.txqlen, row.txqlen ?? 0)
    assert.is(link.alias, row.ifalias)
    assert.equal(link.altnames, row.altnames ?? [])
    assert.is(link.qdisc, row.qdisc)
    assert.is(link.txQueues, row.num_tx_queues)
    assert.is(link.rxQueues, row.num_rx_queues)
    assert.is(link.master === undefined ? undefined : seen.find(({ ifindex }) => ifindex === link.master)?.ifname, row.master)
    assert.equal(await ns.getLink(link.index), link)
  }
})

test('statistics are told when they are asked for, and are those of ip', async () => {
  await using ns = await createNetns()
  await using there = await createNetns()
  await ns.createVethPair({
    ...{ name: 'a', addresses: ['192.0.2.1/24'], up: true, addressGeneration: 'none' },
    peer: { name: 'b', netns: there, addresses: ['192.0.2.2/24'], up: true, addressGeneration: 'none' },
  })
  assert.ok(await ping('192.0.2.2', { netns: ns }))
  interface Counted {
    ifname: string
    stats64: { rx: Record<string, number>; tx: Record<string, number> }
  }
  const rows = await json<Counted[]>('ip', ['-s', '-s', 'link', 'show'], { netns: ns })
  const links = await ns.listLinks({ statistics: true })
  assert.is(links.length, 2)
  for (const { name, statistics } of links) {
    const { rx, tx } = rows.find(({ ifname }) => ifname === name)?.stats64 ?? {}
    const s = statistics
    assert.ok(s && rx && tx)
    assert.equal(
      [s.rxPackets, s.rxBytes, s.rxErrors, s.rxDropped, s.multicast, s.rxLengthErrors, s.rxCrcErrors, s.rxFrameErrors],
      [
        rx['packets'],
        rx['bytes'],
        rx['errors'],
        rx['dropped'],
        rx['multicast'],
        rx['length_errors'],
        rx['crc_errors'],
        rx['frame_errors'],
      ],
    )
    assert.equal(
      [s.txPackets, s.txBytes, s.txErrors, s.txDropped, s.collisions, s.txAbortedErrors, s.txFifoErrors, s.txWindowErrors],
      [
        tx['packets'],
        tx['bytes'],
        tx['errors'],
        tx['dropped'],
        tx['collisions'],
        tx['aborted_errors'],
        tx['fifo_errors'],
        tx['window_errors'],
      ],
    )
    assert.equal((await ns.getLink(name, { statistics: true })).statistics, s)
    assert.is((await ns.getLink(name)).statistics, undefined)
  }
  assert.ok((await ns.getLink('a', { statistics: true })).statistics?.rxPackets)
  assert.not.ok((await ns.listLinks({ kind: 'veth' })).some((link) => 'statistics' in link))
  assert.is((await ns.listLinks({ kind: 'veth', statistics: true })).length, 1)
})

test('a port of a bridge is read as bridge(8) shows it', async () => {
  await using ns = await town()
  const defaults = (await ns.getLink('a')).port
  await output(
    'bridge',
    ['link', 'set', 'dev', 'a', 'hairpin', 'on', 'isolated', 'on', 'cost', '200', 'flood', 'off', 'learning', 'off'],
    { netns: ns },
  )
  const [row] = await json('bridge', ['-d', 'link', 'show', 'dev', 'a'], { netns: ns })
  const link = await ns.getLink('a')
  assert.is(link.port?.state, row?.['state'])
  const read = (port = link.port): unknown[] => [port?.hairpin, port?.isolated, port?.learning, port?.flood]
  assert.equal(read(), [true, true, false, false])
  assert.is(link.port?.cost, 200)
  assert.equal(read(defaults), [false, false, true, true])
})

test('the list is filtered by kind and by master, and the two together', async () => {
  await using ns = await town()
  const list = async (filter?: Parameters<Netns['listLinks']>[0]): Promise<string[]> =>
    (await ns.listLinks(filter)).map((link) => link.name).sort()
  assert.equal(await list(), ['a', 'b', 'br0', 'lo'])
  assert.equal(await list({ kind: 'veth' }), ['a', 'b'])
  assert.equal(await list({ kind: 'bridge' }), ['br0'])
  assert.equal(await list({ kind: 'nonsense' }), [])
  assert.equal(await list({ master: 'br0' }), ['a'])
  assert.equal(await list({ master: await ns.getLink('br0'), kind: 'veth' }), ['a'])
  assert.equal(await list({ master: 'br0', kind: 'bridge' }), [])
  assert.is((await failureOf(ns.listLinks({ master: 'nobody' }))).code, 'ENODEV')
})

test('each change arrives, and only that', async () => {
  await using ns = await town()
  const changes: [LinkChanges, expected: Record<string, unknown>][] = [
    [{ mac: '02:00:00:00:00:99' }, { address: '02:00:00:00:00:99' }],
    [{ mtu: 1280 }, { mtu: 1280 }],
    [{ group: 42 }, { group: '42' }],
    [{ txqlen: 123 }, { txqlen: 123 }],
    [{ alias: 'the far end' }, { ifalias: 'the far end' }],
    [{ alias: 'x'.repeat(255) }, { ifalias: 'x'.repeat(255) }],
    [{ master: 'br0' }, { master: 'br0' }],
    [{ name: 'renamed' }, { ifname: 'renamed' }],
    [{ addressGeneration: 'random' }, { inet6_addr_gen_mode: 'random' }],
    [{ addressGeneration: 'none' }, { inet6_addr_gen_mode: 'none' }],
    [{ gsoMaxSize: 40000 }, { gso_max_size: 40000 }],
    [{ gsoMaxSegments: 55 }, { gso_max_segs: 55 }],
    [{ groMaxSize: 41000 }, { gro_max_size: 41000 }],
    [{ linkMode: 'dormant' }, { linkmode: 'DORMANT' }],
    [{ linkMode: 'default' }, { linkmode: 'DEFAULT' }],
    [{ addAltnames: ['other', 'third'] }, { altnames: ['other', 'third'] }],
    [{ deleteAltnames: ['other'] }, { altnames: ['third'] }],
  ]
  let name = 'b'
  for (const [change, expected] of changes) {
    const before = await ipLink(ns, name)
    const link = await ns.setLink(name, change)
    name = link.name
    const { linkinfo: _, ...after } = await ipLink(ns, name)
    const { linkinfo: __, ...rest } = { ...before, ...expected }
    // A bridge makes its ports promiscuous.
    assert.equal(
      { ...after, promiscuity: 0, allmulti: 0 } as unknown,
      { ...rest, promiscuity: 0, allmulti: 0 },
      JSON.stringify(change),
    )
    assert.equal(await ns.getLink(name), link)
  }
})

test('an alias that is set to nothing is gone', async () => {
  await using ns = await town()
  await ns.setLink('b', { alias: 'hello' })
  const link = await ns.setLink('b', { alias: '' })
  assert.is(link.alias, undefined)
  assert.is((await ipLink(ns, 'b')).ifalias, undefined)
})

test('a device goes up and down', async () => {
  await using ns = await town()
  assert.ok((await ns.setLink('b', { up: true })).up)
  assert.ok((await ipLink(ns, 'b')).flags.includes('UP'))
  assert.not.ok((await ns.setLink('b', { up: false })).up)
  assert.not.ok((await ipLink(ns, 'b')).flags.includes('UP'))
})

test('the switches of ip-link(8) go on and off, each for itself', async () => {
  await using ns = await town()
  const flags = async (): Promise<string[]> => (await ipLink(ns, 'b')).flags
  for (const [change, flag] of [
    ['multicast', 'MULTICAST'],
    ['promiscuous', 'PROMISC'],
    ['allMulticast', 'ALLMULTI'],
    ['arp', 'NOARP'],
  ] as const) {
    const inverted = change === 'arp'
    const others = (await flags()).filter((name) => name !== flag)
    for (const on of [true, false, true]) {
      const link = await ns.setLink('b', { [change]: on })
      assert.is(link[change], on, change)
      assert.is((await flags()).includes(flag), on !== inverted, change)
      assert.equal((await flags()).filter((name) => name !== flag).sort(), others.sort())
    }
  }
})

test('a dormant device is up when it is said to be', async () => {
  await using ns = await town()
  await ns.setLink('br0', { up: true })
  await ns.setLink('b', { up: true, linkMode: 'dormant' })
  const state = async (): Promise<string> => (await ipLink(ns, 'b')).operstate
  assert.is((await ns.setLink('b', { operstate: 'dormant' })).operstate, 'dormant')
  assert.is(await state(), 'DORMANT')
  assert.is((await ns.setLink('b', { operstate: 'up' })).operstate, 'up')
  assert.is(await state(), 'UP')
})

test('a protocol holds a device down', async () => {
  await using ns = await createNetns()
  await ns.createLink({ kind: 'vxlan', name: 'vx0', id: 1 })
  assert.is((await ns.setLink('vx0', { protodown: true })).protodown, true)
  assert.is((await ipLink(ns, 'vx0')).proto_down, true)
  assert.is((await ns.setLink('vx0', { protodown: false })).protodown, false)
  assert.is((await ipLink(ns, 'vx0')).proto_down, undefined)
  const error = await failureOf(ns.setLink('lo', { protodown: true }))
  assert.is(error.extack, 'Protodown not supported by device')
})

test('a limit that the kernel does not allow is refused in its words', async () => {
  await using ns = await town()
  const error = await failureOf(ns.setLink('b', { gsoMaxSize: 0xffffffff }))
  assert.equal([error.code, error.extack], ['EINVAL', 'too big gso_max_size'])
  assert.is((await failureOf(ns.setLink('b', { carrier: false }))).code, 'ENOTSUP')
})

test('a master is taken, exchanged, and given up', async () => {
  await using ns = await town()
  const other = await ns.createBridge({ name: 'br1' })
  assert.is((await ns.setLink('b', { master: 'br0' })).master, (await ns.getLink('br0')).index)
  assert.is((await ns.setLink('b', { master: other })).master, other.index)
  assert.is((await ipLink(ns, 'b')).master, 'br1')
  const link = await ns.setLink('b', { master: null })
  assert.is(link.master, undefined)
  assert.is(link.port, undefined)
  assert.is((await ipLink(ns, 'b')).master, undefined)
  assert.is((await failureOf(ns.setLink('b', { master: 'nobody' }))).code, 'ENODEV')
})

test('several changes at once, with a rename among them, all arrive', async () => {
  await using ns = await town()
  const { index } = await ns.getLink('a')
  const link = await ns.setLink(long, {
    name: 'eth0',
    up: true,
    mtu: 1300,
    mac: '02:00:00:00:00:77',
    alias: 'all at once',
    group: 5,
    txqlen: 10,
    master: null,
    deleteAltnames: ['short'],
    addAltnames: ['a', 'enp0s0'],
  })
  assert.is(link.index, index)
  const seen = await ipLink(ns, 'eth0')
  assert.equal(
    [seen.ifindex, seen.mtu, seen.address, seen.ifalias, seen.group, seen.txqlen, seen.master, seen.altnames],
    [index, 1300, '02:00:00:00:00:77', 'all at once', '5', 10, undefined, [long, 'a', 'enp0s0']],
  )
  assert.ok(seen.flags.includes('UP'))
  assert.is((await ns.getLink('a')).index, index)
})

test('no change at all is a look', async () => {
  await using ns = await town()
  assert.equal(await ns.setLink('a', {}), await ns.getLink('a'))
})

test('a change that is refused leaves the other names as they were', async () => {
  await using ns = await town()
  const before = await kernelState(ns)
  const error = await failureOf(ns.setLink('b', { name: 'br0', addAltnames: ['new'] }))
  assert.equal([error.code, error.syscall], ['EEXIST', 'RTM_SETLINK'])
  assert.equal(await kernelState(ns), before)
})

test('a deleted device is gone, and so is its peer', async () => {
  await using ns = await town()
  await ns.deleteLink(long)
  assert.equal(
    (await ipLinks(ns)).map(({ ifname }) => ifname),
    ['lo', 'br0'],
  )
  const bridge = await ns.getLink('br0')
  await ns.deleteLink(bridge)
  assert.is((await failureOf(ns.deleteLink(bridge))).code, 'ENODEV')
})

test('a device that is not there is ENODEV for every verb, however it is named', async () => {
  await using ns = await createNetns()
  for (const ref of ['nobody', 'a-name-that-only-an-alternative-could-have', 4711, { index: 4711 }]) {
    for (const [verb, call] of Object.entries({
      getLink: () => ns.getLink(ref),
      setLink: () => ns.setLink(ref, { up: true }),
      deleteLink: () => ns.deleteLink(ref),
      addAddress: () => ns.addAddress(ref, '10.0.0.1/24'),
      deleteAddress: () => ns.deleteAddress(ref, '10.0.0.1/24'),
      addRoute: () => ns.addRoute({ to: '10.0.0.0/8', dev: ref }),
    })) {
      const error = await failureOf(call)
      assert.instance(error, NetlinkError)
      assert.equal([error.code, error.errno], ['ENODEV', -19], `${verb} ${JSON.stringify(ref)}: ${error.message}`)
    }
  }
})

test("refusals come in the kernel's words, with the attribute that it points at", async () => {
  await using ns = await town()
  const refused = async (changes: LinkChanges): ReturnType<typeof failureOf> => failureOf(ns.setLink('b', changes))
  const mtu = await refused({ mtu: 65535 }) // a veth takes it
    .then(() => undefined)
    .catch(() => undefined)
  assert.is(mtu, undefined)
  const altname = await refused({ addAltnames: ['br0'] })
  assert.equal([altname.code, altname.syscall], ['EEXIST', 'RTM_NEWLINKPROP'])
  const absent = await refused({ deleteAltnames: ['never'] })
  assert.equal([absent.code, absent.syscall], ['ENOENT', 'RTM_DELLINKPROP'])
  const master = await failureOf(ns.setLink('br0', { master: 'br0' }))
  assert.equal([master.code, master.extack], ['ELOOP', 'Can not enslave a bridge to a bridge'])
  assert.match(master.message, /^ELOOP: .*, RTM_SETLINK: Can not enslave a bridge to a bridge$/)
  assert.is((await failureOf(ns.setLink('lo', { master: 'br0' }))).code, 'EINVAL')
  const bridge = await failureOf(ns.createBridge({ name: 'br9', maxAge: 1 }))
  assert.is(bridge.code, 'ERANGE')
})

test.run()
