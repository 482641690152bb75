// What an attach does beside connecting: settings, routes, several networks for one container, limits, announcements, labels.

import * as assert from 'uvu/assert'
import { type AttachSpec, createNetwork, type Endpoint, type Network, type NetworkSpec, openNetwork } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { createLab, curl, json, kernelState, output, ping, readSysctl, serve, writeSysctl } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { withBox } from './support/box.ts'
import { changes } from './support/changes.ts'
import { detachElsewhere } from './support/processes.ts'
import { sweep } from './support/sweep.ts'
import { until } from './support/until.ts'
import { linkShown, linksShown, routesShown } from './support/witness.ts'

const inside = (endpoint: Endpoint): { path: string } => ({ path: endpoint.netns?.path ?? 'closed' })
const dual = ['10.9.0.0/24', 'fd00:9::/64']

/** A network for `body`, after which the kernel is as it was before. */
async function withNetwork(spec: Partial<NetworkSpec>, body: (network: Network) => Promise<void>): Promise<void> {
  const before = await kernelState()
  try {
    const network = await createNetwork({ name: 'lab', subnets: dual, ...spec })
    await body(network)
    await network.delete({ force: true })
  } catch (error) {
    await sweep() // one failure is enough
    throw error
  }
  assert.equal(changes(before, await kernelState()), [], 'the kernel is as before the network')
}

