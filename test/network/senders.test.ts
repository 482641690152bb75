// What the option antiSpoofing leaves in the kernel: elements that come with a container and go with it, a table that comes with the first
// network and goes with the last, and what becomes of them when somebody takes them away or dies.

import * as assert from 'uvu/assert'
import { type AttachedEndpoint, createNetwork, gc, host, listNetworks, type Network, openNetwork } from '../../lib/index.ts'
import { json, output, ping, run, writeSysctl } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { linkLocalOf } from './attack/spoofing.ts'
import { until } from './support/until.ts'

const test = suite('who sends')

const spec = { name: 'lab', subnets: ['10.7.0.0/24', 'fd00:7::/64'], antiSpoofing: true } as const

test.after.each(async () => {
  for (const network of await listNetworks()) await network.delete({ force: true })
  await output('nft', ['flush', 'ruleset'])
})

type Listed = { nftables: { set?: { name: string; elem?: unknown[] } }[] }
type Element = string | { concat: string[] } | { elem: { val: string | { concat: string[] }; comment: string } }

/** `'senders4 vxyz-2 10.7.0.2 lab/web'`, sorted; undefined without the table. */
async function elements(): Promise<string[] | undefined> {
  const { code } = await run('nft', ['list', 'table', 'bridge', 'netlink-ct'])
  if (code !== 0) return undefined
  const { nftables } = await json<Listed>('nft', ['list', 'table', 'bridge', 'netlink-ct'])
  const text = (element: Element): string => {
    if (typeof element === 'string') return element
    if ('concat' in element) return element.concat.join(' ')
    return `${text(element.elem.val)} ${element.elem.comment}`
  }
  return nftables
    .filter(({ set }) => set?.name !== 'guarded_bridges')
    .flatMap(({ set }) => (set?.elem ?? []).map((element) => `${set?.name} ${text(element as Element)}`))
    .sort()
}

const wanted = ({ name, hostIfname, mac, addresses, network }: AttachedEndpoint, isChosen = false): string[] => {
  const own = addresses.map((address) => address.split('/')[0] ?? '')
  const owner = `${network}/${name}`
  return [
    ...(isChosen ? [`chosen ${hostIfname} ${owner}`] : []),
    `senders ${hostIfname} ${mac} ${owner}`,
    ...own.filter((address) => !address.includes(':')).map((address) => `senders4 ${hostIfname} ${address} ${owner}`),
    ...[...own.filter((address) => address.includes(':')), linkLocalOf(mac)].map(
      (address) => `senders6 ${hostIfname} ${address} ${owner}`,
    ),
  ].sort()
}

/** Silence is certain soon enough; an answer may take the second that the kernel waits before it asks for a neighbor again. */
const canSend = async (endpoint: AttachedEndpoint, expected: readonly boolean[], ...more: string[]): Promise<boolean[]> =>
  Promise.all(
    [...endpoint.gateways, ...more].map((address, at) =>
      ping(address, { netns: { path: endpoint.netns.path }, ...(expected[at] === false && { within: 1000 }) }),
    ),
  )
const everything = [true, true]
const nothing = [false, false]

test('a container has its elements from the attach to the detach', async () => {
  const network = await createNetwork(spec)
  assert.equal(await elements(), [])
  const web = await network.attach({ name: 'web', publish: ['8080:80'] })
  const db = await network.attach({ name: 'db', mac: '02:11:22:00:00:77', addresses: ['10.7.0.9/24', 'fd00:7::1234/64'] })
  assert.equal(await elements(), [...wanted(web), ...wanted(db, true)].sort())
  assert.equal(await canSend(web, [], '10.7.0.9', 'fd00:7::1234'), [true, true, true, true])
  assert.equal(await canSend(db, everything), everything)
  assert.equal(await network.check(), [])
  await web.detach()
  assert.equal(await elements(), wanted(db, true))
  await network.detach('db')
  assert.equal(await elements(), [])
})

test('other networks have none, and no table', async () => {
  const plain = await createNetwork({ name: 'plain', subnets: ['10.8.0.0/24'] })
  const ptp = await createNetwork({ name: 'ptp', driver: 'ptp', subnets: ['10.9.0.0/24'], antiSpoofing: true })
  assert.is(await elements(), undefined)
  assert.match(await output('nft', ['list', 'set', 'inet', 'netlink-ct', 'guarded']), /comment "ptp" \}/)
  const network = await createNetwork(spec)
  const web = await plain.attach({ name: 'web' })
  assert.ok(await ping('10.8.0.1', { netns: { path: web.netns.path } }))
  await ptp.attach({ name: 'web' })
  assert.equal(await elements(), [])
  await network.delete()
  assert.is(await elements(), undefined)
  assert.ok(await ping('10.8.0.1', { netns: { path: web.netns.path } }))
})

