// All of a namespace in one value, as ip, bridge, tc and nft show the same.

import * as assert from 'uvu/assert'
import { createNetns, type Netns, type NetnsSnapshot } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { json, kernelState, output, run } from '../support/lab.ts'
import { askProgram } from '../support/program.ts'
import { suite } from '../support/suite.ts'

type Row = Record<string, unknown>

const test = suite('Netns.inspect')

const stack = `link add br0 type bridge
link add v0 type veth peer name v1
link set v0 master br0
link set v0 up
link set v1 up
link set br0 up
link set lo up
address add 172.18.0.1/16 dev br0
address add fd00::1/64 dev br0 nodad
address add 192.0.2.1/24 dev v1
route add 10.0.0.0/8 via 172.18.0.9
route add 10.1.0.0/16 via 172.18.0.9 table 100
route add fd01::/64 via fd00::9
route add blackhole 10.66.0.0/16
rule add from 172.18.0.0/16 table 100 priority 1000
neighbor add 172.18.0.9 lladdr 02:00:00:00:00:09 dev br0 nud permanent
neighbor add fd00::9 lladdr 02:00:00:00:00:09 dev br0 nud permanent
neighbor add proxy 172.18.0.8 dev br0`

const rare = [
  'ip -6 rule add from fd00::/64 table 100 priority 1001',
  'ip link set br0 type bridge vlan_filtering 1',
  'bridge vlan add dev v0 vid 7',
  'bridge fdb add 02:00:00:00:00:11 dev v0 master static',
  'bridge mdb add dev br0 port v0 grp 239.1.1.1 permanent',
  'ip nexthop add id 7 via 172.18.0.9 dev br0',
]

const ruleset = `table inet t {
  set s { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 } }
  chain c { type filter hook input priority 0; policy accept; ip saddr @s counter drop; }
}`

async function world(): Promise<Netns> {
  const ns = await createNetns()
  await output('ip', ['-batch', '-'], { netns: ns, input: stack })
  // Not every kernel has these: then neither side has any.
  for (const line of rare) {
    const [command = '', ...args] = line.split(' ')
    await run(command, args, { netns: ns })
  }
  await output(
    'tc',
    ['qdisc', 'add', 'dev', 'v1', 'root', 'handle', '1:', 'tbf', 'rate', '8mbit', 'burst', '32kb', 'latency', '50ms'],
    {
      netns: ns,
    },
  )
  await output('nft', ['-f', '-'], { netns: ns, input: ruleset })
  return ns
}

test('has what ip, bridge, tc and nft have', async () => {
  await using ns = await world()
  const shown = (command: string, ...args: string[]): Promise<Row[]> => json(command, args, { netns: ns })
  const found = await ns.inspect()
  const nameOf = (index: number | undefined): unknown => found.links.find((link) => link.index === index)?.name

  assert.equal(
    found.links.map(({ index, name, mac, mtu, kind }) => [index, name, mac, mtu, kind]),
    (await shown('ip', '-d', 'link')).map(({ ifindex, ifname, address, mtu, linkinfo }) => [
      ifindex,
      ifname,
      address,
      mtu,
      (linkinfo as Row | undefined)?.['info_kind'],
    ]),
  )
  assert.equal(
    found.addresses.map(({ link, address }) => `${nameOf(link)} ${address}`).sort(),
    (await shown('ip', '-d', 'address'))
      .flatMap(({ ifname, addr_info }) => (addr_info as Row[]).map(({ local, prefixlen }) => `${ifname} ${local}/${prefixlen}`))
      .sort(),
  )
  const routes = [
    ...(await shown('ip', '-4', '-d', 'route', 'show', 'table', 'all')),
    ...(await shown('ip', '-6', '-d', 'route', 'show', 'table', 'all')),
  ]
  assert.equal(
    found.routes.map(({ to, dev, type }) => `${type} ${to.replace(/\/(32|128)$/, '')} ${nameOf(dev)}`).sort(),
    routes.map(({ type, dst, dev }) => `${type} ${dst} ${dev}`).sort(),
  )
  const rules = [...(await shown('ip', '-4', 'rule')), ...(await shown('ip', '-6', 'rule'))]
  assert.equal(
    found.rules.map(({ priority }) => priority),
    rules.map(({ priority }) => priority),
  )
  const permanent = found.neighbors.filter((neighbor) => neighbor.state === 'permanent')
  assert.equal(
    permanent.map(({ address, mac, link }) => [address, mac, nameOf(link)]).sort(),
    (await shown('ip', 'neighbor', 'show', 'nud', 'permanent')).map(({ dst, lladdr, dev }) => [dst, lladdr, dev]).sort(),
  )
  assert.equal(
    found.neighbors.filter(({ flags }) => flags.includes('proxy')).map(({ address }) => address),
    (await shown('ip', 'neighbor', 'show', 'proxy')).map(({ dst }) => dst),
  )
  assert.equal(
    found.nexthops.map(({ id, via }) => [id, via]),
    (await shown('ip', 'nexthop')).map(({ id, gateway }) => [id, gateway]),
  )
  assert.equal(
    found.fdb.map(({ mac, link }) => `${mac} ${nameOf(link)}`).sort(),
    (await shown('bridge', 'fdb')).map(({ mac, ifname }) => `${mac} ${ifname}`).sort(),
  )
  assert.equal(
    found.bridgeVlans.map(({ link, start }) => `${nameOf(link)} ${start}`).sort(),
    (await shown('bridge', 'vlan'))
      .flatMap(({ ifname, vlans }) => (vlans as Row[]).map(({ vlan }) => `${ifname} ${vlan}`))
      .sort(),
  )
  const [databases] = await shown('bridge', 'mdb')
  assert.equal(
    found.mdb.map(({ group, port }) => `${group} ${nameOf(port)}`).sort(),
    ((databases?.['mdb'] ?? []) as Row[]).map(({ grp, port }) => `${grp} ${port}`).sort(),
  )
  assert.equal(
    found.qdiscs
      .map((qdisc) => `${nameOf(qdisc.link)} ${qdisc.kind === 'other' ? qdisc.type : qdisc.kind} ${qdisc.handle}`)
      .sort(),
    (await shown('tc', 'qdisc')).map(({ dev, kind, handle }) => `${dev} ${kind} ${handle}`).sort(),
  )
  const { nftables } = await json<{ nftables: Row[] }>('nft', ['list', 'ruleset'], { netns: ns })
  assert.equal(
    found.firewall?.map((object) => Object.keys(object)[0]).sort(),
    nftables.flatMap((object) => ('metainfo' in object ? [] : Object.keys(object))).sort(),
  )
  assert.equal(found.torn, [])
  assert.is(found.inode, Number(ns.inode))
})

