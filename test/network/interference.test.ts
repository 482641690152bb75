// Somebody else takes away or changes each single thing of ours in turn: it is noticed, told, and put back, or cleanly refused.

import * as assert from 'uvu/assert'
import {
  check,
  createNetwork,
  type DamageKind,
  type Endpoint,
  type Network,
  NetworkError,
  openNetwork,
  repair,
  setLink,
} from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { createLab, curl, type KernelState, kernelState, output, run, serve } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { changes } from './support/changes.ts'
import { sweep } from './support/sweep.ts'
import { elementsShown, linkShown } from './support/witness.ts'

interface World {
  readonly lab: Network
  readonly web: Endpoint
  readonly ptp: Network
  readonly far: Endpoint
  /** Held, or their namespaces would go with the garbage. */
  readonly others: readonly unknown[]
}

async function createWorld(): Promise<World> {
  const lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24', 'fd00:9::/64'], icc: false })
  const web = await lab.attach({ name: 'web', publish: ['8080:80', '127.0.0.1:53:53/udp'] })
  const others: unknown[] = [await lab.attach({ name: 'quiet' })]
  const inner = await createNetwork({ name: 'inner', subnets: ['10.7.0.0/24'], internal: true })
  others.push(inner, await inner.attach({ name: 'db' }))
  const ptp = await createNetwork({ name: 'ptp', driver: 'ptp', subnets: ['10.8.0.0/24', 'fd00:8::/64'] })
  const far = await ptp.attach({ name: 'far', publish: ['8081:80'] })
  const way = await createNetwork({
    name: 'way',
    subnets: ['10.6.0.0/24', 'fd00:6::/64'],
    gatewayMode: { ipv6: 'routed' },
    trusted: ['wg0'],
  })
  const from = '?from=192.0.2.0/24,198.51.100.0/24,2001:db8::/32'
  others.push(way, await way.attach({ name: 'open', publish: ['8082:80', `8083:81${from}`, `127.0.0.1:54:53/udp${from}`] }))
  const street = await createNetwork({ name: 'street', subnets: ['10.5.0.0/24'], gatewayMode: 'routed' })
  others.push(street, await street.attach({ name: 'open', publish: ['80', `81${from}`] }))
  others.push(await ptp.attach({ name: 'few', publish: [`8084:80${from}`] }))
  return { lab, web, ptp, far, others }
}

const sets = [
  ...['ports4', 'ports4_at', 'ports6', 'ports6_at', 'published4', 'published6', 'networks', 'subnets4', 'subnets6', 'gateways4'],
  ...['limited4', 'limited4_at', 'limited6', 'allowed4', 'allowed4_at', 'allowed6', 'open4', 'open4_from', 'open6', 'open6_from'],
  ...['routed4', 'routed6', 'trusted'],
  ...['gateways6', 'masqueraded4', 'masqueraded6', 'same', 'from', 'into'],
]
const chains = [
  'guard',
  'publish',
  'prerouting',
  'output',
  'from_internal',
  'into_network',
  'into_routed',
  'forward',
  'as_gateway',
  'postrouting',
]
const table = 'inet netlink-ct'

/** Those that have elements here. */
const filled = sets.filter((set) => set !== 'ports6_at')

type Case = readonly [what: string, ruin: (world: World) => string, kinds: readonly DamageKind[]]

