// S1: look at a network stack. By hand: ip link; ip route; iptables -S

import * as assert from 'uvu/assert'
import { createNetns } from '../../lib/index.ts'
import { json, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { ipAddresses, ipLinks, ipRoutes } from '../support/witness.ts'

const test = suite('S1: look at a network stack')

test('a new namespace shows a loopback that is down, and nothing else', async () => {
  await using netns = await createNetns()
  const { links, addresses, routes, neighbors, rules, firewall, torn } = await netns.inspect()
  assert.equal(
    links.map(({ name, up }) => ({ name, up })),
    [{ name: 'lo', up: false }],
  )
  assert.equal([addresses, routes, neighbors, torn], [[], [], [], []])
  const shown = (await Promise.all(['-4', '-6'].map((family) => json('ip', [family, 'rule'], { netns })))).flat()
  assert.equal(
    rules.map(({ priority }) => priority),
    shown.map(({ priority }) => priority),
  )
  assert.equal(firewall, [])
  assert.is(await output('nft', ['list', 'ruleset'], { netns }), '')
})

test('what ip and nft made is shown as they show it', async () => {
  await using netns = await createNetns()
  const script = [
    ...['link set lo up', 'link add br0 type bridge', 'address add 172.18.0.1/16 dev br0', 'link set br0 up'],
    ...['route add 10.0.0.0/8 via 172.18.0.2', 'neighbor add 172.18.0.2 lladdr 02:42:ac:12:00:02 dev br0'],
    'rule add from 172.18.0.0/16 lookup 100 priority 1000',
  ]
  await output('ip', ['-batch', '-'], { netns, input: script.join('\n') })
  await output('nft', ['add', 'table', 'inet', 'mine'], { netns })
  const seen = await netns.inspect()
  const br0 = seen.links.find(({ name }) => name === 'br0')
  assert.equal(
    seen.links.map(({ name, mac }) => [name, mac]),
    (await ipLinks(netns)).map(({ ifname, address }) => [ifname, address]),
  )
  assert.equal(
    seen.addresses.filter(({ link, family }) => link === br0?.index && family === 'inet').map(({ address }) => address),
    (await ipAddresses(netns, 'br0'))
      .filter(({ family }) => family === 'inet')
      .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
  )
  assert.equal(
    seen.routes.filter(({ table, family }) => table === 254 && family === 'inet').map(({ to }) => to),
    (await ipRoutes(netns)).map(({ dst }) => dst),
  )
  const neighbor = seen.neighbors.find(({ address }) => address === '172.18.0.2')
  const [shown] = await json<{ lladdr: string; state: string[] }[]>('ip', ['neigh', 'show', '172.18.0.2', 'dev', 'br0'], {
    netns,
  })
  assert.equal([neighbor?.mac, neighbor?.state.toUpperCase()], [shown?.lladdr, shown?.state[0]])
  assert.ok(seen.rules.some(({ priority, table }) => priority === 1000 && table === 100))
  assert.ok(seen.firewall?.some((object) => 'table' in object && object.table.name === 'mine'))
})

test.run()
