// News that the kernel dropped, and what a watch makes of it.

import * as assert from 'uvu/assert'
import { createNetns, type Netns, type WatchOptions } from '../../lib/index.ts'
import { json, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { Watcher } from '../support/watcher.ts'

const test = suite('the overrun of a watch', { limit: 120_000 })

const ip = (netns: Netns, lines: readonly string[]): Promise<string> =>
  output('ip', ['-force', '-batch', '-'], { netns, input: lines.join('\n'), limit: 100_000 })

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at)

const namesOf = async (netns: Netns): Promise<string[]> =>
  (await json<{ ifname: string; mtu: number }[]>('ip', ['link'], { netns })).map(({ ifname, mtu }) => `${ifname} ${mtu}`).sort()

const namesSeen = (watcher: Watcher): string[] =>
  watcher
    .all('link')
    .map(({ link }) => `${link.name} ${link.mtu}`)
    .sort()

async function afterwards(options: WatchOptions): Promise<void> {
  await using ns = await createNetns()
  await ip(
    ns,
    numbers(100).map((at) => `link add old${at} type ifb`),
  )
  await using watch = ns.watch({ links: true, ...options })
  const watcher = new Watcher(watch)
  await watcher.synced()
  // Nobody takes an event meanwhile.
  await ip(ns, [
    ...numbers(50).map((at) => `link delete old${at}`),
    ...numbers(10).map((at) => `link set old${at + 60} mtu 1400`),
    ...numbers(200).map((at) => `link add new${at} type ifb`),
    ...numbers(300).map((at) => `link set new7 mtu ${1000 + at}`),
  ])
  const from = watcher.events.length
  await watcher.until('overrun', ({ type }) => type === 'overrun', from)
  await watcher.synced()
  assert.equal(namesSeen(watcher), await namesOf(ns))
  const told = watcher.events.slice(from)
  assert.ok(told.some((event) => event.type === 'link' && event.action === 'delete' && event.link.name === 'old49'))
  assert.ok(told.some((event) => event.type === 'link' && event.action === 'change' && event.previous?.mtu === 1500))
  await ip(ns, ['link set new7 mtu 1500'])
  await watcher.until('news as ever', (event) => event.type === 'link' && event.action === 'change' && event.link.mtu === 1500)
}

for (const receiveBuffer of [2048, 65_536]) {
  test(`a consumer that takes nothing leaves news in ${receiveBuffer} bytes of the kernel until that drops some, and is told`, async () => {
    await afterwards({ maxQueue: 1, receiveBuffer })
  })
}

test.run()
