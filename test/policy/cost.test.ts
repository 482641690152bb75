// What policies cost with ten containers and with a thousand: the same look-ups for a packet, the same elements for an attach. Counted, not
// timed; `npm run bench -- policies` has times.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { existsSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { type AttachedEndpoint, allow, check, createNetwork, deletePolicy, deny, type Network } from '../../lib/index.ts'
import { json } from '../support/command.ts'
import { suite } from '../support/suite.ts'

interface Listed {
  readonly set?: { readonly name: string; readonly elem?: readonly unknown[] }
  readonly rule?: { readonly chain: string; readonly expr: readonly unknown[] }
}

const counts = async (): Promise<{ rules: number; elements: number }> => {
  const { nftables } = await json<{ nftables: Listed[] }>('nft', ['list', 'table', 'inet', 'netlink-ct'])
  const sets = nftables.filter(({ set }) => set?.name.startsWith('policy/'))
  return {
    rules: nftables.filter(({ rule }) => rule !== undefined).length,
    elements: sets.reduce((sum, { set }) => sum + (set?.elem?.length ?? 0), 0),
  }
}

/** Calls of the kernel's thread. */
async function requests(work: () => Promise<unknown>): Promise<number> {
  let count = 0
  const note = (): void => void count++
  subscribe('netlink-ct:request:start', note)
  await work()
  unsubscribe('netlink-ct:request:start', note)
  return count
}

const test = suite('what policies cost', { limit: 180_000 })
let lab: Network
let grown: AttachedEndpoint[] = []
test.before(async () => {
  lab = await createNetwork({ name: 'lab', driver: 'ptp', subnets: ['10.9.0.0/16'] })
})
test.after(async () => {
  grown = []
  await lab.delete({ force: true })
})

test.skipIf(
  !existsSync('/proc/sys/net/bridge') && 'the kernel has no br_netfilter',
  'the rules are as many with ten containers as with three hundred',
  async () => {
    await deny({ name: 'by-label', from: { network: 'lab', labels: { app: 'shop' } }, to: 'world' })
    await allow({ name: 'by-network', from: 'lab', to: '192.0.2.0/24' })
    const grow = async (count: number): Promise<void> => {
      const labels = { app: 'shop' }
      grown.push(...(await lab.attachMany(Array.from({ length: count }, (_, at) => ({ name: `c${grown.length + at}`, labels })))))
    }
    const change = async (): Promise<void> => {
      await deny({ name: 'one', from: 'lab/c0', to: 'lab/c1' })
      await deletePolicy('one')
    }
    await grow(10)
    const [few, asked] = [await counts(), await requests(change)]
    await grow(290)
    const [many, askedOfMany] = [await counts(), await requests(change)]
    // Nor is one for each policy.
    assert.is(askedOfMany, asked)
    assert.ok(asked < 35, `${asked} requests`)
    assert.is(many.rules, few.rules)
    // One for each container and policy that picks it, none for a network as a whole.
    assert.is(many.elements - few.elements, 290)
    assert.equal(await check(), [])
    await deletePolicy('by-label')
    assert.is((await counts()).elements, few.elements - 10)
  },
)

test.run()