test('a second network shares the table, and leaves it', async () => {
  const first = await createNetwork(spec)
  const second = await createNetwork({ ...spec, name: 'other', subnets: ['10.8.0.0/24'] })
  const web = await first.attach({ name: 'web' })
  await second.attach({ name: 'web' })
  await second.delete({ force: true })
  assert.equal(await elements(), wanted(web))
  await first.delete({ force: true })
  assert.is(await output('nft', ['list', 'ruleset']), '')
})

test('a network remembers it', async () => {
  const made = await createNetwork(spec)
  assert.ok(made.antiSpoofing)
  assert.ok((await openNetwork('lab')).antiSpoofing)
  assert.is((await listNetworks())[0]?.toJSON().antiSpoofing, true)
  assert.is((await createNetwork(spec)).name, 'lab')
  try {
    await createNetwork({ ...spec, antiSpoofing: false })
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), /there is a network 'lab' with antiSpoofing true, not false/)
  }
})

/** Its namespace, and with it the link, goes without a detach. */
async function die({ netns, hostIfname }: AttachedEndpoint): Promise<void> {
  await netns.close()
  for (;;) if ((await run('ip', ['link', 'show', hostIfname])).code !== 0) return
}

test('what a dead container may send as is taken back by who gets its place', async () => {
  const network = await createNetwork(spec)
  const first = await network.attach({ name: 'first', mac: '02:11:22:00:00:77', addresses: ['10.7.0.9/24', 'fd00:7::1234/64'] })
  await die(first)
  assert.equal(await elements(), wanted(first, true))
  const second = await network.attach({ name: 'second', addresses: ['10.7.0.9/24'] })
  assert.is(second.hostIfname, first.hostIfname)
  assert.equal(await elements(), wanted(second))
  await die(second)
  // Where nothing was chosen the elements differ by their owner only.
  const third = await network.attach({ name: 'third', addresses: ['10.7.0.9/24'] })
  assert.equal(await elements(), wanted(third))
  assert.equal(await canSend(third, everything), everything)
  // A late detach of somebody else's place changes nothing.
  await first.detach()
  await second.detach()
  assert.equal(await elements(), wanted(third))
  await die(third)
  await third.detach()
  assert.equal(await elements(), [])
})

test('gc removes what dead containers and lost networks leave', async () => {
  const network = await createNetwork(spec)
  await die(await network.attach({ name: 'web', mac: '02:11:22:00:00:77' }))
  const found = (await network.check()).map(({ kind, what }) => `${kind} ${what}`).sort()
  assert.equal(found, [
    'element-orphaned chosen: lab/web',
    'element-orphaned senders4: lab/web',
    'element-orphaned senders6: lab/web',
    'element-orphaned senders: lab/web',
  ])
  const { removed } = await gc()
  assert.equal(removed.elements, ['chosen: lab/web', 'senders4: lab/web', 'senders6: lab/web', 'senders: lab/web'])
  assert.equal(await elements(), [])
  assert.not.ok(removed.table)
  const other = await createNetwork({ name: 'plain', subnets: ['10.8.0.0/24'] })
  await output('ip', ['link', 'delete', network.bridge])
  assert.ok((await gc()).removed.table)
  assert.is(await elements(), undefined)
  assert.equal(await other.check(), [])
})

test('a network of the name of a lost one does not inherit that it asked', async () => {
  const lost = await createNetwork(spec)
  await output('ip', ['link', 'delete', lost.bridge])
  const network = await createNetwork({ ...spec, antiSpoofing: false })
  const web = await network.attach({ name: 'web' })
  assert.equal(await canSend(web, everything), everything)
  assert.is(await elements(), undefined)
})

test('without its elements a container is silent, until they are repaired', async () => {
  const network = await createNetwork(spec)
  const web = await network.attach({ name: 'web' })
  for (const set of ['senders', 'senders4', 'senders6']) {
    await output('nft', ['flush', 'set', 'bridge', 'netlink-ct', set])
    const left = { senders: nothing, senders4: [false, true], senders6: [true, false] }[set] ?? []
    assert.equal(await canSend(web, left), left, set)
    const kinds = new Set((await network.check()).map(({ kind }) => kind))
    assert.equal([...kinds], ['element-missing'], set)
    assert.equal((await network.repair()).remaining, [])
    assert.equal(await elements(), wanted(web))
    assert.equal(await canSend(web, everything), everything, set)
  }
})

const damages: Readonly<Record<string, readonly string[]>> = {
  'the ruleset': ['flush', 'ruleset'],
  'the table': ['delete', 'table', 'bridge', 'netlink-ct'],
  'the chain': ['flush', 'chain', 'bridge', 'netlink-ct', 'from_container'],
}

