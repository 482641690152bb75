// Neighbors and forwarding entries, with ip(8) and bridge(8) as the witnesses.

import * as assert from 'uvu/assert'
import { createNetns, type FdbSpec, type Neighbor, type NeighborSpec, type Netns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { json, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'

const test = suite('neighbors and forwarding entries')

interface IpNeighbor {
  dst: string
  dev?: string
  lladdr?: string
  state?: string[]
  router?: null
  probes?: number
  used?: number
  confirmed?: number
  updated?: number
  extern_learn?: null
  protocol?: string
}
interface BridgeFdb {
  mac: string
  ifname: string
  master?: string
  state: string
  flags: string[]
  dst?: string
}

const neighbors = (ns: Netns, ...args: string[]): Promise<IpNeighbor[]> =>
  json('ip', ['neighbour', 'show', ...args], { netns: ns })
const entries = async (ns: Netns, dev: string, mac: string): Promise<BridgeFdb[]> =>
  (await json<BridgeFdb[]>('bridge', ['fdb', 'show', 'dev', dev], { netns: ns })).filter((entry) => entry.mac === mac)

/** Without the kernel's own entries for multicast. */
const unicast = async (ns: Netns): Promise<Omit<Neighbor, 'ages'>[]> =>
  (await ns.listNeighbors({ family: 'inet', link: 'br0' }))
    .filter(({ address }) => !address.startsWith('224.'))
    .map(({ ages, ...rest }) => rest)

async function town(): Promise<Netns> {
  const ns = await createNetns()
  await ns.createBridge({ name: 'br0', up: true, addresses: ['10.0.0.1/24', 'fd00::1/64'] })
  await ns.createVethPair({ name: 'v0', master: 'br0', up: true, peer: { name: 'v1', up: true } })
  return ns
}

test('an entry of each family and state is made, shown, replaced and deleted', async () => {
  await using ns = await town()
  await ns.addNeighbor({ address: '10.0.0.9', link: 'br0', mac: '02:00:00:00:00:09' })
  await ns.addNeighbor({ address: 'fd00::9', link: 'br0', mac: '02:00:00:00:00:0a', state: 'stale', router: true })
  assert.equal(
    (await neighbors(ns)).map(({ dst, lladdr, state }) => [dst, lladdr, state?.[0]]),
    [
      ['10.0.0.9', '02:00:00:00:00:09', 'PERMANENT'],
      ['fd00::9', '02:00:00:00:00:0a', 'STALE'],
    ],
  )
  const index = (await ns.getLink('br0')).index
  assert.equal(await unicast(ns), [
    { address: '10.0.0.9', family: 'inet', link: index, state: 'permanent', flags: [], mac: '02:00:00:00:00:09' },
  ])
  assert.equal(
    (await ns.listNeighbors({ family: 'inet6' })).filter(({ address }) => address === 'fd00::9').map(({ flags }) => flags),
    [['router']],
  )
  await ns.replaceNeighbor({ address: '10.0.0.9', link: 'br0', mac: '02:00:00:00:00:0b', state: 'noarp' })
  assert.equal((await neighbors(ns, 'nud', 'noarp', '10.0.0.9'))[0]?.lladdr, '02:00:00:00:00:0b')
  await ns.deleteNeighbor({ address: '10.0.0.9', link: 'br0' })
  assert.is(
    (await neighbors(ns)).some(({ dst }) => dst === '10.0.0.9'),
    false,
  )
})

test('five proxy entries are added, listed apart from the others, and deleted', async () => {
  await using ns = await town()
  const addresses = [1, 2, 3, 4, 5].map((last) => `10.99.0.${last}`)
  for (const address of addresses) await ns.addNeighbor({ address, link: 'br0', proxy: true })
  assert.equal((await neighbors(ns, 'proxy')).map(({ dst }) => dst).sort(), addresses)
  assert.equal((await ns.listNeighbors({ proxy: true })).map(({ address }) => address).sort(), addresses)
  assert.equal(await unicast(ns), [])
  for (const address of addresses) await ns.deleteNeighbor({ address, link: 'br0', proxy: true })
  assert.equal(await neighbors(ns, 'proxy'), [])
})

test('who made an entry, who keeps it, and how old it is arrive as ip shows them, and are read back', async () => {
  await using ns = await town()
  const before = Date.now()
  const mac = '02:00:00:00:00:09'
  await ns.addNeighbor({ address: '10.0.0.9', link: 'br0', mac, state: 'noarp', protocol: 'zebra', externLearned: true })
  await ns.addNeighbor({ address: 'fd00::9', link: 'br0', managed: true, externLearned: true, protocol: 200 })
  const shown = await neighbors(ns, '10.0.0.9')
  const text = await output('ip', ['-d', '-s', 'neighbour', 'show'], { netns: ns })
  assert.match(text, /10\.0\.0\.9 dev br0 lladdr 02:00:00:00:00:09 .*extern_learn .*NOARP proto zebra/)
  assert.match(text, /fd00::9 dev br0 .*managed extern_learn .*proto 200/)
  assert.is(shown[0]?.extern_learn, null)
  const listed = await ns.listNeighbors({ link: 'br0' })
  const [four, six] = ['10.0.0.9', 'fd00::9'].map((address) => listed.find((one) => one.address === address))
  assert.equal([four?.flags, four?.protocol, four?.state], [['externLearned'], 'zebra', 'noarp'])
  assert.equal([six?.flags, six?.protocol], [['externLearned', 'managed'], 200])
  const most = (Date.now() - before) / 1000 + 1
  assert.ok(four?.ages !== undefined && four.ages.updated >= 0 && four.ages.updated <= most, JSON.stringify(four))
})

test('an entry that is used is asked for, and its probes are counted', async () => {
  await using ns = await town()
  await ns.addNeighbor({ address: '10.0.0.77', link: 'br0', use: true })
  const entry = await ns.waitForNeighbor('10.0.0.77', { link: 'br0', state: 'failed' })
  assert.is(entry.state, 'failed')
  const [again] = await ns.listNeighbors({ link: 'br0', states: ['failed', 'incomplete'] })
  assert.is(again?.address, '10.0.0.77')
  assert.is(again?.probes, (await json<IpNeighbor[]>('ip', ['-s', 'neighbour', 'show', '10.0.0.77'], { netns: ns }))[0]?.probes)
})

test('a flush forgets what was learned, and by name what was not', async () => {
  await using ns = await town()
  const mac = '02:00:00:00:00:09'
  for (const [at, state] of (['permanent', 'noarp', 'stale', 'reachable'] as const).entries()) {
    for (const net of ['10.0.0.', 'fd00::']) await ns.addNeighbor({ address: `${net}1${at}`, link: 'br0', mac, state })
  }
  await ns.addNeighbor({ address: '10.0.0.200', link: 'br0', proxy: true })
  const left = async (): Promise<string[]> =>
    (await neighbors(ns))
      .filter(({ lladdr }) => lladdr === mac)
      .map(({ dst }) => dst)
      .sort()
  const mine = (found: readonly Neighbor[]): string[] =>
    found
      .filter((one) => one.mac === mac)
      .map(({ address }) => address)
      .sort()
  assert.is((await left()).length, 6) // those without ARP are not shown
  assert.equal(mine(await ns.flushNeighbors({ link: 'br0', family: 'inet' })), ['10.0.0.12', '10.0.0.13'])
  assert.equal(mine(await ns.flushNeighbors({ master: 'br0' })), [])
  assert.equal(mine(await ns.flushNeighbors({ states: ['permanent', 'noarp'], family: 'inet6', link: 'br0' })), [
    'fd00::10',
    'fd00::11',
  ])
  assert.equal(
    (await ns.flushNeighbors({ proxy: true })).map(({ address }) => address),
    ['10.0.0.200'],
  )
  assert.equal(await neighbors(ns, 'proxy'), [])
})

test('a second entry for an address is EEXIST, an absent one ENOENT, a device that is not there ENODEV', async () => {
  await using ns = await town()
  const spec: NeighborSpec = { address: '10.0.0.9', link: 'br0', mac: '02:00:00:00:00:09' }
  await ns.addNeighbor(spec)
  assert.is((await failureOf(ns.addNeighbor(spec))).code, 'EEXIST')
  assert.is((await failureOf(ns.deleteNeighbor({ address: '10.0.0.8', link: 'br0' }))).code, 'ENOENT')
  assert.is((await failureOf(ns.addNeighbor({ ...spec, link: 'nosuch0' }))).code, 'ENODEV')
  assert.match((await failureOf(ns.addNeighbor({ address: '10.0.0.7', link: 'br0' }))).message, 'neighbor.mac')
})

test('forwarding entries of a port are made in each state, and shown by bridge', async () => {
  await using ns = await town()
  const mac = '02:00:00:00:00:10'
  for (const [state, shown] of [
    ['static', 'static'],
    ['local', 'permanent'],
    ['dynamic', ''],
  ] as const) {
    await ns.addFdbEntry({ mac, link: 'v0', state })
    const [entry] = await entries(ns, 'v0', mac)
    assert.is(entry?.master, 'br0')
    assert.is(entry?.state, shown)
    assert.is((await ns.listFdb({ link: 'v0' })).find((one) => one.mac === mac)?.state, state)
    await ns.deleteFdbEntry({ mac, link: 'v0' })
    assert.equal(await entries(ns, 'v0', mac), [])
  }
})

test('an entry of a vxlan device names the other end, and flooding has several', async () => {
  await using ns = await createNetns()
  await ns.createLink({ kind: 'vxlan', name: 'vx', id: 5, up: true })
  const all: FdbSpec = { mac: '00:00:00:00:00:00', link: 'vx', remote: '192.0.2.1' }
  await ns.appendFdbEntry(all)
  await ns.appendFdbEntry({ ...all, remote: '192.0.2.2' })
  assert.equal((await entries(ns, 'vx', all.mac)).map(({ dst }) => dst).sort(), ['192.0.2.1', '192.0.2.2'])
  await ns.addFdbEntry({ mac: '02:00:00:00:00:11', link: 'vx', remote: '192.0.2.3', port: 4790, vni: 77 })
  const entry = (await ns.listFdb({ link: 'vx' })).find(({ mac }) => mac === '02:00:00:00:00:11')
  assert.is(entry?.remote, '192.0.2.3')
  assert.is(entry?.port, 4790)
  assert.is(entry?.vni, 77)
})

test('a flush forgets what was learned, in one message, and keeps what was configured', async () => {
  await using ns = await town()
  await ns.addFdbEntry({ mac: '02:00:00:00:00:20', link: 'v0', state: 'dynamic' })
  await ns.addFdbEntry({ mac: '02:00:00:00:00:21', link: 'v0', state: 'local' })
  await ns.flushFdb('br0')
  assert.equal(await entries(ns, 'v0', '02:00:00:00:00:20'), [])
  assert.is((await entries(ns, 'v0', '02:00:00:00:00:21')).length, 1)
  assert.ok((await output('bridge', ['fdb', 'show', 'br', 'br0'], { netns: ns })).includes('permanent'))
})

const macs = { dynamic: '02:00:00:00:00:30', static: '02:00:00:00:00:31', local: '02:00:00:00:00:32' } as const
const kinds = Object.keys(macs) as (keyof typeof macs)[]

/** Of those above, what bridge(8) shows of a device. */
async function left(ns: Netns, dev: string): Promise<string[]> {
  const shown = await json<BridgeFdb[]>('bridge', ['fdb', 'show', 'dev', dev], { netns: ns })
  return kinds.filter((kind) => shown.some(({ mac }) => mac === macs[kind]))
}

for (const state of [...kinds, 'any'] as const) {
  test(`a flush of what is ${state} leaves the rest, and of a port leaves the other port's`, async () => {
    await using ns = await town()
    await ns.createVethPair({ name: 'u0', master: 'br0', up: true, peer: { name: 'u1', up: true } })
    const other = { dynamic: '02:00:00:00:01:30', static: '02:00:00:00:01:31', local: '02:00:00:00:01:32' } as const
    for (const kind of kinds) {
      await ns.addFdbEntry({ mac: macs[kind], link: 'v0', state: kind })
      await ns.addFdbEntry({ mac: other[kind], link: 'u0', state: kind })
    }
    const others = async (): Promise<boolean[]> =>
      Promise.all(kinds.map(async (kind) => (await entries(ns, 'u0', other[kind])).length === 1))
    const kept = kinds.filter((kind) => state !== 'any' && kind !== state)
    await ns.flushFdb('v0', { state })
    assert.equal(await left(ns, 'v0'), kept)
    assert.equal(await others(), [true, true, true])
    await ns.flushFdb('br0', { state })
    assert.equal(
      await others(),
      kinds.map((kind) => kept.includes(kind)),
    )
  })
}

test('a flush of one VLAN leaves what is in none', async () => {
  await using ns = await town()
  for (const kind of kinds) await ns.addFdbEntry({ mac: macs[kind], link: 'v0', state: kind })
  await ns.flushFdb('br0', { state: 'any', vlan: 5 })
  await ns.flushFdb('v0', { state: 'any', vlan: 5 })
  assert.equal(await left(ns, 'v0'), kinds)
})

test('a flush of a vxlan device, which has no VLANs', async () => {
  await using ns = await createNetns()
  await ns.createLink({ kind: 'vxlan', name: 'vx', id: 5, up: true })
  const mac = '02:00:00:00:00:11'
  await ns.addFdbEntry({ mac, link: 'vx', remote: '192.0.2.3' })
  const refused = await failureOf(ns.flushFdb('vx', { state: 'any', vlan: 5 }))
  assert.equal([refused.code, refused.syscall], ['EINVAL', 'RTM_DELNEIGH'])
  await ns.flushFdb('vx')
  assert.is((await entries(ns, 'vx', mac)).length, 1)
  await ns.flushFdb('vx', { state: 'any' })
  assert.equal(await entries(ns, 'vx', mac), [])
})

test('what has no forwarding entries has none to flush', async () => {
  await using ns = await town()
  const error = await failureOf(ns.flushFdb('v1'))
  assert.equal([error.code, error.syscall, error.operation], ['ENOTSUP', 'RTM_DELNEIGH', 'flush the forwarding entries of v1'])
  assert.is((await failureOf(ns.flushFdb('nosuch0'))).code, 'ENODEV')
})

test.run()
