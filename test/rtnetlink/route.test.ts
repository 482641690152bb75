// Routes of both families, with ip(8) as the witness.

import * as assert from 'uvu/assert'
import { addRoute, createNetns, deleteRoute, listRoutes, type Netns, type RouteSpec } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { kernelState, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { type IpRoute, ipRoutes } from '../support/witness.ts'

const test = suite('routes')

/** br0 with 172.18.0.1/16 and fd00::1/64, br1 with 192.0.2.1/24, all up. */
async function town(): Promise<Netns> {
  const ns = await createNetns()
  const input = `link add br0 type bridge
    link add br1 type bridge
    link set br0 up
    link set br1 up
    address add 172.18.0.1/16 dev br0
    address add 172.18.0.2/16 dev br0
    address add fd00::1/64 dev br0 nodad
    address add 192.0.2.1/24 dev br1`
  await output('ip', ['-batch', '-'], { netns: ns, input })
  return ns
}

test('each kind of route arrives as ip shows it, and is deleted by the same words', async () => {
  await using ns = await town()
  const br0 = await ns.getLink('br0')
  const table: [spec: RouteSpec, show: string[], expected: { [K in keyof IpRoute]?: IpRoute[K] | undefined }][] = [
    [
      { to: 'default', via: '172.18.0.9' },
      ['default'],
      { gateway: '172.18.0.9', dev: 'br0', protocol: 'static', type: 'unicast' },
    ],
    [{ to: '0.0.0.0/0', via: '172.18.0.9' }, ['default'], { gateway: '172.18.0.9' }],
    [{ to: '10.0.0.0/8', dev: 'br1' }, ['10.0.0.0/8'], { dev: 'br1', scope: 'link', gateway: undefined }],
    [{ to: '10.0.0.0/8', dev: br0 }, ['10.0.0.0/8'], { dev: 'br0' }],
    [{ to: '10.0.0.7', dev: br0.index }, ['10.0.0.7'], { dst: '10.0.0.7', dev: 'br0' }],
    [{ to: '10.0.0.0/8', via: '172.18.0.9', source: '172.18.0.2' }, ['10.0.0.0/8'], { prefsrc: '172.18.0.2', scope: 'global' }],
    [{ to: '10.0.0.0/8', via: '172.18.0.9', metric: 100 }, ['10.0.0.0/8'], { metric: 100 }],
    [{ to: '10.0.0.0/8', via: '172.18.0.9', mtu: 1300 }, ['10.0.0.0/8'], { metrics: [{ mtu: 1300 }] }],
    [{ to: '10.0.0.0/8', via: '172.18.0.9', protocol: 'dhcp' }, ['10.0.0.0/8'], { protocol: 'dhcp' }],
    [{ to: '10.0.0.0/8', via: '172.18.0.9', protocol: 77 }, ['10.0.0.0/8'], { protocol: '77' }],
    [
      { to: '10.0.0.0/8', via: '203.0.113.1', dev: 'br0', onlink: true },
      ['10.0.0.0/8'],
      { gateway: '203.0.113.1', flags: ['onlink'] },
    ],
    [{ to: '10.0.0.0/8', dev: 'br0', scope: 'host' }, ['10.0.0.0/8'], { scope: 'host' }],
    [{ to: '10.0.0.0/8', via: '172.18.0.9', table: 100 }, ['10.0.0.0/8', 'table', '100'], { gateway: '172.18.0.9' }],
    [{ to: '10.0.0.0/8', via: '172.18.0.9', table: 70_000 }, ['10.0.0.0/8', 'table', '70000'], { gateway: '172.18.0.9' }],
    [
      { to: '10.0.0.0/8', dev: 'br0', table: 'local', type: 'local' },
      ['10.0.0.0/8', 'table', 'local'],
      { type: 'local', scope: 'host' },
    ],
    [{ to: '10.0.0.0/8', type: 'blackhole' }, ['10.0.0.0/8'], { type: 'blackhole' }],
    [{ to: '10.0.0.0/8', type: 'unreachable', metric: 9 }, ['10.0.0.0/8'], { type: 'unreachable', metric: 9 }],
    [{ to: 'default', type: 'prohibit' }, ['default'], { type: 'prohibit' }],
    [{ to: '10.0.0.0/8', type: 'throw' }, ['10.0.0.0/8'], { type: 'throw' }],
    [{ to: 'default', via: 'fd00::9' }, ['-6', 'default'], { gateway: 'fd00::9', dev: 'br0' }],
    [{ to: 'default', dev: 'br1', family: 'inet6' }, ['-6', 'default'], { dev: 'br1', gateway: undefined }],
    [{ to: 'fd01::/48', via: 'fd00::9', metric: 5, mtu: 1280 }, ['-6', 'fd01::/48'], { metric: 5, metrics: [{ mtu: 1280 }] }],
    [{ to: 'fd01::7', dev: 'br0' }, ['-6', 'fd01::7'], { dst: 'fd01::7', dev: 'br0' }],
    [{ to: 'fd01::/48', via: 'fd00::9', table: 200 }, ['-6', 'fd01::/48', 'table', '200'], { gateway: 'fd00::9' }],
    [{ to: 'fd01::/48', type: 'unreachable' }, ['-6', 'fd01::/48'], { type: 'unreachable' }],
    [{ to: 'fd01::/48', via: 'fe80::9', dev: 'br1' }, ['-6', 'fd01::/48'], { gateway: 'fe80::9', dev: 'br1' }],
  ]
  const before = await kernelState(ns)
  for (const [spec, show, expected] of table) {
    const row = JSON.stringify(spec)
    await ns.addRoute(spec)
    const [route, ...more] = await ipRoutes(ns, ...show)
    assert.is(more.length, 0, row)
    if (route !== undefined) route.flags = route.flags.filter((flag) => flag !== 'linkdown')
    for (const [key, value] of Object.entries(expected))
      assert.equal(route?.[key as keyof IpRoute] as unknown, value, `${row}: ${key}`)
    const again = await failureOf(ns.addRoute(spec))
    assert.is(again.code, 'EEXIST', row)
    await ns.deleteRoute(spec)
    assert.equal(await kernelState(ns), before, row)
  }
})

test('a route is deleted by its destination alone', async () => {
  await using ns = await town()
  const before = await kernelState(ns)
  for (const [to, spec] of Object.entries({
    '10.0.0.0/8': { via: '172.18.0.9', metric: 7, protocol: 'dhcp' },
    '10.1.0.0/16': { type: 'blackhole' },
    default: { via: '172.18.0.9', source: '172.18.0.2' },
    'fd01::/48': { via: 'fd00::9', metric: 7 },
  } satisfies Record<string, Partial<RouteSpec>>)) {
    await ns.addRoute({ to, ...spec })
    await ns.deleteRoute({ to })
    assert.equal(await kernelState(ns), before, to)
  }
})

test('what is given narrows what is deleted', async () => {
  await using ns = await town()
  await ns.addRoute({ to: '10.0.0.0/8', via: '172.18.0.9', metric: 1 })
  await ns.addRoute({ to: '10.0.0.0/8', via: '172.18.0.8', metric: 2 })
  for (const wrong of [
    { metric: 3 },
    { via: '172.18.0.7' },
    { dev: 'br1' },
    { type: 'blackhole' },
    { protocol: 'dhcp' },
    { scope: 'link' },
  ] as const) {
    const error = await failureOf(ns.deleteRoute({ to: '10.0.0.0/8', ...wrong }))
    assert.equal(
      [error.code, error.syscall, error.operation],
      ['ESRCH', 'RTM_DELROUTE', 'delete the route to 10.0.0.0/8'],
      JSON.stringify(wrong),
    )
  }
  await ns.deleteRoute({ to: '10.0.0.0/8', via: '172.18.0.8' })
  assert.equal(
    (await ipRoutes(ns, '10.0.0.0/8')).map(({ metric }) => metric),
    [1],
  )
})

test('replace makes a route that is not there, and takes the place of the one with its destination and metric', async () => {
  await using ns = await town()
  const gateways = async (): Promise<unknown[]> => (await ipRoutes(ns, 'default')).map(({ gateway, metric }) => [gateway, metric])
  await ns.replaceRoute({ to: 'default', via: '172.18.0.9' })
  assert.equal(await gateways(), [['172.18.0.9', undefined]])
  await ns.replaceRoute({ to: 'default', via: '172.18.0.8' })
  assert.equal(await gateways(), [['172.18.0.8', undefined]])
  await ns.replaceRoute({ to: 'default', via: '172.18.0.7', metric: 5 })
  assert.equal(await gateways(), [
    ['172.18.0.8', undefined],
    ['172.18.0.7', 5],
  ])
  await ns.replaceRoute({ to: 'default', via: 'fd00::9' })
  await ns.replaceRoute({ to: 'default', via: 'fd00::8' })
  assert.equal(
    (await ipRoutes(ns, '-6', 'default')).map(({ gateway }) => gateway),
    ['fd00::8'],
  )
})

test("a way out in Calico's style: the gateway is on the link by a route of its own, or by onlink", async () => {
  await using ns = await town()
  await ns.addAddress('br1', '10.65.0.2/32')
  await ns.addRoute({ to: '169.254.1.1', dev: 'br1' })
  await ns.addRoute({ to: 'default', via: '169.254.1.1', source: '10.65.0.2' })
  assert.equal(
    (await ipRoutes(ns, 'default')).map(({ gateway, dev, prefsrc }) => [gateway, dev, prefsrc]),
    [['169.254.1.1', 'br1', '10.65.0.2']],
  )
})

test('what is listed is what ip shows', async () => {
  await using ns = await town()
  await output('ip', ['-batch', '-'], {
    netns: ns,
    input: `route add default via 172.18.0.9 metric 3 mtu 1300
      route add 10.0.0.0/8 via 203.0.113.1 dev br1 onlink src 192.0.2.1 proto 77
      route add unreachable 10.9.0.0/16
      route add 10.8.0.1 dev br0
      route add 10.0.0.0/8 dev br0 table 100
      route add fd01::/48 via fd00::9 dev br0 metric 9
      route add default via fd00::8 dev br0`,
  })
  const br0 = (await ns.getLink('br0')).index
  const br1 = (await ns.getLink('br1')).index
  const v4 = await ns.listRoutes({ family: 'inet' })
  const seen = await ipRoutes(ns)
  assert.equal(
    v4.map(({ to, via, metric, type }) => [to, via, metric, type]),
    seen.map(({ dst, gateway, metric, type }) => [
      dst.includes('/') || dst === 'default' ? dst : `${dst}/32`,
      gateway,
      metric,
      type,
    ]),
  )
  assert.equal(
    v4.find(({ to }) => to === 'default'),
    {
      to: 'default',
      family: 'inet',
      table: 254,
      type: 'unicast',
      scope: 'global',
      protocol: 'boot',
      onlink: false,
      via: '172.18.0.9',
      dev: br0,
      metric: 3,
      mtu: 1300,
    },
  )
  assert.equal(
    v4.find(({ to }) => to === '10.0.0.0/8'),
    {
      to: '10.0.0.0/8',
      family: 'inet',
      table: 254,
      type: 'unicast',
      scope: 'global',
      protocol: 77,
      onlink: true,
      via: '203.0.113.1',
      dev: br1,
      source: '192.0.2.1',
    },
  )
  const v6 = (await ns.listRoutes({ family: 'inet6' })).filter(({ to }) => !to.startsWith('fe80:'))
  assert.equal(
    v6.map(({ to, via, metric }) => [to, via, metric]),
    (await ipRoutes(ns, '-6'))
      .filter(({ dst }) => !dst.startsWith('fe80:'))
      .map(({ dst, gateway, metric }) => [dst, gateway, metric]),
  )
  assert.equal(
    (await ns.listRoutes()).filter(({ to }) => !to.startsWith('fe80:')),
    [...v4, ...v6],
  )
  assert.equal(JSON.parse(JSON.stringify(v4)), v4)
})

test('the list is filtered by table and by device', async () => {
  await using ns = await town()
  await ns.addRoute({ to: '10.0.0.0/8', dev: 'br0', table: 100 })
  await ns.addRoute({ to: '10.1.0.0/16', dev: 'br1', table: 100 })
  await ns.addRoute({ to: '10.2.0.0/16', dev: 'br1', table: 70_000 })
  const list = async (filter: Parameters<Netns['listRoutes']>[0]): Promise<string[]> =>
    (await ns.listRoutes(filter)).map(({ to }) => to).filter((to) => !/^(fe80|ff00)/.test(to))
  assert.equal(await list({ table: 100 }), ['10.0.0.0/8', '10.1.0.0/16'])
  assert.equal(await list({ table: 70_000 }), ['10.2.0.0/16'])
  assert.equal(await list({ table: 100, dev: 'br1' }), ['10.1.0.0/16'])
  assert.equal(await list({ dev: 'br1', family: 'inet' }), ['192.0.2.0/24'])
  assert.equal(await list({ dev: 'br0' }), ['172.18.0.0/16', 'fd00::/64'])
  assert.equal(await list({ table: 12345 }), [])
  assert.ok((await list({ table: 'local', family: 'inet' })).includes('172.18.0.1/32'))
  assert.is((await failureOf(ns.listRoutes({ dev: 'nobody' }))).code, 'ENODEV')
})

test("refusals come in the kernel's words", async () => {
  await using ns = await town()
  const before = await kernelState(ns)
  await output('ip', ['link', 'add', 'down0', 'type', 'bridge'], { netns: ns })
  const table: [spec: RouteSpec, code: string, extack: string | undefined][] = [
    [{ to: 'default', via: '203.0.113.1' }, 'ENETUNREACH', 'Nexthop has invalid gateway'],
    [{ to: 'default', via: '203.0.113.1', dev: 'br0' }, 'ENETUNREACH', 'Nexthop has invalid gateway'],
    [{ to: '10.0.0.0/8', dev: 'down0' }, 'ENETDOWN', 'Device for nexthop is not up'],
    [{ to: '10.0.0.0/8', via: '172.18.0.9', source: '198.51.100.1' }, 'EINVAL', 'Invalid prefsrc address'],
    [
      { to: '10.0.0.0/8', type: 'blackhole', dev: 'br0' },
      'EINVAL',
      'Gateway, device and multipath can not be specified for this route type',
    ],
    [{ to: 'fd01::/48', dev: 'down0' }, 'ENETDOWN', 'Nexthop device is not up'],
    [{ to: 'fd01::/48', via: 'fd09::1' }, 'EHOSTUNREACH', undefined],
    [{ to: 'fd01::/48', via: 'ff02::1', dev: 'br0' }, 'EINVAL', 'Invalid gateway address'],
  ]
  for (const [spec, code, extack] of table) {
    const error = await failureOf(ns.addRoute(spec))
    assert.equal(
      [error.code, error.extack, error.syscall, error.operation],
      [code, extack, 'RTM_NEWROUTE', `add the route to ${spec.to}`],
      JSON.stringify(spec),
    )
    if (extack !== undefined) assert.ok(error.message.includes(extack))
  }
  await ns.deleteLink('down0')
  assert.equal(await kernelState(ns), before)
})

test('the exported functions act in the namespace of this process', async () => {
  const before = await kernelState()
  await addRoute({ to: '198.51.100.0/24', type: 'unreachable' })
  assert.is((await ipRoutes(undefined, '198.51.100.0/24')).length, 1)
  assert.ok((await listRoutes({ family: 'inet' })).some(({ to, type }) => to === '198.51.100.0/24' && type === 'unreachable'))
  await deleteRoute({ to: '198.51.100.0/24' })
  assert.equal(await kernelState(), before)
})

test.run()