const cases: readonly Case[] = [
  ['the whole ruleset', () => 'nft flush ruleset', ['table-missing']],
  ['our table', () => `nft delete table ${table}`, ['table-missing']],
  ['all rules of our table', () => `nft flush table ${table}`, ['chain-different']],
  ['the table’s activity', () => `nft add table ${table} '{ flags dormant; }'`, ['table-different']],
  ...chains.map((chain): Case => [`the rules of ${chain}`, () => `nft flush chain ${table} ${chain}`, ['chain-different']]),
  ...['guard', 'prerouting', 'output', 'forward', 'postrouting'].map(
    (chain): Case => [
      `the chain ${chain}`,
      () => `nft flush chain ${table} ${chain}; nft delete chain ${table} ${chain}`,
      ['chain-missing'],
    ],
  ),
  [
    'one rule among others',
    () => `nft delete rule ${table} forward handle $(nft -a list chain ${table} forward | sed -n 's/.*ct state.*handle //p')`,
    ['chain-different'],
  ],
  ['the order of our rules, with one in front', () => `nft insert rule ${table} forward accept`, ['chain-different']],
  ['a verdict of ours', () => `nft chain ${table} forward '{ policy drop; }'`, ['chain-different']],
  ['our being alone in our table', () => `nft add chain ${table} mine`, ['table-different']],
  ...filled.map(
    (set): Case => [
      `the elements of ${set}`,
      () => `nft flush ${/^(ports|gateways|from|into)/.test(set) ? 'map' : 'set'} ${table} ${set}`,
      ['element-missing'],
    ],
  ),
  [
    'who may ask for a port',
    () =>
      `nft delete element ${table} allowed4 '{ tcp . 8083 . 192.0.2.0/24 }';` +
      `nft add element ${table} allowed4 '{ tcp . 8083 . 192.0.2.0/25 comment "way/open" }'`,
    ['element-different'],
  ],
  [
    'somebody who may ask for a port, by adding him',
    () => `nft add element ${table} allowed4 '{ tcp . 8083 . 203.0.113.0/24 comment "way/open" }'`,
    ['element-orphaned'],
  ],
  ['one port', () => `nft delete element ${table} ports4 '{ tcp . 8080 }'`, ['element-missing']],
  [
    'where a port leads',
    () =>
      `nft delete element ${table} ports4 '{ tcp . 8080 }'; nft add element ${table} ports4 '{ tcp . 8080 : 10.9.0.77 . 80 }'`,
    ['element-different'],
  ],
  [
    'a port that nobody claims, by adding it',
    () => `nft add element ${table} ports4 '{ tcp . 9 comment "lab/web" : 10.9.0.2 . 80 }'`,
    ['element-orphaned'],
  ],
  [
    'a network that is gone, by adding it',
    () => `nft add element ${table} subnets4 '{ 10.66.0.0/16 comment "gone" }'`,
    ['element-orphaned'],
  ],
  ['a gateway', () => 'ip address delete 10.9.0.1/24 dev br-lab', ['address-missing']],
  ['a gateway of IPv6', () => 'ip address delete fd00:9::1/64 dev br-lab', ['address-missing']],
  ['all addresses of a bridge', () => 'ip address flush dev br-lab', ['address-missing']],
  ['the route to a network', () => 'ip route delete 10.9.0.0/24', ['route-missing']],
  ['the route to a network of IPv6', () => 'ip -6 route delete fd00:9::/64', ['route-missing']],
  ['the route to a container', () => 'ip route delete 10.8.0.2', ['route-missing']],
  ['the route to a container of IPv6', () => 'ip -6 route delete fd00:8::2', ['route-missing']],
  ['a container as a neighbor', ({ far }) => `ip neigh delete 10.8.0.2 dev ${far.hostIfname}`, ['neighbor-missing']],
  ['that a bridge is up', () => 'ip link set br-lab down', ['link-down', 'address-missing']],
  ['that a host end is up', ({ web }) => `ip link set ${web.hostIfname} down`, ['link-down']],
  ['that a host end without a bridge is up', ({ far }) => `ip link set ${far.hostIfname} down`, ['link-down']],
  ['the group of a bridge', () => 'ip link set br-lab group default', ['group-different']],
  ['the group of a host end', ({ far }) => `ip link set ${far.hostIfname} group default`, ['group-different']],
  ['a bridge’s port', ({ web }) => `ip link set ${web.hostIfname} nomaster`, ['port-different']],
  ['the isolation of a port', ({ web }) => `bridge link set dev ${web.hostIfname} isolated off`, ['port-different']],
  ['the hairpin mode of a port', ({ web }) => `bridge link set dev ${web.hostIfname} hairpin off`, ['port-different']],
  ['that the host forwards', () => 'echo 0 > /proc/sys/net/ipv4/ip_forward', ['sysctl-different']],
  ['that the host forwards IPv6', () => 'echo 0 > /proc/sys/net/ipv6/conf/all/forwarding', ['sysctl-different']],
  ['that localhost reaches ports', () => 'echo 0 > /proc/sys/net/ipv4/conf/br-lab/route_localnet', ['sysctl-different']],
  ['that a network is without IPv6', () => 'echo 0 > /proc/sys/net/ipv6/conf/br-inner/disable_ipv6', ['sysctl-different']],
  ['that a bridge hears no router', () => 'echo 2 > /proc/sys/net/ipv6/conf/br-lab/accept_ra', ['sysctl-different']],
]

