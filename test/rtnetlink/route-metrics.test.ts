// Metrics of routes, realms, types of service, and whole tables, with ip(8) as the witness.

import * as assert from 'uvu/assert'
import { type CommonRouteSpec, createNetns, type Netns, type Route, type RouteSpec } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipRoutes } from '../support/witness.ts'

const test = suite('metrics of routes, flushes')

async function town(): Promise<Netns> {
  const ns = await createNetns()
  await ns.setLink('lo', { up: true })
  await ns.createBridge({ name: 'br0', up: true, addresses: ['10.0.0.1/24', 'fd00::1/64'] })
  await ns.createVethPair({ name: 'v0', master: 'br0', up: true, peer: { name: 'v1', up: true } })
  return ns
}

const shown = async (ns: Netns, to: string, ...more: string[]): Promise<string> => {
  const family = to.includes(':') ? ['-6'] : []
  return (await output('ip', [...family, 'route', 'show', to, ...more], { netns: ns })).trim().replace(/\s+/g, ' ')
}
const listed = async (ns: Netns, to: string): Promise<Route | undefined> =>
  (await ns.listRoutes()).find((route) => route.to === to)

test('each metric arrives as ip shows it, in both families, and is read back', async () => {
  const table: readonly (readonly [metrics: Partial<CommonRouteSpec>, shown: string])[] = [
    [{ mtu: 1400 }, 'mtu 1400'],
    [{ mtu: 1400, lock: ['mtu'] }, 'mtu lock 1400'],
    [{ window: 65000 }, 'window 65000'],
    [{ rtt: 300 }, 'rtt 300ms'],
    [{ rttvar: 20 }, 'rttvar 20ms'],
    [{ ssthresh: 70 }, 'ssthresh 70'],
    [{ cwnd: 40, lock: ['cwnd'] }, 'cwnd lock 40'],
    [{ advmss: 1360 }, 'advmss 1360'],
    [{ reordering: 8 }, 'reordering 8'],
    [{ hopLimit: 9 }, 'hoplimit 9'],
    [{ initcwnd: 20 }, 'initcwnd 20'],
    [{ features: ['ecn'] }, 'features ecn'],
    [{ rtoMin: 200, lock: ['rtoMin'] }, 'rto_min lock 200ms'],
    [{ initrwnd: 30 }, 'initrwnd 30'],
    [{ quickack: true }, 'quickack 1'],
    [{ congctl: 'reno' }, 'congctl reno'],
    [{ fastopenNoCookie: true }, 'fastopen_no_cookie 1'],
    [{ mtu: 1300, advmss: 1260, rtt: 7, lock: ['mtu', 'rtt'] }, 'mtu lock 1300 rtt lock 7ms advmss 1260'],
  ]
  await using ns = await town()
  for (const [metrics, expected] of table) {
    for (const to of ['10.7.0.0/16', 'fd07::/16']) {
      await ns.addRoute({ to, dev: 'br0', ...metrics })
      const text = await shown(ns, to)
      assert.ok(text.includes(expected), `${text} lacks ${expected}`)
      const route = (await listed(ns, to)) as unknown as Record<string, unknown>
      for (const [name, value] of Object.entries(metrics)) assert.equal(route[name], value, `${expected}: ${name}`)
      await ns.deleteRoute({ to, ...metrics })
      assert.is(await shown(ns, to), '')
    }
  }
})

test('the least retransmission timeout is locked without being told so, since the kernel heeds no other', async () => {
  await using ns = await town()
  await ns.addRoute({ to: '10.7.0.0/16', dev: 'br0', rtoMin: 200, mtu: 1400 })
  assert.match(await shown(ns, '10.7.0.0/16'), 'mtu 1400 rto_min lock 200ms')
  assert.equal((await listed(ns, '10.7.0.0/16'))?.lock, ['rtoMin'])
})

test("an algorithm that the kernel lacks is its refusal, in the kernel's words", async () => {
  await using ns = await town()
  const error = await failureOf(ns.addRoute({ to: '10.7.0.0/16', dev: 'br0', congctl: 'nosuch' }))
  assert.is(error.code, 'EINVAL')
  assert.match(error.message, 'Unknown tcp congestion algorithm')
})

