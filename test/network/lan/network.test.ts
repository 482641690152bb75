// Containers on the wire of a device of the host, beside its other machines.

import * as assert from 'uvu/assert'
import { createNetns, createNetwork, LanNetwork, type LanNetworkSpec, listNetworks, openNetwork } from '../../../lib/index.ts'
import { failureOf } from '../../support/failure.ts'
import { createLab, curl, json, kernelState, type Lab, output } from '../../support/lab.ts'
import { suite } from '../../support/suite.ts'
import { changes } from '../support/changes.ts'
import { address, asBefore, inside, leasesShown, leavesNothing, reaches, spec, subnets, withNetwork } from '../support/lan.ts'
import { attachElsewhere, detachElsewhere } from '../support/processes.ts'
import { sweep } from '../support/sweep.ts'
import { until } from '../support/until.ts'
import { addressesShown, linkShown, linksShown, routesShown } from '../support/witness.ts'

let lab: Lab

const test = suite('a network on the wire of a device')
test.before(async () => {
  lab = await createLab()
})
test.after(async () => {
  await lab[Symbol.asyncDispose]()
  await sweep()
})

test('is a device that is down, and a table without chains; a container has an address of the LAN and leaves the host alone', () =>
  withNetwork({}, async (network) => {
    assert.instance(network, LanNetwork)
    const anchor = await linkShown('br-wire')
    assert.equal(anchor?.altnames, ['netlink-ct/wire'])
    assert.is(
      anchor?.ifalias,
      'netlink-ct/1 network wire macvlan parent=lan0 mode=bridge subnets=192.0.2.0/24 gateways=192.0.2.9 icc',
    )
    assert.not.ok(anchor?.flags.includes('UP'))
    assert.equal(JSON.parse(JSON.stringify(network)), {
      name: 'wire',
      driver: 'macvlan',
      subnets,
      gateways: ['192.0.2.9'],
      reserved: [],
      bridge: 'br-wire',
      adopted: false,
      mtu: 1500,
      internal: false,
      icc: true,
      masquerade: false,
      gatewayMode: {},
      trusted: [],
      antiSpoofing: false,
      parent: 'lan0',
      mode: 'bridge',
      device: {},
    })
    const before = (await linksShown()).map(({ ifname }) => ifname)
    const web = await network.attach({ name: 'web' })
    // 192.0.2.1 is the host's.
    assert.equal(web.addresses, ['192.0.2.2/24'])
    assert.equal([web.mac, web.hostIfname, web.hostIndex, web.gateways], ['02:42:c0:00:02:02', '', 0, ['192.0.2.9']])
    assert.equal(
      (await linksShown()).map(({ ifname }) => ifname),
      before,
      'no device more on the host',
    )
    const eth0 = await linkShown('eth0', inside(web))
    assert.is(eth0?.linkinfo?.info_kind, 'macvlan')
    assert.is(eth0?.linkinfo?.info_data?.['mode'], 'bridge')
    assert.is(eth0?.address, web.mac)
    assert.ok(eth0?.flags.includes('UP'))
    assert.equal(await addressesShown(inside(web)), ['lo 127.0.0.1/8', 'eth0 192.0.2.2/24'])
    assert.equal(await routesShown(inside(web)), ['default via 192.0.2.9 dev eth0', '192.0.2.0/24 dev eth0'])
    assert.equal(await leasesShown(), ['192.0.2.2 comment web'])
    await web.detach()
    assert.equal(await leasesShown(), [])
  }))

test('its containers are reached from the LAN and reach it; the host and they do not reach each other', () =>
  withNetwork({}, async (network) => {
    const [a, b] = [await network.attach({ name: 'a' }), await network.attach({ name: 'b' })]
    await using server = await lab.serve({ netns: inside(a), name: 'a', http: 80 })
    assert.ok(server)
    const answer = (await curl(`http://${address(a)}/`, { netns: lab.lan })).answer
    assert.equal([answer?.server, answer?.peer], ['a', '192.0.2.9'])
    assert.ok(await reaches(inside(a), '192.0.2.9'))
    assert.ok(await reaches(inside(a), address(b)), 'neighbors of the same parent')
    assert.not.ok(await reaches(undefined, address(a)), 'from the host')
    assert.not.ok(await reaches(inside(a), '192.0.2.1'), 'to the host')
  }))