{
  const test = suite('what somebody takes away is found and put back')
  let world: World
  let before: KernelState

  test.before(async () => {
    await output('ip', ['link', 'set', 'lo', 'up'])
    world = await createWorld()
    before = await kernelState()
  })
  test.after(async () => {
    await sweep()
    await output('ip', ['link', 'set', 'lo', 'down'])
  })

  test('nothing is found where nothing is missing', async () => {
    assert.equal(await check(), [])
    assert.equal(await repair(), { repaired: [], remaining: [] })
    assert.equal(changes(before, await kernelState()), [])
  })

  for (const [what, ruin, kinds] of cases) {
    test(what, async () => {
      await output('sh', ['-e', '-c', ruin(world)])
      assert.is.not(changes(before, await kernelState()).length + Number(what.includes('neighbor')), 0, 'it changed something')
      const found = await check()
      for (const kind of kinds)
        assert.ok(
          found.some((one) => one.kind === kind),
          `${kind} among ${JSON.stringify(found)}`,
        )
      const { repaired, remaining } = await repair()
      assert.equal(remaining, [])
      for (const kind of kinds) assert.ok(repaired.some((one) => one.kind === kind))
      assert.equal(changes(before, await kernelState()), [])
      assert.equal(await check(), [])
    })
  }

  test('names of devices', async () => {
    const altnames = [
      ['br-lab', 'netlink-ct/lab'],
      [world.web.hostIfname, 'netlink-ct/lab/web'],
    ] as const
    for (const [device, altname] of altnames) {
      // ip(8) takes no slash as a name here.
      await setLink(device, { deleteAltnames: [altname] })
      assert.equal(
        (await check()).map(({ kind }) => kind),
        ['name-missing'],
      )
      assert.equal((await repair()).remaining, [])
      assert.equal((await linkShown(device))?.altnames?.includes(altname), true)
      assert.equal(changes(before, await kernelState()), [])
    }
  })

  test.run()
}

{
  const test = suite('what nobody can put back is told and refused')
  let world: World
  test.before.each(async () => {
    world = await createWorld()
  })
  test.after.each(sweep)

  const refused = async (code: string, call: () => Promise<unknown>): Promise<void> => {
    const failure = await failureOf(call)
    assert.instance(failure, NetworkError, String(failure))
    assert.is(failure.code, code)
  }

  test('a bridge that was deleted', async () => {
    await output('ip', ['link', 'delete', 'br-lab'])
    const { remaining } = await repair()
    const lost = remaining.find(({ kind }) => kind === 'network-lost')
    assert.equal(lost, {
      kind: 'network-lost',
      what: "the device of 'lab' is gone; 2 host ends are left",
      network: 'lab',
      repairable: false,
    })
    assert.equal(await world.lab.check(), [lost])
    await refused('NETWORK_NOT_FOUND', () => openNetwork('lab'))
    await refused('NETWORK_NOT_FOUND', () => world.lab.attach({ name: 'more' }))
    await world.lab.delete({ force: true })
    await world.lab.delete()
    assert.equal(await check(), [])
    // It can be made again.
    await (await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })).attach({ name: 'web', publish: ['8080:80'] })
    assert.equal(await check(), [])
  })

  test('a host end that was deleted', async () => {
    await output('ip', ['link', 'delete', world.web.hostIfname])
    assert.ok((await check()).every(({ kind }) => kind === 'element-orphaned'))
    await refused('ENDPOINT_NOT_FOUND', () => world.lab.endpoint('web'))
    await refused('ENDPOINT_NOT_FOUND', () => world.web.publish('8082:80'))
    await refused('ENDPOINT_NOT_FOUND', () => world.web.unpublish('8080:80'))
    await repair()
    assert.equal(await check(), [])
    assert.equal(
      (await elementsShown('ports4_at')).filter((element) => element.includes('lab/web')),
      [],
    )
    await world.web.detach()
    await world.lab.detach('web')
  })

  test('the alias of a network', async () => {
    const group = (await linkShown('br-lab'))?.group
    await output('ip', ['link', 'set', 'br-lab', 'alias', 'mine'])
    const { remaining } = await repair()
    assert.equal(
      remaining.map(({ kind, network, repairable }) => [kind, network, repairable]),
      [['alias-lost', 'lab', false]],
    )
    // What it has in the firewall stays.
    assert.ok((await elementsShown('networks')).includes(`${group} comment lab`))
    assert.ok((await elementsShown('ports4')).some((line) => line.includes('lab/web')))
  })

  test('the alias of a host end', async () => {
    await output('ip', ['link', 'set', world.web.hostIfname, 'alias', 'mine'])
    const { remaining } = await repair()
    assert.equal(
      remaining.map(({ kind, network, endpoint }) => [kind, network, endpoint]),
      [['alias-lost', 'lab', 'web']],
    )
    assert.ok((await elementsShown('ports4')).some((line) => line.includes('lab/web')))
    await world.lab.detach('web')
    await repair()
    assert.equal(await check(), [])
  })

  test('a table of our name that is not ours', async () => {
    await output('sh', ['-c', `nft delete table ${table}; nft add table ${table}; nft add chain ${table} theirs`])
    const { remaining } = await repair()
    assert.equal(
      remaining.map(({ kind }) => kind),
      ['table-foreign'],
    )
    await refused('TABLE_IN_USE', () => world.lab.attach({ name: 'more' }))
    await refused('TABLE_IN_USE', () => world.web.publish('8082:80'))
    await output('nft', ['list', 'chain', ...table.split(' '), 'theirs'])
  })

  test.run()
}

