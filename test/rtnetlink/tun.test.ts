// Tun and tap devices, with ip(8) as the witness, and packets that pass through their descriptors.

import { accessSync, constants, fstatSync, readdirSync, readFileSync, readlinkSync, readSync, writeSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { createNetns, type Netns, type TunSpec } from '../../lib/index.ts'
import { type Failure, failureOf } from '../support/failure.ts'
import { kernelState, output, run } from '../support/lab.ts'
import { askProgram, plainEnv } from '../support/program.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { ipAddresses, ipLink } from '../support/witness.ts'

const test = suite('tun and tap devices')

/** Why this machine makes none; undefined where ip makes one. */
async function lacking(): Promise<string | undefined> {
  await using ns = await createNetns()
  const { code, stderr } = await run('ip', ['tuntap', 'add', 'name', 'x0', 'mode', 'tun'], { netns: ns })
  return code === 0 ? undefined : `ip tuntap add: ${stderr.trim()}`
}
const reason = await lacking()
const live = (title: string, body: () => Promise<void>): void => test.skipIf(reason, title, body)

const allIds = /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'))
const [owner, ownerGroup] = allIds ? [7, 8] : [0, 0]

/** Where this process cannot open the device by its mode alone. */
function closed(): string | undefined {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
    return undefined
  } catch (error) {
    return String(error)
  }
}

/** `ip tuntap list`, which reads /sys: of the namespace that it was mounted in. */
const tuntaps = (ns: Netns): Promise<string> =>
  output('unshare', ['--mount', 'sh', '-c', 'mount -t sysfs none /sys && exec ip -N tuntap list'], { netns: ns })
const noSys = allIds ? undefined : 'a user namespace may not mount /sys everywhere'

const names = async (ns: Netns): Promise<string[]> => (await ns.listLinks()).map(({ name }) => name)

/** How many descriptors of tun and tap devices this process has. */
const descriptors = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === '/dev/net/tun'
    } catch {
      return false // the one of the folder itself
    }
  }).length

/** The next packet that is there; undefined for none. */
function packet(fd: number): Buffer | undefined {
  const buffer = Buffer.alloc(65_536)
  try {
    return buffer.subarray(0, readSync(fd, buffer))
  } catch (error) {
    if ((error as Failure).code === 'EAGAIN') return undefined
    throw error
  }
}

