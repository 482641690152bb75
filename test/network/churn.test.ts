// Eight processes attach and detach on one network at random: no address and no port twice at a time, nothing left at the end.

import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { createNetwork, type Network } from '../../lib/index.ts'
import { run } from '../support/command.ts'
import { kernelState } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { changes } from './support/changes.ts'
import { until } from './support/until.ts'

const asked = process.env['NETLINK_CT_CHURN_SECONDS']
/** The full length, a minute, with each driver and family: NETLINK_CT_CHURN_SECONDS=60. */
const seconds = Number(asked ?? 5)
const seed = Number(process.env['NETLINK_CT_SEED'] ?? Date.now() % 1_000_000)
const processes = 8
/** Of each process: 500 in a minute, or in as long as it takes them. */
const leastEach = Math.ceil((500 * seconds) / 60)

const test = suite('eight processes attach and detach on one network', { limit: (5 * seconds + 180) * 1000 })

interface Stay {
  readonly addresses: readonly string[]
  readonly ports: readonly number[]
  readonly from: number
  readonly until: number
}
interface Sum {
  readonly operations: number
  readonly refused: Readonly<Record<string, number>>
}

/** `most`: containers of one process at a time. */
async function churn(network: string, id: number, most: number): Promise<{ stays: Stay[]; sum: Sum }> {
  const script = join(import.meta.dirname, 'support/churner.ts')
  const args = ['--import', 'tsx', script, ...[network, id, seconds, leastEach, most, seed].map(String)]
  const { code, stdout, stderr } = await run(process.execPath, args, { limit: (5 * seconds + 150) * 1000 })
  assert.is(code, 0, stderr)
  const lines = stdout.trim().split('\n')
  const sum = JSON.parse(lines.pop() ?? '') as Sum
  return { stays: lines.map((line) => JSON.parse(line) as Stay), sum }
}

/** Two stays that had the same thing at the same time. */
function overlaps(stays: readonly Stay[], thingsOf: (stay: Stay) => readonly (string | number)[]): string[] {
  const byThing = new Map<string | number, Stay[]>()
  for (const stay of stays) {
    for (const thing of thingsOf(stay)) {
      const holders = byThing.get(thing)
      if (holders === undefined) byThing.set(thing, [stay])
      else holders.push(stay)
    }
  }
  return Array.from(byThing).flatMap(([thing, holders]) => {
    const inOrder = holders.sort((a, b) => a.from - b.from)
    return inOrder.slice(1).flatMap((stay, at) => {
      const before = inOrder[at] as Stay
      return stay.from < before.until ? [`${thing}: until ${before.until} and from ${stay.from}`] : []
    })
  })
}

/** The most containers that surely were there at the same time. */
function mostAtOnce(stays: readonly Stay[]): number {
  const events = stays.flatMap(({ from, until: end }) => [
    { at: from, by: 1 },
    { at: end, by: -1 },
  ])
  let [now, most] = [0, 0]
  for (const { by } of events.sort((a, b) => a.at - b.at)) {
    now += by
    most = Math.max(most, now)
  }
  return most
}

interface Kind {
  readonly driver: 'bridge' | 'ptp'
  readonly families: string
  readonly subnets: readonly string[]
}

/** A bridge has room for 1 023. */
const mostEach = { bridge: 120, ptp: 500 }

async function churned({ driver, families }: Kind, network: Network): Promise<void> {
  const before = await kernelState()
  const results = await Promise.all(Array.from({ length: processes }, (_, id) => churn('churn', id, mostEach[driver])))
  const stays = results.flatMap((result) => result.stays)
  const doubles = [...overlaps(stays, ({ addresses }) => addresses), ...overlaps(stays, ({ ports }) => ports)]
  assert.equal(doubles, [], 'no address and no port twice')
  const refused = new Set(results.flatMap(({ sum }) => Object.keys(sum.refused)))
  assert.equal(
    [...refused].filter((code) => code !== 'PORT_IN_USE'),
    [],
    'no error that a caller can do nothing about',
  )
  let left: string[] = []
  await until('nothing is left', async () => {
    left = changes(before, await kernelState())
    return left.length === 0
  }).catch(() => assert.equal(left, []))
  assert.equal(await network.endpoints(), [])
  const shared = new Set(stays.flatMap(({ addresses }) => addresses)).size
  const ports = stays.flatMap((stay) => stay.ports).length
  const fewest = Math.min(...results.map((result) => result.stays.length))
  const turnedDown = results.reduce((sum, result) => sum + (result.sum.refused['PORT_IN_USE'] ?? 0), 0)
  console.log(
    `${driver}, ${families}, seed ${seed}: ${stays.length} containers, at least ${fewest} of each process, up to ${mostAtOnce(stays)} at once, ` +
      `on ${shared} addresses, with ${ports} ports; ${turnedDown} ports were taken`,
  )
  assert.ok(fewest >= leastEach)
}

const kinds: readonly Kind[] = [
  { driver: 'bridge', families: 'IPv4', subnets: ['10.77.0.0/21'] },
  { driver: 'ptp', families: 'IPv4 and IPv6', subnets: ['10.77.0.0/19', 'fd00:77::/64'] },
  { driver: 'bridge', families: 'IPv4 and IPv6', subnets: ['10.77.0.0/21', 'fd00:77::/64'] },
  { driver: 'ptp', families: 'IPv4', subnets: ['10.77.0.0/19'] },
]
for (const kind of asked === undefined ? kinds.slice(0, 2) : kinds)
  test(`${kind.driver}, ${kind.families}, ${seconds} s`, async () => {
    const { driver, subnets } = kind
    const network = await createNetwork({ name: 'churn', driver, subnets })
    try {
      await churned(kind, network)
    } finally {
      await network.delete({ force: true })
    }
  })

test.run()
