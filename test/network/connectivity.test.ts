// Who reaches whom, with packets: every cell of a matrix, with packets between the ports of a bridge passing the firewall and without.

import { existsSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { sendLoopbackOut } from '../nftables/support/town.ts'
import { askUdp, curl, output, ping } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { udpClient } from './support/udp-client.ts'
import { createWorld, type World } from './support/world.ts'

const noBridgeNetfilter = !existsSync('/proc/sys/net/bridge') && 'this kernel has no br_netfilter'

/** What nobody answers within it counts as unreachable; what should answer gets longer, so that a slow machine fails nothing. */
const unreachable = 1500
const reachable = 10_000

interface Target {
  readonly protocol: 'tcp' | 'udp'
  readonly address: string
  readonly port: number
}

const tcp = (address: string, port = 80): Target => ({ protocol: 'tcp', address, port })
const udp = (address: string, port = 53): Target => ({ protocol: 'udp', address, port })

/** Containers by their own address; `lan:`, `wan:`, `lo:` and `gw:` are addresses of the host; `out` is the internet. */
const targets: Readonly<Record<string, Target>> = {
  a1: tcp('10.1.0.2'),
  a2: tcp('10.1.0.3'),
  b1: tcp('10.2.0.2'),
  i1: tcp('10.3.0.2'),
  i2: tcp('10.3.0.3'),
  n1: tcp('10.4.0.2'),
  n2: tcp('10.4.0.3'),
  out: tcp('203.0.113.9'),
  'lo:8080': tcp('127.0.0.1', 8080),
  'lan:8080': tcp('192.0.2.1', 8080),
  'wan:8080': tcp('203.0.113.2', 8080),
  'gw:8080': tcp('10.1.0.1', 8080),
  'lo:8081': tcp('127.0.0.1', 8081),
  'lan:8081': tcp('192.0.2.1', 8081),
  'lo:8082': tcp('127.0.0.1', 8082),
  'lan:8082': tcp('192.0.2.1', 8082),
  'wan:8082': tcp('203.0.113.2', 8082),
  'lan:8083': tcp('192.0.2.1', 8083),
  'lan:8090': tcp('192.0.2.1', 8090),
  'lan:9000': tcp('192.0.2.1', 9000),
  'lan:9001': tcp('192.0.2.1', 9001),
  'lan:9003': tcp('192.0.2.1', 9003),
  'lan:80': tcp('192.0.2.1', 80),
  'lan:7000': tcp('192.0.2.1', 7000),
  'a1/udp': udp('10.1.0.2'),
  'n2/udp': udp('10.4.0.3'),
  'lo:5353/udp': udp('127.0.0.1', 5353),
  'lan:5353/udp': udp('192.0.2.1', 5353),
  'wan:5353/udp': udp('203.0.113.2', 5353),
  'lan:5382/udp': udp('192.0.2.1', 5382),
  'wan:5382/udp': udp('203.0.113.2', 5382),
}

/**
 * Who answers, by who is asked (down) and who asks (across). '.' is nobody, '*' is not asked: itself, or no matter of this firewall.
 *
 * The LAN has routes to everything through the host, i1 has a default route in spite of its internal network. On n, whose
 * containers must not reach each other, a published port is not reached from its own network where br_netfilter is on (n2|.): the
 * bridge then sends the packet from port to port, which it keeps apart.
 */
const matrix = `
              host      lan       a1        a2        b1        i1    n1        n2
a1            a1        .         *         a1        .         .     .         .
a2            a2        .         a2        *         .         .     .         .
b1            b1        .         .         .         *         .     .         .
i1            i1        .         .         .         .         *     .         .
i2            i2        .         .         .         .         i2    .         .
n1            n1        .         .         .         .         .     *         .
n2            n2        .         .         .         .         .     .         *
out           internet  *         internet  internet  internet  .     internet  internet
lo:8080       a1        *         *         *         *         *     *         *
lan:8080      a1        a1        a1        a1        a1        .     a1        a1
wan:8080      a1        a1        a1        a1        a1        .     a1        a1
gw:8080       a1        a1        a1        a1        a1        .     a1        a1
lo:8081       a1        *         *         *         *         *     *         *
lan:8081      .         .         .         .         .         .     .         .
lo:8082       .         *         *         *         *         *     *         *
lan:8082      a1        a1        a1        a1        a1        .     a1        a1
wan:8082      .         .         .         .         .         .     .         .
lan:8083      n2        n2        n2        n2        n2        .     n2|.      n2|.
lan:8090      b1        b1        b1        b1        b1        .     b1        b1
lan:9000      a1        a1        a1        a1        a1        .     a1        a1
lan:9001      a1-81     a1-81     a1-81     a1-81     a1-81     .     a1-81     a1-81
lan:9003      .         .         .         .         .         .     .         .
lan:80        .         .         .         .         .         .     .         .
lan:7000      host      host      host      host      host      host  host      host
a1/udp        a1        .         *         a1        .         .     .         .
n2/udp        n2        .         .         .         .         .     .         *
lo:5353/udp   a1        *         *         *         *         *     *         *
lan:5353/udp  a1        a1        a1        a1        a1        .     a1        a1
wan:5353/udp  a1        a1        a1        a1        a1        .     a1        a1
lan:5382/udp  a1        a1        a1        a1        a1        .     a1        a1
wan:5382/udp  .         .         .         .         .         .     .         .
`

interface Cell {
  readonly from: string
  readonly to: string
  readonly wanted: string
  found: string
}

function readMatrix(bridgeNetfilter: 0 | 1): Cell[] {
  const [askers = [], ...rows] = matrix
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  assert.equal(rows.map(([to]) => to).sort(), Object.keys(targets).sort(), 'the matrix has a row for each target')
  return rows.flatMap(([to = '', ...answers]) => {
    assert.is(answers.length, askers.length, `the row of ${to} has a cell for each asker`)
    return answers.map((answer, at): Cell => {
      const [without = '', within = without] = answer.split('|')
      return { from: askers[at] ?? '', to, wanted: bridgeNetfilter === 0 ? without : within, found: '*' }
    })
  })
}

function draw(cells: readonly Cell[], what: 'wanted' | 'found'): string {
  const askers = [...new Set(cells.map(({ from }) => from))]
  const rows = Object.keys(targets).map((to) => [to, ...cells.filter((cell) => cell.to === to).map((cell) => cell[what])])
  return [['', ...askers], ...rows]
    .map((row) =>
      row
        .map((text) => text.padEnd(13))
        .join('')
        .trimEnd(),
    )
    .join('\n')
}

/** So many at the same time. */
async function inGroups<T>(items: readonly T[], size: number, work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += size) await Promise.all(items.slice(at, at + size).map(work))
}

