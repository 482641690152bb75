// What watch() tells, with iproute2 as the one who acts and as the witness.

import * as assert from 'uvu/assert'
import { createNetns, type NetEvent, type Netns, type WatchOptions } from '../../lib/index.ts'
import { json, output } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { Watcher } from '../support/watcher.ts'

const test = suite('watch')

const ip = (netns: Netns, ...lines: string[]): Promise<string> =>
  output('ip', ['-batch', '-'], { netns, input: lines.join('\n') })

type Type = Exclude<NetEvent['type'], 'overrun' | 'synced'>
type Of<T extends Type> = Extract<NetEvent, { type: T }>
const about =
  <T extends Type>(type: T, action: string, is: (event: Of<T>) => boolean = () => true) =>
  (event: NetEvent): event is Of<T> =>
    event.type === type && event.action === action && is(event as Of<T>)

/** A watch of a new namespace, past the state at its start. */
async function watching(options: WatchOptions, body: (ns: Netns, watcher: Watcher) => Promise<void>, ...before: string[]) {
  await using ns = await createNetns()
  await ip(ns, ...before)
  await using watch = ns.watch(options)
  const watcher = new Watcher(watch)
  await watcher.synced()
  await body(ns, watcher)
}

const everything: WatchOptions = {
  links: true,
  addresses: true,
  routes: true,
  rules: true,
  neighbors: true,
  fdb: true,
  nsids: true,
}

test('it starts with the state: every link, address, route and rule that ip shows, each once, then synced', async () => {
  const before = [
    'link set lo up',
    'link add br0 type bridge',
    'link add d0 master br0 type ifb',
    'address add 10.1.0.1/16 dev br0',
    'link set br0 up',
    'route add 10.9.0.0/16 via 10.1.0.9',
    'rule add fwmark 7 table 77',
    'neighbor add 10.1.0.5 lladdr 02:00:00:00:00:05 dev br0',
  ]
  await watching(
    everything,
    async (ns, watcher) => {
      assert.is(watcher.events.at(-1)?.type, 'synced')
      for (const event of watcher.events.slice(0, -1)) assert.ok('action' in event && event.action === 'add')
      assert.is(watcher.state.size, watcher.events.length - 1)
      const links = await json<{ ifname: string; ifindex: number }[]>('ip', ['link'], { netns: ns })
      assert.equal(
        watcher.all('link').map(({ link }) => [link.index, link.name]),
        links.map(({ ifindex, ifname }) => [ifindex, ifname]),
      )
      const routes = await json('ip', ['-4', 'route', 'show', 'table', 'all'], { netns: ns })
      assert.is(watcher.all('route').filter(({ route }) => route.family === 'inet').length, routes.length)
      assert.ok(watcher.all('route').some(({ route }) => route.to === '10.9.0.0/16' && route.via === '10.1.0.9'))
      const rules = [...(await json('ip', ['-4', 'rule'], { netns: ns })), ...(await json('ip', ['-6', 'rule'], { netns: ns }))]
      assert.is(watcher.all('rule').length, rules.length)
      assert.ok(watcher.all('address').some(({ address }) => address.address === '10.1.0.1/16'))
      assert.is(watcher.all('neighbor').find(({ neighbor }) => neighbor.address === '10.1.0.5')?.neighbor.state, 'permanent')
      assert.ok(
        watcher
          .all('fdb')
          .some(({ entry }) => entry.link === watcher.all('link').find(({ link }) => link.name === 'd0')?.link.index),
      )
    },
    ...before,
  )
})

test('a link is added, changed, renamed and deleted; a change tells what it was before', async () => {
  await watching({ links: true }, async (ns, watcher) => {
    await ip(ns, 'link add d0 type ifb')
    const added = await watcher.until('d0', about('link', 'add'))
    assert.is(added.link.name, 'd0')
    assert.is(added.link.kind, 'ifb')
    await ip(ns, 'link set d0 mtu 1400')
    const changed = await watcher.until('the MTU', about('link', 'change'))
    assert.is(changed.link.mtu, 1400)
    assert.is(changed.previous?.mtu, 1500)
    await ip(ns, 'link set d0 name d1')
    const renamed = await watcher.until(
      'the name',
      about('link', 'change', ({ link }) => link.name === 'd1'),
    )
    assert.is(renamed.previous?.name, 'd0')
    assert.is(renamed.key, added.key)
    await ip(ns, 'link delete d1')
    const deleted = await watcher.until('the end', about('link', 'delete'))
    assert.is(deleted.link.name, 'd1')
    assert.is(deleted.movedTo, undefined)
    assert.is(watcher.state.has(`link ${added.key}`), false)
  })
})

