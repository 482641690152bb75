// Attacks with forged packets, from the LAN and from containers: who hears them. Each has a mark, and wires at everybody's device and
// sockets of the host say where the mark arrives; what is sent afterwards and does arrive tells that nothing is still under way.

import { existsSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { createNetwork, type Network } from '../../lib/index.ts'
import { json, output, ping, readSysctl, writeSysctl } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import {
  type Attack,
  betweenContainers,
  fromInternal,
  intoContainers,
  permitted,
  type Situation,
  toLoopback,
  withForgedSources,
  withoutConnection,
} from './attack/attacks.ts'
import { launch } from './attack/launch.ts'
import { tap } from './attack/wire.ts'
import { createWorld, type World } from './attack/world.ts'
import type { Family } from './matrix/city.ts'
import type { Driver } from './matrix/variant.ts'

const test = suite('an attack')

const hasBridgeNetfilter = existsSync('/proc/sys/net/bridge')
const keys = hasBridgeNetfilter ? ['net.bridge.bridge-nf-call-iptables', 'net.bridge.bridge-nf-call-ip6tables'] : []
const drivers: readonly Driver[] = ['bridge', 'ptp']
const families: readonly Family[] = ['ipv4', 'ipv6']

const before = new Map<string, string>()
test.before(async () => {
  for (const key of keys) before.set(key, await readSysctl(key))
})
test.after(async () => {
  for (const [key, value] of before) await writeSysctl(key, value)
})

async function check(situation: Situation, attacks: readonly Attack[]): Promise<void> {
  assert.equal(
    await launch(situation, attacks),
    attacks.map(({ name, heard }) => `${name}: ${heard}`),
  )
}

/** What a container knows of the way to its gateway. */
async function gatewayMac(world: World, container: string, family: Family): Promise<string | undefined> {
  const gateway = world.gateway(container[0] ?? '', family)
  const [entry] = await json<{ lladdr?: string }[]>('ip', ['neigh', 'show', gateway], { netns: netnsOf(world, container) })
  return entry?.lladdr
}

const netnsOf = (world: World, container: string): { path: string } => world.netns.get(container) ?? { path: 'none' }

const ipv6Of = async (netns?: { path: string } | string): Promise<string[]> => [
  await output('ip', ['-6', '-o', 'address', 'show'], { netns }),
  await output('ip', ['-6', 'route', 'show', 'table', 'all'], { netns }),
]

const everybody = { to: '33:33:00:00:00:01', source: 'fe80::bad', destination: 'ff02::1' } as const

/** The host takes one from lan0, where it may: so there is nothing wrong with the advertisement. */
async function routerIsBelieved(world: World): Promise<void> {
  await writeSysctl('net/ipv6/conf/lan0/accept_ra', 2)
  await world.wire('lan').send({ kind: 'router', ...everybody, prefix: '2001:db8:bad::' })
  await launch({ world, driver: 'bridge', family: 'ipv6' }, permitted({ world, driver: 'bridge', family: 'ipv6' }))
  await writeSysctl('net/ipv6/conf/lan0/accept_ra', 0)
  assert.match((await ipv6Of()).join(), '2001:db8:bad::/64 dev lan0')
}

async function routerIsNotBelieved(world: World, situation: Situation): Promise<void> {
  const places = [undefined, ...['x2', 'y1'].map((name) => netnsOf(world, name))]
  const known = await Promise.all(places.map((place) => ipv6Of(place)))
  await world.wire('x1').send({ kind: 'router', ...everybody, prefix: '2001:db8:1bad::' })
  await world.wire('x1').send({ kind: 'router', ...everybody, to: world.hostMac('x1'), prefix: '2001:db8:1bad::' })
  await world.wire('x1').send({ kind: 'router', ...everybody, to: world.wire('x2').mac, prefix: '2001:db8:1bad::' })
  await check(situation, permitted(situation))
  assert.equal(await Promise.all(places.map((place) => ipv6Of(place))), known)
}

/** Claims the gateway's address towards x2, and what x2 then believes. */
async function claimGateway(world: World, situation: Situation): Promise<string | undefined> {
  const { family } = situation
  const gateway = world.gateway('x', family)
  assert.ok(await ping(gateway, { netns: netnsOf(world, 'x2') }))
  assert.is(await gatewayMac(world, 'x2', family), world.hostMac('x2'), 'before')
  const to = world.wire('x2').mac
  await world
    .wire('x1')
    .send(
      family === 'ipv4'
        ? { kind: 'arp', to, source: gateway, destination: gateway, target: gateway }
        : { kind: 'neighbor', to, source: gateway, destination: world.address('x2', family), target: gateway },
    )
  const [asked] = permitted(situation).filter(({ name }) => name === 'x1 asks x2')
  if (asked !== undefined) await check(situation, [asked])
  const believed = await gatewayMac(world, 'x2', family)
  await output('ip', ['neigh', 'flush', 'dev', 'eth0'], { netns: netnsOf(world, 'x2') })
  return believed
}

/** Counts through their identifiers. */
let connections = 300

/** x1 talks to the internet; who uses the same addresses and ports is taken for part of it. */
async function useLivingConnection(situation: Situation, from: string): Promise<string[]> {
  const { world, family } = situation
  const [source, destination] = [world.address('x1', family), world.address('internet', family)]
  const connection = { kind: 'echo', source, destination, from: ++connections } as const
  const opened: Attack = {
    name: 'x1 opens it',
    from: 'x1',
    frame: { ...connection, to: world.hostMac('x1') },
    heard: 'internet, x1!',
  }
  await check(situation, [opened])
  return launch(situation, [{ name: `${from} joins in`, from, frame: { ...connection, to: world.hostMac(from) }, heard: '.' }])
}

/** What comes for a container that is gone: through a port that it published, and as answers to what it asked. */
async function sendToTheDead(situation: Situation): Promise<string[]> {
  const { driver, family } = situation
  const subnet = family === 'ipv4' ? '10.9.0.0/24' : 'fd00:9::/64'
  const network = await createNetwork({ name: 'd', driver, subnets: [subnet], masquerade: false })
  try {
    return await replace(network, situation)
  } finally {
    await network.delete({ force: true })
  }
}

async function replace(network: Network, { world, driver, family }: Situation): Promise<string[]> {
  const [lan, internet] = [world.wire('lan'), world.wire('internet')]
  const [asks, answers] = [world.hostMac('lan'), world.hostMac('internet')]
  const [host, away] = [world.city.hostAddress('lan', family), world.address('internet', family)]
  const client = {
    kind: 'udp',
    to: asks,
    source: world.address('lan', family),
    destination: host,
    from: 30_000,
    port: 5399,
  } as const
  const first = await network.attach({ name: 'first', publish: ['5399:53/udp'] })
  const address = first.addresses[0]?.split('/')[0] ?? ''
  const server = { kind: 'udp', to: answers, source: away, destination: address, from: 53, port: 31_000 } as const
  {
    await using wire = await tap('first', { path: first.netns.path }, 'eth0')
    const links = await json<{ ifname: string; address: string }[]>('ip', ['link', 'show'])
    const gateway =
      links.find(({ ifname }) => ifname === (driver === 'bridge' ? network.bridge : first.hostIfname))?.address ?? ''
    await lan.send({ ...client, mark: 'living-1' })
    await wire.until('living-1')
    await wire.send({ kind: 'udp', to: gateway, source: address, destination: away, from: 31_000, port: 53, mark: 'question-1' })
    await internet.until('question-1')
    await internet.send({ ...server, mark: 'answer-1' })
    await wire.until('answer-1')
  }
  await first.detach()
  const second = await network.attach({ name: 'second', addresses: first.addresses })
  await using wire = await tap('second', { path: second.netns.path }, 'eth0')
  await lan.send({ ...client, mark: 'dead-1' })
  await internet.send({ ...server, mark: 'late-1' })
  await world.settled()
  assert.ok(await ping(address))
  return Array.from(wire.heard)
}

for (const driver of drivers)
  for (const bridgeNetfilter of hasBridgeNetfilter && driver === 'bridge' ? ([0, 1] as const) : ([0] as const)) {
    const title = driver === 'bridge' ? `${driver}, bridge-nf-call-iptables=${bridgeNetfilter}` : driver
    let world: World
    test(`${title}: the networks stand`, async () => {
      for (const key of before.keys()) await writeSysctl(key, bridgeNetfilter)
      world = await createWorld(driver)
    })
    for (const family of families) {
      const situation = (): Situation => ({ world, driver, family })
      const wave = (what: string, attacks: (situation: Situation) => Attack[]): void =>
        test(`${title}, ${family}: ${what}`, () => check(situation(), attacks(situation())))
      wave('what is permitted arrives', permitted)
      wave('nobody outside reaches a container by its address', intoContainers)
      wave('nobody reaches the loopback, or a port at an address that it was not published on', toLoopback)
      wave('nothing leaves or enters an internal network', fromInternal)
      wave('networks, and containers without icc, are apart', betweenContainers)
      wave('a forged source opens no network', withForgedSources)
      wave('an error or an answer about nothing is dropped', withoutConnection)
      test(`${title}, ${family}: an internal network has no part in another's connections`, async () => {
        assert.equal(await useLivingConnection(situation(), 'i1'), ['i1 joins in: .'])
      })
      // Where every container has a link of its own the gateway is a permanent neighbor, and nobody else is on the wire.
      const claimed = driver === 'bridge' ? 'is believed by a sibling on a bridge' : 'is not believed'
      test(`${title}, ${family}: who claims the address of the gateway ${claimed}`, async () => {
        const attacker = world.wire('x1').mac
        assert.is(await claimGateway(world, situation()), driver === 'bridge' ? attacker : world.hostMac('x2'))
      })
      test(`${title}, ${family}: who gets the address of a dead container gets late answers, but nothing that was sent to its ports`, async () => {
        assert.equal(await sendToTheDead(situation()), ['late-1'])
      })
    }
    test(`${title}: neither the host nor another container takes a container for a router`, async () => {
      await routerIsNotBelieved(world, { world, driver, family: 'ipv6' })
      await routerIsBelieved(world)
    })
    test(`${title}: without the rules the same packets arrive`, async () => {
      for (const chain of ['forward', 'guard']) await output('nft', ['flush', 'chain', 'inet', 'netlink-ct', chain])
      for (const family of families) {
        const situation = { world, driver, family }
        const fromLan = intoContainers(situation).filter(({ from }) => from === 'lan')
        const found = await launch(situation, [
          ...fromLan,
          ...betweenContainers(situation).filter(({ name }) => !name.includes('MAC')),
        ])
        assert.equal(
          found.filter((line) => line.endsWith(': .')),
          [],
        )
      }
    })
    test(`${title}: the networks go`, async () => world[Symbol.asyncDispose]())
  }

test.run()
