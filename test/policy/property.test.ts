// Random policies, several at once, replaced and removed one by one: after each change packets pass exactly where the model of
// docs/policies.md says. NETLINK_CT_SEED=7 NETLINK_CT_ROUNDS=100 npm test -- policy/property

import { existsSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { applyPolicy, check, deletePolicy, listPolicies, type PolicyRuleSpec } from '../../lib/index.ts'
import { suite } from '../support/suite.ts'
import { completed, randomFrom, randomRules, shrunk } from './random.ts'
import { type Ask, createTown, everyAsk, surprises, type Town } from './town.ts'

const seed = Number(process.env['NETLINK_CT_SEED'] ?? Date.now() % 1_000_000)
const rounds = Number(process.env['NETLINK_CT_ROUNDS'] ?? 6)
const names = ['first', 'second', 'third'] as const
const asksPerRound = 220

for (const setting of existsSync('/proc/sys/net/bridge') ? ([0, 1] as const) : []) {
  const test = suite(`random policies, bridge-nf-call-iptables=${setting}`, { limit: 60_000 + rounds * 30_000 })
  let town: Town
  test.before(async () => {
    town = await createTown(setting)
  })
  test.after(async () => {
    for (const { name } of await listPolicies()) await deletePolicy(name)
    await town[Symbol.asyncDispose]()
  })

  test(`do what the model says: seed ${seed}, ${rounds} rounds`, async () => {
    console.log(`NETLINK_CT_SEED=${seed} NETLINK_CT_ROUNDS=${rounds}`)
    const random = randomFrom(seed + setting)
    const every = everyAsk(town, [
      ['tcp', 80],
      ['tcp', 81],
      ['udp', 53],
      ['icmp', 0],
    ])
    const drawn = (): Ask[] => Array.from({ length: asksPerRound }, () => every[Math.floor(random() * every.length)] as Ask)
    const standing = new Map<string, readonly PolicyRuleSpec[]>()
    for (let round = 0; round < rounds; round++) {
      const name = names[Math.floor(random() * names.length)] ?? 'first'
      if (standing.has(name) && random() < 0.3) {
        standing.delete(name)
        await deletePolicy(name)
      } else {
        const rules = randomRules(random)
        standing.set(name, rules)
        await applyPolicy({ name, rules })
      }
      const all = [...standing.values()].flat()
      const asks = drawn()
      const wrong = await surprises(town, completedOrNone(all), asks)
      if (wrong.length > 0) assert.unreachable(`${wrong.join('\n')}\n${await explained(town, standing, asks, round)}`)
      assert.equal(await check(), [])
    }
  })

  test.run()
}

const completedOrNone = (rules: readonly PolicyRuleSpec[]): ReturnType<typeof completed> =>
  rules.length === 0 ? [] : completed(rules)

/** With as few rules as show it, in one policy. */
async function explained(
  town: Town,
  standing: ReadonlyMap<string, readonly PolicyRuleSpec[]>,
  asks: readonly Ask[],
  round: number,
): Promise<string> {
  for (const name of standing.keys()) await deletePolicy(name)
  const wrongWith = async (rules: readonly PolicyRuleSpec[]): Promise<string[]> => {
    await applyPolicy({ name: 'least', rules })
    return surprises(town, completedOrNone(rules), asks)
  }
  const all = [...standing.values()].flat()
  const alone = await wrongWith(all)
  const least = alone.length === 0 ? all : await shrunk(all, async (rules) => (await wrongWith(rules)).length > 0)
  const wrong = await wrongWith(least)
  await deletePolicy('least')
  const what = alone.length === 0 ? 'not when they are made at once' : wrong.join('\n')
  return `seed ${seed}, round ${round}: ${JSON.stringify(least, undefined, 1)}\n${what}`
}
