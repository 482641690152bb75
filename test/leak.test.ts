// Namespaces come and go by the hundred, and nothing of them stays: no descriptor, no thread, no namespace, no link, no memory.

import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { json, kernelState, run } from './support/lab.ts'
import { askProgram } from './support/program.ts'
import { suite } from './support/suite.ts'
import { until } from './support/until.ts'

const test = suite('leaks', { limit: 300_000 })

interface Reading {
  fds: number
  threads: number
  namespaces: number
  rss: number
}

interface Report {
  first: Reading
  readings: Reading[]
}

const measure = `
  import { readFileSync } from 'node:fs'
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  async function reading() {
    for (let round = 0; round < 5; round++) { globalThis.gc(); await settle() }
    const links = readdirSync('/proc/self/fd').flatMap((fd) => { try { return [readlinkSync('/proc/self/fd/' + fd)] } catch { return [] } })
    return {
      fds: links.length,
      threads: readdirSync('/proc/self/task').length,
      namespaces: new Set(links.filter((link) => link.startsWith('net:['))).size,
      rss: Number(/^RssAnon:\\s+(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]),
    }
  }
  async function report(cycle, cycles, chunks) {
    for (let round = 0; round < cycles; round++) await cycle(round)
    const first = await reading()
    const readings = []
    for (let chunk = 0; chunk < chunks; chunk++) {
      for (let round = 0; round < cycles; round++) await cycle(round)
      readings.push(await reading())
    }
    console.log(JSON.stringify({ first, readings }))
  }`

function assertFlat({ first, readings }: Report): void {
  for (const { fds, threads, namespaces } of readings) {
    assert.equal({ fds, threads, namespaces }, { fds: first.fds, threads: first.threads, namespaces: first.namespaces })
  }
  // The address sanitizer keeps freed memory aside; it has its own eyes for leaks.
  if (process.env['ASAN_OPTIONS'] !== undefined) return
  // Half of the readings against the other half: V8 moves its own by megabytes up and down.
  const mean = (part: readonly Reading[]): number => part.reduce((sum, { rss }) => sum + rss, 0) / part.length
  const half = readings.length / 2
  const growth = mean(readings.slice(half)) - mean(readings.slice(0, half))
  assert.ok(growth < 3_000, `memory grew by ${growth.toFixed(0)} KiB: ${readings.map(({ rss }) => rss).join(' ')}`)
}

test('of namespaces with a veth pair to the host', async () => {
  const before = await kernelState()
  const report = await askProgram<Report>(
    `${measure}
    await report(async (round) => {
      const ns = await ct.createNetns()
      await ct.createVethPair({ name: 'leak' + round, up: true, peer: { netns: ns, name: 'eth0', up: true, addresses: ['10.0.0.2/24'],
        routes: [{ to: 'default', via: '10.0.0.1' }] } })
      await ns.setSysctl('net.ipv4.ip_forward', 1)
      await ct.deleteLink('leak' + round)
      await ns.close()
    }, 40, 8)`,
    { nodeOptions: ['--expose-gc'], limit: 240_000 },
  )
  assertFlat(report)
  assert.is(report.first.namespaces, 1) // its own
  assert.equal(await kernelState(), before)
})

test('of namespaces that take their veth pairs with them', async () => {
  const report = await askProgram<Report>(
    `${measure}
    let count = 0
    await report(async () => {
      const ns = await ct.createNetns()
      await ct.createVethPair({ name: 'leak' + count++, peer: { netns: ns, name: 'eth0' } })
      await ns.close()
    }, 40, 8)`,
    { nodeOptions: ['--expose-gc'], limit: 240_000 },
  )
  assertFlat(report)
  await until('the last of the veth pairs is gone', async () => {
    const links = await json<{ ifname: string }[]>('ip', ['link'])
    return !links.some(({ ifname }) => ifname.startsWith('leak'))
  })
})

test('of named namespaces, of spawned children, and of errors', async () => {
  const report = await askProgram<Report>(
    `${measure}
    import { once } from 'node:events'
    await report(async (round) => {
      const ns = await ct.createNetns('leak')
      const child = await ns.spawn('true', [], { env: { PATH: process.env.PATH } })
      await once(child, 'close')
      await ns.getLink('nobody').catch(() => {})
      await ct.createNetns('leak').catch(() => {})
      await ns.createVethPair({ name: 'a', peer: { name: 'b', up: true, routes: [{ to: 'default', via: '203.0.113.1' }] } }).catch(() => {})
      await ct.openNetns({ path: '/etc/hostname' }).catch(() => {})
      await ct.deleteNetns('leak')
      await ns.close()
    }, 10, 6)`,
    { nodeOptions: ['--expose-gc'], limit: 240_000 },
  )
  assertFlat(report)
  assert.is((await run('ip', ['netns', 'list'])).stdout.includes('leak'), false)
})

test('of tun devices, and of those that could not be completed', async () => {
  const report = await askProgram<Report>(
    `${measure}
    const ns = await ct.createNetns()
    await report(async () => {
      const opened = await ns.openTun({ name: 'tun0', mode: 'tun', multiQueue: true }).catch((error) => error)
      const attached = await ns.attachTun('tun0').catch((error) => error)
      await ns.openTun({ name: 'tun1', mode: 'tun', master: 'tun0' }).catch(() => {})
      await ns.createTun({ name: 'tun1', mode: 'tap', altnames: ['lo'] }).catch(() => {})
      await attached.close?.()
      await opened.close?.()
    }, 20, 6)`,
    { nodeOptions: ['--expose-gc'], limit: 240_000 },
  )
  assertFlat(report)
})

test('of handles that nobody closes', async () => {
  const report = await askProgram<Report>(
    `${measure}
    process.removeAllListeners('warning')
    process.on('warning', () => {})
    await report(async (round) => {
      const ns = await ct.createNetns()
      await ns.listLinks()
    }, 40, 6)`,
    { nodeOptions: ['--expose-gc', '--no-warnings'], limit: 240_000 },
  )
  assertFlat(report)
})

test('of workers that are terminated with jobs in flight', async () => {
  const before = await kernelState()
  const report = await askProgram<Report>(
    `${measure}
    import { startWorker } from ${JSON.stringify(join(import.meta.dirname, 'support/worker.ts'))}
    import { once } from 'node:events'
    await report(async () => {
      const worker = startWorker('teardown-child.ts', ['stream', 'terminate', '1'])
      await once(worker, 'message')
      await worker.terminate()
    }, 4, 4)`,
    { nodeOptions: ['--expose-gc'], limit: 240_000 },
  )
  // Memory is Node's own here: a worker leaves some of it behind.
  assertFlat({ ...report, readings: report.readings.map((reading) => ({ ...reading, rss: 0 })) })
  assert.equal(await kernelState(), before)
})

test.run()
