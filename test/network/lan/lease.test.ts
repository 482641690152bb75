// Addresses and names of containers without a device on the host: who gets them, who gives them back.

import { once } from 'node:events'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type AttachSpec, type Endpoint, NetlinkError, NetworkError } from '../../../lib/index.ts'
import { createLab, type Lab, output, spawnIn } from '../../support/lab.ts'
import { suite } from '../../support/suite.ts'
import { address, attachSoon, dead, inside, leasesShown, leavesNothing, withNetwork } from '../support/lan.ts'
import { attachElsewhere } from '../support/processes.ts'
import { sweep } from '../support/sweep.ts'
import { until } from '../support/until.ts'
import { linkShown } from '../support/witness.ts'

let lab: Lab

const test = suite('a lease without a device on the host')
test.before(async () => {
  lab = await createLab()
})
test.after(async () => {
  await lab[Symbol.asyncDispose]()
  await sweep()
})
const small = { subnets: ['192.0.2.0/29'], gateways: ['192.0.2.6'] }

test('is given to one of many that ask at the same time, in two processes', () =>
  withNetwork({}, async (network) => {
    const specs = (prefix: string): AttachSpec[] => Array.from({ length: 8 }, (_, at) => ({ name: `${prefix}${at}` }))
    const [own, other] = await Promise.all([
      Promise.all(specs('a').map((one) => network.attach(one))),
      attachElsewhere('wire', ...specs('b')),
    ])
    const addresses = [...own, ...other.endpoints].flatMap((endpoint) => endpoint.addresses)
    assert.is(new Set(addresses).size, 16)
    assert.is((await leasesShown()).length, 16)
    await other.kill()
  }))

test('is given back by many at the same time, each its own', () =>
  withNetwork({}, async (network) => {
    const all = await Promise.all(Array.from({ length: 32 }, (_, at) => network.attach({ name: `c${at}` })))
    await Promise.all(all.slice(1).map((endpoint) => endpoint.detach()))
    assert.equal(await leasesShown(), [`${address(all[0] as Endpoint)} comment c0`])
  }))

test('is never lost to a process that is killed at any moment of an attach or a detach', () =>
  withNetwork({}, async (network) => {
    const survivor = await network.attach({ name: 'survivor' })
    for (let round = 0; round < 4; round++) {
      const script = join(import.meta.dirname, '../support/lan-churner.ts')
      const child = spawnIn(undefined, process.execPath, ['--import', 'tsx', script, 'wire'], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let [lines, complaints] = ['', '']
      child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (complaints += chunk))
      child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
        lines += chunk
        if (lines.split('\n').length > 7 + round * 5) child.kill('SIGKILL')
      })
      await once(child, 'close')
      assert.is(child.signalCode, 'SIGKILL', complaints)
      await until('its leases are taken back', async () => {
        await network.reclaim()
        return (await leasesShown()).length === 1
      })
      // As nft sees it: nothing of a lease stays behind another part of it.
      assert.equal(await leasesShown(), [`${address(survivor)} comment survivor`])
      assert.is((await leasesShown('holders')).length, 1)
    }
  }))

test('is listed by nft in words that nft takes back', () =>
  withNetwork({}, async (network) => {
    const names = ['9', 'exactly-15-long', 'n'.repeat(60)]
    for (const name of names) await network.attach({ name })
    const before = await output('nft', ['list', 'ruleset'])
    await output('nft', ['-f', '-'], { input: `flush ruleset\n${before}` })
    assert.is(await output('nft', ['list', 'ruleset']), before)
    assert.equal(
      (await network.endpoints()).map(({ name }) => name),
      names,
    )
    const failure = await leavesNothing(() => network.attach({ name: 'n'.repeat(61) }))
    assert.match(failure.message, /the length of name with the driver macvlan must be from 1 to 60, got 61/)
  }))

test('of one address is given to one of two processes that ask at the same time, again and again', () =>
  withNetwork({}, async (network) => {
    for (let round = 0; round < 3; round++) {
      const wanted = { addresses: ['192.0.2.50/24'] }
      const outcomes = await Promise.allSettled([
        ...['a', 'b', 'c'].map((name) => network.attach({ name, ...wanted })),
        attachElsewhere('wire', { name: 'd', ...wanted }),
      ])
      assert.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
      for (const outcome of outcomes) {
        // The other process tells it in words.
        if (outcome.status === 'rejected') assert.match(String(outcome.reason), /ADDRESS_IN_USE/)
        else await outcome.value[Symbol.asyncDispose]()
      }
      await until('nobody has it', async () => {
        await network.reclaim()
        return (await leasesShown()).length === 0
      })
    }
  }))

test('of one address, or under one name, is given to one of many that ask at the same time', () =>
  withNetwork({}, async (network) => {
    const count = async (specs: readonly AttachSpec[], code: string): Promise<void> => {
      const outcomes = await Promise.allSettled(specs.map((one) => network.attach(one)))
      const codes = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'attached' : outcome.reason.code)).sort()
      assert.equal(codes, [...specs.slice(1).map(() => code), 'attached'].sort())
    }
    await count(
      ['a', 'b', 'c', 'd'].map((name) => ({ name, addresses: ['192.0.2.50/24'] })),
      'ADDRESS_IN_USE',
    )
    await count([{ name: 'same' }, { name: 'same' }, { name: 'same' }], 'EEXIST')
    assert.is((await leasesShown()).length, 2)
  }))

