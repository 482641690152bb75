// Neighbor tables, with ip-ntable(8) and the files of /proc/sys as the witnesses.

import * as assert from 'uvu/assert'
import { createNetns, host, type Netns } from '../../lib/index.ts'
import { native } from '../../lib/native.ts'
import { failureOf } from '../support/failure.ts'
import { json } from '../support/lab.ts'
import { suite } from '../support/suite.ts'

const test = suite('neighbor tables')

interface IpTable {
  family: string
  name: string
  dev?: string
  thresh1?: number
  thresh2?: number
  thresh3?: number
  gc_interval?: number
  base_reachable: number
  retrans: number
  gc_stale: number
  delay_probe: number
  queue: number
  app_probes: number
  ucast_probes: number
  mcast_probes: number
  anycast_delay: number
  proxy_delay: number
  proxy_queue: number
  locktime: number
}

const shown = (ns: Netns): Promise<IpTable[]> => json('ip', ['ntable', 'show'], { netns: ns })

test('both tables are listed as ip shows them, with the parameters of each device', async () => {
  await using ns = await createNetns()
  await ns.createBridge({ name: 'br0', up: true })
  const names = new Map((await ns.listLinks()).map(({ index, name }) => [index, name]))
  const ip = await shown(ns)
  const tables = await ns.listNeighborTables()
  assert.equal(
    tables.map(({ name, family }) => [name, family]),
    [
      ['arp_cache', 'inet'],
      ['ndisc_cache', 'inet6'],
    ],
  )
  let compared = 0
  for (const table of tables) {
    const whole = ip.find(({ name, dev }) => name === table.name && dev === undefined)
    assert.equal(
      [table.gcThresh1, table.gcThresh2, table.gcThresh3, table.gcInterval],
      [whole?.thresh1, whole?.thresh2, whole?.thresh3, whole?.gc_interval],
    )
    assert.ok(table.entries >= 0 && table.statistics.lookups >= table.statistics.hits && table.statistics.overflows >= 0)
    const rows = [
      { dev: undefined, mine: table.parameters },
      ...table.devices.map((one) => ({ dev: names.get(one.link), mine: one })),
    ]
    for (const { dev, mine } of rows) {
      const one = ip.find((row) => row.name === table.name && row.dev === dev)
      assert.equal(
        [mine.baseReachable, mine.retrans, mine.gcStale, mine.delayProbe, mine.queue, mine.appProbes, mine.ucastProbes],
        [one?.base_reachable, one?.retrans, one?.gc_stale, one?.delay_probe, one?.queue, one?.app_probes, one?.ucast_probes],
      )
      assert.equal(
        [mine.mcastProbes, mine.anycastDelay, mine.proxyDelay, mine.proxyQueue, mine.locktime],
        [one?.mcast_probes, one?.anycast_delay, one?.proxy_delay, one?.proxy_queue, one?.locktime],
      )
      compared++
    }
  }
  assert.is(compared, 6)
  assert.equal(JSON.parse(JSON.stringify(tables)), tables)
})

test('the parameters of a device are changed, each one, in one table only', async () => {
  await using ns = await createNetns()
  await ns.createBridge({ name: 'br0' })
  const { index } = await ns.getLink('br0')
  const parameters = {
    baseReachable: 20_000,
    retrans: 2000,
    gcStale: 90_000,
    delayProbe: 4000,
    intervalProbe: 6000,
    queueBytes: 100_000,
    appProbes: 1,
    ucastProbes: 4,
    mcastProbes: 5,
    mcastReprobes: 2,
    anycastDelay: 500,
    proxyDelay: 400,
    proxyQueue: 32,
    locktime: 2000,
  }
  const others = (all: readonly IpTable[]): IpTable[] => all.filter(({ dev, name }) => dev !== 'br0' || name !== 'arp_cache')
  const before = others(await shown(ns))
  await ns.setNeighborTable('inet', { link: 'br0', parameters })
  const mine = (await ns.listNeighborTables())[0]?.devices.find(({ link }) => link === index)
  for (const [name, value] of Object.entries(parameters)) assert.is(mine?.[name as keyof typeof parameters], value, name)
  const file = (name: string): Promise<string> => ns.getSysctl(`net.ipv4.neigh.br0.${name}`)
  assert.is(await file('base_reachable_time_ms'), '20000')
  assert.is(await file('unres_qlen_bytes'), '100000')
  assert.is(await file('mcast_resolicit'), '2')
  assert.is(await file('gc_stale_time'), '90')
  assert.is(await file('interval_probe_time_ms'), '6000')
  const seen = await shown(ns)
  assert.is(seen.find(({ dev, name }) => dev === 'br0' && name === 'arp_cache')?.retrans, 2000)
  // What is told of a random share of it moves by itself.
  const still = (rows: readonly IpTable[]): unknown[] => rows.map((row) => ({ ...row, reachable: 0, refcnt: 0 }))
  assert.equal(still(others(seen)), still(before))
  const result = await ns.batch((batch) => batch.setNeighborTable('inet6', { link: 'br0', parameters: { retrans: 3000 } }))
  assert.ok(result.ok)
  assert.is(await ns.getSysctl('net.ipv6.neigh.br0.retrans_time_ms'), '3000')
})

test('limits belong to the initial namespace: elsewhere they are ENOENT, and stay', async () => {
  await using ns = await createNetns()
  const before = await host.listNeighborTables()
  for (const changes of [
    { gcThresh1: 1 },
    { gcThresh2: 2 },
    { gcThresh3: 3 },
    { gcInterval: 4000 },
    { parameters: { retrans: 5 } },
  ]) {
    const error = await failureOf(ns.setNeighborTable('inet', changes))
    assert.equal(
      [error.code, error.syscall, error.operation],
      ['ENOENT', 'RTM_SETNEIGHTBL', 'change the neighbor table arp_cache'],
    )
  }
  assert.equal(
    (await host.listNeighborTables()).map(({ gcThresh1, gcThresh2, gcThresh3, gcInterval }) => [
      gcThresh1,
      gcThresh2,
      gcThresh3,
      gcInterval,
    ]),
    before.map(({ gcThresh1, gcThresh2, gcThresh3, gcInterval }) => [gcThresh1, gcThresh2, gcThresh3, gcInterval]),
  )
  assert.is((await failureOf(ns.setNeighborTable('inet', { link: 'nobody', parameters: { retrans: 5 } }))).code, 'ENODEV')
})

test('the limits are written as ip ntable writes them', () => {
  // ip ntable change name arp_cache thresh1 1024 thresh2 2048 thresh3 4096
  const bytes = native.encoded({
    type: 'RTM_SETNEIGHTBL',
    flags: 0x100,
    body: { family: 2, name: 'arp_cache', gcThresh1: 1024, gcThresh2: 2048, gcThresh3: 4096 },
  })
  const text = Buffer.from(bytes ?? []).toString('hex')
  const body = `02000000${'0e000100'}${Buffer.from('arp_cache\0').toString('hex')}0000${'0800020000040000'}${'0800030000080000'}${'0800040000100000'}`
  assert.ok(text.endsWith(body), text)
})

test.run()