for (const bridgeNetfilter of [0, 1] as const) {
  const test = suite(`connectivity, bridge-nf-call-iptables=${bridgeNetfilter}`)
  let world: World

  if (noBridgeNetfilter === false) {
    test.before(async () => {
      world = await createWorld(bridgeNetfilter)
      const { lab } = world
      await lab.serve({ netns: world.place('a1'), name: 'a1-81', http: 81 })
      await lab.serve({ name: 'host', http: 7000 })
      await lab.serve({ name: 'loopback', host: '127.0.0.1', http: 7001, udp: 7001 })
      for (const subnet of ['10.0.0.0/8', '203.0.113.2/32']) await lab.routeFromLan(subnet)
    })
    test.after(async () => {
      await world[Symbol.asyncDispose]()
    })
  }
  const check = (title: string, body: () => Promise<void>, limit?: number): void =>
    test.skipIf(noBridgeNetfilter, title, body, limit === undefined ? {} : { limit })

  async function ask(cell: Cell): Promise<void> {
    const netns = world.place(cell.from)
    const { protocol, address, port } = targets[cell.to] as Target
    const within = cell.wanted === '.' ? unreachable : reachable
    const answer =
      protocol === 'udp'
        ? await askUdp(address, port, { netns, within })
        : (await curl(`http://${address}:${port}/`, { netns, within })).answer
    cell.found = answer?.server ?? '.'
  }
  const answerOf = async (url: string, from: string) =>
    (await curl(`http://${url}/`, { netns: world.place(from), within: reachable })).answer

  check(
    'whoever should reach a server does, and nobody else',
    async () => {
      const cells = readMatrix(bridgeNetfilter)
      // Those that answer a few at a time; those that do not take their time, whatever their number.
      await inGroups(
        cells.filter(({ wanted }) => wanted !== '*' && wanted !== '.'),
        8,
        ask,
      )
      await inGroups(
        cells.filter(({ wanted }) => wanted === '.'),
        40,
        ask,
      )
      console.log(`\n${draw(cells, 'found')}`)
      assert.is(draw(cells, 'found'), draw(cells, 'wanted'))
    },
    120_000,
  )

  check('containers of a network ping each other and their gateway; the LAN pings none', async () => {
    const gateway = world.networks.get('a')?.gateways[0] ?? ''
    assert.ok(await ping(world.addressOf('a2'), { netns: world.place('a1') }))
    assert.ok(await ping(gateway, { netns: world.place('a1') }))
    assert.ok(await ping(world.addressOf('a1')))
    assert.not.ok(await ping(world.addressOf('a1'), { netns: 'lan', within: 1000 }))
    assert.not.ok(await ping(world.addressOf('n2'), { netns: world.place('n1'), within: 1000 }))
    assert.not.ok(await ping(world.addressOf('b1'), { netns: world.place('a1'), within: 1000 }))
  })

  check("the internet sees the host's address, of TCP and of UDP", async () => {
    const { internetAddress, hostWanAddress } = world.lab
    assert.is((await answerOf(internetAddress, 'a1'))?.peer, hostWanAddress)
    assert.is((await askUdp(internetAddress, 53, { netns: world.place('a1'), within: reachable }))?.peer, hostWanAddress)
  })

  check('a container sees the address of whoever comes through a published port from outside', async () => {
    assert.is((await answerOf('192.0.2.1:8080', 'lan'))?.peer, world.lab.lanAddress)
    assert.is((await askUdp('192.0.2.1', 5353, { netns: 'lan', within: reachable }))?.peer, world.lab.lanAddress)
    assert.is((await answerOf('203.0.113.2:8080', 'internet'))?.peer, world.lab.internetAddress)
  })

  check('containers of a network see each other by their own addresses', async () => {
    assert.is((await answerOf(world.addressOf('a2'), 'a1'))?.peer, world.addressOf('a1'))
  })

  check('a UDP client is answered by the new container as soon as a published one was replaced', async () => {
    const network = world.networks.get('b')
    assert.ok(network)
    await using client = udpClient('192.0.2.1', 5399, 'lan')
    const first = await network.attach({ name: 'first', publish: ['5399:53/udp'] })
    await using firstServer = await world.lab.serve({ netns: { path: first.netns?.path ?? '' }, name: 'first', udp: 53 })
    assert.is(await client.ask(), 'first')
    await firstServer.stop()
    await first.detach()
    await using second = await network.attach({ name: 'second', publish: ['5399:53/udp'] })
    await using _server = await world.lab.serve({ netns: { path: second.netns?.path ?? '' }, name: 'second', udp: 53 })
    assert.is(await client.ask(), 'second')
  })

  check('a UDP client follows a port from one living container to another', async () => {
    const [a1, a2] = ['a1', 'a2'].map((name) => world.endpoints.get(name))
    assert.ok(a1 && a2)
    await using client = udpClient('192.0.2.1', 5388, 'lan')
    await a1.publish('5388:53/udp')
    assert.is(await client.ask(), 'a1')
    await a1.unpublish('5388:53/udp')
    await a2.publish('5388:53/udp')
    assert.is(await client.ask(), 'a2')
    await a2.unpublish('5388:53/udp')
  })

  check('a container reaches its own port, also when it was published at run time', async () => {
    const a2 = world.endpoints.get('a2')
    assert.ok(a2)
    await a2.publish('8099:80')
    assert.is((await answerOf('192.0.2.1:8099', 'a2'))?.server, 'a2')
    await a2.unpublish('8099:80')
  })

  check('the LAN does not reach a port published on loopback by sending 127.0.0.1 to the host', async () => {
    await sendLoopbackOut('lan', '192.0.2.1')
    for (const port of [8080, 8081, 7001]) {
      assert.is((await curl(`http://127.0.0.1:${port}/`, { netns: 'lan', within: unreachable })).answer, undefined, String(port))
    }
  })

  check("a container does not reach the host's loopback, nor a port published there", async () => {
    // It is there, so that nobody's silence is the firewall's.
    assert.is((await answerOf('127.0.0.1:7001', 'host'))?.server, 'loopback')
    await output('ip', ['netns', 'add', 'intruder'])
    const network = world.networks.get('b')
    const intruder = await network?.attach({ name: 'intruder', netns: 'intruder' })
    await sendLoopbackOut('intruder', intruder?.gateways[0] ?? '')
    for (const port of [7001, 8080, 8081]) {
      const { answer } = await curl(`http://127.0.0.1:${port}/`, { netns: 'intruder', within: unreachable })
      assert.is(answer, undefined, String(port))
    }
    assert.is(await askUdp('127.0.0.1', 7001, { netns: 'intruder', within: unreachable }), undefined)
    await intruder?.detach()
    await output('ip', ['netns', 'delete', 'intruder'])
  })

  test.run()
}
