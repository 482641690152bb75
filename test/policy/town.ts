// Containers of every kind of network in a city, each with somebody who asks and answers, and what the model says of who reaches whom.

import { createNetwork, type Endpoint, type Network, type NetworkSpec, type PolicyRule } from '../../lib/index.ts'
import { type City, createCity, type Family } from '../network/matrix/city.ts'
import { type Resident, settle } from '../network/matrix/resident.ts'
import { type NetnsRef, output, run } from '../support/command.ts'
import { readSysctl, writeSysctl } from '../support/lab.ts'
import { type ModelNetwork, type Party, passes, type Question } from './model.ts'

const blueprint: readonly {
  readonly spec: NetworkSpec
  readonly containers: Readonly<Record<string, Readonly<Record<string, string>>>>
}[] = [
  {
    spec: { name: 'x', subnets: ['10.1.0.0/24', 'fd00:1::/64'] },
    containers: { x1: { app: 'web', tier: 'a' }, x2: { app: 'web', tier: 'b' }, x3: { app: 'db' } },
  },
  { spec: { name: 'q', subnets: ['10.2.0.0/24', 'fd00:2::/64'], icc: false }, containers: { q1: { app: 'web' }, q2: {} } },
  { spec: { name: 'i', subnets: ['10.3.0.0/24', 'fd00:3::/64'], internal: true }, containers: { i1: { app: 'db' }, i2: {} } },
  {
    spec: { name: 'p', subnets: ['10.4.0.0/24', 'fd00:4::/64'], driver: 'ptp' },
    containers: { p1: { app: 'web', tier: 'a' }, p2: {} },
  },
]

export const families: readonly Family[] = ['ipv4', 'ipv6']
export type Protocol = Question['protocol']

export interface Ask {
  readonly from: string
  readonly to: string
  readonly family: Family
  readonly protocol: Protocol
  readonly port: number
  /** Of the host, by which x1 is called. */
  readonly isPublished?: boolean
}

export const published: Readonly<Record<'tcp' | 'udp', number>> = { tcp: 8080, udp: 5353 }

/** What nobody answers within it counts as unreachable; what should answer gets longer, so that a slow machine fails nothing. */
const unreachable = 500
const reachable = 15_000

export interface Town extends AsyncDisposable {
  readonly city: City
  readonly networks: ReadonlyMap<string, Network>
  readonly endpoints: ReadonlyMap<string, Endpoint>
  /** Containers, `lan`, `internet` and `host`. */
  readonly places: readonly string[]
  addressOf(place: string, family: Family): string
  netnsOf(place: string): NetnsRef | undefined
  /** What the model says. */
  expects(rules: readonly PolicyRule[], ask: Ask): boolean
  /** Whether it gets through, by packets; `expected` says how long to wait. */
  reaches(ask: Ask, expected: boolean): Promise<boolean>
}

const bridgeKeys = ['net.bridge.bridge-nf-call-iptables', 'net.bridge.bridge-nf-call-ip6tables']

