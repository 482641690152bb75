// setBandwidth: what it makes, that the kernel keeps to it, and that nothing is left of it.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import * as assert from 'uvu/assert'
import { type Bandwidth, type BandwidthSpec, createNetns, host, type Link, type Netns } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { json, kernelState, output, serve } from '../support/lab.ts'
import { suite } from '../support/suite.ts'

const test = suite('setBandwidth')

type Row = Record<string, unknown>

interface Place extends AsyncDisposable {
  readonly link: Link
  readonly inside: Netns
}

const address = '198.51.100.2'

/** A container's veth: bw0 here, eth0 inside. */
async function place(): Promise<Place> {
  const inside = await createNetns()
  const [link] = await host.createVethPair({
    ...{ name: 'bw0', up: true, addresses: ['198.51.100.1/24'] },
    peer: { name: 'eth0', netns: inside, up: true, addresses: [`${address}/24`] },
  })
  return {
    link,
    inside,
    [Symbol.asyncDispose]: async () => {
      await host.deleteLink(link)
      await host.pruneBandwidth()
      await inside.close()
    },
  }
}

const witness = (...args: string[]): Promise<Row[]> => json('tc', args)

const both: BandwidthSpec = { egress: '8mbit', ingress: { rate: '4mbit', burst: '64kb', latency: '100ms' } }
const read: Bandwidth = {
  egress: { rate: 8_000_000, burst: 32_768, latency: 50 },
  ingress: { rate: 4_000_000, burst: 65_536, latency: 100 },
}

test('both directions are limited, and read back', async () => {
  await using it = await place()
  assert.equal(await host.getBandwidth('bw0'), {})
  await host.setBandwidth('bw0', both)
  assert.equal(await host.getBandwidth(it.link), read)
  const ifb = `ifb-${it.link.index}`
  const [egress] = (await witness('qdisc', 'show', 'dev', 'bw0', 'root')) as { kind: string; options: Row }[]
  assert.equal([egress?.kind, egress?.options['rate'], egress?.options['burst']], ['tbf', 1_000_000, 32_768])
  const [ingress] = (await witness('qdisc', 'show', 'dev', ifb, 'root')) as { kind: string; options: Row }[]
  assert.equal([ingress?.kind, ingress?.options['rate'], ingress?.options['burst']], ['tbf', 500_000, 65_536])
  assert.match(JSON.stringify(await witness('filter', 'show', 'dev', 'bw0', 'ingress')), `"to_dev":"${ifb}"`)
  assert.is((await host.getLink(ifb)).alias, 'what bw0 receives')
  await host.setBandwidth('bw0', null)
})

test('null leaves nothing behind, twice', async () => {
  await using _it = await place()
  const before = await kernelState()
  await host.setBandwidth('bw0', both)
  assert.not.equal(await kernelState(), before)
  for (const _time of [1, 2]) {
    await host.setBandwidth('bw0', null)
    assert.equal(await kernelState(), before)
    assert.equal(await host.getBandwidth('bw0'), {})
  }
  assert.not.match(await output('tc', ['qdisc', 'show', 'dev', 'bw0']), /tbf|ingress/)
})

test('a second call replaces the first in place: the same devices, what is not named is no longer limited', async () => {
  await using it = await place()
  await host.setBandwidth('bw0', both)
  const ifb = await host.getLink(`ifb-${it.link.index}`)
  await host.setBandwidth('bw0', { ...both, ingress: '2mbit' })
  assert.is((await host.getBandwidth('bw0')).ingress?.rate, 2_000_000)
  assert.is((await host.getLink(ifb.name)).index, ifb.index)
  await host.setBandwidth('bw0', { egress: 1e6 })
  assert.equal(Object.keys(await host.getBandwidth('bw0')), ['egress'])
  assert.equal(await host.listLinks({ kind: 'ifb' }), [])
  await host.setBandwidth('bw0', { ingress: '1gbit' })
  assert.equal(Object.keys(await host.getBandwidth('bw0')), ['ingress'])
  await host.setBandwidth('bw0', null)
})

