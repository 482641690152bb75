// 1 000 links while others come and go: no listing that passes for whole is torn, and no watch loses a link, whatever the kernel drops.

import { once } from 'node:events'
import * as assert from 'uvu/assert'
import { createNetns, type Link, type Netns, TornDumpError, type WatchOptions } from '../../lib/index.ts'
import { output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { Watcher } from '../support/watcher.ts'
import { ipLinks } from '../support/witness.ts'
import { startWorker } from '../support/worker.ts'

const test = suite('churn', { limit: 120_000 })

const ip = (netns: Netns, lines: readonly string[]): Promise<string> =>
  output('ip', ['-force', '-batch', '-'], { netns, input: lines.join('\n'), limit: 100_000 })
const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at)

// A dump goes by index. What comes early stands in front of the thousand and what comes late behind them: a dump that begins before a
// pair is made and ends after it finds the late one alone.
const early = 100
const stable = { first: 1000, count: 900 }
const changing = { first: 2000, count: 100 }
const late = 10_000
const pairs = 60
const rounds = 5

async function thousand(): Promise<Netns> {
  const ns = await createNetns()
  await ip(ns, [
    ...numbers(stable.count).map((at) => `link add stable${at} index ${stable.first + at} type ifb`),
    ...numbers(changing.count).map((at) => `link add named${changing.first + at} index ${changing.first + at} type ifb`),
  ])
  return ns
}

/** Makes each early one before its late one, and deletes the late ones first: there is never a late one without its early one. */
const comeAndGo = (ns: Netns): Promise<string> =>
  ip(ns, [
    ...numbers(pairs).flatMap((at) => [
      `link add early${at} index ${early + at} group 100 type ifb`,
      `link add late${at} index ${late + at} group 101 type ifb`,
    ]),
    'link delete group 101',
    'link delete group 100',
  ])

/** Another thread that uses the library, and another process. */
async function churn(ns: Netns, prefix: string): Promise<void> {
  const worker = startWorker('churn.ts', { path: ns.path, prefix, ...changing })
  const ended = once(worker, 'exit')
  for (let round = 0; round < rounds; round++) await comeAndGo(ns)
  assert.equal(await ended, [0])
}

/** What is wrong with a listing. */
function flaw(links: readonly Link[]): string | undefined {
  const indexes = new Set(links.map(({ index }) => index))
  if (indexes.size !== links.length) return 'a link is there twice'
  for (const { first, count } of [stable, changing])
    for (const at of numbers(count)) if (!indexes.has(first + at)) return `the link ${first + at} is missing`
  const alone = numbers(pairs).find((at) => indexes.has(late + at) && !indexes.has(early + at))
  return alone === undefined ? undefined : `late${alone} is there without early${alone}`
}

const check = (links: readonly Link[]): void => assert.is(flaw(links), undefined)

/** Lists until the work is done. */
async function listing(ns: Netns, work: Promise<unknown>): Promise<{ whole: number; torn: number }> {
  let busy = true
  const over = work.finally(() => (busy = false))
  const seen = { whole: 0, torn: 0 }
  try {
    while (busy) {
      const links = await ns.listLinks().catch((error: unknown) => {
        if (!(error instanceof TornDumpError)) throw error
        assert.ok(error.readings >= 5 && error.data.length > 0)
      })
      if (links !== undefined) check(links)
      seen[links === undefined ? 'torn' : 'whole']++
    }
  } finally {
    await over
  }
  return seen
}

const isRecovering = ({ events }: Watcher): boolean =>
  events.findLastIndex(({ type }) => type === 'overrun') > events.findLastIndex(({ type }) => type === 'synced')

