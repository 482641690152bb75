// Network settings of a namespace, read and written from outside.

import * as assert from 'uvu/assert'
import { createNetns, getSysctl, host, NetlinkError } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { output, readSysctl, writeSysctl } from '../support/lab.ts'
import { suite } from '../support/suite.ts'

const test = suite('getSysctl and setSysctl')

test('a setting is written inside and nowhere else', async () => {
  await using ns = await createNetns()
  const inside = { path: ns.path }
  const outside = await readSysctl('net.ipv4.ip_forward')
  await ns.setSysctl('net.ipv4.ip_forward', 1)
  assert.is(await readSysctl('net.ipv4.ip_forward', inside), '1')
  assert.is(await ns.getSysctl('net.ipv4.ip_forward'), '1')
  await ns.setSysctl('net.ipv4.ip_forward', '0')
  assert.is(await readSysctl('net.ipv4.ip_forward', inside), '0')
  assert.is(await readSysctl('net.ipv4.ip_forward'), outside)
})

test('what others wrote is read, without the newline', async () => {
  await using ns = await createNetns()
  await writeSysctl('net.ipv4.ip_local_port_range', '2000 3000', { path: ns.path })
  assert.is(await ns.getSysctl('net.ipv4.ip_local_port_range'), '2000\t3000')
  await ns.setSysctl('net.ipv4.ip_local_port_range', '4000 5000')
  assert.match(await readSysctl('net.ipv4.ip_local_port_range', { path: ns.path }), /^4000\s5000$/)
})

test('a device whose name has a dot is reached with slashes, in both spellings of sysctl(8)', async () => {
  await using ns = await createNetns()
  await output('ip', ['link', 'add', 'eth0.10', 'type', 'bridge'], { netns: { path: ns.path } })
  await ns.setSysctl('net/ipv4/conf/eth0.10/rp_filter', 2)
  assert.is(await ns.getSysctl('net.ipv4.conf.eth0/10.rp_filter'), '2')
  assert.is(await readSysctl('net/ipv4/conf/eth0.10/rp_filter', { path: ns.path }), '2')
})

test('the exported function acts in the namespace of this process', async () => {
  assert.is(await getSysctl('net.ipv4.ip_forward'), await readSysctl('net.ipv4.ip_forward'))
  assert.is(await host.getSysctl('net.ipv4.ip_forward'), await readSysctl('net.ipv4.ip_forward'))
})

test('a setting that the kernel does not have is ENOENT, a value that it does not take EINVAL', async () => {
  await using ns = await createNetns()
  for (const call of [ns.getSysctl('net.ipv4.nonsense'), ns.setSysctl('net.ipv4.conf.nobody.rp_filter', 1)]) {
    const error = await failureOf(call)
    assert.ok(error instanceof NetlinkError)
    assert.is(error.code, 'ENOENT')
    assert.is(error.syscall, 'open')
    assert.match(error.message, /\/proc\/sys\/net\/ipv4\//)
  }
  const error = await failureOf(ns.setSysctl('net.ipv4.ip_forward', 'yes'))
  assert.is(error.code, 'EINVAL')
  assert.is(error.syscall, 'write')
})

test('a key that leads out of net is refused before it is looked for', async () => {
  await using ns = await createNetns()
  const wrong = [
    'kernel.hostname',
    'vm/swappiness',
    'net',
    'net.',
    'net..ipv4',
    'net/../kernel/hostname',
    'net/ipv4/../../kernel/hostname',
    'net/./ipv4',
    'net.ipv4.//.//.kernel.hostname',
    '/proc/sys/net/ipv4/ip_forward',
    'net/ipv4/ip_forward\0',
    'net.ipv4.ip forward',
    '',
  ]
  for (const key of wrong) {
    for (const call of [ns.getSysctl(key), ns.setSysctl(key, 1)]) {
      const error = await failureOf(call)
      assert.instance(error, TypeError, key)
      assert.is(error.code, 'ERR_INVALID_ARG_VALUE', key)
    }
  }
})

test('a namespace that is closed is asked nothing', async () => {
  const ns = await createNetns()
  await ns.close()
  assert.is((await failureOf(ns.getSysctl('net.ipv4.ip_forward'))).code, 'ERR_INVALID_STATE')
})

test.run()
