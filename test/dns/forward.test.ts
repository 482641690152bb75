// What a resolver does not know, it asks: whom, how, and what it believes.

import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as codec from 'dns-packet'
import * as assert from 'uvu/assert'
import {
  createNetwork,
  type DnsOptions,
  type Endpoint,
  type Netns,
  openNetns,
  type ServeOptions,
  serveDns,
} from '../../lib/index.ts'
import { createLab, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { type Digged, dig, noDig } from './support/dig.ts'
import { type Asked, addresses, type Behaviour, type FakeServer, failure, fakeServer } from './support/fake-server.ts'
import { withNetwork } from './support/world.ts'

const at = '@10.9.0.1'
const servers = ['203.0.113.9:5301', '203.0.113.9:5302', '203.0.113.9:5303'] as const
const ports = [5301, 5302, 5303] as const

interface Setting {
  readonly ask: (...args: string[]) => Promise<Digged>
  readonly web: Endpoint
  /** Three servers on the internet, at the addresses of `servers`. */
  readonly fakes: readonly [FakeServer, FakeServer, FakeServer]
  readonly internet: Netns
}

const good: Behaviour = (asked) => [addresses(asked, '198.51.100.7')]
const silent: Behaviour = () => []

/** A network of a lab whose resolver asks three servers. */
async function withServers(
  { dns = { servers }, options = {} }: { readonly dns?: DnsOptions; readonly options?: ServeOptions },
  body: (setting: Setting) => Promise<void>,
): Promise<void> {
  await using _ = await createLab()
  const internet = await openNetns('internet')
  await using first = await fakeServer(internet, '203.0.113.9', good, { port: ports[0] })
  await using second = await fakeServer(internet, '203.0.113.9', good, { port: ports[1] })
  await using third = await fakeServer(internet, '203.0.113.9', good, { port: ports[2] })
  await withNetwork({ subnets: ['10.9.0.0/24'], dns: { ...dns, serve: false } }, async (network) => {
    await using server = await serveDns(network, { persistent: false, ...options })
    const web = await network.attach({ name: 'web' })
    void server
    await body({ ask: (...args) => dig(web.netns, at, ...args), web, fakes: [first, second, third], internet })
  })
  await internet.close()
}

const test = suite('what is asked elsewhere')
const named = (title: string, body: () => Promise<void>): void => test.skipIf(noDig, title, body)

named('comes back as it was said, by UDP and TCP, with the letters of the client', async () => {
  await withServers({}, async ({ ask, fakes: [first] }) => {
    const answer = await ask('Www.Example.org')
    assert.equal([answer.status, answer.data], ['NOERROR', ['198.51.100.7']])
    assert.ok(!answer.flags.includes('aa') && answer.flags.includes('ra'))
    assert.match(answer.text, /;Www\.Example\.org\./)
    const byTcp = await ask('+tcp', 'example.org')
    assert.equal([byTcp.data, byTcp.byTcp], [['198.51.100.7'], true])
    assert.equal(
      first.asked.map((asked) => asked.byTcp),
      [false, true],
    )
    // Names of one word that nobody here has may be known there, as with Docker; so may addresses of others.
    assert.equal((await ask('intranet')).data, ['198.51.100.7'])
    await ask('-x', '192.0.2.7')
    assert.is(first.asked.at(-1)?.name, '7.2.0.192.in-addr.arpa')
    // That it is not there is for them to say, too.
    first.behave = (asked) => [failure(asked, 3)]
    assert.is((await ask('nobody.example.org')).status, 'NXDOMAIN')
    const count = first.asked.length
    for (const name of ['web', 'web.lab']) for (const type of ['A', 'AAAA', 'MX']) await ask(name, type)
    assert.is(first.asked.length, count, 'and nothing that is known here is asked there')
  })
})

named('goes out under another port and another id each time, with what counts of the client’s wishes', async () => {
  await withServers({}, async ({ ask, fakes: [first] }) => {
    for (let round = 0; round < 20; round++) await ask(`${round}.example.org`)
    const idsSeen = new Set(first.asked.map(({ id }) => id))
    const portsSeen = new Set(first.asked.map(({ port }) => port))
    assert.ok(idsSeen.size >= 19 && portsSeen.size >= 15, `${idsSeen.size} ids, ${portsSeen.size} ports`)
    await ask('+noedns', 'plain.example.org')
    assert.equal(first.asked.at(-1)?.query.additionals, [])
    await ask('+dnssec', '+cdflag', '+subnet=192.0.2.0/24', '+bufsize=4096', 'rich.example.org')
    const [opt] = first.asked.at(-1)?.query.additionals ?? []
    assert.ok(opt?.type === 'OPT')
    assert.equal([opt.udpPayloadSize, opt.flag_do, opt.options], [1232, true, []])
    assert.ok(((first.asked.at(-1)?.query.flags ?? 0) & codec.CHECKING_DISABLED) !== 0)
  })
})

named('is asked of the next server when one fails, refuses, is not there, or is silent', async () => {
  await withServers({ options: { timeout: 2000 } }, async ({ ask, fakes: [first, second, third] }) => {
    first.behave = (asked) => [failure(asked, 2)]
    second.behave = (asked) => [failure(asked, 5)]
    third.behave = (asked) => [addresses(asked, '198.51.100.3')]
    assert.equal((await ask('a.example.org')).data, ['198.51.100.3'])
    first.behave = silent
    second.behave = silent
    assert.equal((await ask('b.example.org')).data, ['198.51.100.3'])
    const before = first.asked.length
    assert.equal((await ask('c.example.org')).data, ['198.51.100.3'])
    assert.is(first.asked.length, before, 'who was silent comes last for a while')
    third.behave = (asked) => [failure(asked, 2)]
    const failed = await ask('d.example.org')
    assert.is(failed.status, 'SERVFAIL', 'and of nobody’s answers a refusal is better than none')
    third.behave = silent
    assert.is((await ask('e.example.org')).status, 'SERVFAIL')
    // A late answer of the first is as good.
    first.behave = good
    assert.equal((await ask('f.example.org')).data, ['198.51.100.7'])
  })
})

named('is asked again by TCP when it does not fit, and told so where it does not fit the client', async () => {
  await withServers({}, async ({ ask, fakes: [first] }) => {
    const many = Array.from({ length: 40 }, (_, one) => `198.51.100.${one}`)
    const cut = (asked: Asked): codec.Packet => ({
      ...addresses(asked, '198.51.100.0'),
      flags: codec.TRUNCATED_RESPONSE | codec.RECURSION_AVAILABLE,
    })
    first.behave = (asked) => [asked.byTcp ? addresses(asked, ...many) : cut(asked)]
    const short = await ask('+ignore', '+bufsize=1232', 'a.org')
    assert.equal([short.answers.length, short.byTcp, short.flags.includes('tc')], [40, false, false])
    const plain = await ask('+ignore', '+noedns', 'a.org')
    assert.equal([plain.flags.includes('tc'), plain.data], [true, ['198.51.100.0']], 'what came is better than nothing')
    const again = await ask('+noedns', 'a.org')
    assert.equal([again.answers.length, again.byTcp], [40, true])
    // Sent although it does not fit what was asked for.
    first.behave = (asked) => [addresses(asked, ...many)]
    const careless = await ask('+ignore', '+noedns', 'a.org')
    assert.equal([careless.flags.includes('tc'), careless.answers.length, careless.bytes <= 512], [true, 0, true])
  })
})

named('is not believed with another id, another question, from another port, or before it was asked', async () => {
  await withServers({ options: { timeout: 1500 } }, async ({ ask, fakes: [first, second, third], internet }) => {
    second.behave = silent
    third.behave = silent
    await using liar = await internet.bindUdp({ address: '203.0.113.9', port: 5399 }).then((socket) => ({
      socket,
      [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(resolve)),
    }))
    first.behave = (asked) => {
      const lie = addresses(asked, '198.51.100.66')
      // The whole truth, but from elsewhere.
      liar.socket.send(codec.encode(lie), asked.port, '203.0.113.2')
      return [
        { ...lie, id: asked.id ^ 1 },
        { ...lie, questions: [{ name: 'other.example.org', type: 'A' }] },
        { ...lie, questions: [{ name: asked.name, type: 'AAAA' }] },
        { ...lie, type: 'query' },
        Buffer.from([1, 2, 3]),
        codec.encode(lie).subarray(0, 20),
        addresses(asked, '198.51.100.1'),
      ]
    }
    for (const transport of ['+notcp', '+tcp'])
      assert.equal((await ask(transport, 'example.org')).data, ['198.51.100.1'], transport)
  })
})

named('is asked of the host’s servers as its resolv.conf says at the time', async () => {
  const path = join(tmpdir(), `resolv-${process.pid}.conf`)
  await writeFile(path, '# none\nsearch example.org\n')
  await withServers({ dns: {}, options: { resolvConf: path } }, async ({ ask, internet }) => {
    assert.is((await ask('a.org')).status, 'SERVFAIL', 'nobody is asked who is not named')
    await output('ip', ['address', 'add', '203.0.113.10/24', 'dev', 'eth0'], { netns: 'internet' })
    // The lab's echo server has port 53 of every other address.
    await output('ip', ['address', 'add', '2001:db8::10/64', 'dev', 'eth0', 'nodad'], { netns: 'internet' })
    await output('ip', ['address', 'add', '2001:db8::2/64', 'dev', 'wan0', 'nodad'])
    await using six = await fakeServer(internet, '2001:db8::10', (asked) => [addresses(asked, '198.51.100.6')])
    await writeFile(
      path,
      'nameserver 2001:db8::10 # comes by IPv6\nnameserver 10.9.0.1\nnameserver nonsense\noptions timeout:1\n',
    )
    let last = await ask('b.org')
    for (let left = 20; last.status === 'SERVFAIL' && left > 0; left--) last = await ask('b.org')
    assert.equal(last.data, ['198.51.100.6'])
    assert.is(six.asked.length, 1, 'and not itself')
    await output('ip', ['address', 'delete', '2001:db8::2/64', 'dev', 'wan0'])
  })
})

named('is not asked at all for an internal network, where names of one word are absent', async () => {
  await using _ = await createLab()
  const internet = await openNetns('internet')
  await using server = await fakeServer(internet, '203.0.113.9', good, { port: 5301 })
  await withNetwork({ subnets: ['10.9.0.0/24'], internal: true, dns: { domain: 'in.test' } }, async (lab) => {
    const web = await lab.attach({ name: 'web' })
    const status = async (...args: string[]): Promise<string> => (await dig(web.netns, at, ...args)).status
    assert.equal((await dig(web.netns, at, 'web')).flags, ['qr', 'aa', 'rd'])
    assert.is(await status('nobody'), 'NXDOMAIN')
    assert.is(await status('nobody.in.test'), 'NXDOMAIN')
    assert.is(await status('example.org'), 'NXDOMAIN')
    assert.is(await status('-x', '192.0.2.1'), 'NXDOMAIN')
    // A container that is in a network with a way out, too, asks whom that asks.
    const out = await createNetwork({ name: 'out', subnets: ['10.8.0.0/24'], dns: { servers: ['203.0.113.9:5301'] } })
    await out.attach({ name: 'web', netns: web.netns, ifname: 'eth1' })
    assert.equal((await dig(web.netns, at, 'example.org')).data, ['198.51.100.7'])
    await out.delete({ force: true })
    assert.is(server.asked.length, 1)
  })
  await internet.close()
})

test.run()
