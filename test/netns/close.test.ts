// The life of a handle, and of the namespace behind it.

import { readdirSync, readlinkSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { createNetns, deleteNetns, getLink, host, type Netns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { kernelState, run } from '../support/lab.ts'
import { askProgram, runProgram } from '../support/program.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'

const test = suite('Netns.close')

const isGone = async (link: string): Promise<boolean> => (await run('ip', ['link', 'show', link])).code !== 0

test('every verb of a closed namespace is refused as such', async () => {
  const ns = await createNetns()
  await ns.close()
  assert.ok(ns.closed)
  const verbs: [string, (closed: Netns) => unknown][] = [
    ['createBridge', (closed) => closed.createBridge({ name: 'br0' })],
    ['createVethPair', (closed) => closed.createVethPair({ name: 'a', peer: { name: 'b' } })],
    ['as a peer', (closed) => host.createVethPair({ name: 'a', peer: { name: 'b', netns: closed } })],
    ['getLink', (closed) => closed.getLink('lo')],
    ['listLinks', (closed) => closed.listLinks()],
    ['setLink', (closed) => closed.setLink('lo', { up: true })],
    ['deleteLink', (closed) => closed.deleteLink('lo')],
    ['addAddress', (closed) => closed.addAddress('lo', '127.0.0.2/8')],
    ['deleteAddress', (closed) => closed.deleteAddress('lo', '127.0.0.2/8')],
    ['listAddresses', (closed) => closed.listAddresses()],
    ['addRoute', (closed) => closed.addRoute({ to: 'default', dev: 'lo' })],
    ['replaceRoute', (closed) => closed.replaceRoute({ to: 'default', dev: 'lo' })],
    ['deleteRoute', (closed) => closed.deleteRoute({ to: 'default', dev: 'lo' })],
    ['listRoutes', (closed) => closed.listRoutes()],
    ['getSysctl', (closed) => closed.getSysctl('net.ipv4.ip_forward')],
    ['setSysctl', (closed) => closed.setSysctl('net.ipv4.ip_forward', 1)],
    ['spawn', (closed) => closed.spawn('true')],
    ['inode', (closed) => closed.inode],
    ['path', (closed) => closed.path],
  ]
  for (const [name, call] of verbs) {
    const error = await failureOf(() => call(ns))
    assert.is(error.code, 'ERR_INVALID_STATE', name)
    assert.match(error.message, /is closed/, name)
  }
})

test('closing twice is no error, and the host stays open', async () => {
  const ns = await createNetns()
  await ns.close()
  await ns.close()
  await host.close()
  assert.is((await host.getLink('lo')).name, 'lo')
})

test('an unnamed namespace ends with its handle: the other end of its veth vanishes, and its descriptors are closed', async () => {
  const before = await kernelState()
  await createNetns().then((ns) => ns.close()) // the executor and its descriptors are there from now on
  const open = readdirSync('/proc/self/fd').length
  {
    await using ns = await createNetns()
    await host.createVethPair({ name: 'gone0', peer: { netns: ns, name: 'eth0' } })
    await ns.listLinks()
    assert.not.ok(await isGone('gone0'))
  }
  assert.is(readdirSync('/proc/self/fd').length, open)
  await until('gone0 is gone', () => isGone('gone0'))
  assert.equal(await kernelState(), before)
})

test('await using closes also when the block throws', async () => {
  let escaped: Netns | undefined
  await failureOf(async () => {
    await using ns = await createNetns()
    escaped = ns
    throw new Error('enough')
  })
  assert.ok(escaped?.closed)
})

test('operations in flight finish first, also those of several steps, and those that reach in from elsewhere', async () => {
  const ns = await createNetns('flight')
  try {
    const bridge = ns.createBridge({ name: 'br0', up: true, addresses: ['10.0.0.1/24'], alias: 'late' })
    const pair = host.createVethPair({
      name: 'flight0',
      up: true,
      peer: { netns: ns, name: 'eth0', up: true, addresses: ['10.0.1.2/24'] },
    })
    const named = ns.addAddress('lo', '127.0.0.2/8')
    const setting = ns.setSysctl('net.ipv4.ip_forward', 1)
    const closing = ns.close()
    assert.is((await failureOf(ns.getLink('lo'))).code, 'ERR_INVALID_STATE')
    const [made, [, inside]] = await Promise.all([bridge, pair, named, setting])
    await closing
    assert.is(made.alias, 'late')
    assert.is(inside.name, 'eth0')
    const { stdout } = await run('ip', ['-n', 'flight', '-br', 'address'])
    assert.match(stdout, /br0 .*10\.0\.0\.1\/24/)
    assert.match(stdout, /eth0.*10\.0\.1\.2\/24/)
    assert.match(stdout, /127\.0\.0\.2\/8/)
    await host.deleteLink('flight0')
  } finally {
    await deleteNetns('flight')
  }
  assert.is((await failureOf(getLink('flight0'))).code, 'ENODEV')
})

test('a namespace that is closed is never mistaken for the one that got its descriptor', async () => {
  const before = await kernelState()
  for (let round = 0; round < 20; round++) {
    const peer = await createNetns()
    const { inode } = peer
    const making = host.createVethPair({ name: 'mix0', peer: { netns: peer, name: 'eth0' } })
    const closing = peer.close()
    await using other = await createNetns() // takes the descriptor, were it free
    const [, inside] = await making
    assert.is(inside.name, 'eth0', `round ${round}, made in ${inode}`)
    assert.equal(
      (await other.listLinks()).map((link) => link.name),
      ['lo'],
    )
    await closing
    await until('mix0 is gone', () => isGone('mix0'))
  }
  assert.equal(await kernelState(), before)
})

test('a namespace that nobody closed warns when it is collected, once, and its descriptors are closed', async () => {
  const found = await askProgram<{ warnings: string[]; open: number; after: number; kept: string }>(
    `const warnings = []
    process.on('warning', (warning) => warnings.push(warning.code + ': ' + warning.message))
    await (await ct.createNetns()).close()
    const fds = () => readdirSync('/proc/self/fd').length
    const open = fds()
    await (async () => { const ns = await ct.createNetns(); await ns.listLinks() })()
    const kept = await ct.createNetns()
    await kept.close()
    for (let round = 0; round < 100 && (warnings.length === 0 || fds() > open); round++) {
      globalThis.gc()
      await new Promise((resolve) => setImmediate(resolve))
    }
    console.log(JSON.stringify({ warnings, open, after: fds(), kept: String(kept.closed) }))`,
    { nodeOptions: ['--expose-gc'] },
  )
  assert.is(found.warnings.length, 1)
  assert.match(found.warnings[0] ?? '', /^NETLINK_CT_LEAK: the network namespace \d+ was collected without close\(\)/)
  assert.ok(found.after <= found.open, `${found.after} descriptors, ${found.open} before`)
})

test('a handle that is open does not keep the process from ending', async () => {
  const { code, stderr } = await runProgram('globalThis.kept = await ct.createNetns(); await kept.listLinks()')
  assert.is(code, 0, stderr)
  assert.is(stderr, '')
})

test('the executor is at home while namespaces come and go', async () => {
  await Promise.all(Array.from({ length: 16 }, () => createNetns().then((ns) => ns.close())))
  for (const task of readdirSync('/proc/self/task')) {
    assert.is(readlinkSync(`/proc/self/task/${task}/ns/net`), readlinkSync('/proc/self/ns/net'))
  }
})

test.run()
