// Containers on the wire of a device of the host, beside its other machines.

import { once } from 'node:events'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import {
  type AttachSpec,
  createNetns,
  createNetwork,
  type Endpoint,
  host,
  LanNetwork,
  type LanNetworkSpec,
  type Link,
  listNetworks,
  type MacvlanNetworkSpec,
  NetlinkError,
  NetworkError,
  openNetns,
  openNetwork,
} from '../../lib/index.ts'
import { native } from '../../lib/native.ts'
import { creation } from '../../lib/network/driver/lan-device.ts'
import { type Failure, failureOf } from '../support/failure.ts'
import {
  createLab,
  curl,
  json,
  type KernelState,
  kernelState,
  type Lab,
  type NetnsRef,
  output,
  ping,
  run,
  spawnIn,
} from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { changes } from './support/changes.ts'
import { attachElsewhere, detachElsewhere } from './support/processes.ts'
import { sweep } from './support/sweep.ts'
import { until } from './support/until.ts'
import { addressesShown, linkShown, linksShown, routesShown } from './support/witness.ts'

const inside = (endpoint: Endpoint): { path: string } => ({ path: endpoint.netns?.path ?? 'closed' })
const address = (endpoint: Endpoint, at = 0): string => endpoint.addresses[at]?.split('/')[0] ?? ''

const subnets = ['192.0.2.0/24']
/** The neighbor on the LAN plays its router. */
const spec: MacvlanNetworkSpec = { name: 'wire', driver: 'macvlan', parent: 'lan0', subnets, gateways: ['192.0.2.9'] }

/** A network for `body`, after which the kernel is as it was before. */
async function withNetwork(options: Partial<MacvlanNetworkSpec>, body: (network: LanNetwork) => Promise<void>): Promise<void> {
  const before = await kernelState()
  try {
    const network = await createNetwork({ ...spec, ...options })
    await body(network)
    await network.delete({ force: true })
  } catch (error) {
    // One failure is enough.
    await (await openNetwork('wire').catch(() => undefined))?.delete({ force: true })
    throw error
  }
  await asBefore(before)
}

/** The devices of a killed process go in the kernel's own time. */
async function asBefore(before: KernelState): Promise<void> {
  let left: string[] = []
  const same = async (): Promise<boolean> => {
    left = changes(before, await kernelState())
    return left.length === 0
  }
  await until('the kernel is as before the network', same).catch(() => assert.equal(left, []))
}

/** What nft says is leased: `192.0.2.1 comment web`. */
async function leasesShown(set: 'addresses4' | 'addresses6' | 'holders' = 'addresses4'): Promise<string[]> {
  const { nftables } = await json<{ nftables: { set?: { elem?: { elem: { val: string; comment?: string } }[] } }[] }>('nft', [
    ...['list', 'set', 'inet', 'netlink-ct/wire', set],
  ])
  const elements = nftables.flatMap(({ set: shown }) => shown?.elem ?? [])
  return elements.map(({ elem: { val, comment } }) => `${val} comment ${comment}`).sort()
}

async function leavesNothing(call: () => Promise<unknown>, where?: NetnsRef): Promise<Failure> {
  const before = [await kernelState(), where && (await kernelState(where))]
  const failure = await failureOf(call)
  assert.equal(changes(before, [await kernelState(), where && (await kernelState(where))]), [], String(failure))
  return failure
}

/** By their numbers, without the flag of a nest. */
function attributesOf(raw: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>()
  for (let at = 0; at + 4 <= raw.length; at += (raw.readUInt16LE(at) + 3) & ~3) {
    found.set(raw.readUInt16LE(at + 2) & 0x3fff, raw.subarray(at + 4, at + raw.readUInt16LE(at)))
  }
  return found
}

const namespacesKnown = async (): Promise<number> => (await json<unknown[]>('ip', ['netns', 'list-id'])).length

/** A process that attached these and was killed, when the kernel has ended its namespaces. */
async function dead(...specs: readonly AttachSpec[]): Promise<void> {
  const before = await namespacesKnown()
  const other = await attachElsewhere('wire', ...specs)
  await other.kill()
  await until('their namespaces are gone', async () => (await namespacesKnown()) === before)
}