for (const [what, command] of Object.entries(damages))
  test(`${what} that somebody took away is put back by repair`, async () => {
    const network = await createNetwork(spec)
    const web = await network.attach({ name: 'web', mac: '02:11:22:00:00:77', publish: ['8080:80'] })
    const before = await output('nft', ['list', 'ruleset'])
    await output('nft', [...command])
    assert.ok((await network.check()).length > 0)
    assert.equal((await network.repair()).remaining, [])
    assert.is(await output('nft', ['list', 'ruleset']), before)
    assert.equal(await canSend(web, everything), everything)
  })

for (const what of ['the ruleset', 'the table'])
  test(`${what} that somebody took away is put back by the next attach`, async () => {
    const network = await createNetwork(spec)
    const web = await network.attach({ name: 'web' })
    await output('nft', [...(damages[what] ?? [])])
    const db = await network.attach({ name: 'db' })
    assert.equal(await elements(), [...wanted(web), ...wanted(db)].sort())
    assert.equal(await network.check(), [])
  })

test('a bridge that learns where nobody looks is found and put right', async () => {
  const network = await createNetwork(spec)
  const learns = async (): Promise<boolean> => {
    const [link] = await json<{ linkinfo: { info_data: { no_linklocal_learn: number } } }[]>('ip', [
      '-d',
      ...['link', 'show', network.bridge],
    ])
    return link?.linkinfo.info_data.no_linklocal_learn === 0
  }
  assert.not.ok(await learns())
  await output('ip', ['link', 'set', network.bridge, 'type', 'bridge', 'no_linklocal_learn', '0'])
  assert.equal(
    (await network.check()).map(({ kind }) => kind),
    ['bridge-different'],
  )
  await network.repair()
  assert.not.ok(await learns())
})

test('a link that is being deleted is silent', async () => {
  const network = await createNetwork(spec)
  const web = await network.attach({ name: 'web' })
  // ip(8) takes no group beyond 2³¹.
  await host.setLink(web.hostIndex, { group: 0xf0000001 })
  assert.equal(await canSend(web, nothing), nothing)
})

test('an attach that fails leaves no element', async () => {
  const network: Network = await createNetwork(spec)
  await network.attach({ name: 'web', publish: ['8080:80'] })
  const before = await elements()
  for (const wish of [{ name: 'web' }, { name: 'db', publish: ['8080:80'] }, { name: 'db', addresses: ['10.7.0.2/24'] }]) {
    try {
      await network.attach(wish)
      assert.unreachable()
    } catch (error) {
      assert.match(String(error), /EEXIST|publishe|leased/)
    }
    assert.equal(await elements(), before)
  }
})

test('duplicate address detection goes out and is answered', async () => {
  const network = await createNetwork(spec)
  const web = await network.attach({ name: 'web' })
  const netns = { path: web.netns.path }
  const address = web.addresses.find((one) => one.includes(':')) ?? ''
  await writeSysctl('net/ipv6/conf/eth0/accept_dad', 1, netns)
  // The host has it, and says so when the container asks as nobody.
  await output('ip', ['address', 'add', address, 'dev', network.bridge, 'nodad'])
  await output('ip', ['address', 'delete', address, 'dev', 'eth0'], { netns })
  await output('ip', ['address', 'add', address, 'dev', 'eth0'], { netns })
  const listed = (dev: string, where?: { path: string }): Promise<string> =>
    output('ip', ['-6', 'address', 'show', 'dev', dev], { netns: where })
  await until('the container hears of the host', async () => (await listed('eth0', netns)).includes('dadfailed'))
  // And the other way round.
  await output('ip', ['address', 'delete', address, 'dev', network.bridge])
  await output('ip', ['address', 'delete', address, 'dev', 'eth0'], { netns })
  await output('ip', ['address', 'add', address, 'dev', 'eth0', 'nodad'], { netns })
  await writeSysctl(`net/ipv6/conf/${network.bridge}/accept_dad`, 1)
  await output('ip', ['address', 'add', address, 'dev', network.bridge])
  await until('the host hears of the container', async () => (await listed(network.bridge)).includes('dadfailed'))
})

test('a container that was there before has the link-local address of its MAC', async () => {
  const network = await createNetwork(spec)
  await output('ip', ['netns', 'add', 'old'])
  try {
    // Stable private addresses, as some images set it.
    await output('sh', ['-c', 'echo 3 > /proc/sys/net/ipv6/conf/default/addr_gen_mode'], { netns: 'old' })
    const web = await network.attach({ name: 'web', netns: 'old' })
    const [link] = await json<{ addr_info: { local: string; scope: string }[] }[]>('ip', ['-6', 'address', 'show', 'eth0'], {
      netns: 'old',
    })
    assert.is(link?.addr_info.find(({ scope }) => scope === 'link')?.local, linkLocalOf(web.mac))
    assert.ok(await ping('fe80::1%eth0', { netns: 'old' }))
    await web.detach()
  } finally {
    await output('ip', ['netns', 'delete', 'old'])
  }
})

test.run()