{
  const test = suite('settings and routes inside')

  test('are there, of the device and of the namespace, in both drivers', async () => {
    for (const driver of ['bridge', 'ptp'] as const) {
      await withNetwork({ driver }, async (network) => {
        const web = await network.attach({
          name: 'web',
          ifname: 'web.7',
          sysctls: {
            'net.ipv4.conf.IFNAME.rp_filter': 1,
            'net/ipv6/conf/web.7/hop_limit': 33,
            'net.ipv4.ip_unprivileged_port_start': '80',
            'net.core.somaxconn': 77,
          },
          routes: [
            { to: '192.0.2.0/24' },
            { to: '198.51.100.7', metric: 7 },
            { to: '2001:db8::/32' },
            { to: '203.0.113.0/24', type: 'blackhole' },
            { to: '2001:db8:f::/48', type: 'unreachable', metric: 9 },
          ],
        })
        const at = inside(web)
        assert.is(await readSysctl('net/ipv4/conf/web.7/rp_filter', at), '1')
        assert.is(await readSysctl('net/ipv6/conf/web.7/hop_limit', at), '33')
        assert.is(await readSysctl('net.ipv4.ip_unprivileged_port_start', at), '80')
        assert.is(await readSysctl('net.core.somaxconn', at), '77')
        const lines = (await output('ip', ['route'], { netns: at })).split('\n').map((line) => line.trim())
        const via = driver === 'ptp' ? 'via 10.9.0.1 dev web.7 proto static onlink' : 'via 10.9.0.1 dev web.7 proto static'
        for (const line of [`192.0.2.0/24 ${via}`, 'blackhole 203.0.113.0/24 proto static'])
          assert.ok(lines.includes(line), `${line}\n${lines.join('\n')}`)
        assert.ok(
          lines.some((line) => /^198\.51\.100\.7 via 10\.9\.0\.1 .*metric 7/.test(line)),
          lines.join('\n'),
        )
        const six = await output('ip', ['-6', 'route'], { netns: at })
        assert.match(six, /^2001:db8::\/32 via fd00:9::1 dev web\.7/m)
        assert.match(six, /^unreachable 2001:db8:f::\/48 .*metric 9/m)
      })
    }
  })

  test('are what the namespace had when the attach fails, and after a detach but for what is no device’s', () =>
    withNetwork({}, async (network) => {
      await network.attach({ name: 'first', publish: ['8080:80'] })
      await withBox(async (box) => {
        const at = { path: box.path }
        const somaxconn = await readSysctl('net.core.somaxconn', at)
        const spec: AttachSpec = {
          name: 'web',
          netns: box,
          sysctls: { 'net.core.somaxconn': 77, 'net.ipv4.ip_forward': 1 },
          routes: [
            { to: '203.0.113.0/24', type: 'prohibit' },
            { to: '2001:db8:f::/48', type: 'blackhole' },
          ],
        }
        const nothingLeft = async (wrong: Partial<AttachSpec>): Promise<Awaited<ReturnType<typeof failureOf>>> => {
          const before = [await kernelState(), await kernelState(at)]
          const failure = await failureOf(network.attach({ ...spec, ...wrong }))
          assert.equal(changes(before, [await kernelState(), await kernelState(at)]), [], String(failure))
          assert.is(await readSysctl('net.core.somaxconn', at), somaxconn)
          return failure
        }
        assert.is((await nothingLeft({ publish: ['8080:80'] })).code, 'PORT_IN_USE')
        const unknown = await nothingLeft({ sysctls: { ...spec.sysctls, 'net.ipv4.conf.IFNAME.no_such': 1 } })
        assert.is(unknown.code, 'ENOENT')
        assert.is(unknown.operation, 'set net/ipv4/conf/eth0/no_such to 1 inside')
        assert.is((await nothingLeft({ sysctls: { ...spec.sysctls, 'net.ipv4.conf.IFNAME.rp_filter': 'lots' } })).code, 'EINVAL')
        const twice = await nothingLeft({ routes: [...(spec.routes ?? []), { to: '192.0.2.0/24' }, { to: '192.0.2.0/24' }] })
        assert.is(twice.code, 'EEXIST')
        assert.is(twice.operation, 'add a route inside')

        const web = await network.attach(spec)
        assert.match(await output('ip', ['route'], { netns: at }), /^prohibit 203\.0\.113\.0\/24/m)
        await web.detach()
        assert.is(await readSysctl('net.core.somaxconn', at), '77')
        await writeSysctl('net.core.somaxconn', Number(somaxconn), at)
        await writeSysctl('net.ipv4.ip_forward', 0, at)
      })
    }))

  test('refuse what leads nowhere, by name', () =>
    withNetwork({ subnets: ['10.9.0.0/24'] }, async (network) => {
      const wrong: readonly (readonly [Partial<AttachSpec>, string])[] = [
        [{ routes: [{ to: 'default' }] }, "routes[0].to must say of which family it is: '0.0.0.0/0' or '::/0'"],
        [{ routes: [{ to: '192.0.2.1/24' }] }, "routes[0].to has bits behind its prefix: write '192.0.2.0/24'"],
        [{ routes: [{ to: '::/0' }] }, 'routes[0] is of a family that the network has no subnet of'],
        [{ routes: [{ to: '192.0.2.0/24', via: '10.8.0.1' }] }, 'routes[0].via is no neighbor: it must lie in 10.9.0.0/24'],
        [{ routes: [{ to: '192.0.2.0/24', via: '10.9.0.1', type: 'blackhole' }] }, 'routes[0].via makes no sense'],
        [{ routes: [{ to: '192.0.2.0/24', type: 'blakhole' as 'blackhole' }] }, "did you mean 'blackhole'?"],
        [{ routes: [{ to: '192.0.2.0/24', metric: -1 }] }, 'routes[0].metric must be from 0 to 4294967295'],
        [{ routes: { to: '192.0.2.0/24' } as never }, 'routes must be an array'],
        [{ metric: 1.5 }, 'metric must be an integer'],
        [{ sysctls: { 'kernel.hostname': 'x' } }, "sysctls['kernel.hostname'] must be a network setting"],
        [{ sysctls: { 'net.ipv4.conf.eth0.rp_filter': true as never } }, "sysctls['net.ipv4.conf.eth0.rp_filter'] must be"],
        [{ sysctls: { 'net/ipv4/../../kernel/hostname': 'x' } }, 'has an empty or impossible part'],
        [{ sysctls: [] as never }, 'sysctls must be an object'],
        [{ announce: 3 as never }, 'announce must be a boolean, got 3'],
        [{ bandwidth: { egress: '10mbitt' } }, 'bandwidth.egress.rate'],
        [{ bandwidth: { ingress: { rate: '1mbit', burst: 100 } } }, 'bandwidth.ingress.burst must be from 1514'],
        [{ labels: { 'a b': 'c' } }, "labels must have keys of letters, digits, '_', '.', '/' and '-'"],
        [{ labels: { a: 7 as never } }, "labels['a'] must be a well-formed text, got 7"],
        [{ labels: { a: 'x'.repeat(250) } }, 'the published ports and labels of'],
      ]
      for (const [spec, text] of wrong) {
        const failure = await failureOf(network.attach({ name: 'web', ...spec }))
        assert.match(failure.code ?? '', /^ERR_/, failure.message)
        assert.ok(failure.message.includes(text), `${failure.message}\n${text}`)
      }
      assert.equal(await network.endpoints(), [])
    }))

  test.run()
}

