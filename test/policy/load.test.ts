// Policies changed while packets flow and containers come and go: nothing that was sent after a deny had resolved arrives.

import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import {
  type AttachedEndpoint,
  allow,
  check,
  createNetwork,
  deletePolicy,
  deny,
  gc,
  isolate,
  type Network,
} from '../../lib/index.ts'
import { until } from '../network/support/until.ts'
import { readSysctl, writeSysctl } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { type Blaster, blast, instant } from './blaster.ts'

const port = '7000'
const plain = (endpoint: AttachedEndpoint, six: boolean): string =>
  endpoint.addresses.map((cidr) => cidr.split('/')[0] ?? '').find((address) => address.includes(':') === six) ?? ''

interface Scene extends AsyncDisposable {
  readonly network: Network
  readonly a: AttachedEndpoint
  readonly b: AttachedEndpoint
  readonly ear: Blaster
}

const keys = ['net.bridge.bridge-nf-call-iptables', 'net.bridge.bridge-nf-call-ip6tables']

async function scene(driver: 'bridge' | 'ptp', setting: 0 | 1): Promise<Scene> {
  const before = await readSysctl(keys[0] ?? '')
  for (const key of keys) await writeSysctl(key, setting)
  const network = await createNetwork({ name: 'lab', driver, subnets: ['10.1.0.0/16', 'fd00:1::/64'] })
  const [a, b] = [await network.attach({ name: 'a' }), await network.attach({ name: 'b' })]
  const ear = await blast({ path: b.netns.path }, 'hear', port)
  return {
    network,
    a,
    b,
    ear,
    async [Symbol.asyncDispose]() {
      await ear[Symbol.asyncDispose]()
      await network.delete({ force: true })
      for (const key of keys) await writeSysctl(key, before)
    },
  }
}

/** Resolves when something arrives that was sent from now on. */
async function flows(ear: Blaster, what: 'latest' | 'tcpLatest'): Promise<void> {
  const from = instant()
  await until(`${what} moves on`, async () => (await ear.ask())[what] > from)
}

/** Goes on for a while, in which what is wrong would show. */
async function stopped(ear: Blaster, since: number, what: 'latest' | 'tcpLatest', milliseconds = 300): Promise<void> {
  const end = instant() + milliseconds
  while (instant() < end) {
    const { [what]: latest } = await ear.ask()
    assert.ok(latest <= since, `something that was sent ${(latest - since).toFixed(3)} ms after the deny had resolved arrived`)
    await pause(5)
  }
}

for (const driver of ['bridge', 'ptp'] as const) {
  for (const setting of existsSync('/proc/sys/net/bridge') ? ([0, 1] as const) : []) {
    if (driver === 'ptp' && setting === 0) continue
    const test = suite(`policies under load, ${driver}, bridge-nf-call-iptables=${setting}`, { limit: 120_000 })

    for (const six of [false, true]) {
      test(`nothing sent after a deny arrives, IPv${six ? 6 : 4}, UDP and a TCP connection that was there`, async () => {
        await using stage = await scene(driver, setting)
        const { a, b, ear } = stage
        const place = { path: a.netns.path }
        await using _udp = await blast(place, 'send', plain(b, six), port)
        await using _tcp = await blast(place, 'talk', plain(b, six), port)
        await flows(ear, 'latest')
        await flows(ear, 'tcpLatest')
        for (let round = 0; round < 5; round++) {
          await deny({ name: 'apart', from: 'lab/a', to: 'lab/b' })
          const since = instant()
          await Promise.all([stopped(ear, since, 'latest'), stopped(ear, since, 'tcpLatest')])
          await deletePolicy('apart')
          await flows(ear, 'latest')
        }
        await isolate({ name: 'alone', containers: 'lab/b', direction: 'ingress' })
        await stopped(ear, instant(), 'latest')
        await allow({ name: 'but', from: 'lab/a', to: 'lab/b' })
        await flows(ear, 'latest')
        await deletePolicy('but')
        await stopped(ear, instant(), 'latest')
        await deletePolicy('alone')
        await flows(ear, 'latest')
      })
    }

    test('also while others attach and detach, who are denied from their first packet', async () => {
      await using stage = await scene(driver, setting)
      const { network, a, b, ear } = stage
      await using _udp = await blast({ path: a.netns.path }, 'send', plain(b, false), port)
      await flows(ear, 'latest')
      let isOver = false
      let came = 0
      const come = async (lane: number): Promise<void> => {
        while (!isOver) {
          const endpoint = await network.attach({ name: `c${lane}-${came++}`, labels: { kind: lane % 2 === 0 ? 'even' : 'odd' } })
          await endpoint.detach()
        }
      }
      const lanes = Array.from({ length: 4 }, (_, lane) => come(lane))
      // Heard by the main loop, whatever happens there.
      const churn = Promise.all(lanes)
      churn.catch(() => undefined)
      try {
        for (let round = 0; round < 6; round++) {
          await deny({ name: 'apart', from: 'lab/a', to: 'lab/b' })
          await deny({ name: 'even', from: { network: 'lab', labels: { kind: 'even' } }, to: 'any' })
          await stopped(ear, instant(), 'latest', 150)
          await deletePolicy('apart')
          await deletePolicy('even')
          await flows(ear, 'latest')
        }
        await deny({ name: 'even', from: { network: 'lab', labels: { kind: 'even' } }, to: 'lab/b', ports: 'udp' })
        for (let round = 0; round < 4; round++) {
          const late = await network.attach({ name: `late-${round}`, labels: { kind: 'even' } })
          await deletePolicy('apart')
          await deny({ name: 'apart', from: 'lab/a', to: 'lab/b' })
          await stopped(ear, instant(), 'latest', 50)
          const quiet = (await ear.ask()).count
          {
            await using _late = await blast({ path: late.netns.path }, 'send', plain(b, false), port)
            await stopped(ear, instant(), 'latest', 100)
          }
          assert.is((await ear.ask()).count, quiet)
          await late.detach()
        }
      } finally {
        isOver = true
        await churn
      }
      console.log(`${came} containers came and went`)
      assert.ok(came > 20)
      // A detach that others kept from it, or that a change of policies overtook, leaves its address in a set: nobody's, until gc.
      assert.ok((await gc()).removed.elements.every((text) => text.startsWith('policy/')))
      assert.equal(await check(), [])
    })

    test.run()
  }
}