test('a link that moves to another namespace is deleted with where it went, and added there', async () => {
  await watching({ links: true, allNamespaces: true }, async (ns, watcher) => {
    await using other = await createNetns()
    const nsid = await ns.setNsid(other)
    await ip(ns, 'link add d0 type ifb')
    await watcher.until(
      'd0',
      about('link', 'add', ({ link }) => link.name === 'd0'),
    )
    const from = watcher.events.length
    await ip(ns, `link set d0 netns ${nsidPath(other)}`)
    const deleted = await watcher.until(
      'the leave',
      about('link', 'delete', ({ netnsid }) => netnsid === undefined),
      from,
    )
    assert.is(deleted.movedTo, nsid)
    const added = await watcher.until(
      'the arrival',
      about('link', 'add', ({ link }) => link.name === 'd0'),
      from,
    )
    assert.is(added.link.name, 'd0')
    assert.is(added.netnsid, nsid)
  })
})

const nsidPath = (ns: Netns): string => ns.path

test('allNamespaces tells the state of those that have an id, of those that get one, and forgets those that go', async () => {
  await using ns = await createNetns()
  const other = await createNetns()
  const nsid = await ns.setNsid(other)
  await ip(other, 'link add early type ifb', 'address add 10.5.0.1/24 dev early')
  await using watch = ns.watch({ links: true, addresses: true, nsids: true, allNamespaces: true })
  const watcher = new Watcher(watch)
  await watcher.synced()
  const early = watcher.all('link').find(({ link }) => link.name === 'early')
  assert.is(early?.netnsid, nsid)
  assert.is(watcher.all('address').find(({ address }) => address.address === '10.5.0.1/24')?.netnsid, nsid)

  await using late = await createNetns()
  await ip(late, 'link add there type ifb')
  const lateId = await ns.setNsid(late)
  await watcher.until(
    'the id',
    about('nsid', 'add', ({ nsid: id }) => id === lateId),
  )
  await watcher.until(
    'what is there',
    about('link', 'add', ({ link }) => link.name === 'there'),
    0,
  )

  const from = watcher.events.length
  await other.close()
  await watcher.until(
    'the id to go',
    about('nsid', 'delete', ({ nsid: id }) => id === nsid),
    from,
  )
  await watcher.until(
    'what was there',
    about('address', 'delete', ({ address }) => address.address === '10.5.0.1/24'),
    from,
  )
  assert.is(watcher.all('link').filter(({ netnsid }) => netnsid === nsid).length, 0)
  assert.is(watcher.all('address').filter(({ netnsid }) => netnsid === nsid).length, 0)
})

test('addresses come, change and go, with the device they are on', async () => {
  await watching(
    { addresses: true },
    async (ns, watcher) => {
      await ip(ns, 'address add 10.3.0.1/24 dev d0')
      await watcher.until(
        'it',
        about('address', 'add', ({ address }) => address.address === '10.3.0.1/24'),
      )
      await ip(ns, 'address add fd00::1/64 dev d0')
      await watcher.until(
        'it',
        about('address', 'add', ({ address }) => address.address === 'fd00::1/64'),
      )
      const from = watcher.events.length
      await ip(ns, 'link delete d0')
      await watcher.until(
        'IPv4',
        about('address', 'delete', ({ address }) => address.family === 'inet'),
        from,
      )
      await watcher.until(
        'IPv6',
        about('address', 'delete', ({ address }) => address.address === 'fd00::1/64'),
        from,
      )
      assert.is(watcher.all('address').length, 0)
    },
    'link add d0 type bridge',
    'link set d0 up',
  )
})

