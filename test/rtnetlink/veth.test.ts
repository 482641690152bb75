// Veth pairs, both ends, with ip(8) as the witness.

import * as assert from 'uvu/assert'
import { createNetns, createVethPair, host, type Netns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { kernelState, output, ping } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipAddresses, ipLink, ipRoutes } from '../support/witness.ts'

const test = suite('createVethPair')

test('both ends are complete: names, MACs, MTUs, queues, addresses, routes, master', async () => {
  await using outside = await createNetns()
  await using inside = await createNetns()
  await outside.setLink('lo', { up: true })
  await outside.createBridge({ name: 'br0', up: true, addresses: ['172.18.0.1/16'] })
  const [link, peer] = await outside.createVethPair({
    name: 'v0',
    mac: '02:00:00:00:00:0a',
    mtu: 1400,
    txqlen: 500,
    up: true,
    master: 'br0',
    group: 9,
    addresses: ['192.0.2.1/32'],
    peer: {
      netns: inside,
      name: 'eth0',
      mac: '02:00:00:00:00:0b',
      mtu: 1300,
      txqlen: 0,
      up: true,
      addresses: ['172.18.0.10/16', 'fd00:18::10/64'],
      routes: [
        { to: 'default', via: '172.18.0.1' },
        { to: '10.9.0.0/16', via: '172.18.0.2', metric: 5, mtu: 1200, source: '172.18.0.10' },
        { to: 'default', via: 'fd00:18::1' },
        { to: '169.254.1.1' },
        { to: '198.51.100.0/24', type: 'blackhole' },
      ],
    },
  })
  const near = await ipLink(outside, 'v0')
  assert.equal([near.address, near.mtu, near.txqlen, near.master, near.group], ['02:00:00:00:00:0a', 1400, 500, 'br0', '9'])
  assert.ok(near.flags.includes('UP') && near.flags.includes('LOWER_UP'))
  assert.is(near.link_index, peer.index)
  assert.equal(
    (await ipAddresses(outside, 'v0'))
      .filter(({ family }) => family === 'inet')
      .map(({ local, prefixlen }) => [local, prefixlen]),
    [['192.0.2.1', 32]],
  )
  const far = await ipLink(inside, 'eth0')
  assert.equal([far.address, far.mtu, far.txqlen ?? 0, far.link_index], ['02:00:00:00:00:0b', 1300, 0, link.index])
  assert.ok(far.flags.includes('UP'))
  assert.equal(
    (await ipAddresses(inside, 'eth0'))
      .filter(({ scope }) => scope === 'global')
      .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    ['172.18.0.10/16', 'fd00:18::10/64'],
  )
  const routes = await ipRoutes(inside)
  const find = (dst: string): (typeof routes)[number] | undefined => routes.find((route) => route.dst === dst)
  assert.is(find('default')?.gateway, '172.18.0.1')
  assert.equal(
    [find('10.9.0.0/16')?.gateway, find('10.9.0.0/16')?.metric, find('10.9.0.0/16')?.prefsrc, find('10.9.0.0/16')?.metrics],
    ['172.18.0.2', 5, '172.18.0.10', [{ mtu: 1200 }]],
  )
  assert.equal([find('169.254.1.1')?.dev, find('169.254.1.1')?.scope], ['eth0', 'link'])
  assert.is(find('198.51.100.0/24')?.type, 'blackhole')
  assert.is((await ipRoutes(inside, '-6', 'default'))[0]?.gateway, 'fd00:18::1')
  assert.ok(await ping('172.18.0.1', { netns: inside }))

  // What was returned is what is there.
  assert.equal(
    [link.index, link.name, link.kind, link.mac, link.mtu, link.txqlen],
    [near.ifindex, 'v0', 'veth', near.address, 1400, 500],
  )
  assert.equal([link.master, link.group, link.peer, link.up], [(await ipLink(outside, 'br0')).ifindex, 9, far.ifindex, true])
  assert.equal([peer.index, peer.name, peer.mtu, peer.txqlen, peer.peer], [far.ifindex, 'eth0', 1300, 0, near.ifindex])
  assert.is(link.port?.state, 'forwarding')
  assert.is(peer.port, undefined)
  assert.is(typeof link.peerNetnsid, 'number')
  assert.equal(JSON.parse(JSON.stringify([link, peer])), [link, peer])
})

