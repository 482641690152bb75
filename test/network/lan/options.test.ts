// What an attach to a wire does beside connecting: settings, routes, several networks for one container, limits, labels.

import { open } from 'node:fs/promises'
import * as assert from 'uvu/assert'
import { type AttachSpec, createNetwork, openNetns, openNetwork } from '../../../lib/index.ts'
import { createLab, curl, json, type Lab, output, readSysctl, serve, writeSysctl } from '../../support/lab.ts'
import { suite } from '../../support/suite.ts'
import { withBox } from '../support/box.ts'
import { address, dead, inside, leasesShown, leavesNothing, reaches, spec, withNetwork } from '../support/lan.ts'
import { detachElsewhere } from '../support/processes.ts'
import { sweep } from '../support/sweep.ts'
import { until } from '../support/until.ts'
import { linkShown, linksShown, routesShown } from '../support/witness.ts'

let lab: Lab

const dual = { subnets: ['192.0.2.0/24', 'fd00:2::/64'], gateways: ['192.0.2.9', 'fd00:2::9'] }

const test = suite('an endpoint on a wire')
test.before(async () => {
  lab = await createLab()
  await output('ip', ['address', 'add', 'fd00:2::9/64', 'dev', 'eth0', 'nodad'], { netns: lab.lan })
})
test.after(async () => {
  await lab[Symbol.asyncDispose]()
  await sweep()
})

test('has routes with types and metrics, and settings of the device and of the namespace', () =>
  withNetwork(dual, async (network) => {
    const web = await network.attach({
      name: 'web',
      ifname: 'web.7',
      metric: 7,
      sysctls: {
        'net.ipv4.conf.IFNAME.arp_ignore': 1,
        'net/ipv6/conf/web.7/hop_limit': 33,
        'net.ipv4.ip_unprivileged_port_start': '80',
      },
      routes: [
        { to: '198.51.100.0/24' },
        { to: '198.51.100.7', via: '192.0.2.8', metric: 9 },
        { to: '2001:db8::/32' },
        { to: '10.0.0.0/8', type: 'blackhole' },
        { to: '2001:db8:f::/48', type: 'unreachable', metric: 11 },
      ],
    })
    const at = inside(web)
    assert.is(await readSysctl('net/ipv4/conf/web.7/arp_ignore', at), '1')
    assert.is(await readSysctl('net/ipv6/conf/web.7/hop_limit', at), '33')
    assert.is(await readSysctl('net.ipv4.ip_unprivileged_port_start', at), '80')
    assert.is(await readSysctl('net/ipv4/conf/web.7/rp_filter', at), '2', 'loose unless said otherwise')
    const lines = (await output('ip', ['route'], { netns: at })).split('\n').map((line) => line.trim())
    for (const line of [
      'default via 192.0.2.9 dev web.7 proto static metric 7',
      '198.51.100.0/24 via 192.0.2.9 dev web.7 proto static metric 7',
      '198.51.100.7 via 192.0.2.8 dev web.7 proto static metric 9',
      'blackhole 10.0.0.0/8 proto static metric 7',
    ])
      assert.ok(lines.includes(line), `${line}\n${lines.join('\n')}`)
    const six = await output('ip', ['-6', 'route'], { netns: at })
    assert.match(six, /^default via fd00:2::9 dev web\.7 proto static metric 7/m)
    assert.match(six, /^2001:db8::\/32 via fd00:2::9 dev web\.7 proto static metric 7/m)
    assert.match(six, /^unreachable 2001:db8:f::\/48 .*metric 11/m)
    const strict = await network.attach({ name: 'strict', sysctls: { 'net.ipv4.conf.IFNAME.rp_filter': 1 } })
    assert.is(await readSysctl('net/ipv4/conf/eth0/rp_filter', inside(strict)), '1')
  }))