test('keeps its containers apart in the mode private, and has them on the LAN all the same', () =>
  withNetwork({ mode: 'private' }, async (network) => {
    assert.is(network.icc, false)
    const [a, b] = [await network.attach({ name: 'a' }), await network.attach({ name: 'b' })]
    assert.is((await linkShown('eth0', inside(a)))?.linkinfo?.info_data?.['mode'], 'private')
    assert.ok(await reaches(inside(a), '192.0.2.9'))
    assert.ok(await reaches(lab.lan, address(b)))
    assert.not.ok(await reaches(inside(a), address(b)))
  }))

test('gives passthru to one container, with the MAC of the parent', () =>
  withNetwork({ mode: 'passthru' }, async (network) => {
    const one = await network.attach({ name: 'one' })
    assert.is(one.mac, (await linkShown('lan0'))?.address)
    assert.is((await linkShown('eth0', inside(one)))?.address, one.mac)
    assert.ok(await reaches(lab.lan, address(one)))
    const failure = await leavesNothing(() => network.attach({ name: 'two' }))
    assert.is(failure.code, 'PARENT_IN_USE')
    assert.match(failure.message, /passthru is for one device.*EINVAL/)
    assert.match((await failureOf(network.attach({ name: 'two', mac: '02:00:00:00:00:07' }))).message, /mac is the parent's/)
  }))

test('has IPv4 and IPv6, of which the LAN hears as the container comes', () =>
  withNetwork({ subnets: [...subnets, 'fd00:2::/64'], gateways: ['192.0.2.9', 'fd00:2::9'] }, async (network) => {
    await output('ip', ['address', 'add', 'fd00:2::9/64', 'dev', 'eth0', 'nodad'], { netns: lab.lan })
    const web = await network.attach({ name: 'web' })
    assert.equal(web.addresses, ['192.0.2.2/24', 'fd00:2::2/64'])
    assert.ok(await reaches(lab.lan, 'fd00:2::2'))
    assert.ok(await reaches(inside(web), 'fd00:2::9'))
    assert.ok((await routesShown(inside(web), 6)).includes('default via fd00:2::9 dev eth0'))
    assert.equal(await leasesShown('addresses6'), ['fd00:2::2 comment web'])
    const six = await network.attach({ name: 'six', addresses: ['fd00:2::abcd/64'] })
    assert.equal(six.addresses, ['192.0.2.3/24', 'fd00:2::abcd/64'])
    const failure = await leavesNothing(() => network.attach({ name: 'again', addresses: ['fd00:2::abcd/64'] }))
    assert.match(failure.message, /ADDRESS_IN_USE: fd00:2::abcd is leased already, to 'six'/)
    await output('ip', ['address', 'delete', 'fd00:2::9/64', 'dev', 'eth0'], { netns: lab.lan })
  }))

test('tells the LAN of a container’s address at once: the neighbor that knew another MAC for it knows the new one', () =>
  withNetwork({}, async (network) => {
    const neighbor = async (): Promise<string | undefined> =>
      (await json<{ lladdr?: string }[]>('ip', ['neigh', 'show', '192.0.2.77'], { netns: lab.lan }))[0]?.lladdr
    await output('ip', ['neigh', 'replace', '192.0.2.77', 'lladdr', '02:00:00:00:00:99', 'dev', 'eth0', 'nud', 'stale'], {
      netns: lab.lan,
    })
    await network.attach({ name: 'web', addresses: ['192.0.2.77/24'] })
    await until('the neighbor knows', async () => (await neighbor()) === '02:42:c0:00:02:4d')
  }))

test('that is internal has no default route, and no router that an address is kept for', () =>
  withNetwork({ internal: true, gateways: undefined as never }, async (network) => {
    assert.equal(network.gateways, [])
    const web = await network.attach({ name: 'web', addresses: ['192.0.2.10/24'] })
    assert.equal(await routesShown(inside(web)), ['192.0.2.0/24 dev eth0'])
  }))

test('takes the first address for the router’s when none is named', () =>
  withNetwork({ gateways: undefined as never, subnets: ['198.51.100.0/24'] }, async (network) => {
    assert.equal(network.gateways, ['198.51.100.1'])
    assert.equal((await network.attach({ name: 'web' })).addresses, ['198.51.100.2/24'])
  }))

test('takes a namespace that is there, a name for the interface, a MAC and an MTU', () =>
  withNetwork({ mtu: 1400 }, async (network) => {
    await output('ip', ['netns', 'add', 'box'])
    await output('ip', ['link', 'set', 'lo', 'up'], { netns: 'box' })
    const before = await kernelState('box')
    const web = await network.attach({
      name: 'web',
      netns: 'box',
      ifname: 'wan',
      mac: '02:00:00:00:00:07',
      defaultRoute: false,
    })
    const wan = await linkShown('wan', 'box')
    assert.equal([wan?.address, wan?.mtu, web.mac], ['02:00:00:00:00:07', 1400, '02:00:00:00:00:07'])
    assert.equal(await routesShown('box'), ['192.0.2.0/24 dev wan'])
    await web.detach()
    assert.is(await linkShown('wan', 'box'), undefined)
    assert.equal(changes(before, await kernelState('box')), [])
    await output('ip', ['netns', 'delete', 'box'])
  }))

test('is listed with the others', () =>
  withNetwork({}, async () => {
    const bridged = await createNetwork({ name: 'bridged', subnets: ['10.9.0.0/24'] })
    const listed = await listNetworks()
    assert.equal(
      listed.map(({ name, driver }) => `${name} ${driver}`),
      ['bridged bridge', 'wire macvlan'],
    )
    assert.instance(listed[1], LanNetwork)
    await bridged.delete()
  }))

test('is on the wire of the default route where no parent is named, of the lowest metric', async () => {
  const before = await kernelState()
  const { parent: _, ...elsewhere } = { ...spec, subnets: ['203.0.113.0/24'], gateways: ['203.0.113.9'] }
  await output('ip', ['route', 'add', 'default', 'via', '192.0.2.9', 'metric', '50'])
  const network = await createNetwork(elsewhere)
  assert.is(network.parent, 'wan0')
  const web = await network.attach({ name: 'web' })
  assert.ok(await reaches('internet', address(web)))
  assert.equal((await createNetwork(elsewhere)).toJSON(), network.toJSON(), 'an equal one')
  await network.delete({ force: true })
  await output('ip', ['route', 'delete', 'default', 'via', '192.0.2.9'])
  await output('ip', ['route', 'delete', 'default'])
  const failure = await leavesNothing(() => createNetwork(elsewhere))
  assert.is(failure.code, 'PARENT_NOT_FOUND')
  assert.match(failure.message, /the host has no default route: name the parent/)
  await output('ip', ['route', 'add', 'default', 'via', '203.0.113.9'])
  await asBefore(before)
})

test('makes its devices with the options that it was given, and remembers them', async () => {
  await withNetwork({ broadcastQueue: 7, broadcastCutoff: -1 }, async (network) => {
    assert.match((await linkShown('br-wire'))?.ifalias ?? '', / broadcastQueue=7 broadcastCutoff=-1 icc$/)
    const again = await openNetwork('wire')
    assert.equal(again.toJSON(), network.toJSON())
    const web = await again.attach({ name: 'web' })
    const data = (await linkShown('eth0', inside(web)))?.linkinfo?.info_data
    assert.is(data?.['bcqueuelen'], 7)
    assert.is((await web.netns?.getLink('eth0'))?.macvlan?.broadcastCutoff, -1, 'ip 6.1 does not show it')
    const other = await leavesNothing(() => createNetwork({ ...spec, broadcastQueue: 8 }))
    assert.match(other.message, /device {"broadcastQueue":7,"broadcastCutoff":-1}, not {"broadcastQueue":8}/)
  })
  await withNetwork({ mode: 'passthru', promiscuous: false }, async (network) => {
    const one = await network.attach({ name: 'one' })
    assert.is((await linkShown('eth0', inside(one)))?.linkinfo?.info_data?.['nopromisc'], true)
    assert.is((await linkShown('lan0'))?.['promiscuity'], 0)
    assert.ok(await reaches('lan', address(one)))
  })
})

test('may be that of another host than this one', async () => {
  await using other = await createNetns()
  await using box = await createNetns()
  await other.createVethPair({ name: 'up0', up: true, peer: { name: 'port', netns: other, up: true } })
  const network = await createNetwork({ ...spec, parent: 'up0', host: other })
  const web = await network.attach({ name: 'web', netns: box })
  assert.is((await linkShown('eth0', inside(web)))?.linkinfo?.info_kind, 'macvlan')
  assert.is((await openNetwork('wire', { host: other })).name, 'wire')
  assert.is((await failureOf(openNetwork('wire'))).code, 'NETWORK_NOT_FOUND')
  await output('nft', ['flush', 'ruleset'], { netns: { path: other.path } })
  assert.equal(
    (await network.endpoints()).map(({ name }) => name),
    ['web'],
  )
  await network.delete({ force: true })
  assert.is(await linkShown('eth0', inside(web)), undefined)
  assert.is((await output('nft', ['list', 'tables'], { netns: { path: other.path } })).trim(), '')
})

test('is found again, and so are its endpoints, by another process as well', () =>
  withNetwork({ reserved: ['192.0.2.128/25'] }, async (network) => {
    const again = await openNetwork('wire')
    assert.equal(again.toJSON(), network.toJSON())
    assert.equal((await createNetwork({ ...spec, reserved: ['192.0.2.128/25'] })).toJSON(), network.toJSON())
    const web = await network.attach({ name: 'web' })
    await using other = await attachElsewhere('wire', { name: 'a' }, { name: 'b' })
    const names = (await again.endpoints()).map(({ name, addresses }) => `${name} ${addresses}`)
    assert.is(names.length, 3)
    assert.is(names[0], 'web 192.0.2.2/24')
    const found = await again.endpoint('web')
    assert.equal([found.ifname, found.mac, found.addresses], ['eth0', web.mac, web.addresses])
    assert.is((await failureOf(again.endpoint('wob'))).code, 'ENDPOINT_NOT_FOUND')
    // Through the namespace, wherever it is held.
    const path = { path: other.endpoints.find(({ name }) => name === 'a')?.netns ?? '' }
    assert.ok(await linkShown('eth0', path))
    await network.detach('a')
    assert.is(await linkShown('eth0', path), undefined)
    await detachElsewhere('wire', 'web')
    assert.is(await linkShown('eth0', inside(web)), undefined)
    await web.detach() // twice is no error
    assert.equal(
      (await network.endpoints()).map(({ name }) => name),
      ['b'],
    )
  }))

test('made again with other options is refused with the differences; so is a bridge of its name', () =>
  withNetwork({}, async () => {
    const other: LanNetworkSpec = { ...spec, parent: 'wan0', mode: 'vepa', gateways: ['192.0.2.8'], internal: false }
    const failure = await leavesNothing(() => createNetwork(other))
    assert.is(failure.code, 'NETWORK_DIFFERS')
    for (const part of ['parent lan0, not wan0', 'mode bridge, not vepa', 'gateway 192.0.2.9, not 192.0.2.8'])
      assert.ok(failure.message.includes(part), failure.message)
    assert.match((await leavesNothing(() => createNetwork({ name: 'wire' }))).message, /driver macvlan, not bridge/)
    assert.match(
      (await leavesNothing(() => createNetwork({ ...spec, name: 'other', subnets: ['192.0.0.0/16'] }))).message,
      /SUBNET_CONFLICT: 192.0.0.0\/16 overlaps 192.0.2.0\/24 of the network 'wire', which is on lan0, too/,
    )
    const beside = { ...spec, name: 'other', subnets: ['198.51.100.0/24'], gateways: ['198.51.100.1'] }
    for (const [options, why] of [
      [{ driver: 'ipvlan' }, /ipvlan \(l2\) does not go on lan0 beside the network 'wire': .* not both/],
      [{ mode: 'passthru' }, /passthru has the parent to itself/],
    ] as const) {
      const misfit = await leavesNothing(() => createNetwork({ ...beside, ...options } as LanNetworkSpec))
      assert.is(misfit.code, 'PARENT_IN_USE')
      assert.match(misfit.message, why)
    }
    await (await createNetwork(beside)).delete()
  }))

test('is not deleted while containers are in it, unless by force', () =>
  withNetwork({}, async (network) => {
    const web = await network.attach({ name: 'web', netns: { path: '/proc/self/ns/net' }, ifname: 'web0', defaultRoute: false })
    const failure = await failureOf(network.delete())
    assert.is(failure.code, 'NETWORK_IN_USE')
    assert.match(failure.message, /1 endpoint \(web\)/)
    assert.ok(await linkShown('web0'))
    await network.delete({ force: true })
    assert.is(await linkShown('web0'), undefined)
    assert.is((await failureOf(network.attach({ name: 'late' }))).code, 'NETWORK_NOT_FOUND')
    assert.is((await failureOf(openNetwork('wire'))).code, 'NETWORK_NOT_FOUND')
    await web.detach()
  }))

test.run()