test('the limits survive a rename, and are found by the new name', async () => {
  await using it = await place()
  await host.setBandwidth('bw0', both)
  await host.setLink(it.link, { name: 'renamed0' })
  assert.equal(await host.getBandwidth('renamed0'), read)
  await host.setBandwidth('renamed0', null)
  assert.equal(await host.listLinks({ kind: 'ifb' }), [])
})

test("filters of others on the device's ingress stay", async () => {
  await using _it = await place()
  await output('tc', ['qdisc', 'add', 'dev', 'bw0', 'clsact'])
  await output('tc', 'filter add dev bw0 ingress protocol ip prio 9 u32 match ip src 192.0.2.1 flowid 1:1'.split(' '))
  const theirs = (): Promise<Row[]> => witness('filter', 'show', 'dev', 'bw0', 'ingress', 'prio', '9', 'protocol', 'ip')
  const before = await theirs()
  await host.setBandwidth('bw0', both)
  assert.equal(await theirs(), before)
  await host.setBandwidth('bw0', null)
  assert.equal(await theirs(), before)
  assert.is((await host.listFilters('bw0', { parent: 'ingress' })).length, 1)
})

test("somebody else's queueing discipline at the root is not thrown away", async () => {
  await using _it = await place()
  await output('tc', 'qdisc add dev bw0 root handle 1: htb'.split(' '))
  const before = await kernelState()
  const failure = await failureOf(host.setBandwidth('bw0', both))
  assert.is(failure.code, 'ERR_INVALID_STATE')
  assert.match(failure.message, /bw0 has a queueing discipline htb 1: of somebody else's/)
  assert.equal(await kernelState(), before)
  await host.setBandwidth('bw0', { ingress: '1mbit' })
  await host.setBandwidth('bw0', null)
  assert.match(await output('tc', ['qdisc', 'show', 'dev', 'bw0']), /htb 1: root/)
})

test('when a step fails, the limits are what they were', async () => {
  await using it = await place()
  await host.setBandwidth('bw0', { egress: '8mbit' })
  // A device of that name that is not ours stands in the way of the second half.
  await output('ip', ['link', 'add', `ifb-${it.link.index}`, 'type', 'ifb'])
  const before = await kernelState()
  const failure = await failureOf(host.setBandwidth('bw0', { egress: '1mbit', ingress: '1mbit' }))
  assert.is(failure.code, 'EEXIST')
  assert.equal(await host.getBandwidth('bw0'), { egress: read.egress })
  assert.equal(await kernelState(), before)
  await output('ip', ['link', 'delete', `ifb-${it.link.index}`])
})

test('what a call that was cut short left is taken over', async () => {
  await using it = await place()
  const ifb = `ifb-${it.link.index}`
  await host.setBandwidth('bw0', both)
  await output('tc', ['qdisc', 'delete', 'dev', 'bw0', 'ingress'])
  await output('tc', ['qdisc', 'delete', 'dev', 'bw0', 'root'])
  await output('tc', ['qdisc', 'delete', 'dev', ifb, 'root'])
  assert.equal(await host.getBandwidth('bw0'), {})
  await host.setBandwidth('bw0', both)
  assert.equal(await host.getBandwidth('bw0'), read)
  await host.setBandwidth('bw0', null)
  assert.equal(await host.listLinks({ kind: 'ifb' }), [])
})

test('what is left of a link that is gone is swept up, and nothing else', async () => {
  const it = await place()
  const before = await kernelState()
  await output('ip', ['link', 'add', 'ifb-999', 'type', 'ifb'])
  await host.setBandwidth('bw0', both)
  assert.equal(await host.pruneBandwidth(), [])
  assert.equal(await host.getBandwidth('bw0'), read)
  await host.deleteLink('bw0')
  assert.equal(await host.pruneBandwidth(), [`ifb-${it.link.index}`])
  await output('ip', ['link', 'delete', 'ifb-999'])
  assert.equal(
    Object.keys((await kernelState()).links),
    Object.keys(before.links).filter((name) => name !== 'bw0'),
  )
  await it.inside.close()
})

const size = 2_000_000

/** Milliseconds until `size` bytes that were sent have arrived, the answer included. */
async function timed(socket: Socket, arrived: () => Promise<void>): Promise<number> {
  const start = performance.now()
  socket.end(Buffer.alloc(size))
  await arrived()
  return performance.now() - start
}

/** Sends from here to the container: the echo, unlimited, comes back as fast as it gets there. */
async function sent(): Promise<number> {
  await using server = await serve({ netns: current(), host: address, tcp: 0 })
  const socket = connect(server.ports.tcp ?? 0, address)
  let received = 0
  socket.on('data', (chunk: Buffer) => (received += chunk.length))
  await once(socket, 'connect')
  const time = await timed(socket, async () => void (await once(socket, 'close')))
  assert.ok(received >= size, `${received} bytes came back`)
  return time
}

let inside: Netns | undefined
function current(): Netns {
  if (inside === undefined) throw new Error('no place')
  return inside
}

// 2 MB at 8 Mbit/s are 2 s, less what the bucket lets pass at once: 32 KiB are 33 ms. No upper bounds: machines are slow at times.
for (const [name, spec, least] of [
  ['nothing is limited', null, 0],
  ['egress keeps what is sent to the container to the rate', { egress: '8mbit' }, 1900],
  ['ingress keeps what the container sends to the rate', { ingress: '8mbit' }, 1900],
] as const) {
  test(`${name}`, async () => {
    await using it = await place()
    inside = it.inside
    await host.setBandwidth('bw0', spec)
    const time = await sent()
    assert.ok(time >= least, `2 MB took ${Math.round(time)} ms`)
    if (spec !== null) {
      const dev = 'ingress' in spec ? `ifb-${it.link.index}` : 'bw0'
      const [qdisc] = await host.listQdiscs({ link: dev })
      assert.ok((qdisc?.statistics?.bytes ?? 0) >= size)
      assert.ok((qdisc?.statistics?.overlimits ?? 0) > 0)
    }
    await host.setBandwidth('bw0', null)
  })
}

test('bad arguments are refused before any system call', async () => {
  await using ns = await createNetns()
  const cases: [spec: unknown, message: RegExp, code: string][] = [
    [{ egres: '1mbit' }, /bandwidth: 'egres' is unknown; did you mean 'egress'\?/, 'ERR_INVALID_ARG_VALUE'],
    [{ egress: '1mbits' }, /bandwidth\.egress\.rate: 'mbits' is unknown; did you mean 'mbit'\?/, 'ERR_INVALID_ARG_VALUE'],
    [{ ingress: { rate: '1mbit', bursts: 1 } }, /bandwidth\.ingress: 'bursts' is unknown/, 'ERR_INVALID_ARG_VALUE'],
    [{ ingress: { rate: -1 } }, /bandwidth\.ingress\.rate must be from 8/, 'ERR_OUT_OF_RANGE'],
    [undefined, /bandwidth must be an object or null/, 'ERR_INVALID_ARG_TYPE'],
  ]
  for (const [spec, message, code] of cases) {
    const failure = await failureOf(ns.setBandwidth('nowhere', spec as BandwidthSpec))
    assert.match(failure.message, message)
    assert.is(failure.code, code)
  }
})

test('a burst smaller than a packet is refused, since nothing would ever pass', async () => {
  await using _it = await place()
  const failure = await failureOf(host.setBandwidth('bw0', { egress: { rate: '1mbit', burst: 1000 } }))
  assert.match(failure.message, /bandwidth\.egress\.burst must be from 1514/)
})

test.run()
