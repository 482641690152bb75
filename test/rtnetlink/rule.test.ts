// Policy rules, nexthops, route look-ups and namespace ids, with ip(8) as the witness.

import * as assert from 'uvu/assert'
import { createNetns, type Netns, type RuleSpec } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { json, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipRoutes } from '../support/witness.ts'

const test = suite('rules, nexthops, look-ups, namespace ids')

async function town(): Promise<Netns> {
  const ns = await createNetns()
  await ns.setLink('lo', { up: true })
  await ns.createBridge({ name: 'br0', up: true, addresses: ['10.0.0.1/24', 'fd00::1/64'] })
  // A carrier, without which the kernel routes nothing through the bridge.
  await ns.createVethPair({ name: 'v0', master: 'br0', up: true, peer: { name: 'v1', up: true } })
  return ns
}

test('each selector and action arrives as ip shows it, and is read back', async () => {
  await using ns = await town()
  const table: readonly (readonly [spec: RuleSpec, shown: string])[] = [
    [{ from: '10.0.0.0/24', table: 100 }, 'from 10.0.0.0/24 lookup 100'],
    [{ to: '10.0.0.7', table: 'main' }, 'from all to 10.0.0.7 lookup main'],
    [{ mark: 1, table: 300 }, 'from all fwmark 0x1 lookup 300'],
    [{ mark: 1, mask: 255, table: 100 }, 'from all fwmark 0x1/0xff lookup 100'],
    [
      { iif: 'br0', not: true, table: 'main', suppressPrefixLength: 0 },
      'not from all iif br0 lookup main suppress_prefixlength 0',
    ],
    [{ oif: 'br0', action: 'prohibit' }, 'from all oif br0 prohibit'],
    [{ ipProtocol: 6, destinationPorts: { start: 80, end: 90 }, table: 100 }, 'from all ipproto tcp dport 80-90 lookup 100'],
    [{ sourcePorts: { start: 53, end: 53 }, ipProtocol: 17, table: 100 }, 'from all ipproto udp sport 53 lookup 100'],
    [{ uids: { start: 0, end: 10 }, table: 100 }, 'from all uidrange 0-10 lookup 100'],
    [{ action: 'blackhole' }, 'from all blackhole'],
    [{ action: 'unreachable' }, 'from all unreachable'],
    [{ action: 'goto', goto: 40000 }, 'from all goto 40000'],
    [{ action: 'nop' }, 'from all nop'],
    [{ tos: 0x10, table: 100 }, 'from all tos 0x10 lookup 100'],
    [{ realm: 5, table: 100 }, 'from all lookup 100 realms 5'],
    [{ realm: { from: 3, to: 4 }, table: 100 }, 'from all lookup 100 realms 3/4'],
    [{ tunnelId: 77, table: 100 }, 'from all tun_id 77 lookup 100'],
    [{ protocol: 'zebra', table: 100 }, 'from all lookup 100 proto zebra'],
    [{ protocol: 200, table: 'main' }, 'from all lookup main proto 200'],
    [{ suppressGroup: 9, table: 'main' }, 'from all lookup main suppress_ifgroup 9'],
  ]
  for (const [spec, shown] of table) {
    await ns.addRule({ priority: 50, ...spec })
    assert.is(
      (await output('ip', ['rule', 'show', 'priority', '50'], { netns: ns })).trim().replace(/\s+/g, ' '),
      `50: ${shown}${spec.action === 'goto' ? ' [unresolved]' : ''}`,
    )
    const rule = (await ns.listRules({ family: 'inet' })).find(({ priority }) => priority === 50)
    for (const [name, value] of Object.entries(spec)) {
      const expected =
        name === 'table' && typeof value === 'string'
          ? 254
          : name === 'to' && !String(value).includes('/')
            ? `${value}/32`
            : value
      assert.equal((rule as unknown as Record<string, unknown>)[name], expected, `${shown}: ${name}`)
    }
    await ns.deleteRule({ priority: 50, ...spec })
    assert.is(await output('ip', ['rule', 'show', 'priority', '50'], { netns: ns }), '')
  }
})