{
  const test = suite('a container in several networks')

  test('goes out through the lowest metric, whatever comes and goes, and answers those who ask through another', async () => {
    await using lab = await createLab()
    await withNetwork({}, async (a) => {
      const b = await createNetwork({ name: 'b', subnets: ['10.8.0.0/24', 'fd00:8::/64'] })
      const c = await createNetwork({ name: 'c', subnets: ['10.7.0.0/24'], internal: true })
      await withBox(async (box) => {
        const at = { path: box.path }
        const defaults = async (family: 4 | 6): Promise<string | undefined> =>
          (await routesShown(at, family)).find((route) => route.startsWith('default'))
        const inA = await a.attach({ name: 'web', netns: box, metric: 20, publish: ['8080:80'] })
        assert.is(await defaults(4), 'default via 10.9.0.1 dev eth0')
        const inB = await b.attach({ name: 'web', netns: box, ifname: 'eth1', metric: 10 })
        const inC = await c.attach({ name: 'web', netns: box, ifname: 'eth2' })
        const neighbor = await c.attach({ name: 'neighbor' })
        assert.is(await defaults(4), 'default via 10.8.0.1 dev eth1')
        assert.is(await defaults(6), 'default via fd00:8::1 dev eth1')
        await using _server = await serve({ netns: at, name: 'web', http: 80 })
        // Strict in all the namespace: what counts is the larger of two values, and loose is the larger.
        await writeSysctl('net.ipv4.conf.all.rp_filter', 1, at)
        assert.is((await curl(`http://${lab.hostLanAddress}:8080/`, { netns: lab.lan })).answer?.server, 'web')
        assert.ok(await ping('203.0.113.9', { netns: at }))
        assert.ok(await ping(inC.addresses[0]?.split('/')[0] ?? '', { netns: inside(neighbor) }))

        await inB.detach()
        assert.is(await defaults(4), 'default via 10.9.0.1 dev eth0')
        assert.is(await defaults(6), 'default via fd00:9::1 dev eth0')
        assert.ok(await ping('203.0.113.9', { netns: at }))
        const again = await b.attach({ name: 'web', netns: box, ifname: 'eth1', metric: 30 })
        assert.is(await defaults(4), 'default via 10.9.0.1 dev eth0')
        const same = await failureOf(b.attach({ name: 'second', netns: box, ifname: 'eth3', metric: 20 }))
        assert.equal([same.code, same.operation], ['EEXIST', 'add the default route inside'])
        await Promise.all([inA, inC, again, neighbor].map((endpoint) => endpoint.detach()))
        await writeSysctl('net.ipv4.conf.all.rp_filter', 0, at)
      })
      await b.delete()
      await c.delete()
    })
  })

  test.run()
}

interface Tbf {
  readonly kind: string
  readonly options?: { readonly rate?: number }
}

