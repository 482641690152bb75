// Eight processes attach and detach on one network at random: no address and no port twice at a time, nothing left at the end.

import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { createNetwork } from '../../lib/index.ts'
import { run } from '../support/command.ts'
import { suite } from '../support/suite.ts'
import { elementsShown, linksShown } from './support/witness.ts'

/** The full length, a minute: NETLINK_CT_CHURN_SECONDS=60. */
const seconds = Number(process.env['NETLINK_CT_CHURN_SECONDS'] ?? 5)
const processes = 8
const mostEach = 60

const test = suite('churn', { limit: (seconds + 120) * 1000 })

interface Stay {
  readonly address: string
  readonly ports: readonly number[]
  readonly from: number
  readonly until: number
}
interface Sum {
  readonly operations: number
  readonly refused: Readonly<Record<string, number>>
}

async function churn(network: string, id: number): Promise<{ stays: Stay[]; sum: Sum }> {
  const script = join(import.meta.dirname, 'support/churner.ts')
  const args = ['--import', 'tsx', script, network, String(id), String(seconds), String(mostEach)]
  const { code, stdout, stderr } = await run(process.execPath, args, { limit: (seconds + 90) * 1000 })
  assert.is(code, 0, stderr)
  const lines = stdout.trim().split('\n')
  const sum = JSON.parse(lines.pop() ?? '') as Sum
  return { stays: lines.map((line) => JSON.parse(line) as Stay), sum }
}

/** Two stays that had the same thing at the same time. */
function overlaps(stays: readonly Stay[], thingsOf: (stay: Stay) => readonly (string | number)[]): string[] {
  const byThing = new Map<string | number, Stay[]>()
  for (const stay of stays) for (const thing of thingsOf(stay)) byThing.set(thing, [...(byThing.get(thing) ?? []), stay])
  return Array.from(byThing).flatMap(([thing, holders]) => {
    const inOrder = holders.sort((a, b) => a.from - b.from)
    return inOrder.slice(1).flatMap((stay, at) => {
      const before = inOrder[at] as Stay
      return stay.from < before.until ? [`${thing}: until ${before.until} and from ${stay.from}`] : []
    })
  })
}

test(`${processes} processes at once`, async () => {
  const network = await createNetwork({ name: 'churn', subnets: ['10.77.0.0/21'] })
  const before = (await linksShown()).map(({ ifname }) => ifname).sort()
  const results = await Promise.all(Array.from({ length: processes }, (_, id) => churn('churn', id)))
  const stays = results.flatMap((result) => result.stays)
  assert.equal(
    overlaps(stays, ({ address }) => [address]),
    [],
    'no address twice',
  )
  assert.equal(
    overlaps(stays, ({ ports }) => ports),
    [],
    'no port twice',
  )
  const refused = new Set(results.flatMap(({ sum }) => Object.keys(sum.refused)))
  assert.equal(
    [...refused].filter((code) => code !== 'PORT_IN_USE'),
    [],
  )
  assert.equal((await linksShown()).map(({ ifname }) => ifname).sort(), before, 'no device is left')
  assert.equal(await elementsShown('ports4'), [])
  assert.equal(await network.endpoints(), [])
  const shared = new Set(stays.map(({ address }) => address)).size
  console.log(`${stays.length} containers on ${shared} addresses, ${stays.flatMap(({ ports }) => ports).length} ports`)
  assert.ok(stays.length > processes * 10, 'processes that did something')
  await network.delete()
})

test.run()
