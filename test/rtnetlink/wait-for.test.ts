// Waiting for what iproute2 does, or what the kernel does in its own time.

import * as assert from 'uvu/assert'
import { createNetns, type Netns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'

const test = suite('waitFor')

const ip = (netns: Netns, ...lines: string[]): Promise<string> =>
  output('ip', ['-batch', '-'], { netns, input: lines.join('\n') })

/** v0 and v1, one wire. */
async function wire(...more: string[]): Promise<Netns> {
  const ns = await createNetns()
  await ip(ns, 'link add v0 type veth peer name v1', ...more)
  return ns
}

test('waitForLink resolves to a link that is as wanted already, or comes, or becomes so', async () => {
  await using ns = await wire()
  assert.is((await ns.waitForLink('v0')).name, 'v0')
  const coming = ns.waitForLink('late')
  await ip(ns, 'link add late type ifb')
  assert.is((await coming).kind, 'ifb')
  const carrier = ns.waitForLink('v0', { up: true, carrier: true, operstate: 'up' })
  await ip(ns, 'link set v0 up', 'link set v1 up')
  assert.is((await carrier).operstate, 'up')
  const renamed = ns.waitForLink('other')
  await ip(ns, 'link set v0 name other')
  assert.is((await renamed).name, 'other')
})

test('waitForAddress resolves when duplicate address detection is over, and without it at once', async () => {
  await using ns = await wire('link set v0 up', 'link set v1 up')
  const ready = ns.waitForAddress('v0', 'fd00::1/64')
  const there = ns.waitForAddress('v0', 'fd00::1', { ready: false })
  await ip(ns, 'address add fd00::1/64 dev v0')
  assert.ok((await there).flags.includes('tentative'))
  assert.not.ok((await ready).flags.includes('tentative'))
  assert.is((await ns.waitForAddress('v0', { family: 'inet6', scope: 'link' })).scope, 'link')
})

test('waitForAddress says when another host has the address', async () => {
  await using ns = await wire('link set v0 up')
  await using other = await createNetns()
  await ip(ns, `link set v1 netns ${other.path}`)
  await ip(other, 'link set v1 up', 'address add fd00::1/64 dev v1 nodad')
  await ns.waitForLink('v0', { operstate: 'up' })
  await ip(ns, 'address add fd00::1/64 dev v0')
  const error = await failureOf(ns.waitForAddress('v0', 'fd00::1/64'))
  assert.is(error.code, 'EADDRINUSE')
})

test('waitForNeighbor resolves when the neighbor has answered', async () => {
  await using ns = await wire('link set v0 up', 'address add 10.0.0.1/24 dev v0')
  await using other = await createNetns()
  await ip(ns, `link set v1 netns ${other.path}`)
  await ip(other, 'link set v1 up', 'address add 10.0.0.2/24 dev v1')
  const reachable = ns.waitForNeighbor('10.0.0.2', { link: 'v0' })
  await output('ping', ['-c', '1', '-w', '5', '10.0.0.2'], { netns: ns })
  assert.is((await reachable).state, 'reachable')
})

test('what does not come in time is an error that tells what was there last', async () => {
  await using ns = await wire()
  const absent = await failureOf(ns.waitForLink('nobody', { timeout: 20 }))
  assert.is(absent.code, 'ERR_NETLINK_TIMEOUT')
  assert.match(absent.message, /the link nobody: not within 20 ms; there was none/)
  const down = (await failureOf(ns.waitForLink('v0', { up: true, timeout: 300 }))) as Error & { last?: { name: string } }
  assert.match(down.message, /the link v0 up: not within 300 ms; last seen: \{.*"up":false/)
  assert.is(down.last?.name, 'v0')
  assert.is((await failureOf(ns.waitForAddress('v0', '10.0.0.1/24', { timeout: 20 }))).code, 'ERR_NETLINK_TIMEOUT')
  assert.is((await failureOf(ns.waitForNeighbor('10.0.0.1', { timeout: 20 }))).code, 'ERR_NETLINK_TIMEOUT')
})

test('a signal, a namespace that goes and wrong arguments end the wait', async () => {
  const ns = await wire()
  assert.is((await failureOf(ns.waitForLink('nobody', { signal: AbortSignal.timeout(20) }))).code, 'ABORT_ERR')
  assert.match((await failureOf(ns.waitForLink('v0', { opstate: 'up' } as object))).message, /did you mean 'operstate'/)
  assert.match((await failureOf(ns.waitForAddress('v0', '10.0.0.300'))).message, /address/)
  assert.is((await failureOf(ns.waitForNeighbor('10.0.0.1', { state: 'awake' as 'stale' }))).code, 'ERR_INVALID_ARG_VALUE')
  const waiting = failureOf(ns.waitForLink('nobody'))
  await ns.listLinks()
  await ns.close()
  assert.is((await waiting).code, 'ERR_INVALID_STATE')
})

test.run()