test('routes are added, replaced and deleted, and those that go with a device without a word are told all the same', async () => {
  const prefix = (to: string) => (event: Of<'route'>) => event.route.to === to
  await watching(
    { routes: true },
    async (ns, watcher) => {
      await ip(ns, 'route add 10.8.0.0/16 via 10.3.0.8')
      await watcher.until('it', about('route', 'add', prefix('10.8.0.0/16')))
      await ip(ns, 'route replace 10.8.0.0/16 via 10.3.0.9')
      const replaced = await watcher.until('it', about('route', 'change', prefix('10.8.0.0/16')))
      assert.is(replaced.route.via, '10.3.0.9')
      assert.is(replaced.previous?.via, '10.3.0.8')
      // The same destination twice: which of them a deletion means is read from the kernel.
      await ip(ns, 'route append 10.8.0.0/16 via 10.3.0.7')
      await watcher.until('another', about('route', 'add', prefix('10.8.0.0/16')))
      await ip(ns, 'route delete 10.8.0.0/16 via 10.3.0.9')
      await watcher.until('less', about('route', 'delete', prefix('10.8.0.0/16')))
      assert.equal(
        watcher
          .all('route')
          .filter(prefix('10.8.0.0/16'))
          .map(({ route }) => route.via),
        ['10.3.0.7'],
      )
      // IPv6 multipath: a way that goes by itself.
      await ip(ns, 'route add fd01::/64 nexthop via fd00::8 nexthop via fd00::9')
      await watcher.until('both ways', about('route', 'add', prefix('fd01::/64')))
      await ip(ns, 'route delete fd01::/64 via fd00::8')
      const one = await watcher.until('one way', about('route', 'change', prefix('fd01::/64')))
      assert.is(one.route.via, 'fd00::9')
      const from = watcher.events.length
      await ip(ns, 'link set d0 down')
      await watcher.until('its route', about('route', 'delete', prefix('10.8.0.0/16')), from)
      await watcher.until('its IPv6 route', about('route', 'delete', prefix('fd01::/64')), from)
    },
    'link add d0 type bridge',
    'link set d0 up',
    'address add 10.3.0.1/24 dev d0',
    'address add fd00::1/64 dev d0 nodad',
  )
})

test('rules, neighbors and forwarding entries come and go', async () => {
  await watching(
    { rules: true, neighbors: true, fdb: true },
    async (ns, watcher) => {
      await ip(ns, 'rule add from 10.0.0.0/8 table 80 priority 80')
      const rule = await watcher.until('the rule', about('rule', 'add'))
      assert.is(rule.rule.from, '10.0.0.0/8')
      await ip(ns, 'rule delete priority 80')
      await watcher.until(
        'its end',
        about('rule', 'delete', ({ key }) => key === rule.key),
      )

      await ip(ns, 'neighbor add 10.3.0.2 lladdr 02:00:00:00:00:02 dev d0')
      await watcher.until(
        'it',
        about('neighbor', 'add', ({ neighbor }) => neighbor.mac === '02:00:00:00:00:02'),
      )
      await ip(ns, 'neighbor replace 10.3.0.2 lladdr 02:00:00:00:00:03 dev d0')
      const changed = await watcher.until('it', about('neighbor', 'change'))
      assert.is(changed.previous?.mac, '02:00:00:00:00:02')
      await ip(ns, 'neighbor delete 10.3.0.2 dev d0')
      await watcher.until('its end', about('neighbor', 'delete'))

      await output('bridge', ['fdb', 'add', '02:00:00:00:00:09', 'dev', 'p0', 'master', 'static'], { netns: ns })
      const entry = await watcher.until(
        'it',
        about('fdb', 'add', ({ entry: { mac } }) => mac === '02:00:00:00:00:09'),
      )
      assert.is(entry.entry.state, 'static')
      await ip(ns, 'link delete p0')
      await watcher.until(
        'its end',
        about('fdb', 'delete', ({ key }) => key === entry.key),
      )
    },
    'link add d0 type bridge',
    'link set d0 up',
    'address add 10.3.0.1/24 dev d0',
    'link add br0 type bridge',
    'link add p0 master br0 type ifb',
  )
})

test('of IPv6 as of IPv4: rules and neighbors; of a vxlan device its remote ends', async () => {
  await watching(
    { rules: true, neighbors: true, fdb: true },
    async (ns, watcher) => {
      await output('ip', ['-6', 'rule', 'add', 'from', 'fd00::/16', 'table', '80'], { netns: ns })
      const rule = await watcher.until('the rule', about('rule', 'add'))
      assert.equal([rule.rule.family, rule.rule.from], ['inet6', 'fd00::/16'])
      await ip(ns, 'neighbor add fd00::2 lladdr 02:00:00:00:00:02 dev d0')
      const neighbor = await watcher.until('the neighbor', about('neighbor', 'add'))
      assert.equal([neighbor.neighbor.address, neighbor.neighbor.mac], ['fd00::2', '02:00:00:00:00:02'])
      const entry = ['00:00:00:00:00:00', 'dev', 'vx0', 'dst', '192.0.2.7']
      await output('bridge', ['fdb', 'append', ...entry], { netns: ns })
      const added = await watcher.until(
        'the remote end',
        about('fdb', 'add', ({ entry }) => entry.mac === '00:00:00:00:00:00'),
      )
      assert.is(added.entry.remote, '192.0.2.7')
      await output('bridge', ['fdb', 'del', ...entry], { netns: ns })
      await watcher.until(
        'its end',
        about('fdb', 'delete', ({ key }) => key === added.key),
      )
    },
    'link add d0 type bridge',
    'link set d0 up',
    'address add fd00::1/64 dev d0 nodad',
    'link add vx0 type vxlan id 7 dstport 4789',
    'link set vx0 up',
  )
})

