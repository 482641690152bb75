// S2: make, list, enter, delete a namespace. By hand: ip netns add netns0; nsenter --net=/run/netns/netns0 bash

import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import * as assert from 'uvu/assert'
import { createNetns, deleteNetns, listNetns, openNetns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { json, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipLinks } from '../support/witness.ts'

const test = suite('S2: make, list, enter, delete a namespace')

const shown = async (): Promise<string[]> =>
  (await json<{ name: string }[]>('ip', ['netns', 'list'])).map(({ name }) => name).filter((name) => /^netns[01]$/.test(name))

test('one that the library makes is one for ip netns, which deletes it', async () => {
  await using netns0 = await createNetns('netns0')
  assert.equal(await shown(), ['netns0'])
  await netns0.createBridge({ name: 'br0' })
  assert.equal(
    (await ipLinks('netns0')).map(({ ifname }) => ifname),
    ['lo', 'br0'],
  )
  await output('ip', ['netns', 'delete', 'netns0'])
  assert.is((await failureOf(openNetns('netns0'))).code, 'ENOENT')
})

test('one that ip netns makes is one for the library, which deletes it', async () => {
  await output('ip', ['netns', 'add', 'netns1'])
  assert.ok((await listNetns()).some(({ name }) => name === 'netns1'))
  await using netns1 = await openNetns('netns1')
  assert.equal(
    (await netns1.listLinks()).map(({ name }) => name),
    ['lo'],
  )
  await deleteNetns('netns1')
  assert.equal(await shown(), [])
})

test('a process that is spawned inside sees only what is inside', async () => {
  await using netns = await createNetns()
  await netns.createBridge({ name: 'br0' })
  const child = await netns.spawn('ip', ['-j', 'link'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  const links = JSON.parse(child.stdout === null ? '' : await text(child.stdout)) as { ifname: string }[]
  await closed
  assert.equal(
    links.map(({ ifname }) => ifname),
    ['lo', 'br0'],
  )
})

test.run()