test('survives JSON as it is, and changes nothing', async () => {
  await using ns = await world()
  // A kind of table that has numbers of 64 bits and bytes in its listing.
  await run('nft', ['add', 'quota', 'inet', 't', 'q', '{ over 25 mbytes }'], { netns: ns })
  const before = await kernelState(ns)
  const found = await ns.inspect()
  assert.equal(JSON.parse(JSON.stringify(found)), found)
  assert.ok(
    found.firewall?.some((object) => 'object' in object && /^[0-9a-f]*$/.test(object.object.data)),
    'the quota, as digits',
  )
  assert.equal(await kernelState(ns), before)
})

test('of a new namespace has hardly anything', async () => {
  await using ns = await createNetns('bare')
  const { links, qdiscs: _, rules, inode, ...rest } = await ns.inspect()
  assert.equal([links.map(({ name }) => name), rules.length, inode], [['lo'], 5, Number(ns.inode)])
  assert.equal(rest, {
    name: 'bare',
    ...{
      addresses: [],
      routes: [],
      nexthops: [],
      neighbors: [],
      fdb: [],
      bridgeVlans: [],
      mdb: [],
      nsids: [],
      firewall: [],
      torn: [],
    },
  })
  await output('ip', ['netns', 'delete', 'bare'])
})

test('without a capability has all but the packet filter', async () => {
  const within = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all']
  const found = await askProgram<NetnsSnapshot>('console.log(JSON.stringify(await ct.inspect()))', { within })
  const names = (await json<Row[]>('ip', ['link'])).map(({ ifname }) => ifname)
  assert.equal(
    found.links.map(({ name }) => name),
    names,
  )
  assert.is(found.firewall, null)
  assert.is('name' in found, false)
})

test('tells which part would not stand still', async () => {
  await using ns = await createNetns()
  // The ruleset goes on changing: a table comes and goes at each reading.
  let turn = 0
  let over = false
  const change = async (): Promise<void> => {
    while (!over)
      await ns.nftables.apply([{ [turn++ % 2 === 0 ? 'add' : 'delete']: { table: { family: 'ip', name: 't' } } } as never])
  }
  const changing = change()
  const found = await ns.inspect()
  over = true
  await changing
  assert.equal(found.torn, ['firewall'])
  assert.ok(Array.isArray(found.firewall))
})

test('takes nothing but a signal', async () => {
  await using ns = await createNetns()
  const failure = await failureOf(ns.inspect({ links: true } as never))
  assert.is((failure as { code?: string }).code, 'ERR_INVALID_ARG_VALUE')
  assert.match(failure.message, /^options: 'links' is unknown/)
})

test.run()