test('namespace ids are told as they are given and as their namespaces go', async () => {
  await watching({ nsids: true }, async (ns, watcher) => {
    const other = await createNetns()
    const nsid = await ns.setNsid(other)
    const added = await watcher.until('the id', about('nsid', 'add'))
    assert.is(added.nsid, nsid)
    await other.close()
    await watcher.until(
      'its end',
      about('nsid', 'delete', ({ nsid: gone }) => gone === nsid),
    )
    assert.is(watcher.all('nsid').length, 0)
  })
})

test('a bridge that changes one of its ports changes the link', async () => {
  await watching(
    { links: true },
    async (ns, watcher) => {
      await output('bridge', ['link', 'set', 'dev', 'p0', 'isolated', 'on'], { netns: ns })
      const changed = await watcher.until(
        'the port',
        about('link', 'change', ({ link }) => link.port?.isolated === true),
      )
      assert.is(changed.previous?.port?.isolated, false)
      await ip(ns, 'link set p0 nomaster')
      await watcher.until(
        'no port',
        about('link', 'change', ({ link }) => link.master === undefined && link.port === undefined),
      )
      assert.ok(watcher.all('link').some(({ link }) => link.name === 'p0'))
    },
    'link add br0 type bridge',
    'link add p0 master br0 type ifb',
  )
})

test('what does not change is no event', async () => {
  await watching(
    { links: true },
    async (ns, watcher) => {
      await ip(
        ns,
        'link set d0 mtu 1400',
        'link set d0 mtu 1400',
        'link set d0 alias x',
        'link set d0 alias x',
        'link set d0 mtu 1300',
      )
      await watcher.until(
        'the last',
        about('link', 'change', ({ link }) => link.mtu === 1300),
        0,
      )
      assert.is(watcher.events.filter(about('link', 'change')).length, 3)
    },
    'link add d0 type ifb',
    'link set d0 up',
  )
})

test('nexthop objects are told of, also those that go with a device without a word', async () => {
  await using ns = await createNetns()
  await ns.createBridge({ name: 'br0', up: true, addresses: ['10.0.0.1/24'] })
  await ns.createVethPair({ name: 'v0', master: 'br0', up: true, peer: { name: 'v1', up: true } })
  await ns.addNexthop({ id: 1, via: '10.0.0.2', dev: 'br0' })
  await using watch = ns.watch({ nexthops: true })
  const told: string[] = []
  const until = async (last: string): Promise<void> => {
    for (;;) {
      const { value, done } = await watch.next()
      if (done) throw new Error('the watch ended')
      const text =
        value.type === 'nexthop' ? `${value.action} ${value.key} ${value.nexthop.via ?? value.nexthop.group?.length}` : value.type
      told.push(text)
      if (text === last) return
    }
  }
  await until('synced')
  await output('ip', ['nexthop', 'add', 'id', '2', 'via', '10.0.0.3', 'dev', 'br0'], { netns: ns })
  await output('ip', ['nexthop', 'add', 'id', '3', 'group', '1/2'], { netns: ns })
  await output('ip', ['nexthop', 'replace', 'id', '1', 'via', '10.0.0.9', 'dev', 'br0'], { netns: ns })
  await until('change 1 10.0.0.9')
  await output('ip', ['nexthop', 'del', 'id', '2'], { netns: ns })
  await until('change 3 1')
  await output('ip', ['link', 'set', 'br0', 'down'], { netns: ns })
  await until('delete 3 1')
  assert.equal(told.slice(0, 5), ['add 1 10.0.0.2', 'synced', 'add 2 10.0.0.3', 'add 3 2', 'change 1 10.0.0.9'])
  assert.equal(told.slice(5).sort(), ['change 3 1', 'delete 1 10.0.0.9', 'delete 2 10.0.0.3', 'delete 3 1'])
  assert.equal(await ns.listNexthops(), [])
})

test.run()