{
  const test = suite('limits, announcements and labels')
  const rateOf = async (dev: string): Promise<number | undefined> =>
    (await json<Tbf[]>('tc', ['qdisc', 'show', 'dev', dev])).find(({ kind }) => kind === 'tbf')?.options?.rate
  const ifbs = async (): Promise<string[]> =>
    (await linksShown()).filter(({ linkinfo }) => linkinfo?.info_kind === 'ifb').map(({ ifname }) => ifname)

  test('limits are the container’s: what it sends and what it receives; they go with a detach, whoever does it', async () => {
    for (const driver of ['bridge', 'ptp'] as const) {
      await withNetwork({ driver, subnets: ['10.9.0.0/24'] }, async (network) => {
        const bandwidth = { egress: '8mbit', ingress: { rate: '80mbit', burst: '64k' } }
        const web = await network.attach({ name: 'web', bandwidth })
        const db = await network.attach({ name: 'db', bandwidth: { ingress: '80mbit' } })
        assert.is(await rateOf(web.hostIfname), 10_000_000, 'bytes a second that the host end sends')
        assert.is(await rateOf(`ifb-${web.hostIndex}`), 1_000_000, 'bytes a second that it receives')
        assert.equal(await ifbs(), [`ifb-${web.hostIndex}`])
        await web.publish('8080:80')
        assert.match((await linkShown(web.hostIfname))?.ifalias ?? '', /^netlink-ct\/1 endpoint web 8080:80 limited$/)
        await detachElsewhere('lab', 'web')
        assert.equal(await ifbs(), [])
        await db.detach()
      })
    }
  })

  test('limits that cannot be set leave nothing', () =>
    withNetwork({ subnets: ['10.9.0.0/24'] }, async (network) => {
      await withBox(async (box) => {
        const before = [await kernelState(), await kernelState({ path: box.path })]
        // A rate that no queueing discipline takes is found out by the kernel only.
        const spec = { name: 'web', netns: box, publish: ['8080:80'], announce: true, sysctls: { 'net.core.somaxconn': 77 } }
        const egress = { rate: '1gbit', burst: 4_000_000_000, latency: '4000s' }
        const failure = await failureOf(network.attach({ ...spec, bandwidth: { egress } }))
        assert.ok(failure.code, String(failure))
        assert.equal(changes(before, [await kernelState(), await kernelState({ path: box.path })]), [], String(failure))
        assert.is.not(await readSysctl('net.core.somaxconn', { path: box.path }), '77')
      })
    }))

  test('an announcement corrects what the neighbors believed, and shows the bridge where the container is', async () => {
    for (const bridgeNetfilter of [0, 1]) {
      await withNetwork({}, async (network) => {
        await writeSysctl('net.bridge.bridge-nf-call-iptables', bridgeNetfilter)
        const neighbor = await network.attach({ name: 'neighbor' })
        const at = inside(neighbor)
        const addresses = ['10.9.0.77', 'fd00:9::77']
        const believed = async (): Promise<(string | undefined)[]> => {
          const rows = await json<{ dst: string; lladdr: string }[]>('ip', ['neigh'], { netns: at })
          return addresses.map((address) => rows.find(({ dst }) => dst === address)?.lladdr)
        }
        for (const address of addresses)
          await output('ip', ['neigh', 'add', address, 'lladdr', '02:00:00:00:00:99', 'dev', 'eth0', 'nud', 'reachable'], {
            netns: at,
          })
        const web = await network.attach({ name: 'web', addresses: ['10.9.0.77/24', 'fd00:9::77/64'], announce: true })
        await until('the neighbor knows', async () => (await believed()).every((mac) => mac === web.mac))
        const entries = await json<{ mac: string }[]>('bridge', ['fdb', 'show', 'dev', web.hostIfname])
        assert.ok(
          entries.some(({ mac }) => mac === web.mac),
          JSON.stringify(entries),
        )
        await writeSysctl('net.bridge.bridge-nf-call-iptables', 1)
      })
    }
  })

  test('labels are remembered, also by another process and after the ports changed', () =>
    withNetwork({}, async (network) => {
      const labels = { app: 'a shop', 'example.com/tier': 'größe=1, 日本', empty: '' }
      const web = await network.attach({ name: 'web', labels, mac: '02:00:00:00:00:07' })
      assert.equal(web.labels, labels)
      const again = await (await openNetwork('lab')).endpoint('web')
      assert.equal(again.labels, labels)
      await again.publish('8080:80')
      const after = await network.endpoint('web')
      assert.equal([after.labels, after.mac, after.ports.length], [labels, '02:00:00:00:00:07', 1])
      assert.equal(JSON.parse(JSON.stringify(after)).labels, labels)
    }))

  test.run()
}
