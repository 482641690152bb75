// Clients that mean harm, or do not know better: what they get, and that others do not notice.

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import * as codec from 'dns-packet'
import * as assert from 'uvu/assert'
import { readQuery } from '../../lib/dns/message.ts'
import { type DnsStats, type Netns, openNetns, type ServeOptions, serveDns } from '../../lib/index.ts'
import { spawnIn } from '../support/command.ts'
import { suite } from '../support/suite.ts'
import { until } from '../support/until.ts'
import { askUdp, framed, messagesOf, query } from './support/client.ts'
import { addresses, fakeServer } from './support/fake-server.ts'
import { noise, randomFrom } from './support/noise.ts'
import { withNetwork } from './support/world.ts'

/** How long noise is made; a minute says more. */
const seconds = Number(process.env['NETLINK_CT_FUZZ_SECONDS'] ?? 3)
const seed = Number(process.env['NETLINK_CT_SEED'] ?? Date.now() & 0x7fffffff)

const gateway = '10.9.0.1'

interface Setting {
  readonly evil: Netns
  readonly good: Netns
  readonly stats: () => DnsStats
}

async function withResolver(options: ServeOptions, body: (setting: Setting) => Promise<void>): Promise<void> {
  await withNetwork({ dns: { domain: 'lab.test', serve: false } }, async (lab) => {
    await using server = await serveDns(lab, { resolvConf: '/nowhere', persistent: false, ...options })
    const evil = await lab.attach({ name: 'web' })
    const good = await lab.attach({ name: 'good' })
    await body({ evil: evil.netns, good: good.netns, stats: () => server.stats() })
  })
}

{
  const test = suite('malformed queries')

  const header = (flags: number, ...counts: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(12)
    bytes.writeUInt16BE(0x1234)
    bytes.writeUInt16BE(flags, 2)
    for (const [index, count] of counts.entries()) bytes.writeUInt16BE(count, 4 + 2 * index)
    return bytes
  }
  const question = query('web').subarray(12)
  const label = (length: number): Buffer => Buffer.concat([Buffer.of(length), Buffer.alloc(length, 0x61)])
  const tail = Buffer.of(0, 0, 1, 0, 1)
  const opt = (version: number, ...data: readonly number[]): Buffer =>
    Buffer.of(0, 0, 41, 4, 208, 0, version, 0, 0, 0, data.length, ...data)

  /** The rcode, or undefined for silence. */
  const table: readonly (readonly [what: string, message: Buffer, rcode: string | undefined])[] = [
    ['nothing', Buffer.alloc(0), undefined],
    ['less than a header', Buffer.alloc(11, 1), undefined],
    ['an answer', Buffer.concat([header(0x8000, 1), question]), undefined],
    ['a header alone', header(0x0100), 'FORMERR'],
    ['a question that is not there', header(0x0100, 1), 'FORMERR'],
    ['two questions', Buffer.concat([header(0x0100, 2), question, question]), 'FORMERR'],
    ['65535 questions', Buffer.concat([header(0x0100, 65_535), question]), 'FORMERR'],
    ['65535 answers', Buffer.concat([header(0x0100, 1, 65_535), question]), 'FORMERR'],
    ['65535 of everything', header(0x0100, 65_535, 65_535, 65_535, 65_535), 'FORMERR'],
    ['more than was said', Buffer.concat([header(0x0100, 1), question, Buffer.of(0)]), 'FORMERR'],
    ['a name that does not end', Buffer.concat([header(0x0100, 1), label(63)]), 'FORMERR'],
    ['a name that is too long', Buffer.concat([header(0x0100, 1), label(63), label(63), label(63), label(63), tail]), 'FORMERR'],
    ['a pointer to itself', Buffer.concat([header(0x0100, 1), Buffer.of(0xc0, 12, 0, 1, 0, 1)]), 'FORMERR'],
    ['a pointer into the header', Buffer.concat([header(0x0100, 1), Buffer.of(0xc0, 4, 0, 1, 0, 1)]), 'FORMERR'],
    ['a label of a kind that is none', Buffer.concat([header(0x0100, 1), Buffer.of(0x80), tail]), 'FORMERR'],
    [
      'an option longer than the message',
      Buffer.concat([header(0x0100, 1, 0, 0, 1), question, opt(0, 0, 10, 255, 255)]),
      'FORMERR',
    ],
    ['two OPT records', Buffer.concat([header(0x0100, 1, 0, 0, 2), question, opt(0), opt(0)]), 'FORMERR'],
    ['an OPT record that is not there', Buffer.concat([header(0x0100, 1, 0, 0, 1), question]), 'FORMERR'],
    [
      'a key tag of an odd length',
      Buffer.concat([header(0x0100, 1, 0, 0, 1), question, opt(0, 0, 14, 0, 3, 1, 2, 3)]),
      'FORMERR',
    ],
    ['another version of EDNS', Buffer.concat([header(0x0100, 1, 0, 0, 1), question, opt(1)]), 'NOERROR'],
    ['an opcode that is none', Buffer.concat([header(0x7800, 1), question]), 'NOTIMP'],
  ]

  test('get the answer that they deserve, and the next one is answered', async () => {
    await withResolver({}, async ({ evil, good, stats }) => {
      const answers = await askUdp(
        evil,
        gateway,
        table.map(([, message]) => message),
      )
      for (const [index, [what, message, rcode]] of table.entries()) {
        const answer = answers[index]
        if (rcode === undefined || answer === undefined) {
          assert.is(answer, rcode, what)
          continue
        }
        const decoded = codec.decode(answer) as codec.DecodedPacket & { readonly rcode: string }
        assert.is(decoded.rcode, rcode, what)
        assert.is(decoded.id, message.readUInt16BE(), what)
        assert.ok(answer.length <= message.length + 11, `${what}: nothing is amplified`)
        const [option] = decoded.additionals ?? []
        assert.is(option?.type === 'OPT' ? option.extendedRcode : 0, what.startsWith('another version') ? 1 : 0, what)
      }
      assert.is(stats().malformed, table.length)
      assert.is((await askUdp(good, gateway, [query('web')])).length, 1)
    })
  })

  test('with a dot inside of a label are no name of ours, and are repeated as they came', async () => {
    await withResolver({}, async ({ evil }) => {
      const dotted = Buffer.concat([header(0x0100, 1), Buffer.of(7), Buffer.from('web.lab'), tail])
      const high = Buffer.concat([header(0x0100, 1), Buffer.of(4), Buffer.of(0xe2, 0x84, 0xaa, 0xff), tail])
      for (const message of [dotted, high]) {
        // By TCP: nobody else could be asked, which takes a while to find out.
        const connection = await evil.connect({ host: gateway, port: 53 })
        connection.write(framed(message))
        const [answer] = await messagesOf(connection, 1)
        assert.is((answer?.readUInt16BE(2) ?? 0) & 15, 2)
        assert.equal(answer?.subarray(12), message.subarray(12))
      }
    })
  })

  test(`never make the reader throw, nor take long (seed ${seed})`, () => {
    const random = randomFrom(seed)
    const begin = performance.now()
    const outcomes = { query: 0, refused: 0, silent: 0 }
    for (let round = 0; round < 50_000; round++) {
      const read = readQuery(noise(random))
      outcomes[read === undefined ? 'silent' : 'rcode' in read ? 'refused' : 'query']++
    }
    assert.ok(
      Object.values(outcomes).every((count) => count > 1000),
      JSON.stringify(outcomes),
    )
    assert.ok(performance.now() - begin < 15_000)
  })

  test.run()
}