test('leaves a namespace that was there as it was when the attach fails, and after a detach but for what is no device’s', () =>
  withNetwork(dual, async (network) => {
    await withBox(async (box) => {
      const at = { path: box.path }
      const somaxconn = await readSysctl('net.core.somaxconn', at)
      const wanted: AttachSpec = {
        name: 'web',
        netns: box,
        sysctls: { 'net.core.somaxconn': 77, 'net.ipv4.ip_forward': 1 },
        routes: [
          { to: '10.0.0.0/8', type: 'prohibit' },
          { to: '2001:db8:f::/48', type: 'blackhole' },
        ],
      }
      const fails = async (wrong: Partial<AttachSpec>): Promise<(string | undefined)[]> => {
        const { code, operation } = await leavesNothing(() => network.attach({ ...wanted, ...wrong }), at)
        assert.is(await readSysctl('net.core.somaxconn', at), somaxconn)
        return [code, operation]
      }
      assert.equal(await fails({ sysctls: { ...wanted.sysctls, 'net.ipv4.conf.IFNAME.no_such': 1 } }), [
        'ENOENT',
        'set net/ipv4/conf/eth0/no_such to 1 inside',
      ])
      const [code] = await fails({ sysctls: { ...wanted.sysctls, 'net.ipv4.conf.IFNAME.rp_filter': 'lots' } })
      assert.is(code, 'EINVAL')
      const twice = [{ to: '198.51.100.0/24' }, { to: '198.51.100.0/24' }]
      assert.equal(await fails({ routes: [...(wanted.routes ?? []), ...twice] }), ['EEXIST', 'add a route inside'])
      await output('ip', ['route', 'add', 'blackhole', '10.0.0.0/8'], { netns: at })
      assert.equal(await fails({ routes: [{ to: '10.0.0.0/8', type: 'blackhole' }] }), ['EEXIST', 'add a route inside'])
      assert.match(await output('ip', ['route'], { netns: at }), /^blackhole 10\.0\.0\.0\/8/m, 'somebody else’s stays')
      await output('ip', ['route', 'delete', 'blackhole', '10.0.0.0/8'], { netns: at })
      // A rate that no queueing discipline takes is found out by the kernel only.
      const egress = { rate: '1gbit', burst: 4_000_000_000, latency: '4000s' }
      assert.ok((await fails({ bandwidth: { egress } }))[0])
      assert.ok((await fails({ bandwidth: { ingress: egress } }))[0])

      const web = await network.attach(wanted)
      assert.match(await output('ip', ['route'], { netns: at }), /^prohibit 10\.0\.0\.0\/8/m)
      assert.is((await linkShown('eth0', at))?.group, 'default', 'it is complete')
      await web.detach()
      assert.is(await readSysctl('net.core.somaxconn', at), '77')
      await writeSysctl('net.core.somaxconn', Number(somaxconn), at)
      await writeSysctl('net.ipv4.ip_forward', 0, at)
    })
  }))

test('is in several networks at once, and goes out through the lowest metric, whatever comes and goes', () =>
  withNetwork({}, async (network) => {
    const bridged = await createNetwork({ name: 'bridged', subnets: ['10.9.0.0/24'] })
    const second = await createNetwork({ ...spec, name: 'second', subnets: ['198.51.100.0/24'], gateways: ['198.51.100.9'] })
    await withBox(async (box) => {
      const at = { path: box.path }
      const way = async (): Promise<string | undefined> => (await routesShown(at)).find((route) => route.startsWith('default'))
      const onWire = await network.attach({ name: 'web', netns: box, metric: 20 })
      assert.is(await way(), 'default via 192.0.2.9 dev eth0')
      const behind = await bridged.attach({ name: 'web', netns: box, ifname: 'eth1', metric: 10, publish: ['8080:80'] })
      assert.is(await way(), 'default via 10.9.0.1 dev eth1')
      const onSecond = await second.attach({ name: 'web', netns: box, ifname: 'eth2', metric: 30 })
      await using _server = await serve({ netns: at, name: 'web', http: 80 })
      await writeSysctl('net.ipv4.conf.all.rp_filter', 1, at)
      assert.is((await curl(`http://${address(onWire)}/`, { netns: lab.lan })).answer?.server, 'web')
      assert.is((await curl(`http://${lab.hostWanAddress}:8080/`, { netns: lab.internet })).answer?.server, 'web')
      await behind.detach()
      assert.is(await way(), 'default via 192.0.2.9 dev eth0')
      await onWire.detach()
      assert.is(await way(), 'default via 198.51.100.9 dev eth2')
      assert.is((await leavesNothing(() => network.attach({ name: 'web', netns: box, metric: 30 }), at)).code, 'EEXIST')
      await onSecond.detach()
      await writeSysctl('net.ipv4.conf.all.rp_filter', 0, at)
    })
    await second.delete()
    await bridged.delete()
  }))

test('lives in a namespace that is given by name, process, path, descriptor or handle', () =>
  withNetwork({}, async (network) => {
    await output('ip', ['netns', 'add', 'box'])
    const handle = await openNetns('box')
    const file = await open('/run/netns/box')
    const sleeper = await handle.spawn('sleep', ['1000'])
    const forms: readonly (readonly [string, AttachSpec['netns']])[] = [
      ['name', 'box'],
      ['path', { path: '/run/netns/box' }],
      ['pid', { pid: sleeper.pid as number }],
      ['fd', { fd: file.fd }],
      ['handle', handle],
    ]
    for (const [form, netns] of forms) {
      const web = await network.attach({ name: form, ...(netns && { netns }) })
      assert.is((await linkShown('eth0', 'box'))?.address, web.mac, form)
      assert.ok(await reaches(lab.lan, address(web)), form)
      assert.equal(await leasesShown(), [`${address(web)} comment ${form}`])
      await web.detach()
      assert.is(await linkShown('eth0', 'box'), undefined, form)
    }
    assert.not.ok(handle.closed, 'a handle is the caller’s')
    sleeper.kill()
    await file.close()
    await handle.close()
    await output('ip', ['netns', 'delete', 'box'])
  }))