test('the ends differ in all that a device has', async () => {
  await using outside = await createNetns()
  await using inside = await createNetns()
  await inside.createBridge({ name: 'br1' })
  const [near, far] = await outside.createVethPair({
    ...{ name: 'a', mac: '02:00:00:00:00:0a', mtu: 1500, txqlen: 0, txQueues: 2, rxQueues: 3, group: 11, alias: 'near' },
    ...{ altnames: ['near-end', 'na'], addressGeneration: 'none', addresses: ['192.0.2.1/24'], up: true, arp: false },
    ...{ gsoMaxSize: 30000, gsoMaxSegments: 100, groMaxSize: 25000, gsoIpv4MaxSize: 20000, groIpv4MaxSize: 21000 },
    peer: {
      ...{ netns: inside, name: 'b', mac: '02:00:00:00:00:0b', mtu: 1400, txqlen: 1000, txQueues: 4, rxQueues: 5, group: 12 },
      ...{ alias: 'far', altnames: ['far-end'], addressGeneration: 'random', addresses: ['192.0.2.2/24'], up: true },
      ...{ master: 'br1', promiscuous: true, allMulticast: true, multicast: false },
      ...{ gsoMaxSize: 40000, gsoMaxSegments: 101, groMaxSize: 26000, gsoIpv4MaxSize: 22000, groIpv4MaxSize: 23000 },
    },
  })
  const [a, b] = [await ipLink(outside, 'a'), await ipLink(inside, 'b')]
  const shown = (link: typeof a): unknown[] => [
    ...[link.address, link.mtu, link.txqlen ?? 0, link.num_tx_queues, link.num_rx_queues, link.group, link.ifalias],
    ...[link.altnames, link.inet6_addr_gen_mode, link.gso_max_size, link.gso_max_segs, link.gro_max_size, link.master],
  ]
  assert.equal(shown(a), [
    ...['02:00:00:00:00:0a', 1500, 0, 2, 3, '11', 'near'],
    ...[['near-end', 'na'], 'none', 30000, 100, 25000, undefined],
  ])
  assert.equal(shown(b), [
    ...['02:00:00:00:00:0b', 1400, 1000, 4, 5, '12', 'far'],
    ...[['far-end'], 'random', 40000, 101, 26000, 'br1'],
  ])
  const flags = (link: typeof a): string[] => link.flags.filter((flag) => !['BROADCAST', 'LOWER_UP'].includes(flag)).sort()
  assert.equal(flags(a), ['MULTICAST', 'NOARP', 'UP'])
  assert.equal(flags(b), ['ALLMULTI', 'PROMISC', 'UP'])
  // ip(8) shows these since 6.3 only; that the kernel has them is what it answers.
  assert.equal([near.gsoIpv4MaxSize, near.groIpv4MaxSize, far.gsoIpv4MaxSize, far.groIpv4MaxSize], [20000, 21000, 22000, 23000])
  // No address was made that nobody asked for: the mode was set before the device came up.
  assert.equal(
    (await ipAddresses(outside, 'a')).map(({ local }) => local),
    ['192.0.2.1'],
  )
  // The far end was read before this one came up, and with it the carrier.
  const { carrier, operstate } = await inside.getLink('b')
  assert.equal([await outside.getLink('a'), await inside.getLink('b')], [near, { ...far, carrier, operstate }])
})

