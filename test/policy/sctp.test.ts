// Rules with ports of SCTP, seen by associations: the kernel of a test machine rarely has SCTP, so raw sockets speak it.

import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import * as assert from 'uvu/assert'
import {
  type AttachedEndpoint,
  allow,
  applyPolicy,
  createNetwork,
  deletePolicy,
  deny,
  isolate,
  listPolicies,
} from '../../lib/index.ts'
import { type NetnsRef, run, spawnIn } from '../support/command.ts'
import { suite } from '../support/suite.ts'

interface Asker extends AsyncDisposable {
  ask(line: string): Promise<string>
}

async function python(netns: NetnsRef, ...args: readonly string[]): Promise<Asker> {
  const child = spawnIn(netns, 'python3', [join(import.meta.dirname, 'sctp.py'), ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const gone = once(child, 'close')
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  assert.is((await lines.next()).value, 'ready')
  return {
    async ask(line) {
      child.stdin?.write(`${line}\n`)
      return (await lines.next()).value
    },
    async [Symbol.asyncDispose]() {
      child.stdin?.end('\n')
      await gone
    },
  }
}

const plain = ({ addresses }: AttachedEndpoint, six: boolean): string =>
  addresses.map((cidr) => cidr.split('/')[0] ?? '').find((address) => address.includes(':') === six) ?? ''

const lacks =
  (!existsSync('/proc/sys/net/bridge') && 'the kernel has no br_netfilter') ||
  (!existsSync('/proc/sys/net/netfilter/nf_conntrack_sctp_timeout_established') && 'the kernel does not track SCTP') ||
  ((await run('python3', ['--version']).catch(() => ({ code: 1 }))).code !== 0 && 'there is no python3')

for (const driver of ['bridge', 'ptp'] as const) {
  for (const six of [false, true]) {
    const test = suite(`policies about SCTP, ${driver}, IPv${six ? 6 : 4}`, { limit: 120_000 })

    interface Scene extends AsyncDisposable {
      opens(port: number): Promise<boolean>
      refuses(port: number): Promise<boolean>
      hears(port: number): Promise<boolean>
      ignores(port: number): Promise<boolean>
    }

    const scene = async (icc: boolean): Promise<Scene> => {
      const network = await createNetwork({ name: 'lab', driver, icc, subnets: ['10.9.0.0/24', 'fd00:9::/64'] })
      const [a, b] = [await network.attach({ name: 'a' }), await network.attach({ name: 'b' })]
      const server = await python({ path: b.netns.path }, 'serve')
      const client = await python({ path: a.netns.path }, 'ask', plain(b, six))
      return {
        opens: async (port) => (await client.ask(`open ${port} 15`)) === 'open',
        refuses: async (port) => (await client.ask(`open ${port} 0.5`)) === 'nothing',
        hears: async (port) => (await client.ask(`say ${port} 15`)) === 'heard',
        ignores: async (port) => (await client.ask(`say ${port} 0.5`)) === 'nothing',
        async [Symbol.asyncDispose]() {
          await client[Symbol.asyncDispose]()
          await server[Symbol.asyncDispose]()
          for (const { name } of await listPolicies()) await deletePolicy(name)
          await network.delete({ force: true })
        },
      }
    }

    test.skipIf(lacks, 'a deny of a port, of the protocol, and of other protocols', async () => {
      await using stage = await scene(true)
      assert.ok(await stage.opens(9000))
      await deny({ name: 'port', from: 'lab/a', to: 'lab/b', ports: ['9000/sctp', '9010-9020/sctp'] })
      assert.ok(await stage.refuses(9000))
      assert.ok(await stage.refuses(9015))
      assert.ok(await stage.opens(9001))
      await deny({ name: 'all', from: 'lab/a', to: 'lab/b', ports: 'sctp' })
      assert.ok(await stage.refuses(9001))
      await applyPolicy({ name: 'all', rules: [{ action: 'deny', from: 'lab/a', to: 'lab/b', ports: ['tcp', '9001/udp'] }] })
      assert.ok(await stage.opens(9001))
      // Who answers is not denied what it did not begin.
      await deny({ name: 'back', from: 'lab/b', to: 'lab/a', ports: 'sctp' })
      assert.ok(await stage.opens(9002))
    })

    test.skipIf(lacks, 'an association that there is stops with a deny, and goes on without', async () => {
      await using stage = await scene(true)
      // So that the bridge shows what begins.
      await deny({ name: 'other', from: 'lab', to: '192.0.2.1' })
      assert.ok(await stage.opens(9000))
      assert.ok(await stage.hears(9000))
      await deny({ name: 'port', from: 'lab/a', to: 'lab/b', ports: '9000/sctp' })
      assert.ok(await stage.ignores(9000))
      await deletePolicy('port')
      assert.ok(await stage.hears(9000))
      await isolate({ name: 'alone', containers: 'lab/b', direction: 'ingress' })
      assert.ok(await stage.ignores(9000))
      await allow({ name: 'but', from: 'lab/a', to: 'lab/b', ports: '9000/sctp' })
      assert.ok(await stage.hears(9000))
      assert.ok(await stage.refuses(9001))
    })

    test.skipIf(
      lacks,
      'an allow where containers are apart, of its port only; its removal ends what it let through',
      async () => {
        await using stage = await scene(false)
        assert.ok(await stage.refuses(9000))
        await allow({ name: 'port', from: 'lab/a', to: 'lab/b', ports: '9000/sctp' })
        assert.ok(await stage.refuses(9001))
        assert.ok(await stage.opens(9000))
        assert.ok(await stage.hears(9000))
        await deletePolicy('port')
        assert.ok(await stage.ignores(9000))
        assert.ok(await stage.refuses(9000))
      },
    )

    test.run()
  }
}