test('comes and goes with many others: all or none', () =>
  withNetwork({}, async (network) => {
    const specs: AttachSpec[] = ['a', 'b', 'c'].map((name) => ({ name }))
    const all = await network.attachMany([...specs, { name: 'd', addresses: ['192.0.2.77/24'], labels: { app: 'shop' } }])
    assert.equal(
      (await network.endpoints()).map(({ name }) => name),
      all.map(({ name }) => name),
    )
    const before = await leasesShown()
    const taken = await leavesNothing(() => network.attachMany([{ name: 'e' }, { name: 'f' }, { name: 'a' }]))
    assert.is(taken.code, 'EEXIST')
    assert.equal(await leasesShown(), before)
    const wrong = await leavesNothing(() => network.attachMany([{ name: 'e' }, { name: 'f', publish: ['80:80'] }]))
    assert.match(wrong.message, /^specs\[1\]: publish makes no sense with the driver macvlan/)
    await network.detachMany(['a', 'nobody', 'd'])
    assert.equal(
      (await network.endpoints()).map(({ name }) => name),
      ['b', 'c'],
    )
    await network.detachMany(['b', 'c'])
    assert.equal([await leasesShown(), await leasesShown('words'), await leasesShown('holders')], [[], [], []])
  }))

const rateOf = async (dev: string, netns: { path: string }): Promise<number | undefined> => {
  const rows = await json<{ kind: string; options?: { rate?: number } }[]>('tc', ['qdisc', 'show', 'dev', dev], { netns })
  return rows.find(({ kind }) => kind === 'tbf')?.options?.rate
}
const kindsIn = async (netns: { path: string }): Promise<(string | undefined)[]> =>
  (await linksShown(netns)).map(({ linkinfo }) => linkinfo?.info_kind).filter((kind) => kind !== undefined)

test('is limited inside, and its limits go with a detach, whoever does it, or when its device was deleted by hand', () =>
  withNetwork({}, async (network) => {
    await withBox(async (box) => {
      const at = { path: box.path }
      const attach = () =>
        network.attach({ name: 'web', netns: box, bandwidth: { egress: '8mbit', ingress: { rate: '80mbit', burst: '64k' } } })
      const web = await attach()
      const { ifindex = 0 } = (await linkShown('eth0', at)) ?? {}
      assert.is(await rateOf('eth0', at), 1_000_000, 'bytes a second that it sends')
      assert.is(await rateOf(`ifb-${ifindex}`, at), 10_000_000, 'bytes a second that it receives')
      assert.ok(await reaches(lab.lan, address(web)))
      const counted = async (): Promise<number> =>
        (await json<{ bytes: number }[]>('tc', ['-s', 'qdisc', 'show', 'dev', `ifb-${ifindex}`], { netns: at }))[0]?.bytes ?? 0
      assert.ok((await counted()) > 0, 'what it receives goes that way')
      await detachElsewhere('wire', 'web')
      assert.equal(await kindsIn(at), [])
      await web.detach()
      await attach()
      await output('ip', ['link', 'delete', 'eth0'], { netns: at })
      assert.equal(await network.reclaim(), ['web'])
      assert.equal(await kindsIn(at), [])
      assert.equal(await leasesShown('words'), [])
      const up = await network.attach({ name: 'up', netns: box, bandwidth: { egress: '8mbit' } })
      assert.equal(await kindsIn(at), ['macvlan'])
      await up.detach()
    })
  }))

test('is given no more than its limits let through', () =>
  withNetwork({}, async (network) => {
    const web = await network.attach({ name: 'web', bandwidth: { egress: '4mbit', ingress: '4mbit' } })
    await using _server = await serve({ netns: inside(web), name: 'web', http: 80 })
    const seconds = async (from: 'lan' | { path: string }, to: string): Promise<number> => {
      const start = performance.now()
      // 200 packets of 1 400 bytes and their answers: half a second of 4 Mbit/s and more, less what a bucket holds.
      await output('ping', ['-q', '-f', '-c', '250', '-s', '1400', '-w', '20', to], { netns: from })
      return (performance.now() - start) / 1000
    }
    const limited = await seconds('lan', address(web))
    const free = await network.attach({ name: 'free' })
    assert.ok(limited > 2 * (await seconds('lan', address(free))), `${limited} s`)
  }))

