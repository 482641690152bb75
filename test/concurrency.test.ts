// Many promises in flight, from the main thread and from workers, on the same namespaces.

import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import * as assert from 'uvu/assert'
import { createNetns, deleteNetns, host, type Netns, openNetns } from '../lib/index.ts'
import { native } from '../lib/native.ts'
import { suite } from './support/suite.ts'
import { ipLinks } from './support/witness.ts'
import { startWorker } from './support/worker.ts'

const test = suite('concurrency', { limit: 120_000 })

async function inWorker(data: { netns: string; prefix: string; count: number }): Promise<string[]> {
  const worker = startWorker('bridges.ts', data)
  const exit = once(worker, 'exit')
  const [outcomes] = (await once(worker, 'message')) as [string[]]
  await exit
  return outcomes
}

test('a hundred operations at once all have their own outcome, in the order of the calls', async () => {
  await using ns = await createNetns()
  const order: number[] = []
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, async (_, at) => {
      const outcome = await (at % 3 === 0
        ? ns.createBridge({ name: `br${at}` }).then(({ name }) => name)
        : at % 3 === 1
          ? ns.getLink(`nobody${at}`).catch((error: { code: string }) => error.code)
          : ns.setSysctl('net.ipv4.ip_forward', at % 2).then(() => 'set'))
      if (at % 3 !== 0) order.push(at) // a bridge takes two steps
      return outcome
    }),
  )
  assert.equal(
    outcomes,
    Array.from({ length: 100 }, (_, at) => (at % 3 === 0 ? `br${at}` : at % 3 === 1 ? 'ENODEV' : 'set')),
  )
  assert.equal(
    order,
    [...order].sort((a, b) => a - b),
  )
  assert.equal(
    (await ipLinks(ns)).map(({ ifname }) => ifname).slice(1),
    Array.from({ length: 34 }, (_, at) => `br${at * 3}`),
  )
  assert.equal(native.statistics(), { queued: 0, pending: 0 })
})

test('of many who want one name exactly one gets it, across threads', async () => {
  const ns = await createNetns('contest')
  try {
    const [mine, ...theirs] = await Promise.all([
      Promise.all(
        Array.from({ length: 10 }, (_, at) =>
          ns.createBridge({ name: `c${at}` }).then(
            () => 'made',
            (error: { code: string }) => error.code,
          ),
        ),
      ),
      inWorker({ netns: 'contest', prefix: 'c', count: 10 }),
      inWorker({ netns: 'contest', prefix: 'c', count: 10 }),
    ])
    const all = [mine, ...theirs]
    for (let at = 0; at < 10; at++) {
      assert.equal(all.map((outcomes) => outcomes[at]).sort(), ['EEXIST', 'EEXIST', 'made'], `c${at}`)
    }
    assert.is((await ipLinks(ns)).length, 11)
  } finally {
    await ns.close()
    await deleteNetns('contest')
  }
})

test('a name of a namespace goes to one of those who want it at once', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => createNetns('one')))
  const made = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  try {
    assert.is(made.length, 1)
    await using found = await openNetns('one')
    assert.is(found.inode, (made[0] as Netns).inode)
  } finally {
    for (const ns of made) await ns.close()
    await deleteNetns('one')
  }
})

test('the event loop and the thread pool go on while the kernel works', async () => {
  await using ns = await createNetns()
  let turns = 0
  let busy = true
  const loop = (async (): Promise<void> => {
    while (busy) {
      turns++
      await stat('/')
    }
  })()
  await Promise.all(Array.from({ length: 30 }, (_, at) => ns.createVethPair({ name: `a${at}`, peer: { name: `b${at}` } })))
  // Deletions one by one hold the kernel's lock for tens of milliseconds each.
  await Promise.all(Array.from({ length: 5 }, (_, at) => ns.deleteLink(`a${at}`)))
  busy = false
  await loop
  assert.ok(turns > 50, `${turns} turns`)
})

test('namespaces made, used and closed by many at once do not mix', async () => {
  const names = await Promise.all(
    Array.from({ length: 30 }, async (_, at) => {
      await using ns = await createNetns()
      await host.createVethPair({ name: `mix${at}`, peer: { netns: ns, name: `eth${at}` } })
      const links = await ns.listLinks()
      await host.deleteLink(`mix${at}`)
      return links.map(({ name }) => name)
    }),
  )
  assert.equal(
    names,
    Array.from({ length: 30 }, (_, at) => ['lo', `eth${at}`]),
  )
})

test.run()