{
  const test = suite('a firewall that was flushed')
  let lab: Network
  test.before.each(async () => {
    lab = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
  })
  test.after.each(sweep)

  for (const [what, command] of [
    ['as a whole', 'nft flush ruleset'],
    ['of its networks', `nft flush set ${table} networks`],
  ]) {
    test(`${what} is restored by attach, and by publish, with what all others had`, async () => {
      const web = await lab.attach({ name: 'web', publish: ['8080:80'] })
      const other = await createNetwork({ name: 'other', subnets: ['10.8.0.0/24'] })
      const before = await kernelState()
      await output('sh', ['-c', command ?? ''])
      const more = await lab.attach({ name: 'more' })
      await more.detach()
      assert.equal(changes(before, await kernelState()), [])
      await output('sh', ['-c', command ?? ''])
      const third = await other.attach({ name: 'third', publish: ['8081:80'] })
      await third.detach()
      assert.equal(changes(before, await kernelState()), [])
      await output('sh', ['-c', `${command}; nft delete table ${table} || :`])
      await web.publish('8082:80')
      await web.unpublish('8082:80')
      assert.equal(changes(before, await kernelState()), [])
    })
  }

  test('is restored for the networks that are there when another one is made', async () => {
    await lab.attach({ name: 'web', publish: ['8080:80'] })
    await output('nft', ['flush', 'ruleset'])
    await createNetwork({ name: 'other', subnets: ['10.8.0.0/24'] })
    assert.equal(await check(), [])
    assert.is((await elementsShown('ports4')).length, 1)
  })

  test('does not hold up unpublish, detach and delete', async () => {
    const web = await lab.attach({ name: 'web', publish: ['8080:80', '8081:80'] })
    await output('nft', ['flush', 'ruleset'])
    await web.unpublish('8080:80')
    await web.detach()
    await lab.delete()
    assert.is((await run('nft', ['list', 'ruleset'])).stdout, '')
  })

  test('lets everybody in and nobody through until it is repaired', async () => {
    await using world = await createLab()
    const web = await lab.attach({ name: 'web', publish: ['8080:80'] })
    await world.routeFromLan('10.9.0.0/24')
    await using _ = await serve({ netns: { path: web.netns.path }, name: 'web', http: 80 })
    const direct = async (): Promise<boolean> =>
      (await curl('http://10.9.0.2/', { netns: world.lan, within: 1500 })).status === 200
    const asPublished = async (): Promise<boolean> =>
      (await curl(`http://${world.hostLanAddress}:8080/`, { netns: world.lan, within: 1500 })).status === 200
    const seen: boolean[][] = []
    const look = async (): Promise<void> => void seen.push([await direct(), await asPublished()])
    await look()
    await output('nft', ['flush', 'ruleset'])
    await look()
    await repair()
    await look()
    assert.equal(seen, [
      [false, true],
      [true, false],
      [false, true],
    ])
  })

  test.run()
}