test('has labels that are remembered, by other processes, by a ruleset that nft put back, and after a flush', () =>
  withNetwork(dual, async (network) => {
    const labels = { app: 'a shop', 'example.com/tier': 'größe=1, 日本', empty: '', long: 'x'.repeat(90) }
    const web = await network.attach({ name: 'web', labels })
    await network.attach({ name: 'plain' })
    assert.equal(web.labels, labels)
    const told = async (): Promise<unknown> => (await (await openNetwork('wire')).endpoint('web')).labels
    assert.equal(await told(), labels)
    assert.equal(
      (await network.endpoints()).map((endpoint) => endpoint.labels),
      [labels, {}],
    )
    assert.equal((await leasesShown('words')).length, 2)
    const ruleset = await output('nft', ['list', 'ruleset'])
    await output('nft', ['-f', '-'], { input: `flush ruleset\n${ruleset}` })
    assert.equal(await told(), labels)
    await output('nft', ['flush', 'ruleset'])
    assert.equal(await told(), labels)
    assert.equal(await leasesShown('words'), await leasesShown('words'))
    assert.equal(JSON.parse(JSON.stringify(await network.endpoint('web'))).labels, labels)
    await detachElsewhere('wire', 'web')
    assert.equal(await leasesShown('words'), [])
  }))

test('has no more labels than the kernel keeps', () =>
  withNetwork({}, async (network) => {
    const failure = await leavesNothing(() => network.attach({ name: 'web', labels: { a: 'x'.repeat(220) } }))
    assert.is(failure.code, 'ERR_OUT_OF_RANGE')
    assert.match(failure.message, /^the labels of 'web' take \d+ characters to remember, the kernel keeps 255: shorten them/)
    // One that fits exactly.
    const [, taken = 0] = /take (\d+) /.exec(failure.message) ?? []
    const web = await network.attach({ name: 'web', labels: { a: 'x'.repeat(220 - (Number(taken) - 255)) } })
    assert.equal((await network.endpoint('web')).labels, web.labels)
  }))

test('that died with limits and labels gives back its lease', () =>
  withNetwork({}, async (network) => {
    await dead({ name: 'web', labels: { app: 'shop' }, bandwidth: { ingress: '8mbit' } })
    await until('its lease is back', async () => {
      await network.reclaim()
      return (await leasesShown()).length === 0
    })
    assert.equal([await leasesShown('words'), await leasesShown('holders')], [[], []])
  }))

test('is refused what leads nowhere, by name', async () => {
  await withNetwork({}, async (network) => {
    const wrong: readonly (readonly [Partial<AttachSpec>, string])[] = [
      [{ routes: [{ to: '::/0' }] }, 'routes[0] is of a family that the network has no subnet of'],
      [{ routes: [{ to: '10.0.0.0/8', via: '10.8.0.1' }] }, 'routes[0].via is no neighbor: it must lie in 192.0.2.0/24'],
      [{ routes: [{ to: '10.0.0.0/8', type: 'blakhole' as 'blackhole' }] }, "did you mean 'blackhole'?"],
      [{ metric: -1 }, 'metric must be from 0'],
      [{ sysctls: { 'kernel.hostname': 'x' } }, "sysctls['kernel.hostname'] must be a network setting"],
      [{ bandwidth: { egress: '10mbitt' } }, 'bandwidth.egress.rate'],
      [{ labels: { 'a b': 'c' } }, 'labels must have keys of letters'],
      [{ announce: 3 as never }, 'announce must be a boolean, got 3'],
      [{ publish: ['x'] }, 'publish makes no sense with the driver macvlan: the LAN reaches the container itself'],
    ]
    for (const [options, text] of wrong) {
      const failure = await leavesNothing(() => network.attach({ name: 'web', ...options }))
      assert.match(failure.code ?? '', /^ERR_/, failure.message)
      assert.ok(failure.message.includes(text), `${failure.message}\n${text}`)
    }
  })
  await withNetwork({ internal: true, gateways: undefined as never }, async (network) => {
    const failure = await leavesNothing(() => network.attach({ name: 'web', routes: [{ to: '10.0.0.0/8' }] }))
    assert.match(failure.message, /routes\[0\] needs via, a neighbor: the network has no gateway/)
    const web = await network.attach({ name: 'web', routes: [{ to: '10.0.0.0/8', via: '192.0.2.9' }] })
    assert.ok((await routesShown(inside(web))).includes('10.0.0.0/8 via 192.0.2.9 dev eth0'))
  })
})

test.run()