test('realms, types of service, protocols and sources arrive as ip shows them, and are read back', async () => {
  await using ns = await town()
  await ns.addRoute({ to: '10.1.0.0/16', dev: 'br0', realm: 5 })
  await ns.addRoute({ to: '10.2.0.0/16', dev: 'br0', realm: { from: 3, to: 4 }, protocol: 'zebra' })
  await ns.addRoute({
    to: '10.3.0.0/16',
    nexthops: [
      { via: '10.0.0.2', realm: 8 },
      { via: '10.0.0.3', realm: { from: 1, to: 2 } },
    ],
  })
  await ns.addRoute({ to: '10.4.0.0/16', via: '10.0.0.2' })
  await ns.addRoute({ to: '10.4.0.0/16', via: '10.0.0.3', tos: 0x10, protocol: 99 })
  await ns.addRoute({ to: 'fd01::/64', from: 'fd02::/64', via: 'fd00::2', protocol: 'ospf' })
  assert.match(await shown(ns, '10.1.0.0/16'), /realm 5$/)
  assert.match(await shown(ns, '10.2.0.0/16'), /proto zebra scope link realms 3\/4$/)
  assert.match(
    await shown(ns, '10.3.0.0/16'),
    /nexthop via 10\.0\.0\.2 realm 8 .*nexthop via 10\.0\.0\.3 realms 1\/2|nexthop realm 8 .*nexthop realms 1\/2/,
  )
  assert.match(await shown(ns, '10.4.0.0/16'), /^10\.4\.0\.0\/16 tos (lowdelay|0x10) via 10\.0\.0\.3/)
  assert.match(await shown(ns, 'fd01::/64'), /from fd02::\/64 via fd00::2 dev br0 proto ospf/)
  assert.match(await output('ip', ['route', 'get', '10.4.0.1', 'tos', '0x10'], { netns: ns }), 'via 10.0.0.3')
  const routes = await ns.listRoutes()
  const find = (to: string): Route[] => routes.filter((route) => route.to === to)
  assert.equal([find('10.1.0.0/16')[0]?.realm, find('10.2.0.0/16')[0]?.realm], [5, { from: 3, to: 4 }])
  assert.is(find('10.2.0.0/16')[0]?.protocol, 'zebra')
  assert.equal(
    find('10.3.0.0/16')[0]?.nexthops?.map(({ realm }) => realm),
    [8, { from: 1, to: 2 }],
  )
  assert.equal(
    find('10.4.0.0/16').map(({ tos, via, protocol }) => [tos, via, protocol]),
    [
      [16, '10.0.0.3', 'openr'],
      [undefined, '10.0.0.2', 'static'],
    ],
  )
  assert.equal([find('fd01::/64')[0]?.from, find('fd01::/64')[0]?.protocol], ['fd02::/64', 'ospf'])
  assert.is((await ns.lookupRoute('10.4.0.1', { tos: 0x10 })).via, '10.0.0.3')
  assert.is((await ns.lookupRoute('10.4.0.1')).via, '10.0.0.2')
  await ns.deleteRoute({ to: '10.4.0.0/16', tos: 0x10 })
  assert.match(await shown(ns, '10.4.0.0/16'), /^10\.4\.0\.0\/16 via 10\.0\.0\.2/)
  const { extack } = await failureOf(ns.addRoute({ to: '10.5.0.0/16', dev: 'br0', tos: 3 }))
  assert.match(extack ?? '', /dsfield|tos/)
})

