// The lab itself: that its three places see each other as drawn, and that it leaves the sandbox as it found it.

import * as assert from 'uvu/assert'
import { askUdp, createLab, curl, json, kernelState, output, ping, readSysctl, run, serve, writeSysctl } from './support/lab.ts'
import { suite } from './support/suite.ts'

const test = suite('lab')

test('the host reaches its LAN neighbor and the internet, and they reach the host', async () => {
  await using lab = await createLab()
  assert.ok(await ping(lab.lanAddress))
  assert.ok(await ping(lab.internetAddress))
  assert.ok(await ping(lab.hostLanAddress, { netns: lab.lan }))
  assert.ok(await ping(lab.hostWanAddress, { netns: lab.internet }))
})

test('the LAN neighbor has no way to the internet', async () => {
  await using lab = await createLab()
  assert.not.ok(await ping(lab.internetAddress, { netns: lab.lan, within: 1000 }))
  assert.is((await curl(`http://${lab.internetAddress}/`, { netns: lab.lan })).code, 7)
})

test('the internet answers with the address that it saw', async () => {
  await using lab = await createLab()
  const { status, answer } = await curl(`http://${lab.internetAddress}/hello`)
  assert.is(status, 200)
  assert.is(answer?.peer, lab.hostWanAddress)
  assert.is(answer?.server, 'internet')
  assert.is(answer?.url, '/hello')
  const echo = await askUdp(lab.internetAddress, 53, { message: 'who am I?' })
  assert.is(echo?.peer, lab.hostWanAddress)
  assert.is(echo?.message, 'who am I?')
})

test('a server can be started in a namespace by its path and by a process that lives there', async () => {
  await using lab = await createLab()
  const byPath = await lab.serve({ netns: { path: '/run/netns/lan' }, name: 'path', http: 0 })
  const byPid = await lab.serve({ netns: { pid: byPath.pid }, name: 'pid', udp: 0 })
  assert.is((await curl(`http://${lab.lanAddress}:${byPath.ports.http}/`)).answer?.server, 'path')
  assert.is((await askUdp(lab.lanAddress, byPid.ports.udp ?? 0))?.server, 'pid')
  await byPath.stop()
  assert.is((await curl(`http://${lab.lanAddress}:${byPath.ports.http}/`)).code, 7)
  assert.is(await askUdp(lab.lanAddress, 9), undefined)
})

test('a server that cannot listen says why', async () => {
  await using lab = await createLab()
  try {
    await serve({ netns: lab.lan, host: '198.51.100.1', http: 80 })
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), /EADDRNOTAVAIL/)
  }
})

test('a subnet routed from the LAN is reached through the host', async () => {
  await using lab = await createLab()
  await lab.routeFromLan('203.0.113.0/24')
  await writeSysctl('net.ipv4.ip_forward', 1)
  assert.is(await readSysctl('net.ipv4.ip_forward'), '1')
  const before = await json('ip', ['route', 'show', '203.0.113.0/24'], { netns: lab.lan })
  assert.is(before.length, 1)
  await output('ip', ['route', 'add', 'default', 'via', lab.hostWanAddress], { netns: lab.internet })
  assert.ok(await ping(lab.internetAddress, { netns: lab.lan }))
  await writeSysctl('net.ipv4.ip_forward', 0)
})

test('a lab leaves the kernel as it found it, and its children are gone', async () => {
  const before = await kernelState()
  let pid: number
  {
    await using lab = await createLab()
    const { pid: child } = await lab.serve({ netns: lab.lan, http: 0 })
    pid = child
    assert.not.equal(await kernelState(), before)
  }
  assert.equal(await kernelState(), before)
  assert.throws(() => process.kill(pid, 0), /ESRCH/)
})

test('a lab whose links and namespaces a test has removed is still taken down', async () => {
  const before = await kernelState()
  {
    await using lab = await createLab()
    await output('ip', ['link', 'delete', 'lan0'])
    await output('ip', ['netns', 'delete', lab.lan])
  }
  assert.equal(await kernelState(), before)
})

test('the kernel state sees a rule, a route, an alias, a sysctl and a namespace', async () => {
  await using _lab = await createLab()
  const changes: [change: string[], undo: string[]][] = [
    [
      ['nft', 'add', 'table', 'inet', 'probe'],
      ['nft', 'delete', 'table', 'inet', 'probe'],
    ],
    [
      ['ip', 'route', 'add', '198.51.100.0/24', 'dev', 'lan0'],
      ['ip', 'route', 'delete', '198.51.100.0/24'],
    ],
    [
      ['ip', 'rule', 'add', 'fwmark', '7', 'lookup', '7'],
      ['ip', 'rule', 'delete', 'fwmark', '7', 'lookup', '7'],
    ],
    [
      ['ip', 'link', 'set', 'lan0', 'alias', 'probe'],
      ['ip', 'link', 'set', 'lan0', 'alias', ''],
    ],
    [
      ['ip', 'netns', 'add', 'probe'],
      ['ip', 'netns', 'delete', 'probe'],
    ],
    [
      ['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/lan0/proxy_arp'],
      ['sh', '-c', 'echo 0 > /proc/sys/net/ipv4/conf/lan0/proxy_arp'],
    ],
  ]
  for (const [[change = '', ...changeArgs], [undo = '', ...undoArgs]] of changes) {
    const before = await kernelState()
    await output(change, changeArgs)
    assert.not.equal(await kernelState(), before, `${change} ${changeArgs.join(' ')}`)
    await output(undo, undoArgs)
    assert.equal(await kernelState(), before, `${undo} ${undoArgs.join(' ')}`)
  }
})

test('a command reports its exit code, and a limit that it ran into', async () => {
  assert.equal(await run('sh', ['-c', 'cat; echo no >&2; exit 3'], { input: 'yes' }), { code: 3, stdout: 'yes', stderr: 'no\n' })
  try {
    await run('sleep', ['60'], { limit: 50 })
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), /sleep 60: no result after 50 ms/)
  }
})

test.run()