{
  const test = suite('hostile clients')

  test('may send byte by byte, or many queries at once: each is answered', async () => {
    await withResolver({}, async ({ evil }) => {
      const connection = await evil.connect({ host: gateway, port: 53, noDelay: true })
      const names = ['web', 'good', 'nobody.lab.test', 'good.lab']
      const all = Buffer.concat(names.map((name, id) => framed(query(name, 'A', id))))
      for (const byte of all) connection.write(Buffer.of(byte))
      connection.write(all)
      const answers = (await messagesOf(connection, 2 * names.length)).map((message) => codec.decode(message))
      assert.equal(
        answers.map(({ id, answers: records = [] }) => [id, records.length]),
        [...Array(2)].flatMap(() => [
          [0, 1],
          [1, 1],
          [2, 0],
          [3, 1],
        ]),
      )
      connection.destroy()
    })
  })

  test('have so many connections, for so long, and others have theirs', async () => {
    await withResolver({ connectionsEach: 4, idle: 700 }, async ({ evil, good, stats }) => {
      const connect = (): ReturnType<Netns['connect']> => evil.connect({ host: gateway, port: 53 })
      const begin = performance.now()
      const slow = await Promise.all(Array.from({ length: 4 }, connect))
      for (const one of slow) one.on('error', () => {})
      const closed = slow.map((one) => once(one, 'close'))
      // Reset before or after its own kernel tells that it stands.
      const refused = connect()
        .then((more) => once(more, 'close'))
        .catch((error: NodeJS.ErrnoException) => error.code)
      await until('the fifth is refused', () => stats().refused === 1)
      assert.is(await refused, 'ECONNRESET')
      // A byte now and then is no query.
      const drip = setInterval(() => {
        for (const one of slow) one.write(Buffer.of(1))
      }, 300)
      const answered = await good.connect({ host: gateway, port: 53 })
      answered.write(framed(query('web')))
      assert.is((await messagesOf(answered, 1)).length, 1)
      answered.destroy()
      await Promise.all(closed)
      clearInterval(drip)
      assert.ok(performance.now() - begin >= 690)
      const again = await connect()
      again.write(framed(query('good')))
      assert.is((await messagesOf(again, 1)).length, 1)
      again.destroy()
    })
  })

  test('who take no answers, or send what is too long, are cut off', async () => {
    await withResolver({ idle: 700 }, async ({ evil, good, stats }) => {
      const deaf = await evil.connect({ host: gateway, port: 53 })
      deaf.on('error', () => {})
      deaf.pause()
      const gone = new Promise((resolve) => deaf.on('close', resolve))
      // Much more than all buffers between hold.
      const burst = Buffer.concat(Array.from({ length: 4000 }, () => framed(query('web', 'ANY' as codec.RecordType))))
      const feed = setInterval(() => {
        if (deaf.writableLength < 1024 * 1024) deaf.write(burst)
      }, 20)
      try {
        const long = await evil.connect({ host: gateway, port: 53 })
        long.write(Buffer.of(0xff, 0xff, 1, 2))
        assert.equal(await messagesOf(long, 1), [])
        assert.is((await askUdp(good, gateway, [query('web')])).length, 1)
        await until('its queries are not read any more', async () => {
          const before = stats().queries
          await pause(100)
          return stats().queries - before === 0
        })
        await gone
      } finally {
        clearInterval(feed)
      }
    })
  })

  test('have so many questions wait for others’ answers; of too many the oldest is given up, and others are served', async () => {
    await withNetwork({ dns: { servers: ['10.9.0.53:5300'], serve: false } }, async (lab) => {
      await using server = await serveDns(lab, { persistent: false, pendingEach: 16, pending: 24, timeout: 2000 })
      const { netns } = await lab.attach({ name: 'upstream', addresses: ['10.9.0.53/24'] })
      const [evil, good] = await lab.attachMany([{ name: 'web' }, { name: 'good' }])
      assert.ok(evil !== undefined && good !== undefined)
      await using upstream = await fakeServer(
        netns,
        '0.0.0.0',
        (asked) => (asked.name.startsWith('good') ? [addresses(asked, '198.51.100.7')] : []),
        { port: 5300 },
      )
      await using flood = await evil.netns.bindUdp().then((socket) => ({
        socket,
        [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(resolve)),
      }))
      for (let one = 0; one < 200; one++) flood.socket.send(query(`slow${one}.org`, 'A', one), 53, gateway)
      await until('they were heard', () => server.stats().forwarded === 200)
      const connection = await good.netns.connect({ host: gateway, port: 53 })
      connection.write(framed(query('good.org')))
      const [answer] = await messagesOf(connection, 1)
      assert.is(answer?.readUInt16BE(6), 1)
      connection.destroy()
      await until('those that waited too long are failed', () => server.stats().failed === 16)
      assert.is(server.stats().dropped, 184)
      assert.ok(upstream.asked.length < 200, 'most of them never asked anybody')
    })
  })

  test(
    `make no difference with ${seconds} s of noise, by UDP and TCP, but to the processor (seed ${seed})`,
    async () => {
      const script = join(import.meta.dirname, 'support/resolver.ts')
      const child = spawnIn(undefined, process.execPath, ['--import', 'tsx', script, 'noisy', '10.9.0.0/24'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      const gone = once(child, 'close')
      const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
      const { web = '', db = '' } = JSON.parse((await lines.next()).value ?? '{}')
      const stats = async (): Promise<DnsStats> => {
        child.stdin?.write('\n')
        return JSON.parse((await lines.next()).value ?? '{}')
      }
      /** In MiB, as the kernel counts. */
      const resident = async (): Promise<number> => {
        const [, kib = ''] = /^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${child.pid}/status`, 'utf8')) ?? []
        return Number(kib) / 1024
      }
      const random = randomFrom(seed)
      const evil = await openNetns({ path: web })
      const good = await openNetns({ path: db })
      const socket = await evil.bindUdp()
      const open = new Set<Awaited<ReturnType<Netns['connect']>>>()
      const connect = async (): Promise<void> => {
        const connection = await evil.connect({ host: gateway, port: 53 })
        open.add(connection)
        connection.on('error', () => {})
        connection.on('close', () => open.delete(connection))
        connection.resume()
        for (let left = random(8); left > 0; left--) connection.write(random(4) === 0 ? noise(random) : framed(noise(random)))
        if (random(2) === 0) connection.end()
      }
      const sizes: number[] = []
      let asked = 0
      const begin = performance.now()
      while (performance.now() - begin < seconds * 1000) {
        for (let left = 200; left > 0; left--) socket.send(noise(random), 53, gateway)
        if (open.size < 24) await connect()
        const [answer] = await askUdp(good, gateway, [query('web')])
        assert.is(answer?.readUInt16BE(6), 1)
        asked++
        if (asked % 20 === 0) sizes.push(await resident())
      }
      const { queries, malformed } = await stats()
      assert.ok(queries > 1000 && malformed > 500 && asked > 20, JSON.stringify({ queries, malformed, asked }))
      // From when the caches are full and the code is compiled on.
      const [settled = 0] = sizes.slice(Math.floor(sizes.length / 2))
      const last = sizes.at(-1) ?? 0
      assert.ok(last < settled + 24, `${sizes.map(Math.round).join(' ')} MiB`)
      for (const connection of open) connection.destroy()
      await new Promise<void>((resolve) => socket.close(resolve))
      await Promise.all([evil.close(), good.close()])
      child.stdin?.end()
      await gone
      assert.is(child.exitCode, 0)
    },
    { limit: seconds * 1000 + 60_000 },
  )

  test.run()
}