export async function createTown(bridgeNetfilter: 0 | 1): Promise<Town> {
  const undo: (() => PromiseLike<unknown>)[] = []
  const dispose = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step()
  }
  try {
    const city = await createCity()
    undo.push(() => city[Symbol.asyncDispose]())
    for (const key of bridgeKeys) {
      const before = await readSysctl(key)
      undo.push(() => writeSysctl(key, before))
      await writeSysctl(key, bridgeNetfilter)
    }
    const networks = new Map<string, Network>()
    const endpoints = new Map<string, Endpoint>()
    const residents = new Map<string, Resident>(city.residents)
    for (const { spec, containers } of blueprint) {
      const network = await createNetwork(spec)
      undo.push(() => network.delete({ force: true }))
      networks.set(network.name, network)
      for (const [name, labels] of Object.entries(containers)) {
        const publish = name === 'x1' ? [`${published.tcp}:80`, `${published.udp}:53/udp`] : []
        const endpoint = await network.attach({ name, labels, publish })
        endpoints.set(name, endpoint)
        const netns = { path: endpoint.netns.path }
        if (network.internal)
          for (const via of network.gateways)
            await output('ip', ['route', 'add', 'default', 'via', via, 'dev', 'eth0'], { netns })
        const resident = await settle(name, netns)
        undo.push(() => resident[Symbol.asyncDispose]())
        residents.set(name, resident)
      }
    }
    const model = new Map<string, ModelNetwork>(
      Array.from(networks, ([name, { subnets, icc, internal }]) => [name, { name, subnets, icc, internal }]),
    )
    const addressOf = (place: string, family: Family): string => {
      const own = endpoints.get(place)?.addresses.map((cidr) => cidr.split('/')[0] ?? '')
      if (own !== undefined) return own.find((one) => one.includes(':') === (family === 'ipv6')) ?? ''
      return place === 'host' ? city.hostAddress('lan', family) : city.address(place, family)
    }
    const netnsOf = (place: string): NetnsRef | undefined => {
      const path = endpoints.get(place)?.netns?.path
      if (path !== undefined) return { path }
      return place === 'host' ? undefined : place
    }
    /** The host is called by its address towards the LAN, and calls itself by the one towards whom it asks. */
    const partyOf = (place: string, family: Family, other: string): Party => {
      const endpoint = endpoints.get(place)
      if (endpoint !== undefined) {
        const network = model.get(endpoint.network)
        const { name, labels } = endpoint
        return { name, labels, address: addressOf(place, family), ...(network && { network }) }
      }
      if (place !== 'host') return { address: addressOf(place, family) }
      const gateways = networks.get(endpoints.get(other)?.network ?? '')?.gateways ?? []
      return { isHost: true, address: gateways.find((one) => one.includes(':') === (family === 'ipv6')) ?? '' }
    }
    return {
      city,
      networks,
      endpoints,
      places: [...endpoints.keys(), 'lan', 'internet', 'host'],
      addressOf,
      netnsOf,
      expects(rules, { from, to, family, protocol, port, isPublished = false }) {
        const receiver = to === 'host' ? { isHost: true, address: addressOf('host', family) } : partyOf(to, family, from)
        return passes(rules, { from: partyOf(from, family, to), to: receiver, protocol, port, isPublished })
      },
      async reaches({ from, to, family, protocol, port, isPublished = false }, expected) {
        const within = expected ? reachable : unreachable
        const address = isPublished ? city.hostAddress('lan', family) : addressOf(to, family)
        if (protocol === 'icmp') {
          const args = ['-n', '-c', '1', '-i', '0.2', '-w', expected ? '15' : '1', address]
          return (await run('ping', args, { netns: netnsOf(from) })).code === 0
        }
        const asked = isPublished ? published[protocol] : port
        const ask = async (): Promise<boolean> =>
          (await residents.get(from)?.ask({ protocol, address, port: asked }, within))?.server === to
        // Of whom somebody looked for while the bridge kept them apart the sender's kernel still says that it is not there: once.
        return (await ask()) || (expected && (await ask()))
      },
      [Symbol.asyncDispose]: dispose,
    }
  } catch (error) {
    await dispose()
    throw error
  }
}

export const describe = ({ from, to, family, protocol, port, isPublished }: Ask): string =>
  `${from} -> ${to} ${family} ${protocol}${protocol === 'icmp' ? '' : `/${port}`}${isPublished ? ' (published)' : ''}`

/** Those of the questions whose answer is another than the model's. A few at a time. */
export async function surprises(town: Town, rules: readonly PolicyRule[], asks: readonly Ask[]): Promise<string[]> {
  const wrong: string[] = []
  const open = [...asks]
  const worker = async (): Promise<void> => {
    for (let ask = open.pop(); ask !== undefined; ask = open.pop()) {
      const expected = town.expects(rules, ask)
      const found = await town.reaches(ask, expected)
      if (found !== expected) wrong.push(`${describe(ask)}: ${found ? 'gets through' : 'does not get through'}`)
    }
  }
  await Promise.all(Array.from({ length: 48 }, worker))
  return wrong.sort()
}

/** Everybody of the town asks everybody; who is not of it asks nobody of their like. */
export function everyAsk(town: Town, protocols: readonly (readonly [Protocol, number])[], ofFamilies = families): Ask[] {
  const outside = ['lan', 'internet', 'host']
  const pairs = town.places.flatMap((from) =>
    town.places.filter((to) => to !== from && !(outside.includes(from) && outside.includes(to))).map((to) => ({ from, to })),
  )
  return pairs.flatMap((pair) =>
    ofFamilies.flatMap((family) => [
      // A server of UDP on all addresses of the host answers from another one than it was asked at.
      ...protocols
        .filter(([protocol]) => protocol !== 'udp' || pair.to !== 'host')
        .map(([protocol, port]): Ask => ({ ...pair, family, protocol, port })),
      ...(pair.to === 'x1' && ['lan', 'internet', 'p1'].includes(pair.from)
        ? protocols
            .filter(([protocol, port]) => protocol === 'udp' || port === 80)
            .filter(([protocol]) => protocol !== 'icmp')
            .map(([protocol, port]): Ask => ({ ...pair, family, protocol, port, isPublished: true }))
        : []),
    ]),
  )
}
