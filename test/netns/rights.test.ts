// Processes that may less: in a user namespace of their own around a network namespace of somebody else, and without capabilities.

import * as assert from 'uvu/assert'
import { createNetns, deleteNetns } from '../../lib/index.ts'
import { kernelState } from '../support/lab.ts'
import { askProgram } from '../support/program.ts'
import { suite } from '../support/suite.ts'

const test = suite('rights')

// The network namespace belongs to the parent's user namespace: setns(2) would not let a thread come back to it.
const guest = { within: ['unshare', '--user', '--map-root-user'] }
const powerless = { within: ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all'] }

interface Refusal {
  code: string
  syscall: string
  message: string
}

const shape = `const refusal = (error) => ({ code: error.code, syscall: error.syscall, message: error.message, isNetlink: error instanceof ct.NetlinkError })`

test('a guest makes namespaces, and a veth pair and settings in them, though no thread could come back', async () => {
  const before = await kernelState()
  const found = await askProgram<Record<string, unknown>>(
    `const home = net()
    const one = await ct.createNetns()
    const other = await ct.createNetns()
    const [left, right] = await one.createVethPair({ name: 'left', up: true, addresses: ['10.0.0.1/24'],
      peer: { netns: other, name: 'right', up: true, addresses: ['10.0.0.2/24'], routes: [{ to: 'default', via: '10.0.0.1' }] } })
    await other.setSysctl('net.ipv4.ip_forward', 1)
    console.log(JSON.stringify({
      links: [left.name, right.name], carrier: (await one.getLink('left')).carrier,
      addresses: (await other.listAddresses({ link: 'right', family: 'inet' })).map((info) => info.address),
      routes: (await other.listRoutes({ family: 'inet' })).map((route) => route.to),
      forward: [await other.getSysctl('net.ipv4.ip_forward'), await one.getSysctl('net.ipv4.ip_forward')],
      own: (await ct.listLinks()).some((link) => link.name === 'lo'),
      threads: readdirSync('/proc/self/task').every((task) => net(task) === home),
    }))`,
    guest,
  )
  assert.equal(found, {
    links: ['left', 'right'],
    carrier: true,
    addresses: ['10.0.0.2/24'],
    routes: ['default', '10.0.0.0/24'],
    forward: ['1', '0'],
    own: true,
    threads: true,
  })
  assert.equal(await kernelState(), before)
})

test('a guest is refused a spawn, with its main thread where it was', async () => {
  const found = await askProgram<{ error: Refusal; stayed: boolean; after: string[] }>(
    `${shape}
    const home = net()
    const ns = await ct.createNetns()
    const error = await ns.spawn('true').then(() => ({}), refusal)
    console.log(JSON.stringify({ error, stayed: net() === home, after: (await ns.listLinks()).map((link) => link.name) }))`,
    guest,
  )
  assert.is(found.error.code, 'EPERM')
  assert.is(found.error.syscall, 'setns')
  assert.match(found.error.message, /come back to the own network namespace.*CAP_SYS_ADMIN/)
  assert.ok(found.stayed)
  assert.equal(found.after, ['lo'])
})

test('a guest is refused to change the host, by the name of the capability', async () => {
  const before = await kernelState()
  const found = await askProgram<Refusal>(
    `${shape}
    console.log(JSON.stringify(await ct.createBridge({ name: 'guest0' }).then(() => ({}), refusal)))`,
    guest,
  )
  assert.is(found.code, 'EPERM')
  assert.match(found.message, /CAP_NET_ADMIN/)
  assert.equal(await kernelState(), before)
})

test('without capabilities reading works, and the rest is EPERM with the name of what is missing', async () => {
  const before = await kernelState()
  const found = await askProgram<Record<string, Refusal> & { links: string[]; setting: string }>(
    `${shape}
    const refused = (call) => call.then(() => ({}), refusal)
    console.log(JSON.stringify({
      links: (await ct.listLinks()).map((link) => link.name),
      setting: await ct.getSysctl('net.ipv4.ip_forward'),
      netns: await refused(ct.createNetns()),
      named: await refused(ct.createNetns('powerless')),
      bridge: await refused(ct.createBridge({ name: 'powerless0' })),
      veth: await refused(ct.createVethPair({ name: 'powerless0', peer: { name: 'powerless1' } })),
      address: await refused(ct.addAddress('lo', '127.0.0.9/8')),
      route: await refused(ct.addRoute({ to: '198.51.100.0/24', dev: 'lo' })),
      up: await refused(ct.setLink('lo', { up: true })),
    }))`,
    powerless,
  )
  assert.ok(found.links.includes('lo'))
  assert.match(found.setting, /^[01]$/)
  for (const name of ['netns', 'named']) {
    assert.is(found[name]?.code, 'EPERM')
    assert.is(found[name]?.syscall, 'unshare')
    assert.match(found[name]?.message ?? '', /make a network namespace.*CAP_SYS_ADMIN/)
  }
  for (const [name, type] of Object.entries({
    bridge: 'RTM_NEWLINK',
    veth: 'RTM_NEWLINK',
    address: 'RTM_NEWADDR',
    route: 'RTM_NEWROUTE',
    up: 'RTM_SETLINK',
  })) {
    assert.is(found[name]?.code, 'EPERM', name)
    assert.is(found[name]?.syscall, type)
    assert.match(found[name]?.message ?? '', /CAP_NET_ADMIN/, name)
  }
  assert.equal(await kernelState(), before)
})

test('every verb that is refused for a lack of rights says which', async () => {
  await using target = await createNetns('guarded')
  const found = await askProgram<Record<string, Refusal>>(
    `${shape}
    import { createServer } from 'node:net'
    const refused = (call) => call.then(() => ({ message: 'it was done' }), refusal)
    const watch = async (options) => { for await (const event of ct.host.watch(options)) return event }
    console.log(JSON.stringify({
      // CAP_NET_ADMIN
      createLink: await refused(ct.createLink({ kind: 'ifb', name: 'powerless0' })),
      deleteLink: await refused(ct.deleteLink('lo')),
      deleteAddress: await refused(ct.deleteAddress('lo', '127.0.0.1/8')),
      deleteRoute: await refused(ct.deleteRoute({ to: '198.51.100.0/24' })),
      addRule: await refused(ct.addRule({ from: '198.51.100.0/24', table: 100 })),
      addNeighbor: await refused(ct.addNeighbor({ address: '127.0.0.2', link: 'lo', mac: '02:00:00:00:00:01' })),
      addNexthop: await refused(ct.addNexthop({ id: 1, blackhole: true })),
      addQdisc: await refused(ct.addQdisc('lo', { kind: 'htb', handle: '1:' })),
      setNsid: await refused(ct.setNsid(await ct.openNetns({ pid: process.pid }), 7)),
      batch: await ct.batch((batch) => batch.setLink('lo', { up: true })).then(({ error }) => refusal(error)),
      createNetwork: await refused(ct.createNetwork({ name: 'lab', subnets: ['172.30.0.0/24'] })),
      setSysctl: await refused(ct.setSysctl('net.ipv4.ip_forward', 1)),
      // CAP_SYS_ADMIN
      enter: await refused(ct.openNetns('guarded').then((ns) => ns.listLinks())),
      spawn: await refused(ct.openNetns('guarded').then((ns) => ns.spawn('true'))),
      deleteNetns: await refused(ct.deleteNetns('guarded')),
      // others
      watch: await refused(watch({ links: true, allNamespaces: true })),
      listen: await refused(ct.host.listen(createServer(), { host: '127.0.0.1', port: 80 })),
    }))`,
    powerless,
  )
  const capability: Record<string, string> = {
    enter: 'CAP_SYS_ADMIN',
    spawn: 'CAP_SYS_ADMIN',
    deleteNetns: 'CAP_SYS_ADMIN',
    watch: 'CAP_NET_BROADCAST',
    listen: 'CAP_NET_BIND_SERVICE',
  }
  for (const [verb, { message }] of Object.entries(found)) {
    assert.match(
      message,
      new RegExp(`^(EPERM|EACCES): .*; needs ${capability[verb] ?? 'CAP_NET_ADMIN'} in the`),
      `${verb}: ${message}`,
    )
  }
  assert.is(Object.keys(found).length, 17)
  assert.is(target.name, 'guarded')
  await deleteNetns('guarded')
})

test.run()