test('nothing is left when the peer cannot be completed', async () => {
  await using ns = await createNetns()
  await ns.createLink({ kind: 'ifb', name: 'i0', altnames: ['taken'] })
  const before = await kernelState(ns)
  const error = await failureOf(ns.createVethPair({ name: 'a', peer: { name: 'b', altnames: ['taken'] } }))
  assert.equal([error.code, error.operation], ['EEXIST', 'add the alternative names taken'])
  assert.is((await failureOf(ns.createVethPair({ name: 'a', peer: { name: 'b', master: 'nobody' } }))).code, 'ENODEV')
  assert.is((await failureOf(ns.createVethPair({ name: 'a', peer: { name: 'b', gsoMaxSize: 0xffffffff } }))).code, 'EINVAL')
  assert.equal(await kernelState(ns), before)
})

test('without a namespace for the peer both ends are in one', async () => {
  await using ns = await createNetns()
  const [link, peer] = await ns.createVethPair({ name: 'a', peer: { name: 'b' } })
  assert.equal([(await ipLink(ns, 'a')).link, (await ipLink(ns, 'b')).link], ['b', 'a'])
  assert.equal([link.up, peer.up, link.carrier, link.peerNetnsid], [false, false, false, undefined])
})

test('both ends may lie elsewhere: neither is in the namespace of this process', async () => {
  const before = await kernelState()
  await using one = await createNetns()
  await using other = await createNetns()
  await one.createVethPair({
    name: 'left',
    up: true,
    addresses: ['10.0.0.1/24'],
    peer: { netns: other, name: 'right', up: true, addresses: ['10.0.0.2/24'] },
  })
  assert.ok(await ping('10.0.0.2', { netns: one }))
  assert.equal(await kernelState(), before)
})

test('the same name on both sides is no conflict across namespaces', async () => {
  await using one = await createNetns()
  await using other = await createNetns()
  const [link, peer] = await one.createVethPair({ name: 'eth0', peer: { netns: other, name: 'eth0' } })
  assert.equal([link.name, peer.name], ['eth0', 'eth0'])
})

test('the end of a namespace takes the pair with it, and so does a deletion of either end', async () => {
  await using one = await createNetns()
  await using other = await createNetns()
  await one.createVethPair({ name: 'a', peer: { netns: other, name: 'b' } })
  await other.deleteLink('b')
  assert.is((await failureOf(one.getLink('a'))).code, 'ENODEV')
})

test('a route of an end may name another device of the same namespace, by name, index or Link', async () => {
  await using one = await createNetns()
  await using other = await createNetns()
  const [, eth0] = await one.createVethPair({ name: 'a', up: true, peer: { netns: other, name: 'eth0', up: true } })
  for (const [at, dev] of ['eth0', eth0.index, eth0].entries()) {
    await one.createVethPair({
      name: `b${at}`,
      peer: { netns: other, name: `eth${at + 1}`, up: true, routes: [{ to: `10.${at}.0.0/16`, dev }] },
    })
    assert.is((await ipRoutes(other, `10.${at}.0.0/16`))[0]?.dev, 'eth0')
  }
  await one.createVethPair({
    name: 'own',
    peer: { netns: other, name: 'eth9', up: true, routes: [{ to: '10.9.0.0/16', dev: 'eth9' }] },
  })
  assert.is((await ipRoutes(other, '10.9.0.0/16'))[0]?.dev, 'eth9')
})

async function unchanged(places: readonly Netns[], what: string, call: () => Promise<unknown>): ReturnType<typeof failureOf> {
  const state = (): Promise<unknown> => Promise.all([kernelState(), ...places.map((ns) => kernelState(ns))])
  const before = await state()
  const error = await failureOf(call)
  assert.equal(await state(), before, what)
  return error
}

