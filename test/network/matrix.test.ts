// Who reaches whom, by which address and port, for every driver, family and option: cell by cell, with packets.

import { existsSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { createNetwork, type Port } from '../../lib/index.ts'
import { output, readSysctl, writeSysctl } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { type City, createCity, type Family } from './matrix/city.ts'
import { type Resident, settle, type Target } from './matrix/resident.ts'
import {
  type Asker,
  askers,
  expected,
  portsOf,
  specOf,
  subnets,
  type TargetName,
  targets,
  type Variant,
  variants,
} from './matrix/variant.ts'

const test = suite('the matrix', { limit: 120_000 })

const hasBridgeNetfilter = existsSync('/proc/sys/net/bridge')
const settings = hasBridgeNetfilter ? ([0, 1] as const) : ([0] as const)
const keys = ['net.bridge.bridge-nf-call-iptables', 'net.bridge.bridge-nf-call-ip6tables']

/** What nobody answers within it counts as unreachable; what should answer gets longer, so that a slow machine fails nothing. */
const unreachable = 800
const reachable = 15_000

let city: City
const before = new Map<string, string>()
test.before(async () => {
  city = await createCity()
  for (const key of hasBridgeNetfilter ? keys : []) before.set(key, await readSysctl(key))
})
test.after(async () => {
  for (const [key, value] of before) await writeSysctl(key, value)
  await city[Symbol.asyncDispose]()
})

const loopback: Readonly<Record<Family, string>> = { ipv4: '127.0.0.1', ipv6: '::1' }

interface Place {
  readonly resident: Resident
  /** By family; of containers only. */
  readonly addresses: readonly string[]
  readonly ports: readonly Port[]
}

const addressOf = (place: Place | undefined, family: Family): string =>
  place?.addresses.map((cidr) => cidr.split('/')[0] ?? '').find((address) => address.includes(':') === (family === 'ipv6')) ?? ''

function targetOf(name: TargetName, family: Family, containers: ReadonlyMap<string, Place>, gateway: string): Target {
  const chosen = containers.get('x1')?.ports.find(({ containerPort, hostAddress }) => {
    return containerPort === 81 && hostAddress?.includes(':') === (family === 'ipv6')
  })
  const [what = '', at = ''] = name.split('@')
  const [port = '', protocol = 'tcp'] = what.split('/')
  const places: Readonly<Record<string, string>> = { gateway, loopback: loopback[family] }
  const address = (): string => places[at] ?? city.hostAddress(at, family)
  const udp = protocol === 'udp'
  const ask = (address: string, tcpPort: number, udpPort: number): Target =>
    udp ? { protocol: 'udp', address, port: udpPort } : { protocol: 'tcp', address, port: tcpPort }
  switch (port) {
    case 'any':
      return ask(address(), 8080, 5353)
    case 'one':
      return ask(address(), 8081, 5381)
    case 'loop':
      return ask(address(), 8082, 5382)
    case 'chosen':
      // Any other, where nothing is published on the host.
      return ask(address(), chosen?.hostPort ?? 40_000, 0)
    case 'closed':
      return ask(address(), 8099, 5399)
    case 'own':
      return ask(address(), 80, 53)
    case 'out':
      return ask(city.address('internet', family), 80, 53)
    default:
      return ask(addressOf(containers.get(port), family), protocol === '81' ? 81 : 80, 53)
  }
}

interface Cell {
  readonly asker: Asker
  readonly target: TargetName
  readonly wanted: string
  readonly found: string
}

function draw(cells: readonly Cell[], what: (cell: Cell) => string): string {
  const rows = targets.map((target) => [target, ...cells.filter((cell) => cell.target === target).map(what)])
  const line = (row: readonly string[]): string =>
    row
      .map((text) => text.padEnd(16))
      .join('')
      .trimEnd()
  return [['', ...askers], ...rows].map(line).join('\n')
}

/** What the cell shows: the name of who answered and, of the internet, whom it saw. */
function read(said: { server: string; peer: string } | undefined, own: string, family: Family): string {
  if (said === undefined) return '.'
  if (said.server !== 'internet') return said.server
  if (said.peer === own) return 'internet(self)'
  return said.peer === city.hostAddress('internet', family) ? 'internet(host)' : `internet(${said.peer})`
}

async function cellsOf(
  variant: Variant,
  family: Family,
  bridgeNetfilter: 0 | 1,
  containers: ReadonlyMap<string, Place>,
  gateway: string,
): Promise<Cell[]> {
  const questions = targets.flatMap((target) => askers.map((asker) => ({ asker, target })))
  return Promise.all(
    questions.map(async ({ asker, target }) => {
      const wanted = expected(asker, target, variant, family, bridgeNetfilter)
      if (wanted === '*') return { asker, target, wanted, found: '*' }
      const place = containers.get(asker)
      const resident = place?.resident ?? city.residents.get(asker)
      const said = await resident?.ask(targetOf(target, family, containers, gateway), wanted === '.' ? unreachable : reachable)
      return { asker, target, wanted, found: read(said, addressOf(place, family), family) }
    }),
  )
}

async function check(variant: Variant, bridgeNetfilter: 0 | 1): Promise<Map<Family, Cell[]>> {
  const steps: (() => PromiseLike<unknown>)[] = []
  try {
    return await observe(variant, bridgeNetfilter, (step) => void steps.push(step))
  } finally {
    for (const step of steps.reverse()) await step()
  }
}

async function observe(
  variant: Variant,
  bridgeNetfilter: 0 | 1,
  undo: (step: () => PromiseLike<unknown>) => void,
): Promise<Map<Family, Cell[]>> {
  const x = await createNetwork(specOf(variant))
  undo(() => x.delete({ force: true }))
  const y = await createNetwork({ name: 'y', subnets: variant.families.map((family) => subnets.y[family]) })
  undo(() => y.delete({ force: true }))
  const publish = portsOf(variant, (family) => city.hostAddress('lan', family))
  const containers = new Map<string, Place>()
  for (const [name, network] of [
    ['x1', x],
    ['x2', x],
    ['y1', y],
  ] as const) {
    const endpoint = await network.attach({ name, ...(name === 'x1' ? { publish } : {}) })
    const netns = { path: endpoint.netns.path }
    // Only the firewall keeps an internal container in, not that it lacks a route.
    if (network.internal)
      for (const via of network.gateways)
        await output('ip', ['route', 'add', 'default', 'via', via, 'dev', 'eth0', 'onlink'], { netns })
    const resident = await settle(name, netns)
    undo(() => resident[Symbol.asyncDispose]())
    containers.set(name, { resident, addresses: endpoint.addresses, ports: endpoint.ports })
  }
  const found = new Map<Family, Cell[]>()
  for (const [at, family] of variant.families.entries())
    found.set(family, await cellsOf(variant, family, bridgeNetfilter, containers, x.gateways[at] ?? ''))
  return found
}

let cells = 0
for (const variant of variants) {
  for (const bridgeNetfilter of settings) {
    const { driver, families, option } = variant
    const title = `${driver}, ${families.join(' and ')}, ${option}, bridge-nf-call-iptables=${bridgeNetfilter}`
    test(title, async () => {
      for (const key of before.keys()) await writeSysctl(key, bridgeNetfilter)
      for (const [family, results] of await check(variant, bridgeNetfilter)) {
        console.log(`\n${title}: ${family}\n${draw(results, ({ found }) => found)}`)
        cells += results.filter(({ wanted }) => wanted !== '*').length
        assert.is(
          draw(results, ({ found }) => found),
          draw(results, ({ wanted }) => wanted),
          family,
        )
      }
    })
  }
}

test('hundreds of cells were asked', () => {
  console.log(`${cells} cells`)
  assert.ok(cells >= 300, `only ${cells}`)
})

test.run()