test('is refused to a second one, by name and by address', () =>
  withNetwork({}, async (network) => {
    await network.attach({ name: 'web', addresses: ['192.0.2.50/24'] })
    const name = await leavesNothing(() => network.attach({ name: 'web' }))
    assert.instance(name, NetlinkError)
    assert.equal(
      [name.code, name.syscall, name.operation],
      ['EEXIST', 'NFT_MSG_NEWSETELEM', 'claim the name netlink-ct/wire/web'],
    )
    const taken = await leavesNothing(() => network.attach({ name: 'other', addresses: ['192.0.2.50/24'] }))
    assert.instance(taken, NetworkError)
    assert.match(taken.message, /ADDRESS_IN_USE: 192.0.2.50 is leased already, to 'web'/)
    const own = await leavesNothing(() => network.attach({ name: 'other', addresses: ['192.0.2.1/24'] }))
    assert.match(own.message, /ADDRESS_IN_USE: 192.0.2.1 is the host's own, on lan0/)
  }))

test('comes back from a dead container when the subnet is full, or its address or name is wanted', () =>
  withNetwork(small, async (network) => {
    // 192.0.2.1 is the host's, .6 the router's: four are left.
    const own = await network.attach({ name: 'own', addresses: ['192.0.2.2/29'] })
    const specs = ['a', 'b', 'c'].map((name, at) => ({ name, addresses: [`192.0.2.${3 + at}/29`] }))
    await dead(...specs)
    assert.is((await leasesShown()).length, 4, 'the leases of dead containers stay')
    await attachSoon(network, { name: 'd', addresses: ['192.0.2.4/29'] })
    await attachSoon(network, { name: 'a', addresses: ['192.0.2.3/29'] })
    assert.equal((await attachSoon(network, { name: 'e' })).addresses, ['192.0.2.5/29'])
    const shown = ['192.0.2.2 comment own', '192.0.2.3 comment a', '192.0.2.4 comment d', '192.0.2.5 comment e']
    assert.equal(await leasesShown(), shown, 'who lives keeps his')
    const full = await leavesNothing(() => network.attach({ name: 'f' }))
    assert.match(full.message, /SUBNET_FULL: all 5 addresses of 192.0.2.0\/29 are leased or the host's own/)
    await own.detach()
    assert.equal((await network.attach({ name: 'f' })).addresses, ['192.0.2.2/29'])
  }))

test('comes back by reclaim, also when only the device inside was deleted', () =>
  withNetwork({}, async (network) => {
    await dead({ name: 'dead' })
    const [alive, stripped] = [await network.attach({ name: 'alive' }), await network.attach({ name: 'stripped' })]
    await output('ip', ['link', 'delete', 'eth0'], { netns: inside(stripped) })
    assert.equal((await network.reclaim()).sort(), ['dead', 'stripped'])
    assert.equal(await leasesShown(), [`${address(alive)} comment alive`])
    assert.equal(await network.reclaim(), [])
    await stripped.detach()
  }))

test('is not given back by an endpoint whose name and address are another’s by now', () =>
  withNetwork({}, async (network) => {
    const other = await attachElsewhere('wire', { name: 'web', addresses: ['192.0.2.50/24'] })
    const stale = await network.endpoint('web')
    await other.kill()
    await until('it is gone', async () => (await network.endpoints()).length === 0)
    const web = await attachSoon(network, { name: 'web', addresses: ['192.0.2.50/24'] })
    await stale.detach()
    assert.equal(await leasesShown(), ['192.0.2.50 comment web'])
    assert.ok(await linkShown('eth0', inside(web)))
  }))

test('is read back from the containers after the ruleset was flushed', () =>
  withNetwork({}, async (network) => {
    await using other = await attachElsewhere('wire', { name: 'a' })
    const web = await network.attach({ name: 'web' })
    const before = await leasesShown()
    await output('nft', ['flush', 'ruleset'])
    const late = await network.attach({ name: 'late' })
    assert.equal(await leasesShown(), [...before, `${address(late)} comment late`].sort())
    assert.is((await network.endpoints()).length, other.endpoints.length + 2)
    await output('nft', ['flush', 'ruleset'])
    assert.equal((await network.endpoint('web')).addresses, web.addresses)
    await output('nft', ['flush', 'ruleset'])
    await late.detach()
    assert.is((await network.endpoints()).length, 2)
    assert.equal(await leasesShown(), before)
  }))

test('of an address that the parent has otherwise goes on to the next', () =>
  withNetwork({}, async (network) => {
    // A container of somebody else, with the MAC that goes with 192.0.2.2.
    await output('ip', ['link', 'add', 'm0', 'link', 'lan0', 'address', '02:42:c0:00:02:02', 'type', 'macvlan', 'mode', 'bridge'])
    await output('ip', ['link', 'set', 'm0', 'up'])
    assert.equal((await network.attach({ name: 'web' })).addresses, ['192.0.2.3/24'])
    const failure = await leavesNothing(() => network.attach({ name: 'x', addresses: ['192.0.2.2/24'] }))
    assert.match(failure.message, /ADDRESS_IN_USE: lan0 has a device with this address or MAC already: EADDRINUSE/)
    await output('ip', ['link', 'delete', 'm0'])
  }))

test.run()
