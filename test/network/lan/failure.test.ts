// An attach to a wire that cannot be is as if it had never been tried.

import * as assert from 'uvu/assert'
import { createNetwork, NetlinkError, openNetns } from '../../../lib/index.ts'
import { createLab, type Lab, output } from '../../support/lab.ts'
import { suite } from '../../support/suite.ts'
import { leavesNothing, spec, withNetwork } from '../support/lan.ts'
import { sweep } from '../support/sweep.ts'

let lab: Lab

const test = suite('an attach to a wire that fails leaves nothing')
test.before(async () => {
  lab = await createLab()
  await output('ip', ['netns', 'add', 'box'])
  await output('ip', ['-n', 'box', '-batch', '-'], { input: 'link set lo up\nlink set lo down' })
})
test.after(async () => {
  await output('ip', ['netns', 'delete', 'box'])
  await lab[Symbol.asyncDispose]()
  await sweep()
})

test('when the name of the interface is taken inside', () =>
  withNetwork({}, async (network) => {
    await output('ip', ['link', 'add', 'eth0', 'netns', 'box', 'type', 'veth', 'peer', 'name', 'other', 'netns', 'box'])
    const failure = await leavesNothing(() => network.attach({ name: 'web', netns: 'box' }), 'box')
    assert.equal([failure.code, failure.operation], ['EEXIST', 'name the interface eth0 inside'])
    await output('ip', ['-n', 'box', 'link', 'delete', 'eth0'])
  }))

test('when the default route is taken inside', () =>
  withNetwork({}, async (network) => {
    await output('ip', ['-n', 'box', '-batch', '-'], {
      input: 'link add v0 type veth peer name v1\naddress add 10.1.0.1/24 dev v0\nlink set v0 up\nroute add default via 10.1.0.2',
    })
    const failure = await leavesNothing(() => network.attach({ name: 'web', netns: 'box' }), 'box')
    assert.equal([failure.code, failure.syscall, failure.operation], ['EEXIST', 'RTM_NEWROUTE', 'add the default route inside'])
    await output('ip', ['-n', 'box', 'link', 'delete', 'v0'])
  }))

test('when the parent went', () =>
  withNetwork({ parent: 'wan0' }, async (network) => {
    await output('ip', ['link', 'set', 'wan0', 'name', 'gone0'])
    const failure = await leavesNothing(() => network.attach({ name: 'web', netns: 'box' }), 'box')
    assert.is(failure.code, 'PARENT_NOT_FOUND')
    assert.match(failure.message, /the host has no device wan0/)
    await output('ip', ['link', 'set', 'gone0', 'name', 'wan0'])
  }))

test('when the parent became a port of a bridge', () =>
  withNetwork({ parent: 'wan0' }, async (network) => {
    await output('ip', ['-batch', '-'], { input: 'link add b0 type bridge\nlink set wan0 master b0' })
    const failure = await leavesNothing(() => network.attach({ name: 'web', netns: 'box' }), 'box')
    assert.is(failure.code, 'PARENT_IN_USE')
    assert.match(failure.message, /wan0 takes no macvlan: it is a port of a bridge or a bond.*EBUSY/)
    assert.instance(failure.cause, NetlinkError)
    const other = await leavesNothing(() =>
      createNetwork({ ...spec, name: 'other', parent: 'wan0', subnets: ['198.51.100.0/24'], gateways: ['198.51.100.1'] }),
    )
    assert.is(other.code, 'PARENT_IN_USE')
    assert.match(other.message, /wan0 is a port of b0, which takes all that it hears/)
    await output('ip', ['link', 'delete', 'b0'])
  }))

test('when the parent takes less than the network’s MTU by now', () =>
  withNetwork({}, async (network) => {
    await output('ip', ['link', 'set', 'lan0', 'mtu', '1300'])
    const failure = await leavesNothing(() => network.attach({ name: 'web', netns: 'box' }), 'box')
    assert.match(failure.message, /PARENT_IN_USE: the network's MTU is 1500, that of lan0 only 1300/)
    await output('ip', ['link', 'set', 'lan0', 'mtu', '1500'])
  }))

test('when the network’s device went', () =>
  withNetwork({}, async (network) => {
    await output('ip', ['link', 'delete', 'br-wire'])
    const failure = await leavesNothing(() => network.attach({ name: 'web', netns: 'box' }), 'box')
    assert.is(failure.code, 'NETWORK_NOT_FOUND')
    assert.match(failure.message, /the device br-wire of the network 'wire' is gone/)
  }))

test('when its namespace is closed', () =>
  withNetwork({}, async (network) => {
    const box = await openNetns('box')
    await box.close()
    const failure = await leavesNothing(() => network.attach({ name: 'web', netns: box }), 'box')
    assert.is(failure.code, 'ERR_INVALID_STATE')
  }))

test('and so does a network whose parent is not there, or whose device’s name is taken', async () => {
  assert.is((await leavesNothing(() => createNetwork({ ...spec, parent: 'eth9' }))).code, 'PARENT_NOT_FOUND')
  assert.match((await leavesNothing(() => createNetwork({ ...spec, parent: 'lo' }))).message, /parent is the loopback/)
  assert.is((await leavesNothing(() => createNetwork({ ...spec, bridge: 'lan0' }))).code, 'EEXIST')
  assert.is((await leavesNothing(() => createNetwork({ ...spec, mtu: 9000 }))).code, 'ERR_OUT_OF_RANGE')
})

test.run()