/** As attach, when the device that a dead container had is gone, too. */
async function attachSoon(network: LanNetwork, wanted: AttachSpec): Promise<Endpoint> {
  let endpoint: Endpoint | undefined
  await until('the address is free', async () => {
    endpoint = await network.attach(wanted).catch((error: Failure) => {
      if (error.code === 'ADDRESS_IN_USE' || error.code === 'SUBNET_FULL') return undefined
      throw error
    })
    return endpoint !== undefined
  })
  return endpoint as Endpoint
}

const reaches = async (from: NetnsRef | undefined, to: string): Promise<boolean> => ping(to, { netns: from })

let lab: Lab

{
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
        mtu: 1500,
        internal: false,
        icc: true,
        masquerade: false,
        gatewayMode: {},
        trusted: [],
        parent: 'lan0',
        mode: 'bridge',
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

  test('takes a metric, settings of the device, and silence; what it cannot do is refused', () =>
    withNetwork({}, async (network) => {
      const sysctls = { 'net.ipv4.conf.IFNAME.rp_filter': 2 }
      const web = await network.attach({ name: 'web', metric: 7, sysctls, announce: false })
      const setting = async (name: string): Promise<string> =>
        (await output('cat', [`/proc/sys/net/ipv4/conf/eth0/${name}`], { netns: inside(web) })).trim()
      assert.equal([await setting('rp_filter'), await setting('arp_notify')], ['2', '0'])
      const [route] = await json<{ metric?: number }[]>('ip', ['route', 'show', 'default'], { netns: inside(web) })
      assert.is(route?.metric, 7)
      const refused: [Partial<AttachSpec>, RegExp][] = [
        [{ bandwidth: { egress: '10mbit' } }, /bandwidth is not there with the driver macvlan/],
        [{ labels: { app: 'shop' } }, /labels is not there with the driver macvlan/],
        [{ routes: [{ to: '10.0.0.0/8' }] }, /routes is not there with the driver macvlan/],
        [{ sysctls: { 'net.core.somaxconn': 7 } }, /sysctls can be those of the interface only/],
      ]
      for (const [options, message] of refused) {
        const failure = await leavesNothing(() => network.attach({ name: 'x', ...options }))
        assert.is(failure.code, 'ERR_INVALID_ARG_VALUE')
        assert.match(failure.message, message)
      }
      const unknown = { 'net.ipv4.conf.IFNAME.no_such_thing': 1 }
      assert.is((await leavesNothing(() => network.attach({ name: 'x', sysctls: unknown }))).code, 'ENOENT')
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
      assert.match(failure.message, /1 endpoints \(web\)/)
      assert.ok(await linkShown('web0'))
      await network.delete({ force: true })
      assert.is(await linkShown('web0'), undefined)
      assert.is((await failureOf(network.attach({ name: 'late' }))).code, 'NETWORK_NOT_FOUND')
      assert.is((await failureOf(openNetwork('wire'))).code, 'NETWORK_NOT_FOUND')
      await web.detach()
    }))

  test.run()
}