/** Takes events while the work is done, up to the news of a change behind all others, and until what was dropped is made good. */
async function catchUp(ns: Netns, watcher: Watcher, mtu: number, work: Promise<unknown>): Promise<void> {
  const marked = work.then(() => ip(ns, [`link set stable0 mtu ${mtu}`]))
  const isMarked = (): boolean => {
    const known = watcher.state.get(`link ${stable.first}`)
    return known?.type === 'link' && known.link.mtu === mtu
  }
  try {
    while (!isMarked() || isRecovering(watcher)) {
      const { type } = await watcher.take()
      // What a whole reading gave, before any news.
      if (type === 'synced') check(watcher.all('link').map(({ link }) => link))
    }
  } finally {
    await marked
  }
}

async function sameAsIp(ns: Netns, watcher: Watcher): Promise<void> {
  const byIndex = (one: { index: number }, other: { index: number }): number => one.index - other.index
  const told = watcher.all('link').map(({ link: { index, name, mtu, up, group } }) => ({ index, name, mtu, up, group }))
  const shown = (await ipLinks(ns)).map(({ ifindex, ifname, mtu, flags, group }) => {
    return { index: ifindex, name: ifname, mtu, up: flags.includes('UP'), group: group === 'default' ? 0 : Number(group) }
  })
  assert.equal(told.sort(byIndex), shown.sort(byIndex))
}

async function watched(options: WatchOptions, body: (ns: Netns, watcher: Watcher) => Promise<void>): Promise<void> {
  await using ns = await thousand()
  await using watch = ns.watch({ links: true, ...options })
  const watcher = new Watcher(watch)
  await watcher.synced()
  await body(ns, watcher)
}

test('a listing of 1 000 links under churn is whole or a TornDumpError, and a watch with room loses nothing', async () => {
  await watched({}, async (ns, watcher) => {
    const seen = await listing(ns, churn(ns, 'renamed'))
    assert.ok(seen.whole > 0, JSON.stringify(seen))
    await catchUp(ns, watcher, 1400, Promise.resolve())
    await sameAsIp(ns, watcher)
    assert.is(watcher.events.filter(({ type }) => type === 'overrun').length, 0)
    // All of it was told: nothing was read again that would have left it out.
    for (const name of numbers(pairs).flatMap((at) => [`early${at}`, `late${at}`])) {
      const actions = watcher.events.flatMap((event) => (event.type === 'link' && event.link.name === name ? event.action : []))
      assert.is(actions.filter((action) => action === 'add').length, rounds, name)
      assert.is(actions.filter((action) => action === 'delete').length, rounds, name)
    }
  })
})

test('watches that start in the middle of the churn find no gap between the state and the news', async () => {
  await using ns = await thousand()
  let busy = true
  const over = churn(ns, 'renamed').finally(() => (busy = false))
  const watchers: Watcher[] = []
  try {
    while (busy && watchers.length < 8) {
      const watcher = new Watcher(ns.watch({ links: true }))
      watchers.push(watcher)
      await watcher.synced()
      check(watcher.all('link').map(({ link }) => link))
    }
    await over
    await ip(ns, [`link set stable0 mtu 1400`])
    for (const watcher of watchers) {
      await watcher.until(
        'the mark',
        (event) => event.type === 'link' && event.link.name === 'stable0' && event.link.mtu === 1400,
      )
      await sameAsIp(ns, watcher)
    }
    assert.ok(watchers.length > 1, `${watchers.length} watches`)
  } finally {
    await over
    await Promise.all(watchers.map(({ watch }) => watch.return?.()))
  }
})

test('after each of several overruns among 1 000 links under churn the watch knows what ip shows', async () => {
  await watched({ receiveBuffer: 16_384, maxQueue: 64 }, async (ns, watcher) => {
    for (let round = 0; round < 3; round++) {
      const from = watcher.events.length
      // Nobody takes an event meanwhile: the queue fills, and then the kernel's buffer.
      await comeAndGo(ns)
      await catchUp(ns, watcher, 1300 + round, churn(ns, `round${round}_`))
      assert.ok(
        watcher.events.slice(from).some(({ type }) => type === 'overrun'),
        `no overrun in round ${round}`,
      )
      await sameAsIp(ns, watcher)
    }
  })
})

test.run()