test('what is listed can be added again, and is then the same', async () => {
  await using ns = await town()
  const specs: readonly RuleSpec[] = [
    { from: '10.0.0.0/24', to: '10.1.0.0/16', iif: 'br0', oif: 'lo', mark: 3, mask: 7, table: 1000 },
    {
      not: true,
      tos: 8,
      ipProtocol: 17,
      sourcePorts: { start: 1, end: 9 },
      destinationPorts: { start: 5, end: 5 },
      table: 'main',
    },
    { uids: { start: 4, end: 9 }, realm: { from: 1, to: 2 }, tunnelId: 5, protocol: 99, suppressPrefixLength: 8 },
    { family: 'inet6', action: 'goto', goto: 30000 },
    { family: 'inet6', from: 'fd00::/8', suppressGroup: 4 },
    { action: 'nop' },
    { action: 'prohibit', mark: 0, mask: 1 },
  ]
  const texts = async (): Promise<string> =>
    `${await output('ip', ['-d', 'rule'], { netns: ns })}${await output('ip', ['-d', '-6', 'rule'], { netns: ns })}`
  for (const [at, spec] of specs.entries()) await ns.addRule({ ...spec, priority: 100 + at })
  const [before, rules] = [await texts(), (await ns.listRules()).filter(({ priority }) => priority >= 100 && priority < 200)]
  assert.is(rules.length, specs.length)
  for (const rule of rules) await ns.deleteRule(rule)
  assert.is((await ns.listRules()).length, 5)
  for (const rule of rules) await ns.addRule(rule)
  assert.is(await texts(), before)
  assert.equal(
    (await ns.listRules()).filter(({ priority }) => priority >= 100 && priority < 200),
    rules,
  )
})

/** The witness of what ip does not show: the kernel routes by it. */
const goesBy = async (ns: Netns, packet: Parameters<Netns['lookupRoute']>[1], to = '192.0.2.1'): Promise<boolean> =>
  (await ns.lookupRoute(to, packet)).type === 'unicast'

const release = (await output('uname', ['-r'])).split('.').map((part) => Number.parseInt(part, 10))
const older = (minor: number): boolean => (release[0] ?? 0) < 6 || ((release[0] ?? 0) === 6 && (release[1] ?? 0) < minor)

test.skipIf(
  older(15) && 'the kernel is older than 6.15',
  'service codes, flow labels and masks of ports are what the kernel routes by, and are read back',
  async () => {
    await using ns = await town()
    for (const to of ['default', 'fd99::/16'])
      await ns.addRoute({ to, via: to === 'default' ? '10.0.0.9' : 'fd00::9', table: 100 })
    for (const to of ['192.0.2.0/24', 'fd99::/16']) await ns.addRoute({ to, type: 'local', dev: 'lo' })
    const table: readonly (readonly [spec: RuleSpec, yes: object, no: object, to?: string])[] = [
      [{ dscp: 10 }, { tos: 40 }, { tos: 44 }],
      [{ dscp: 8, dscpMask: 0x38 }, { tos: 44 }, { tos: 64 }],
      [
        { ipProtocol: 17, destinationPorts: { start: 0x80, end: 0x80 }, destinationPortMask: 0xf0 },
        { ipProtocol: 17, destinationPort: 0x8f },
        { ipProtocol: 17, destinationPort: 0x90 },
      ],
      [
        { ipProtocol: 17, sourcePorts: { start: 0x80, end: 0x80 }, sourcePortMask: 0xf0 },
        { ipProtocol: 17, sourcePort: 0x8f },
        { ipProtocol: 17, sourcePort: 0x90 },
      ],
      [{ flowLabel: 0x12345, family: 'inet6' }, { flowLabel: 0x12345 }, { flowLabel: 0x12346 }, 'fd99::1'],
      [
        { flowLabel: 0x12000, flowLabelMask: 0xff000, family: 'inet6' },
        { flowLabel: 0x12fff },
        { flowLabel: 0x22345 },
        'fd99::1',
      ],
    ]
    // Before the table `local`, where the addresses are this host's own.
    for (const [spec, yes, no, to] of table) {
      const whole = { ...spec, table: 100, priority: 50 }
      await ns.deleteRule({ priority: 0, table: 'local', family: spec.family ?? 'inet' })
      await ns.addRule({ priority: 60, table: 'local', family: spec.family ?? 'inet' })
      await ns.addRule(whole)
      const row = JSON.stringify(spec)
      assert.ok(await goesBy(ns, yes, to), row)
      assert.not.ok(await goesBy(ns, no, to), row)
      const rule = (await ns.listRules({ family: spec.family ?? 'inet' })).find(({ priority }) => priority === 50)
      for (const [name, value] of Object.entries(spec)) assert.equal(rule?.[name as keyof typeof rule], value, `${row}: ${name}`)
      await ns.deleteRule(rule ?? whole)
      assert.not.ok(await goesBy(ns, yes, to), row)
      await ns.addRule({ priority: 0, table: 'local', family: spec.family ?? 'inet' })
      await ns.deleteRule({ priority: 60, family: spec.family ?? 'inet' })
    }
  },
)