test('whatever the kernel refuses, nothing is left, and the error names the step', async () => {
  await using one = await createNetns()
  await using other = await createNetns()
  await one.createBridge({ name: 'taken' })
  await other.createBridge({ name: 'occupied' })
  const end = { name: 'v0', up: true, addresses: ['10.0.0.1/24'] }
  const peer = { netns: other, name: 'eth0', up: true }
  const cases: [
    what: string,
    spec: Parameters<Netns['createVethPair']>[0],
    code: string,
    syscall: string,
    operation: string | undefined,
  ][] = [
    ['name taken', { ...end, name: 'taken', peer }, 'EEXIST', 'RTM_NEWLINK', 'make the veth pair taken and eth0'],
    [
      'peer name taken',
      { ...end, peer: { ...peer, name: 'occupied' } },
      'EEXIST',
      'RTM_NEWLINK',
      'make the veth pair v0 and occupied',
    ],
    ['no such master', { ...end, master: 'nobody', peer }, 'ENODEV', 'RTM_GETLINK', 'look for nobody'],
    ['master is no bridge', { ...end, master: 'lo', peer }, 'ENOTSUP', 'RTM_NEWLINK', 'make the veth pair v0 and eth0'],
    ['no such master index', { ...end, master: 9999, peer }, 'EINVAL', 'RTM_NEWLINK', 'make the veth pair v0 and eth0'],
    [
      'peer address twice',
      { ...end, peer: { ...peer, addresses: ['10.0.0.2/24', '10.0.0.2/24'] } },
      'EEXIST',
      'RTM_NEWADDR',
      'add the address 10.0.0.2/24',
    ],
    [
      'peer gateway unreachable',
      { ...end, peer: { ...peer, routes: [{ to: 'default', via: '203.0.113.1' }] } },
      'ENETUNREACH',
      'RTM_NEWROUTE',
      'add the route to default',
    ],
    [
      'peer route while down',
      { ...end, peer: { netns: other, name: 'eth0', routes: [{ to: '10.1.0.0/16' }] } },
      'ENETDOWN',
      'RTM_NEWROUTE',
      'add the route to 10.1.0.0/16',
    ],
    [
      'own address twice',
      { ...end, addresses: ['10.0.0.1/24', '10.0.0.1/24'], peer },
      'EEXIST',
      'RTM_NEWADDR',
      'add the address 10.0.0.1/24',
    ],
    [
      'own gateway unreachable',
      { ...end, routes: [{ to: '10.2.0.0/16', via: '203.0.113.1' }], peer },
      'ENETUNREACH',
      'RTM_NEWROUTE',
      'add the route to 10.2.0.0/16',
    ],
    [
      'no such device in a route',
      { ...end, peer: { ...peer, routes: [{ to: 'default', dev: 'nobody' }] } },
      'ENODEV',
      'RTM_GETLINK',
      'look for nobody',
    ],
  ]
  for (const [what, spec, code, syscall, operation] of cases) {
    const error = await unchanged([one, other], what, () => one.createVethPair(spec))
    assert.equal([error.code, error.syscall, error.operation], [code, syscall, operation], `${what}: ${error.message}`)
  }
})

test('names that both ends want at once go to one of them', async () => {
  await using ns = await createNetns()
  const error = await unchanged([ns], 'same name', () => ns.createVethPair({ name: 'a', peer: { name: 'a' } }))
  assert.is(error.code, 'EEXIST')
})

test('many pairs at once are all there', async () => {
  await using one = await createNetns()
  await using other = await createNetns()
  const pairs = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      one.createVethPair({ name: `v${at}`, up: true, peer: { netns: other, name: `e${at}`, up: true } }),
    ),
  )
  const links = await output('ip', ['-br', 'link'], { netns: one })
  for (const [link, peer] of pairs) {
    assert.match(links, new RegExp(`^${link.name}@if${peer.index} `, 'm'))
    assert.is((await other.getLink(peer.name)).peer, link.index)
  }
})

test('the exported function makes the near end here', async () => {
  const before = await kernelState()
  await using ns = await createNetns()
  const [link] = await createVethPair({ name: 'nlct0', peer: { netns: ns, name: 'eth0' } })
  assert.is((await ipLink(undefined, 'nlct0')).ifindex, link.index)
  await host.deleteLink(link)
  assert.equal(await kernelState(), before)
})

test.run()