function checksum(bytes: Buffer): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt8(at) * 256 + (bytes[at + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

const isEcho = (ip: Buffer): boolean => ip.length >= 28 && ip.readUInt8(0) >> 4 === 4 && ip.readUInt8(9) === 1 && ip[20] === 8

/** What the host that was asked would say. */
function echoReply(request: Buffer): Buffer {
  const reply = Buffer.from(request)
  request.copy(reply, 12, 16, 20)
  request.copy(reply, 16, 12, 16)
  reply.writeUInt8(0, 20)
  reply.writeUInt16BE(0, 22)
  reply.writeUInt16BE(checksum(reply.subarray(20)), 22)
  return reply
}

/** Answers echo requests behind `skip` bytes of headers until `done`. */
async function answer(fd: number, skip: number, done: Promise<unknown>): Promise<number> {
  let answered = 0
  let over = false
  void done.finally(() => {
    over = true
  })
  await until('the ping is over', () => {
    for (let got = packet(fd); got !== undefined; got = packet(fd)) {
      const ip = got.subarray(skip)
      if (!isEcho(ip)) continue
      writeSync(fd, Buffer.concat([got.subarray(0, skip), echoReply(ip)]))
      answered++
    }
    return over
  })
  return answered
}

live('a tap device is made as ip makes it, and stays', async () => {
  await using ns = await createNetns()
  const link = await ns.createTun({
    name: 'tap0',
    mode: 'tap',
    index: 77,
    owner,
    ownerGroup,
    multiQueue: true,
    packetInformation: true,
    vnetHeader: true,
    mac: '02:00:00:00:00:07',
    mtu: 1400,
    alias: 'the tap',
    altnames: ['a-tap-of-many-names'],
    addresses: ['10.0.0.1/24'],
    up: true,
  })
  assert.equal(link.tun, {
    mode: 'tap',
    persistent: true,
    multiQueue: true,
    packetInformation: true,
    vnetHeader: true,
    queues: 0,
    owner,
    ownerGroup,
  })
  assert.equal(
    [link.index, link.kind, link.mac, link.mtu, link.up, link.carrier],
    [77, 'tun', '02:00:00:00:00:07', 1400, true, false],
  )
  const seen = await ipLink(ns, 'tap0')
  assert.equal([seen.ifindex, seen.address, seen.mtu, seen.ifalias], [77, '02:00:00:00:00:07', 1400, 'the tap'])
  assert.equal(seen.altnames, ['a-tap-of-many-names'])
  const { user, group, ...info } = seen.linkinfo?.info_data ?? {}
  assert.equal(info, { type: 'tap', pi: true, vnet_hdr: true, multi_queue: true, numqueues: 0, numdisabled: 0, persist: true })
  assert.ok(user !== undefined && group !== undefined)
  assert.is((await ipAddresses(ns, 'tap0'))[0]?.local, '10.0.0.1')
  await ns.deleteLink('tap0')
  assert.equal(await names(ns), ['lo'])
})

live('a tun device is plain unless it is said otherwise, and ip deletes it', async () => {
  await using ns = await createNetns()
  const { tun, mac, up } = await ns.createTun({ name: 'tun0', mode: 'tun' })
  assert.equal(tun, { mode: 'tun', persistent: true, multiQueue: false, packetInformation: false, vnetHeader: false })
  assert.equal([mac, up], [undefined, false])
  await output('ip', ['tuntap', 'delete', 'name', 'tun0', 'mode', 'tun'], { netns: ns })
  assert.equal(await names(ns), ['lo'])
})

test.skipIf(reason ?? noSys, 'ip tuntap lists them', async () => {
  await using ns = await createNetns()
  await ns.createTun({ name: 'tun0', mode: 'tun', owner, ownerGroup })
  await using tun = await ns.openTun({ name: 'tap0', mode: 'tap', multiQueue: true, vnetHeader: true, packetInformation: true })
  const listed = (await tuntaps(ns)).trim().split('\n').sort()
  // IFF_NOFILTER and IFF_NO_PI are one number: ip shows `filter` where there is `pi`.
  assert.equal(listed, ['tap0: tap pi multi_queue vnet_hdr filter', `tun0: tun persist user ${owner} group ${ownerGroup}`])
  await tun.close()
  assert.not.match(await tuntaps(ns), /tap0/)
})

live('what is made is what ip makes of the same words', async () => {
  const specs: readonly [spec: TunSpec, words: string[]][] = [
    [{ name: 'x0', mode: 'tun' }, ['mode', 'tun']],
    [{ name: 'x0', mode: 'tap', multiQueue: true }, ['mode', 'tap', 'multi_queue']],
    [{ name: 'x0', mode: 'tun', packetInformation: true, owner }, ['mode', 'tun', 'pi', 'user', `${owner}`]],
    [{ name: 'x0', mode: 'tap', vnetHeader: true, ownerGroup }, ['mode', 'tap', 'vnet_hdr', 'group', `${ownerGroup}`]],
  ]
  for (const [spec, words] of specs) {
    await using ours = await createNetns()
    await using theirs = await createNetns()
    await ours.createTun(spec)
    await output('ip', ['tuntap', 'add', 'name', 'x0', ...words], { netns: theirs })
    const [one, other] = [await ipLink(ours, 'x0'), await ipLink(theirs, 'x0')]
    assert.equal({ ...one, address: '' }, { ...other, address: '' })
  }
})

live('a ping from inside is answered through the descriptor', async () => {
  await using ns = await createNetns()
  await using tun = await ns.openTun({ name: 'tun0', mode: 'tun', up: true, addresses: ['10.0.0.1/24'] })
  assert.equal([tun.link.name, tun.link.up, tun.link.carrier, tun.link.tun?.persistent], ['tun0', true, true, false])
  const ping = run('ping', ['-c', '3', '-i', '0.2', '-W', '5', '10.0.0.2'], { netns: ns })
  assert.is(await answer(tun.fd, 0, ping), 3)
  const { code, stdout } = await ping
  assert.is(code, 0, stdout)
  assert.match(stdout, /3 received|3 packets received/)
})

live('with packet information each packet has its EtherType before it', async () => {
  await using ns = await createNetns()
  await using tun = await ns.openTun({ name: 'tun0', mode: 'tun', packetInformation: true, up: true, addresses: ['10.0.0.1/24'] })
  const ping = run('ping', ['-c', '1', '-W', '5', '10.0.0.2'], { netns: ns })
  assert.is(await answer(tun.fd, 4, ping), 1)
  assert.is((await ping).code, 0)
})

live('a tap device carries frames', async () => {
  await using ns = await createNetns()
  await using tun = await ns.openTun({ name: 'tap0', mode: 'tap', up: true, addresses: ['10.0.0.1/24'] })
  const mac = '02:00:00:00:00:02'
  await ns.addNeighbor({ address: '10.0.0.2', link: 'tap0', mac })
  const ping = run('ping', ['-c', '1', '-W', '1', '10.0.0.2'], { netns: ns })
  let frame: Buffer | undefined
  await until('a frame with the echo request', () => {
    for (let got = packet(tun.fd); got !== undefined; got = packet(tun.fd)) if (isEcho(got.subarray(14))) frame = got
    return frame !== undefined
  })
  assert.is(frame?.subarray(0, 6).toString('hex'), mac.replaceAll(':', ''))
  assert.is(frame?.subarray(6, 12).toString('hex'), tun.link.mac?.replaceAll(':', ''))
  assert.is(frame?.readUInt16BE(12), 0x0800)
  await ping
})

live('an opened device goes with its descriptor, which nothing else holds', async () => {
  await using ns = await createNetns()
  const tun = await ns.openTun({ name: 'tun0', mode: 'tun' })
  assert.is(descriptors(), 1)
  assert.ok(fstatSync(tun.fd).isCharacterDevice())
  assert.match(await output('cat', [`/proc/${process.pid}/fdinfo/${tun.fd}`]), /flags:\s+02104002\n(.*\n)*iff:\s+tun0/)
  await tun.close()
  assert.is(tun.fd, -1)
  await tun.close()
  assert.equal(await names(ns), ['lo'])
  assert.is(descriptors(), 0)
})

live('a child that has the descriptor keeps the device', async () => {
  await using ns = await createNetns()
  const tun = await ns.openTun({ name: 'tun0', mode: 'tun' })
  const child = await ns.spawn('cat', [], { env: plainEnv(), stdio: ['pipe', 'ignore', 'inherit', tun.fd] })
  await tun.close()
  assert.equal(await names(ns), ['lo', 'tun0'])
  child.stdin?.end()
  await new Promise((resolve) => child.once('close', resolve))
  assert.equal(await names(ns), ['lo'])
})

live('a persistent device is attached to, left, and attached to again, with the headers that it has', async () => {
  await using ns = await createNetns()
  const made = await ns.createTun({ name: 'tun0', mode: 'tun', packetInformation: true, up: true, addresses: ['10.0.0.1/24'] })
  for (const ref of ['tun0', made, made.index]) {
    await using tun = await ns.attachTun(ref)
    assert.equal([tun.link.index, tun.link.carrier, tun.link.tun], [made.index, true, made.tun])
    const ping = run('ping', ['-c', '1', '-W', '5', '10.0.0.2'], { netns: ns })
    assert.is(await answer(tun.fd, 4, ping), 1)
    const busy = await failureOf(ns.attachTun('tun0'))
    assert.equal([busy.code, busy.syscall, busy.operation], ['EBUSY', 'ioctl', 'attach to tun0 (TUNSETIFF)'])
    assert.match(busy.message, /its only queue is in use/)
  }
  assert.equal((await ipLink(ns, 'tun0')).flags.includes('NO-CARRIER'), true)
})

live('a device with many queues has as many descriptors', async () => {
  await using ns = await createNetns()
  await using first = await ns.openTun({ name: 'tun0', mode: 'tun', multiQueue: true, vnetHeader: true })
  assert.is(first.link.tun?.queues, 1)
  await using second = await ns.attachTun('tun0')
  assert.is(second.link.tun?.queues, 2)
  await first.close()
  const { numqueues, vnet_hdr } = (await ipLink(ns, 'tun0')).linkinfo?.info_data ?? {}
  assert.equal([numqueues, vnet_hdr], [1, true])
})

live('the carrier is set while a program has the descriptor, and refused when none has', async () => {
  await using ns = await createNetns()
  await ns.createTun({ name: 'tun0', mode: 'tun', up: true })
  const refused = await failureOf(ns.setLink('tun0', { carrier: true }))
  assert.equal([refused.code, refused.syscall], ['EPERM', 'RTM_SETLINK'])
  await using tun = await ns.attachTun('tun0')
  assert.is(tun.link.carrier, true)
  assert.is((await ns.setLink('tun0', { carrier: false })).carrier, false)
  assert.ok((await ipLink(ns, 'tun0')).flags.includes('NO-CARRIER'))
  assert.is((await ns.setLink('tun0', { carrier: true })).carrier, true)
  assert.ok((await ipLink(ns, 'tun0')).flags.includes('LOWER_UP'))
})

live('a tap device is born as a port of a bridge', async () => {
  await using ns = await createNetns()
  const bridge = await ns.createBridge({ name: 'br0', up: true })
  const link = await ns.createTun({ name: 'tap0', mode: 'tap', master: 'br0', bridgePort: { isolated: true }, up: true })
  assert.equal([link.master, link.port?.isolated], [bridge.index, true])
  assert.is((await ipLink(ns, 'tap0')).master, 'br0')
})

live('a name or an index that is taken is EBUSY, and the device that has it stays as it is', async () => {
  await using ns = await createNetns()
  const { index } = await ns.createTun({ name: 'tun0', mode: 'tun', altnames: ['a-long-other-name', 'other0'] })
  const before = await kernelState(ns)
  for (const verb of ['createTun', 'openTun'] as const) {
    for (const name of ['tun0', 'other0', 'lo']) {
      const error = await failureOf(ns[verb]({ name, mode: 'tun' }))
      assert.equal([error.name, error.code, error.syscall], ['NetlinkError', 'EBUSY', 'ioctl'])
      assert.is(error.operation, `make the tun device ${name} (TUNSETIFF)`)
      assert.match(error.message, /the name is taken/)
    }
    assert.match((await failureOf(ns[verb]({ name: 'tun1', mode: 'tap', index }))).message, /^EBUSY: .*the index is taken/)
  }
  assert.equal(await kernelState(ns), before)
})

live('after an error there is neither device nor descriptor', async () => {
  await using ns = await createNetns()
  const before = await kernelState(ns)
  for (const verb of ['createTun', 'openTun'] as const) {
    const twice = await failureOf(ns[verb]({ name: 'tun0', mode: 'tun', up: true, addresses: ['10.0.0.1/24', '10.0.0.1/24'] }))
    assert.equal([twice.code, twice.syscall], ['EEXIST', 'RTM_NEWADDR'])
    assert.is((await failureOf(ns[verb]({ name: 'tun0', mode: 'tun', master: 'nobody' }))).code, 'ENODEV')
    assert.is((await failureOf(ns[verb]({ name: 'tun0', mode: 'tun', altnames: ['lo'] }))).code, 'EEXIST')
  }
  assert.is((await failureOf(ns.attachTun('nobody'))).code, 'ENODEV')
  const other = await failureOf(ns.attachTun('lo'))
  assert.is(other.code, 'EINVAL')
  assert.match(other.message, /no tun or tap device/)
  assert.equal(await kernelState(ns), before)
  assert.is(descriptors(), 0)
})

test.skipIf(
  reason ?? closed() ?? (allIds ? undefined : 'this user namespace has one user'),
  'an owner attaches without capabilities, and a stranger is told what is missing',
  async () => {
    await using ns = await createNetns()
    await ns.createTun({ name: 'own0', mode: 'tun', owner: process.getuid?.() ?? 0 })
    // Both count where both are set.
    await ns.createTun({ name: 'foreign0', mode: 'tun', owner: process.getuid?.() ?? 0, ownerGroup: 12345 })
    const powerless = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all']
    const found = await askProgram<{ own: string; foreign: string }>(
      `const own = await ct.attachTun('own0')
      const foreign = await ct.attachTun('foreign0').then(() => 'it was attached', ({ message }) => message)
      console.log(JSON.stringify({ own: own.link.name, foreign }))`,
      { within: ['nsenter', `--net=${ns.path}`, ...powerless] },
    )
    assert.is(found.own, 'own0')
    assert.match(
      found.foreign,
      /^EPERM: .*attach to foreign0 \(TUNSETIFF\); needs the device's owner and group, or CAP_NET_ADMIN in/,
    )
  },
)

test.skipIf(reason ?? closed(), 'a guest in a user namespace makes one', async () => {
  const found = await askProgram<Record<string, unknown>>(
    `const ns = await ct.createNetns()
    const link = await ns.createTun({ name: 'tun0', mode: 'tun', addresses: ['10.0.0.1/24'] })
    const tun = await ns.attachTun('tun0')
    const stranger = await ct.openTun({ name: 'guest0', mode: 'tun' }).then(() => 'it was made', ({ message }) => message)
    console.log(JSON.stringify({ name: link.name, queue: tun.fd > 2, stranger }))`,
    { within: ['unshare', '--user', '--map-root-user'] },
  )
  assert.equal([found['name'], found['queue']], ['tun0', true])
  assert.match(String(found['stranger']), /^EPERM: .*; needs CAP_NET_ADMIN in the user namespace that owns/)
})

test('where /dev/net/tun is missing or closed, that is said', async () => {
  const ask = `const ns = await ct.createNetns()
    const said = await ns.openTun({ name: 'tun0', mode: 'tun' }).then(() => ({}), ({ name, code, syscall, message }) => ({ name, code, syscall, message }))
    console.log(JSON.stringify(said))`
  const without = (command: string): string[] => [
    'unshare',
    '--mount',
    '--propagation',
    'private',
    'sh',
    '-c',
    `${command} && exec "$@"`,
    'sh',
  ]
  const missing = await askProgram<Failure>(ask, { within: without('mount -t tmpfs none /dev/net') })
  assert.equal([missing.name, missing.code, missing.syscall], ['NetlinkError', 'ENOENT', 'open'])
  assert.match(missing.message, /\/dev\/net\/tun: it is made by `modprobe tun`/)
  if (!allIds) return // a user namespace makes no device nodes
  const shut = await askProgram<Failure>(ask, {
    within: without('mount -t tmpfs -o nodev none /dev/net && mknod /dev/net/tun c 10 200'),
  })
  assert.equal([shut.name, shut.code, shut.syscall], ['NetlinkError', 'EACCES', 'open'])
  assert.match(shut.message, /; needs the right to open \/dev\/net\/tun/)
})

test.run()