test('rules of both families are listed in the order of their priorities', async () => {
  await using ns = await town()
  await ns.addRule({ to: 'fd00::/16', action: 'blackhole', priority: 10 })
  const listed = await ns.listRules()
  assert.equal(
    listed.map(({ family, priority }) => `${family} ${priority}`),
    ['inet 0', 'inet 32766', 'inet 32767', 'inet6 0', 'inet6 10', 'inet6 32766'],
  )
})

test('an equal rule is EEXIST, one that is not there ENOENT, and mixed families are refused', async () => {
  await using ns = await town()
  await ns.addRule({ priority: 5, table: 100 })
  assert.is((await failureOf(ns.addRule({ priority: 5, table: 100 }))).code, 'EEXIST')
  assert.is((await failureOf(ns.deleteRule({ priority: 6 }))).code, 'ENOENT')
  assert.match((await failureOf(ns.addRule({ from: '10.0.0.0/8', to: 'fd00::/8' }))).message, 'two address families')
})

test('nexthops and groups of them are shared by routes, which go with them', async () => {
  await using ns = await town()
  await ns.addNexthop({ id: 1, via: '10.0.0.2', dev: 'br0' })
  await ns.addNexthop({ id: 2, via: '10.0.0.3', dev: 'br0' })
  await ns.addNexthop({ id: 3, group: [{ id: 1 }, { id: 2, weight: 5 }] })
  await ns.addNexthop({ id: 4, blackhole: true })
  const shown = await json<{ id: number; group?: { id: number; weight?: number }[]; blackhole?: null }[]>('ip', ['nexthop'], {
    netns: ns,
  })
  assert.equal(shown.find(({ id }) => id === 3)?.group, [{ id: 1 }, { id: 2, weight: 5 }])
  assert.equal(
    (await ns.listNexthops()).map(({ id, via, blackhole, group }) => [id, via, blackhole, group?.map(({ weight }) => weight)]),
    [
      [1, '10.0.0.2', false, undefined],
      [2, '10.0.0.3', false, undefined],
      [3, undefined, false, [1, 5]],
      [4, undefined, true, undefined],
    ],
  )
  assert.equal(
    (await ns.listNexthops({ dev: 'br0' })).map(({ id }) => id),
    [1, 2],
  )
  await ns.addRoute({ to: '10.1.0.0/16', nexthop: 3 })
  assert.is((await ns.listRoutes()).find(({ to }) => to === '10.1.0.0/16')?.nexthop, 3)
  await ns.replaceNexthop({ id: 1, via: '10.0.0.9', dev: 'br0' })
  await ns.deleteNexthop(3)
  assert.is(
    (await ipRoutes(ns)).some(({ dst }) => dst === '10.1.0.0/16'),
    false,
  )
  assert.is((await failureOf(ns.deleteNexthop(3))).code, 'ENOENT')
})

test('multipath routes, a gateway of the other family, preference and expiry arrive as ip shows them', async () => {
  await using ns = await town()
  await ns.addRoute({ to: '10.2.0.0/16', nexthops: [{ via: '10.0.0.2' }, { via: '10.0.0.3', dev: 'br0', weight: 3 }] })
  await ns.addRoute({ to: '10.3.0.0/16', via: 'fd00::2', dev: 'br0' })
  await ns.addRoute({ to: 'fd01::/64', via: 'fd00::2', preference: 'high', expires: 100 })
  const text = await output('ip', ['route'], { netns: ns })
  assert.match(
    text,
    /10\.2\.0\.0\/16 proto static \n\tnexthop via 10\.0\.0\.2 dev br0 weight 1 \n\tnexthop via 10\.0\.0\.3 dev br0 weight 3/,
  )
  assert.match(text, '10.3.0.0/16 via inet6 fd00::2 dev br0')
  assert.match(
    await output('ip', ['-6', 'route'], { netns: ns }),
    /fd01::\/64 via fd00::2 dev br0 proto static metric 1024 expires (100|9\d)sec pref high/,
  )
  const routes = await ns.listRoutes()
  assert.equal(
    routes.find(({ to }) => to === '10.2.0.0/16')?.nexthops?.map(({ via, weight }) => [via, weight]),
    [
      ['10.0.0.2', 1],
      ['10.0.0.3', 3],
    ],
  )
  assert.is(routes.find(({ to }) => to === '10.3.0.0/16')?.via, 'fd00::2')
  const late = routes.find(({ to }) => to === 'fd01::/64')
  assert.is(late?.preference, 'high')
  assert.ok((late?.expires ?? 0) > 90 && (late?.expires ?? 0) <= 100)
})

