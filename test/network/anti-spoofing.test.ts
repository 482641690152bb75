// Networks that ask who sends: whatever a container forges, it is heard and believed without the option and not with it; and what it sends
// as itself arrives.

import { existsSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { json, output, ping, readSysctl, run, writeSysctl } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { type Attack, permitted, type Situation } from './attack/attacks.ts'
import { launch } from './attack/launch.ts'
import { type Claim, claims, forged, linkLocalOf, strangeMac } from './attack/spoofing.ts'
import { createWorld, published, type World } from './attack/world.ts'
import type { Family } from './matrix/city.ts'
import type { Driver } from './matrix/variant.ts'

const test = suite('anti-spoofing')

const hasBridgeNetfilter = existsSync('/proc/sys/net/bridge')
const keys = hasBridgeNetfilter ? ['net.bridge.bridge-nf-call-iptables', 'net.bridge.bridge-nf-call-ip6tables'] : []
const families: readonly Family[] = ['ipv4', 'ipv6']

const before = new Map<string, string>()
test.before(async () => {
  for (const key of keys) before.set(key, await readSysctl(key))
})
test.after(async () => {
  for (const [key, value] of before) await writeSysctl(key, value)
})

const at = (world: World, container: string): { path: string } => world.netns.get(container) ?? { path: 'none' }
const reaches = async (world: World, from: string, address: string): Promise<boolean> => ping(address, { netns: at(world, from) })

async function neighborOf(world: World, { whom, about }: Claim): Promise<string | undefined> {
  const entries = await json<{ lladdr?: string }[]>('ip', ['neigh', 'show', about], { netns: placeOf(world, whom) })
  return entries[0]?.lladdr
}

const placeOf = (world: World, whom: Claim['whom']): { path: string } | undefined =>
  whom === 'host' ? undefined : at(world, whom)

let last = 0

/** Whatever x1 sent before is there when something true arrives that asks for no answer. */
async function arrived(world: World, family: Family): Promise<void> {
  const [x1, x2] = ['x1', 'x2'].map((name) => world.address(name, family)) as [string, string]
  const mark = `arrived-${++last}`
  await world.wire('x1').send({ kind: 'udp', to: world.wire('x2').mac, source: x1, destination: x2, from: 9, port: 9, mark })
  await world.wire('x2').until(mark)
}

/** What is believed after the claim, of which a truth was known before, where that is about the gateway or a sibling. */
async function believed(world: World, claim: Claim, family: Family): Promise<string | undefined> {
  const { whom, frame } = claim
  const netns = placeOf(world, whom)
  const device = whom === 'host' ? (world.networks.get('x')?.bridge ?? '') : 'eth0'
  await output('ip', ['neigh', 'flush', 'dev', device], { netns })
  // A question teaches where nothing is known, an answer where something is.
  if (frame.kind === 'arp' || frame.kind === 'neighbor')
    assert.ok(await ping(claim.about.startsWith('fe80') ? `${claim.about}%${device}` : claim.about, { netns }))
  await world.wire('x1').send(frame)
  await arrived(world, family)
  const found = await neighborOf(world, claim)
  await output('ip', ['neigh', 'flush', 'dev', device], { netns })
  return found
}

/** The port of the bridge behind which it believes a MAC to be. */
async function portOf(world: World, mac: string): Promise<string | undefined> {
  const entries = await json<{ mac: string; ifname: string }[]>('bridge', [
    'fdb',
    'show',
    'br',
    world.networks.get('x')?.bridge ?? '',
  ])
  return entries.find((entry) => entry.mac === mac)?.ifname
}

const routesOf = (world: World, container: string): Promise<string> =>
  output('ip', ['-6', 'route', 'show', 'default'], { netns: at(world, container) })

/** x1 calls itself a router, as itself otherwise. */
async function advertise(world: World): Promise<string> {
  const mac = world.wire('x1').mac
  await writeSysctl('net/ipv6/conf/eth0/accept_ra', 2, at(world, 'x2'))
  const source = linkLocalOf(mac)
  await world
    .wire('x1')
    .send({ kind: 'router', to: '33:33:00:00:00:01', source, destination: 'ff02::1', prefix: '2001:db8:bad::' })
  await arrived(world, 'ipv6')
  const routes = await routesOf(world, 'x2')
  await writeSysctl('net/ipv6/conf/eth0/accept_ra', 0, at(world, 'x2'))
  await run('ip', ['-6', 'route', 'delete', 'default', 'via', source, 'dev', 'eth0'], { netns: at(world, 'x2') })
  await run('ip', ['-6', 'address', 'flush', 'dev', 'eth0', 'to', '2001:db8:bad::/64'], { netns: at(world, 'x2') })
  return routes.includes(`via ${source}`) ? 'x2 takes it for a router' : 'x2 does not'
}

/** What x1 sends as itself beyond `permitted`. */
function asItself({ world, family }: Situation): Attack[] {
  const destination = world.city.hostAddress('lan', family)
  const frame = { kind: 'tcp', to: world.hostMac('x1'), source: world.address('x1', family), destination } as const
  return [
    { name: 'x1 asks its own published port', from: 'x1', frame: { ...frame, from: 999, port: published.any }, heard: 'x1' },
    { name: 'x1 asks the published port of y1', from: 'x1', frame: { ...frame, from: 998, port: published.ofY }, heard: 'y1' },
  ]
}

const heardBy = (attacks: readonly Attack[]): string[] => attacks.map(({ name, heard }) => `${name}: ${heard}`)

for (const driver of ['bridge', 'ptp'] satisfies Driver[])
  for (const bridgeNetfilter of hasBridgeNetfilter && driver === 'bridge' ? ([0, 1] as const) : ([0] as const))
    for (const antiSpoofing of [false, true]) {
      const setting = driver === 'bridge' ? `, bridge-nf-call-iptables=${bridgeNetfilter}` : ''
      const title = `${driver}${setting}, ${antiSpoofing ? 'with' : 'without'} it`
      let world: World
      test(`${title}: the networks stand`, async () => {
        for (const key of before.keys()) await writeSysctl(key, bridgeNetfilter)
        world = await createWorld(driver, { antiSpoofing })
      })
      for (const family of families) {
        const situation = (): Situation => ({ world, driver, family })
        test(`${title}, ${family}: what is permitted arrives`, async () => {
          const attacks = [...permitted(situation()), ...asItself(situation())]
          assert.equal(await launch(situation(), attacks), heardBy(attacks))
        })
        test(`${title}, ${family}: what is forged ${antiSpoofing ? 'does not arrive' : 'arrives'}`, async () => {
          const attacks = forged(situation()).map((attack) => (antiSpoofing ? { ...attack, heard: '.' } : attack))
          assert.equal(await launch(situation(), attacks), heardBy(attacks))
        })
        test(`${title}, ${family}: packets in fragments arrive`, async () => {
          const netns = at(world, 'x1')
          for (const address of [world.address('x2', family), world.gateway('x', family)])
            await output('ping', ['-c', '1', '-W', '5', '-s', '4000', address], { netns })
        })
        if (driver === 'bridge')
          test(`${title}, ${family}: claims are ${antiSpoofing ? 'not believed' : 'believed'}`, async () => {
            const found: string[] = []
            for (const claim of claims(world, family)) {
              const isBelieved = (await believed(world, claim, family)) === claim.claimed
              found.push(`${claim.name}: ${isBelieved}`)
            }
            assert.equal(
              found,
              claims(world, family).map(({ name }) => `${name}: ${!antiSpoofing}`),
            )
          })
      }
      if (driver === 'bridge') {
        test(`${title}: a MAC ${antiSpoofing ? 'cannot' : 'can'} be taken over`, async () => {
          const { mac } = world.wire('x2')
          const gateway = world.gateway('x', 'ipv4')
          const frame = { kind: 'udp', source: world.address('x1', 'ipv4'), destination: gateway, from: 9, port: 9, mac } as const
          for (const to of [world.hostMac('x1'), '01:80:c2:00:00:0e', '01:80:c2:00:00:05']) {
            assert.ok(await reaches(world, 'x2', gateway))
            assert.is(await portOf(world, mac), world.hostIfnames.get('x2'))
            await world.wire('x1').send({ ...frame, to })
            assert.ok(await reaches(world, 'x1', gateway))
            assert.is(await portOf(world, mac), world.hostIfnames.get(antiSpoofing ? 'x2' : 'x1'), to)
          }
          assert.ok(await reaches(world, 'x2', gateway))
          if (antiSpoofing) assert.is(await portOf(world, strangeMac), undefined)
        })
        test(`${title}: a container ${antiSpoofing ? 'cannot be' : 'may be'} a router`, async () => {
          assert.is(await advertise(world), antiSpoofing ? 'x2 does not' : 'x2 takes it for a router')
        })
        test(`${title}: link-local addresses work`, async () => {
          const address = `${linkLocalOf(world.wire('x2').mac)}%eth0`
          assert.ok(await reaches(world, 'x1', address))
          assert.ok(await reaches(world, 'x1', 'fe80::1%eth0'))
        })
      }
      test(`${title}: the networks go, and the tables`, async () => {
        await world[Symbol.asyncDispose]()
        assert.is(await output('nft', ['list', 'ruleset']), '')
      })
    }

test.run()
