// The events of a network on a wire, whoever makes them.

import * as assert from 'uvu/assert'
import { createNetns, createNetwork, type NetworkEvent, openNetwork } from '../../../lib/index.ts'
import { failureOf } from '../../support/failure.ts'
import { createLab, type Lab, output } from '../../support/lab.ts'
import { suite } from '../../support/suite.ts'
import { spec, withNetwork } from '../support/lan.ts'
import { attachElsewhere, detachElsewhere } from '../support/processes.ts'
import { sweep } from '../support/sweep.ts'

let lab: Lab
const test = suite('the events of a network on a wire')
test.before(async () => {
  lab = await createLab()
})
test.after(async () => {
  await lab[Symbol.asyncDispose]()
  await sweep()
})

const shown = (event: NetworkEvent | undefined): string =>
  event === undefined
    ? 'end'
    : 'endpoint' in event
      ? `${event.type} ${event.endpoint.name} ${event.endpoint.addresses}`
      : event.type

test('begin with those that are there, and tell who comes and goes, in any process and any way', () =>
  withNetwork({}, async (network) => {
    await using box = await createNetns()
    const web = await network.attach({ name: 'web', addresses: ['192.0.2.10/24'], labels: { app: 'shop' } })
    await using events = network.watch()
    const next = async (): Promise<string> => shown((await events.next()).value)
    const first = (await events.next()).value
    assert.is(shown(first), 'attached web 192.0.2.10/24')
    assert.equal(first !== undefined && 'endpoint' in first && first.endpoint.labels, { app: 'shop' })
    assert.is(await next(), 'synced')
    await network.attach({ name: 'box', netns: box, addresses: ['192.0.2.11/24'] })
    assert.is(await next(), 'attached box 192.0.2.11/24')
    const far = await attachElsewhere('wire', { name: 'far', addresses: ['192.0.2.12/24'] })
    assert.is(await next(), 'attached far 192.0.2.12/24')
    await far.kill()
    assert.is(await next(), 'detached far 192.0.2.12/24', 'its namespace ended')
    await output('ip', ['link', 'delete', 'eth0'], { netns: { path: box.path } })
    assert.is(await next(), 'detached box 192.0.2.11/24', 'its device was deleted')
    await detachElsewhere('wire', 'web')
    assert.is(await next(), 'detached web 192.0.2.10/24')
    await web.detach()
    await output('nft', ['flush', 'ruleset'])
    await network.attach({ name: 'after', addresses: ['192.0.2.13/24'] })
    assert.is(await next(), 'attached after 192.0.2.13/24', 'also after a flush')
  }))

test('tell nothing of other networks', () =>
  withNetwork({}, async (network) => {
    const other = await createNetwork({ ...spec, name: 'other', subnets: ['198.51.100.0/24'], gateways: ['198.51.100.9'] })
    const bridged = await createNetwork({ name: 'bridged', subnets: ['10.9.0.0/24'] })
    await using events = network.watch()
    assert.is(shown((await events.next()).value), 'synced')
    for (const one of [other, bridged]) await (await one.attach({ name: 'stranger' })).detach()
    await network.attach({ name: 'web', addresses: ['192.0.2.10/24'] })
    assert.is(shown((await events.next()).value), 'attached web 192.0.2.10/24')
    await other.delete()
    await bridged.delete()
  }))

test('end with the network, with return, and with a signal', async () => {
  const network = await createNetwork(spec)
  await network.attach({ name: 'web', addresses: ['192.0.2.10/24'] })
  const events = network.watch()
  for (let told = 0; told < 2; told++) await events.next()
  const returned = network.watch()
  for (let told = 0; told < 2; told++) await returned.next()
  const pending = returned.next()
  await returned.return()
  assert.equal(await pending, { done: true, value: undefined })
  const controller = new AbortController()
  const called = network.watch({ signal: controller.signal })
  for (let told = 0; told < 2; told++) await called.next()
  const off = failureOf(called.next())
  controller.abort()
  assert.is((await off).name, 'AbortError')
  assert.is((await failureOf(network.watch({ signal: controller.signal }).next())).name, 'AbortError')
  const rest: string[] = []
  const reading = (async () => {
    for await (const event of events) rest.push(shown(event))
  })()
  await (await openNetwork('wire')).delete({ force: true })
  await reading
  assert.equal(rest, ['detached web 192.0.2.10/24'])
  assert.is((await failureOf(network.watch().next())).code, 'NETWORK_NOT_FOUND')
  assert.match((await failureOf(async () => network.watch({ signl: 1 } as never))).message, /did you mean 'signal'/)
})

test.run()