test('append puts a route beside another, change changes one that is there only', async () => {
  await using ns = await town()
  await ns.addRoute({ to: '10.5.0.0/16', via: '10.0.0.2' })
  await ns.appendRoute({ to: '10.5.0.0/16', via: '10.0.0.3' })
  assert.equal(
    (await ipRoutes(ns, '10.5.0.0/16')).map(({ gateway }) => gateway),
    ['10.0.0.2', '10.0.0.3'],
  )
  await ns.changeRoute({ to: '10.5.0.0/16', via: '10.0.0.4' })
  assert.is((await ipRoutes(ns, '10.5.0.0/16'))[0]?.gateway, '10.0.0.4')
  assert.is((await failureOf(ns.changeRoute({ to: '10.6.0.0/16', via: '10.0.0.2' }))).code, 'ENOENT')
})

test('a look-up gives the route that a packet would take, or the entry that matches', async () => {
  await using ns = await town()
  await ns.addRoute({ to: '10.1.0.0/16', via: '10.0.0.2' })
  const route = await ns.lookupRoute('10.1.2.3')
  const [witness] = await json<{ gateway: string; prefsrc: string }[]>('ip', ['route', 'get', '10.1.2.3'], { netns: ns })
  assert.is(route.to, '10.1.2.3/32')
  assert.is(route.via, witness?.gateway)
  assert.is(route.source, witness?.prefsrc)
  const entry = await ns.lookupRoute('10.1.2.3', { fibmatch: true })
  assert.is(entry.to, '10.1.0.0/16')
  assert.is((await failureOf(ns.lookupRoute('8.8.8.8'))).code, 'ENETUNREACH')
  await ns.addRoute({ to: '10.7.0.0/16', type: 'prohibit' })
  assert.is((await failureOf(ns.lookupRoute('10.7.0.1'))).code, 'EACCES')
  await ns.addRule({ mark: 5, table: 100, priority: 10 })
  await ns.addRoute({ to: '10.1.0.0/16', via: '10.0.0.9', table: 100 })
  assert.is((await ns.lookupRoute('10.1.2.3', { mark: 5 })).via, '10.0.0.9')
  await ns.addRoute({ to: 'fd01::/64', via: 'fd00::9' })
  const six = await ns.lookupRoute('fd01::5')
  assert.equal([six.via, six.family, six.table], ['fd00::9', 'inet6', 254])
})

test('routes are filtered by protocol, type and device in the kernel', async () => {
  await using ns = await town()
  await ns.addRoute({ to: '10.1.0.0/16', via: '10.0.0.2' })
  await ns.addRoute({ to: '10.2.0.0/16', via: '10.0.0.2', protocol: 77 })
  await ns.addRoute({ to: '10.3.0.0/16', type: 'unreachable' })
  const to = async (filter: Parameters<Netns['listRoutes']>[0]): Promise<string[]> =>
    (await ns.listRoutes({ family: 'inet', ...filter })).map((route) => route.to)
  assert.equal(await to({ protocol: 77 }), ['10.2.0.0/16'])
  assert.equal(await to({ type: 'unreachable' }), ['10.3.0.0/16'])
  assert.equal(await to({ protocol: 'static', type: 'unicast', dev: 'br0' }), ['10.1.0.0/16'])
})

test('namespace ids are given, found and listed as ip netns does', async () => {
  await using ns = await createNetns()
  await using other = await createNetns()
  await using third = await createNetns()
  assert.is(await ns.getNsid(other), undefined)
  assert.is(await ns.setNsid(other, 77), 77)
  assert.is(await ns.getNsid(other), 77)
  const given = await ns.setNsid(third)
  assert.equal((await ns.listNsids()).sort(), [77, given].sort())
  const error = await failureOf(ns.setNsid(other, 78))
  assert.is(error.code, 'EEXIST')
  assert.is(error.extack, 'Peer netns already has a nsid assigned')
  await ns.createVethPair({ name: 'v0', peer: { name: 'v0', netns: other } })
  assert.is((await ns.getLink('v0')).peerNetnsid, 77)
})

test.run()