{
  const test = suite('a lease without a device on the host')
  test.before(async () => {
    lab = await createLab()
  })
  test.after(async () => {
    await lab[Symbol.asyncDispose]()
    await sweep()
  })
  const small = { subnets: ['192.0.2.0/29'], gateways: ['192.0.2.6'] }

  test('is given to one of many that ask at the same time, in two processes', () =>
    withNetwork({}, async (network) => {
      const specs = (prefix: string): AttachSpec[] => Array.from({ length: 8 }, (_, at) => ({ name: `${prefix}${at}` }))
      const [own, other] = await Promise.all([
        Promise.all(specs('a').map((one) => network.attach(one))),
        attachElsewhere('wire', ...specs('b')),
      ])
      const addresses = [...own, ...other.endpoints].flatMap((endpoint) => endpoint.addresses)
      assert.is(new Set(addresses).size, 16)
      assert.is((await leasesShown()).length, 16)
      await other.kill()
    }))

  test('is given back by many at the same time, each its own', () =>
    withNetwork({}, async (network) => {
      const all = await Promise.all(Array.from({ length: 32 }, (_, at) => network.attach({ name: `c${at}` })))
      await Promise.all(all.slice(1).map((endpoint) => endpoint.detach()))
      assert.equal(await leasesShown(), [`${address(all[0] as Endpoint)} comment c0`])
    }))

  test('is never lost to a process that is killed at any moment of an attach or a detach', () =>
    withNetwork({}, async (network) => {
      const survivor = await network.attach({ name: 'survivor' })
      for (let round = 0; round < 4; round++) {
        const script = join(import.meta.dirname, 'support/lan-churner.ts')
        const child = spawnIn(undefined, process.execPath, ['--import', 'tsx', script, 'wire'], {
          stdio: ['ignore', 'pipe', 'pipe'],
        })
        let [lines, complaints] = ['', '']
        child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (complaints += chunk))
        child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
          lines += chunk
          if (lines.split('\n').length > 7 + round * 5) child.kill('SIGKILL')
        })
        await once(child, 'close')
        assert.is(child.signalCode, 'SIGKILL', complaints)
        await until('its leases are taken back', async () => {
          await network.reclaim()
          return (await network.endpoints()).length === 1
        })
        // As nft sees it: nothing of a lease stays behind another part of it.
        assert.equal(await leasesShown(), [`${address(survivor)} comment survivor`])
        assert.is((await leasesShown('holders')).length, 1)
      }
    }))

  test('is listed by nft in words that nft takes back', () =>
    withNetwork({}, async (network) => {
      const names = ['9', 'exactly-15-long', 'n'.repeat(60)]
      for (const name of names) await network.attach({ name })
      const before = await output('nft', ['list', 'ruleset'])
      await output('nft', ['-f', '-'], { input: `flush ruleset\n${before}` })
      assert.is(await output('nft', ['list', 'ruleset']), before)
      assert.equal(
        (await network.endpoints()).map(({ name }) => name),
        names,
      )
      const failure = await leavesNothing(() => network.attach({ name: 'n'.repeat(61) }))
      assert.match(failure.message, /the length of name with the driver macvlan must be from 1 to 60, got 61/)
    }))

  test('of one address, or under one name, is given to one of many that ask at the same time', () =>
    withNetwork({}, async (network) => {
      const count = async (specs: readonly AttachSpec[], code: string): Promise<void> => {
        const outcomes = await Promise.allSettled(specs.map((one) => network.attach(one)))
        const codes = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'attached' : outcome.reason.code)).sort()
        assert.equal(codes, [...specs.slice(1).map(() => code), 'attached'].sort())
      }
      await count(
        ['a', 'b', 'c', 'd'].map((name) => ({ name, addresses: ['192.0.2.50/24'] })),
        'ADDRESS_IN_USE',
      )
      await count([{ name: 'same' }, { name: 'same' }, { name: 'same' }], 'EEXIST')
      assert.is((await leasesShown()).length, 2)
    }))

  test('is refused to a second one, by name and by address', () =>
    withNetwork({}, async (network) => {
      await network.attach({ name: 'web', addresses: ['192.0.2.50/24'] })
      const name = await leavesNothing(() => network.attach({ name: 'web' }))
      assert.instance(name, NetlinkError)
      assert.equal(
        [name.code, name.syscall, name.operation],
        ['EEXIST', 'NFT_MSG_NEWSETELEM', 'claim the name netlink-ct/wire/web'],
      )
      const taken = await leavesNothing(() => network.attach({ name: 'other', addresses: ['192.0.2.50/24'] }))
      assert.instance(taken, NetworkError)
      assert.match(taken.message, /ADDRESS_IN_USE: 192.0.2.50 is leased already, to 'web'/)
      const own = await leavesNothing(() => network.attach({ name: 'other', addresses: ['192.0.2.1/24'] }))
      assert.match(own.message, /ADDRESS_IN_USE: 192.0.2.1 is the host's own, on lan0/)
    }))

  test('comes back from a dead container when the subnet is full, or its address or name is wanted', () =>
    withNetwork(small, async (network) => {
      // 192.0.2.1 is the host's, .6 the router's: four are left.
      const own = await network.attach({ name: 'own', addresses: ['192.0.2.2/29'] })
      const specs = ['a', 'b', 'c'].map((name, at) => ({ name, addresses: [`192.0.2.${3 + at}/29`] }))
      await dead(...specs)
      assert.is((await leasesShown()).length, 4, 'the leases of dead containers stay')
      await attachSoon(network, { name: 'd', addresses: ['192.0.2.4/29'] })
      await attachSoon(network, { name: 'a', addresses: ['192.0.2.3/29'] })
      assert.equal((await attachSoon(network, { name: 'e' })).addresses, ['192.0.2.5/29'])
      const shown = ['192.0.2.2 comment own', '192.0.2.3 comment a', '192.0.2.4 comment d', '192.0.2.5 comment e']
      assert.equal(await leasesShown(), shown, 'who lives keeps his')
      const full = await leavesNothing(() => network.attach({ name: 'f' }))
      assert.match(full.message, /SUBNET_FULL: all 5 addresses of 192.0.2.0\/29 are leased or the host's own/)
      await own.detach()
      assert.equal((await network.attach({ name: 'f' })).addresses, ['192.0.2.2/29'])
    }))

  test('comes back by reclaim, also when only the device inside was deleted', () =>
    withNetwork({}, async (network) => {
      await dead({ name: 'dead' })
      const [alive, stripped] = [await network.attach({ name: 'alive' }), await network.attach({ name: 'stripped' })]
      await output('ip', ['link', 'delete', 'eth0'], { netns: inside(stripped) })
      assert.equal((await network.reclaim()).sort(), ['dead', 'stripped'])
      assert.equal(await leasesShown(), [`${address(alive)} comment alive`])
      assert.equal(await network.reclaim(), [])
      await stripped.detach()
    }))

  test('is not given back by an endpoint whose name and address are another’s by now', () =>
    withNetwork({}, async (network) => {
      await dead({ name: 'web', addresses: ['192.0.2.50/24'] })
      const stale = await network.endpoint('web')
      const web = await attachSoon(network, { name: 'web', addresses: ['192.0.2.50/24'] })
      await stale.detach()
      assert.equal(await leasesShown(), ['192.0.2.50 comment web'])
      assert.ok(await linkShown('eth0', inside(web)))
    }))

  test('is read back from the containers after the ruleset was flushed', () =>
    withNetwork({}, async (network) => {
      await using other = await attachElsewhere('wire', { name: 'a' })
      const web = await network.attach({ name: 'web' })
      const before = await leasesShown()
      await output('nft', ['flush', 'ruleset'])
      const late = await network.attach({ name: 'late' })
      assert.equal(await leasesShown(), [...before, `${address(late)} comment late`].sort())
      assert.is((await network.endpoints()).length, other.endpoints.length + 2)
      await output('nft', ['flush', 'ruleset'])
      assert.equal((await network.endpoint('web')).addresses, web.addresses)
      await output('nft', ['flush', 'ruleset'])
      await late.detach()
      assert.is((await network.endpoints()).length, 2)
      assert.equal(await leasesShown(), before)
    }))

  test('of an address that the parent has otherwise goes on to the next', () =>
    withNetwork({}, async (network) => {
      // A container of somebody else, with the MAC that goes with 192.0.2.2.
      await output('ip', [
        'link',
        'add',
        'm0',
        'link',
        'lan0',
        'address',
        '02:42:c0:00:02:02',
        'type',
        'macvlan',
        'mode',
        'bridge',
      ])
      await output('ip', ['link', 'set', 'm0', 'up'])
      assert.equal((await network.attach({ name: 'web' })).addresses, ['192.0.2.3/24'])
      const failure = await leavesNothing(() => network.attach({ name: 'x', addresses: ['192.0.2.2/24'] }))
      assert.match(failure.message, /ADDRESS_IN_USE: lan0 has a device with this address or MAC already: EADDRINUSE/)
      await output('ip', ['link', 'delete', 'm0'])
    }))

  test.run()
}

{
  const test = suite('an attach to a wire that fails leaves nothing')
  test.before(async () => {
    lab = await createLab()
    await output('ip', ['netns', 'add', 'box'])
    await output('ip', ['-n', 'box', '-batch', '-'], { input: 'link set lo up\nlink set lo down' })
  })
  test.after(async () => {
    await output('ip', ['netns', 'delete', 'box'])
    await lab[Symbol.asyncDispose]()
    await sweep()
  })

  test('when the name of the interface is taken inside', () =>
    withNetwork({}, async (network) => {
      await output('ip', ['link', 'add', 'eth0', 'netns', 'box', 'type', 'veth', 'peer', 'name', 'other', 'netns', 'box'])
      const failure = await leavesNothing(() => network.attach({ name: 'web', netns: 'box' }), 'box')
      assert.equal([failure.code, failure.operation], ['EEXIST', 'name the interface eth0 inside'])
      await output('ip', ['-n', 'box', 'link', 'delete', 'eth0'])
    }))

  test('when the default route is taken inside', () =>
    withNetwork({}, async (network) => {
      await output('ip', ['-n', 'box', '-batch', '-'], {
        input:
          'link add v0 type veth peer name v1\naddress add 10.1.0.1/24 dev v0\nlink set v0 up\nroute add default via 10.1.0.2',
      })
      const failure = await leavesNothing(() => network.attach({ name: 'web', netns: 'box' }), 'box')
      assert.equal([failure.code, failure.syscall, failure.operation], ['EEXIST', 'RTM_NEWROUTE', 'add the default route inside'])
      await output('ip', ['-n', 'box', 'link', 'delete', 'v0'])
    }))

  test('when the parent went', () =>
    withNetwork({ parent: 'wan0' }, async (network) => {
      await output('ip', ['link', 'set', 'wan0', 'name', 'gone0'])
      const failure = await leavesNothing(() => network.attach({ name: 'web', netns: 'box' }), 'box')
      assert.is(failure.code, 'PARENT_NOT_FOUND')
      assert.match(failure.message, /the host has no device wan0/)
      await output('ip', ['link', 'set', 'gone0', 'name', 'wan0'])
    }))

  test('when the parent is a port of a bridge', async () => {
    await output('ip', ['-batch', '-'], { input: 'link add b0 type bridge\nlink set wan0 master b0' })
    await withNetwork({ parent: 'wan0' }, async (network) => {
      const failure = await leavesNothing(() => network.attach({ name: 'web', netns: 'box' }), 'box')
      assert.is(failure.code, 'PARENT_IN_USE')
      assert.match(failure.message, /wan0 takes no macvlan: it is a port of a bridge or a bond.*EBUSY/)
      assert.instance(failure.cause, NetlinkError)
    })
    await output('ip', ['link', 'delete', 'b0'])
  })

  test('when the parent takes less than the network’s MTU by now', () =>
    withNetwork({}, async (network) => {
      await output('ip', ['link', 'set', 'lan0', 'mtu', '1300'])
      const failure = await leavesNothing(() => network.attach({ name: 'web', netns: 'box' }), 'box')
      assert.match(failure.message, /PARENT_IN_USE: the network's MTU is 1500, that of lan0 only 1300/)
      await output('ip', ['link', 'set', 'lan0', 'mtu', '1500'])
    }))

  test('when the network’s device went', () =>
    withNetwork({}, async (network) => {
      await output('ip', ['link', 'delete', 'br-wire'])
      const failure = await leavesNothing(() => network.attach({ name: 'web', netns: 'box' }), 'box')
      assert.is(failure.code, 'NETWORK_NOT_FOUND')
      assert.match(failure.message, /the device br-wire of the network 'wire' is gone/)
    }))

  test('when its namespace is closed', () =>
    withNetwork({}, async (network) => {
      const box = await openNetns('box')
      await box.close()
      const failure = await leavesNothing(() => network.attach({ name: 'web', netns: box }), 'box')
      assert.is(failure.code, 'ERR_INVALID_STATE')
    }))

  test('and so does a network whose parent is not there, or whose device’s name is taken', async () => {
    assert.is((await leavesNothing(() => createNetwork({ ...spec, parent: 'eth9' }))).code, 'PARENT_NOT_FOUND')
    assert.match((await leavesNothing(() => createNetwork({ ...spec, parent: 'lo' }))).message, /parent is the loopback/)
    assert.is((await leavesNothing(() => createNetwork({ ...spec, bridge: 'lan0' }))).code, 'EEXIST')
    assert.is((await leavesNothing(() => createNetwork({ ...spec, mtu: 9000 }))).code, 'ERR_OUT_OF_RANGE')
  })

  test.run()
}

{
  const test = suite('a network on a wire under the MAC of the parent (ipvlan)')
  const neighbors: LanNetworkSpec = { name: 'wire', driver: 'ipvlan', parent: 'lan0', subnets, gateways: ['192.0.2.9'] }
  const routed: LanNetworkSpec = { name: 'wire', driver: 'ipvlan', mode: 'l3', parent: 'lan0', subnets: ['198.51.100.0/24'] }
  test.before(async () => {
    lab = await createLab()
  })
  test.after(async () => {
    await lab[Symbol.asyncDispose]()
    await sweep()
  })

  /** What the kernel says when it lacks the driver. */
  const lacks = async (): Promise<string | false> => {
    await output('ip', ['link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1'])
    const { code, stderr } = await run('ip', ['link', 'add', 'probe0', 'link', 'v0', 'type', 'ipvlan', 'mode', 'l2'])
    await output('ip', ['link', 'delete', 'v0'])
    return code === 0 ? false : `ip link add type ipvlan: ${stderr.trim()}`
  }
  const lacking = await lacks()

  test.skipIf(lacking, 'l2: the LAN reaches a container, which has the parent’s MAC', async () => {
    const network = await createNetwork(neighbors)
    const web = await network.attach({ name: 'web' })
    assert.is(web.mac, (await linkShown('lan0'))?.address)
    assert.is((await linkShown('eth0', inside(web)))?.linkinfo?.info_data?.['mode'], 'l2')
    assert.ok(await reaches(lab.lan, address(web)))
    assert.ok((await routesShown(inside(web))).includes('default via 192.0.2.9 dev eth0'))
    await network.delete({ force: true })
  })

  test.skipIf(lacking, 'l3: the way out is the device itself', async () => {
    const network = await createNetwork(routed)
    const web = await network.attach({ name: 'web' })
    assert.is((await linkShown('eth0', inside(web)))?.linkinfo?.info_data?.['mode'], 'l3')
    assert.ok((await routesShown(inside(web))).includes('default dev eth0'))
    const second = { ...routed, name: 'other', mode: 'l3s', subnets: ['203.0.113.128/25'] } as LanNetworkSpec
    assert.match((await failureOf(createNetwork(second))).message, /all ipvlan devices of a parent have one mode, here l3/)
    await network.delete({ force: true })
  })

  test.skipIf(
    !lacking && 'the kernel has ipvlan',
    'is refused by a kernel without it when a container comes, and nothing is left',
    async () => {
      const network = await createNetwork(routed)
      assert.equal([network.driver, network.mode, network.gateways], ['ipvlan', 'l3', []])
      assert.equal((await openNetwork('wire')).toJSON(), network.toJSON())
      const failure = await leavesNothing(() => network.attach({ name: 'web' }))
      assert.equal([failure.code, failure.operation], ['ENOTSUP', 'make the ipvlan eth0 on lan0'])
      assert.match(
        (await failureOf(network.attach({ name: 'web', mac: '02:00:00:00:00:07' }))).message,
        /mac is the parent's with ipvlan/,
      )
      await network.delete()
    },
  )

  test('asks for its mode by the kernel’s number, and for no MAC', async () => {
    const parent = (await host.listLinks()).find(({ name }) => name === 'lan0')
    assert.ok(parent)
    const kind = Buffer.from('ipvlan')
    for (const [mode, number] of [
      ['l2', 0],
      ['l3', 1],
      ['l3s', 2],
    ] as const) {
      const device = { driver: 'ipvlan', mode, parent: parent as Link, ifname: 'eth0', mac: undefined, mtu: 1500 } as const
      const raw = Buffer.from(native.encoded(creation(device, 2 ** 30, 3)) ?? [])
      const attributes = attributesOf(raw.subarray(16 + 16)) // nlmsghdr, ifinfomsg
      assert.equal(
        [...attributes.keys()].sort((a, b) => a - b),
        [3, 4, 5, 18, 28],
      ) // IFLA_IFNAME, _MTU, _LINK, _LINKINFO, _NET_NS_FD
      assert.is(attributes.get(5)?.readUInt32LE(), parent?.index)
      const info = attributesOf(attributes.get(18) as Buffer)
      assert.ok(info.get(1)?.subarray(0, kind.length).equals(kind)) // IFLA_INFO_KIND
      assert.is(
        attributesOf(info.get(2) as Buffer)
          .get(1)
          ?.readUInt16LE(),
        number,
      ) // IFLA_INFO_DATA, IFLA_IPVLAN_MODE
    }
  })

  test.run()
}

{
  const test = suite('options of a network on a wire')
  const bad: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [{ parent: undefined }, /parent must be the name of a device such as 'eth0'/],
    [{ parent: 'a/b' }, /parent must be an interface name/],
    [{ subnets: undefined }, /subnets must be those of the LAN/],
    [{ subnets: ['192.0.2.1/24'] }, /subnets\[0\] has bits behind its prefix/],
    [{ mode: 'brigde' }, /mode: 'brigde' is unknown; did you mean 'bridge'\?/],
    [{ driver: 'ipvlan', mode: 'bridge' }, /mode: 'bridge' is unknown; known: l2, l3, l3s/],
    [{ driver: 'ipvlan', mode: 'l3' }, /gateways makes no sense for ipvlan in the mode l3/],
    [{ driver: 'macvaln' }, /did you mean 'macvlan'\?/],
    [{ driver: 'bridge' }, /parent is for the drivers macvlan and ipvlan/],
    [{ gateways: ['10.0.0.1'] }, /gateways\[0\] must be a host address of 192.0.2.0\/24/],
    [{ internal: true }, /gateways makes no sense for an internal network/],
    [{ icc: false }, /icc \(driver macvlan\) .*the mode decides/],
    [{ masquerade: true }, /masquerade \(driver macvlan\) makes no sense on the LAN/],
    [{ gatewayMode: 'routed' }, /gatewayMode \(driver macvlan\) makes no sense on the LAN/],
    [{ trusted: ['wg0'] }, /trusted \(driver macvlan\) is for networks that the host forwards/],
    [{ addressPools: [] }, /addressPools \(driver macvlan\)/],
    [{ ipv6: true }, /ipv6 \(driver macvlan\) is said by the subnets/],
    [{ parnet: 'eth0' }, /'parnet' is unknown; did you mean 'parent'\?/],
    [{ mtu: 1 }, /mtu/],
    [{ reserved: ['10.0.0.0/24'] }, /reserved\[0\] lies outside of 192.0.2.0\/24/],
  ]
  for (const [options, message] of bad) {
    test(`${JSON.stringify(options)} are refused before anything is done`, async () => {
      const failure = await leavesNothing(() => createNetwork({ ...spec, ...options } as LanNetworkSpec))
      assert.match(failure.code ?? '', /^ERR_/)
      assert.match(failure.message, message)
    })
  }

  test('that an endpoint cannot have are refused', async () => {
    const lan = await createLab()
    try {
      await withNetwork({}, async (network) => {
        const publish = await leavesNothing(() => network.attach({ name: 'web', publish: ['80:80'] }))
        assert.match(publish.message, /publish makes no sense with the driver macvlan: the LAN reaches the container itself/)
        assert.is(publish.code, 'ERR_INVALID_ARG_VALUE')
        const gateway = await leavesNothing(() => network.attach({ name: 'web', addresses: ['192.0.2.9/24'] }))
        assert.match(gateway.message, /is the network's gateway/)
        const web = await network.attach({ name: 'web' })
        assert.match((await failureOf(web.publish('80:80'))).message, /none: with the driver macvlan the LAN reaches/)
      })
    } finally {
      await lan[Symbol.asyncDispose]()
      await sweep()
    }
  })

  test.run()
}