test('what a deletion does not name does not count, and the lowest metric goes first', async () => {
  await using ns = await town()
  for (const metric of [300, 100, 200]) await ns.addRoute({ to: '10.6.0.0/16', via: `10.0.0.${metric / 100 + 1}`, metric })
  const metrics = async (): Promise<(number | undefined)[]> => (await ipRoutes(ns, '10.6.0.0/16')).map(({ metric }) => metric)
  await ns.deleteRoute({ to: '10.6.0.0/16' })
  assert.equal(await metrics(), [200, 300])
  await ns.deleteRoute({ to: '10.6.0.0/16', via: '10.0.0.4' })
  assert.equal(await metrics(), [200])
  assert.is((await failureOf(ns.deleteRoute({ to: '10.6.0.0/16', protocol: 'bgp' }))).code, 'ESRCH')
  await ns.addRoute({ to: 'fd06::/64', nexthops: [{ via: 'fd00::2' }, { via: 'fd00::3' }] })
  await ns.deleteRoute({ to: 'fd06::/64', via: 'fd00::2' })
  assert.match(await shown(ns, 'fd06::/64'), /via fd00::3/)
  await ns.appendRoute({ to: 'fd06::/64', via: 'fd00::4' })
  await ns.deleteRoute({ to: 'fd06::/64' })
  assert.is(await shown(ns, 'fd06::/64'), '')
})

test('a flush deletes what matches, of every kind, and tells what that was', async () => {
  await using ns = await town()
  await ns.addNexthop({ id: 7, via: '10.0.0.7', dev: 'br0' })
  const specs: readonly RouteSpec[] = [
    { to: '10.1.0.0/16', via: '10.0.0.2', mtu: 1400 },
    { to: '10.1.0.0/16', via: '10.0.0.3', metric: 50 },
    { to: '10.1.0.0/16', via: '10.0.0.4', tos: 0x10, realm: 4 },
    { to: '10.2.0.0/16', nexthops: [{ via: '10.0.0.2' }, { via: '10.0.0.3', weight: 5 }] },
    { to: '10.3.0.0/16', nexthop: 7 },
    { to: '10.4.0.0/16', via: 'fd00::2', dev: 'br0' },
    { to: '10.5.0.0/16', type: 'unreachable' },
    { to: 'default', via: '10.0.0.2' },
    { to: 'fd01::/64', via: 'fd00::2', expires: 1000, preference: 'low' },
    { to: 'fd02::/64', nexthops: [{ via: 'fd00::2' }, { via: 'fd00::3' }] },
    { to: 'fd03::/64', from: 'fd04::/64', dev: 'br0' },
    { to: 'fd05::/64', type: 'blackhole' },
    { to: '10.9.0.0/16', via: '10.0.0.2', table: 100 },
    { to: 'fd09::/64', via: 'fd00::2', table: 1000 },
  ]
  // The kernel's own ones of IPv6 come a moment after their device.
  const all = async (): Promise<string[]> =>
    (await output('ip', ['route', 'show', 'table', 'all'], { netns: ns }))
      .split('\n')
      .filter((line) => !/^(multicast|local) f/.test(line))
  const before = await all()
  for (const spec of specs) await ns.addRoute({ ...spec, protocol: 'bird' })
  const kept = await output('ip', ['route', 'show', 'table', '100'], { netns: ns })
  assert.is((await ns.flushRoutes({ protocol: 'bird' })).length, specs.length - 2)
  assert.is(await output('ip', ['route', 'show', 'table', '100'], { netns: ns }), kept)
  assert.equal(
    (await ns.flushRoutes({ protocol: 'bird', table: 'all' })).map(({ table }) => table),
    [100, 1000],
  )
  assert.equal(await all(), before)
  assert.equal(await ns.flushRoutes({ table: 4711 }), [])
  await ns.flushRoutes({ family: 'inet', dev: 'br0' })
  assert.equal(await ipRoutes(ns), [])
})

test('all tables are listed as ip lists them', async () => {
  await using ns = await town()
  await ns.addRoute({ to: '10.1.0.0/16', via: '10.0.0.2', table: 100 })
  const lines = (await output('ip', ['-4', '-o', 'route', 'show', 'table', 'all'], { netns: ns })).trim().split('\n')
  const routes = await ns.listRoutes({ table: 'all', family: 'inet' })
  assert.is(routes.length, lines.length)
  assert.equal([...new Set(routes.map(({ table }) => table))].sort(), [100, 254, 255])
})

test.run()
