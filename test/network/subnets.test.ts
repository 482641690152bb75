// Subnets of both families: where they come from, what containers get of them, and what becomes of the host's own IPv6.

import * as assert from 'uvu/assert'
import { createNetns, createNetwork, type Endpoint, type Network, type NetworkSpec, openNetwork } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { json, kernelState, output, readSysctl, run, writeSysctl } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { changes } from './support/changes.ts'
import { attachElsewhere } from './support/processes.ts'
import { sweep } from './support/sweep.ts'
import { until } from './support/until.ts'
import { addressesShown, elementsShown, linkShown, routesShown } from './support/witness.ts'

const ip = (...lines: string[]): Promise<string> => output('ip', ['-batch', '-'], { input: lines.join('\n') })
const inside = (endpoint: Endpoint): { path: string } => ({ path: endpoint.netns?.path ?? 'closed' })
const tracksSctp = (await run('sysctl', ['-n', 'net.netfilter.nf_conntrack_sctp_timeout_established'])).code === 0
const dual = ['10.9.0.0/24', 'fd00:9::/64']

/** A network for `body`, after which the kernel is as it was before. */
async function withNetwork(spec: Partial<NetworkSpec>, body: (network: Network) => Promise<void>): Promise<void> {
  const before = await kernelState()
  try {
    const network = await createNetwork({ name: 'lab', ...spec })
    await body(network)
    await network.delete({ force: true })
  } catch (error) {
    await sweep() // one failure is enough
    throw error
  }
  assert.equal(changes(before, await kernelState()), [], 'the kernel is as before the network')
}

async function refused(code: string, call: () => Promise<unknown>): Promise<string> {
  const before = await kernelState()
  const failure = await failureOf(call)
  assert.is(failure.code, code, failure.message)
  assert.equal(changes(before, await kernelState()), [], failure.message)
  return failure.message
}

{
  const test = suite('a network of both families')

  test('is a bridge with both gateways, known to the firewall by both subnets, and the host forwards both', () =>
    withNetwork({ subnets: ['fd00:9::/64', '10.9.0.0/24'] }, async (network) => {
      assert.equal(network.subnets, dual)
      assert.equal(network.gateways, ['10.9.0.1', 'fd00:9::1'])
      const group = (await linkShown('br-lab'))?.group
      assert.is(
        (await linkShown('br-lab'))?.ifalias,
        'netlink-ct/1 network lab icc masquerade forwarding=0 forwarding6=0 addresses=10.9.0.1/24,fd00:9::1/64',
      )
      assert.ok((await addressesShown()).includes('br-lab 10.9.0.1/24'))
      assert.ok((await addressesShown(undefined, 6)).includes('br-lab fd00:9::1/64'))
      const [shown] = await json<{ addr_info: { local: string; tentative?: boolean }[] }[]>('ip', [
        '-6',
        'address',
        'show',
        'br-lab',
      ])
      assert.equal(
        shown?.addr_info.map(({ local, tentative = false }) => `${local} ${tentative}`),
        ['fd00:9::1 false', 'fe80::1 false'],
      )
      assert.equal(await elementsShown('subnets6'), ['fd00:9::/64 comment lab'])
      assert.equal(await elementsShown('masqueraded6'), [`${group} comment lab`])
      for (const [key, value] of [
        ['net.ipv6.conf.br-lab.accept_ra', '0'],
        ['net.ipv6.conf.br-lab.disable_ipv6', '0'],
        ['net.ipv6.conf.all.forwarding', '1'],
        ['net.ipv4.ip_forward', '1'],
      ] as const)
        assert.is(await readSysctl(key), value, key)
      assert.equal((await openNetwork('lab')).toJSON(), network.toJSON())
    }))

  test('gives a container the same number in both, usable at once', () =>
    withNetwork({ subnets: dual }, async (network) => {
      const web = await network.attach({ name: 'web', publish: ['8080:80', '[::]:53:53/udp', '0.0.0.0:54:53/udp'] })
      assert.equal(web.addresses, ['10.9.0.2/24', 'fd00:9::2/64'])
      assert.is(web.mac, '02:42:0a:09:00:02')
      assert.equal(await addressesShown(inside(web)), ['lo 127.0.0.1/8', 'eth0 10.9.0.2/24'])
      assert.equal(await addressesShown(inside(web), 6), ['lo ::1/128', 'eth0 fd00:9::2/64'])
      assert.equal(await routesShown(inside(web), 6), ['fd00:9::/64 dev eth0', 'default via fd00:9::1 dev eth0'])
      const shown = await output('ip', ['-6', 'address', 'show', 'tentative'], { netns: inside(web) })
      assert.is(shown, '')
      assert.is(await readSysctl('net.ipv6.conf.eth0.accept_ra', inside(web)), '0')
      assert.is((await linkShown(web.hostIfname))?.inet6_addr_gen_mode, 'none')
      assert.equal(await elementsShown('ports4'), [
        'tcp . 8080 comment lab/web : 10.9.0.2 . 80',
        'udp . 54 comment lab/web : 10.9.0.2 . 53',
      ])
      assert.equal(await elementsShown('ports6'), [
        'tcp . 8080 comment lab/web : fd00:9::2 . 80',
        'udp . 53 comment lab/web : fd00:9::2 . 53',
      ])
      assert.equal(await elementsShown('published6'), ['fd00:9::2 comment lab/web'])
      const [found] = await (await openNetwork('lab')).endpoints()
      assert.equal(found?.addresses, web.addresses)
      assert.equal(found?.ports.map((port) => JSON.stringify(port)).sort(), web.ports.map((port) => JSON.stringify(port)).sort())
      await web.unpublish(['8080:80', '0.0.0.0:54:53/udp'])
      assert.equal([await elementsShown('published4'), await elementsShown('published6')], [[], ['fd00:9::2 comment lab/web']])
      await web.detach()
      for (const set of ['ports4', 'ports6', 'published4', 'published6']) assert.equal(await elementsShown(set), [], set)
    }))

  test('joins a namespace that had IPv6 off, and leaves one alone that it could not join', () =>
    withNetwork({ subnets: dual }, async (network) => {
      await using box = await createNetns()
      await box.setSysctl('net.ipv6.conf.default.disable_ipv6', 1)
      const web = await network.attach({ name: 'web', netns: box })
      assert.equal(await addressesShown(inside(web), 6), ['lo ::1/128', 'eth0 fd00:9::2/64'])
      for (const key of ['accept_ra', 'accept_dad', 'disable_ipv6'])
        assert.is(await box.getSysctl(`net.ipv6.conf.eth0.${key}`), '0', key)
      await web.detach()
      await box.setSysctl('net.ipv6.conf.default.disable_ipv6', 0)
      await output('ip', ['link', 'add', 'x0', 'type', 'veth', 'peer', 'name', 'x1'], { netns: { path: box.path } })
      await ip('link add y0 type veth peer name y1')
      await output('ip', ['-batch', '-'], {
        netns: { path: box.path },
        input:
          'link set lo up\nlink set x0 up\nlink set x1 up\naddress add fd00:7::2/64 dev x0 nodad\nroute add default via fd00:7::1',
      })
      const before = await kernelState({ path: box.path })
      const failure = await failureOf(() => network.attach({ name: 'more', netns: box }))
      assert.equal([failure.code, failure.operation], ['EEXIST', 'add the default route inside'])
      assert.equal(changes(before, await kernelState({ path: box.path })), [])
      await ip('link delete y0')
    }))

  test('leaves IPv6 off in containers of an IPv4 network', () =>
    withNetwork({ subnets: ['10.9.0.0/24'] }, async (network) => {
      const web = await network.attach({ name: 'web' })
      assert.is(await readSysctl('net.ipv6.conf.eth0.disable_ipv6', inside(web)), '1')
      assert.is(await readSysctl('net.ipv6.conf.all.forwarding'), '0')
      const failure = await failureOf(() => network.attach({ name: 'six', publish: ['[::]:80:80'] }))
      assert.match(failure.message, /publish has an IPv6 host address, and the network no IPv6 subnet, got "\[::\]:80\/tcp"/)
      assert.is((await failureOf(() => web.publish('[2001:db8::1]:80:80'))).code, 'ERR_INVALID_ARG_VALUE')
    }))

  test('leaves forwarding and its devices alone when it is internal', () =>
    withNetwork({ subnets: dual, internal: true }, async (network) => {
      assert.is(await readSysctl('net.ipv6.conf.all.forwarding'), '0')
      const web = await network.attach({ name: 'web' })
      assert.equal(await routesShown(inside(web), 6), ['fd00:9::/64 dev eth0'])
    }))

  test.run()
}

{
  const test = suite('subnets')

  test('of IPv6 that nobody named are random, and their own', () =>
    withNetwork({ name: 'one', ipv6: true, subnets: ['10.9.0.0/24'] }, async (one) => {
      assert.match(one.subnets[1] ?? '', /^fd[0-9a-f]{2}:[0-9a-f:]+::\/64$/)
      const two = await createNetwork({ name: 'two', ipv4: false, ipv6: true })
      assert.is(two.subnets.length, 1)
      assert.is.not(two.subnets[0], one.subnets[1])
      assert.equal((await createNetwork({ name: 'two', ipv4: false, ipv6: true })).subnets, two.subnets)
      await two.delete()
    }))

  test('come from the pools that were given, behind what the host routes', async () => {
    await ip(
      'link add x0 type veth peer name x1',
      'link set x0 up',
      'route add 10.90.0.0/23 dev x0',
      'route add 10.90.3.128/25 dev x0',
      'route add fd12::/63 dev x0',
    )
    const addressPools = [
      { base: '10.90.0.0/22', size: 24 },
      { base: '10.91.0.0/24', size: 24 },
      { base: 'fd12::/48', size: 64 },
    ]
    await withNetwork({ ipv6: true, addressPools }, async (network) => {
      assert.equal(network.subnets, ['10.90.2.0/24', 'fd12:0:0:2::/64'])
      const two = await createNetwork({ name: 'two', ipv6: true, addressPools })
      assert.equal(two.subnets, ['10.91.0.0/24', 'fd12:0:0:3::/64'])
      const message = await refused('NO_FREE_SUBNET', () => createNetwork({ name: 'three', addressPools }))
      assert.match(message, /10\.90\.0\.0\/22 \(in parts of \/24\), 10\.91\.0\.0\/24 \(in parts of \/24\): name a subnet/)
      await two.delete()
    })
    await refused('SUBNET_CONFLICT', () => createNetwork({ name: 'lab', subnets: ['fd12::/64'] }))
    await ip('link delete x0')
  })

  test('keep what is reserved for those who ask for it', () =>
    withNetwork({ subnets: ['10.9.0.0/29', 'fd00:9::/64'], reserved: ['10.9.0.2/31', 'fd00:9::4/127'] }, async (network) => {
      assert.equal(network.reserved, ['10.9.0.2/31', 'fd00:9::4/127'])
      assert.match((await linkShown('br-lab'))?.ifalias ?? '', / reserved=10\.9\.0\.2\/31,fd00:9::4\/127 addresses=/)
      const opened = await openNetwork('lab')
      assert.equal((await opened.attach({ name: 'c6' })).addresses, ['10.9.0.6/29', 'fd00:9::6/64'])
      assert.match(
        await refused('SUBNET_FULL', () => opened.attach({ name: 'more' })),
        /all 1 addresses of 10\.9\.0\.0\/29 and fd00:9::\/64/,
      )
      assert.equal((await opened.attach({ name: 'c3', addresses: ['10.9.0.3/29'] })).addresses, ['10.9.0.3/29', 'fd00:9::3/64'])
      await refused('NETWORK_DIFFERS', () => createNetwork({ name: 'lab' }))
      assert.equal(
        (await createNetwork({ name: 'lab', reserved: ['fd00:9::4/127', '10.9.0.2/31'], subnets: network.subnets, ipv6: true }))
          .subnets,
        network.subnets,
      )
    }))

  test('that are asked for again otherwise are refused, family by family', () =>
    withNetwork({ subnets: dual }, async () => {
      const message = await refused('NETWORK_DIFFERS', () =>
        createNetwork({ name: 'lab', subnets: ['10.9.0.0/24', 'fd00:8::/64'], gateways: ['fd00:8::7'] }),
      )
      assert.match(message, /with subnet fd00:9::\/64, not fd00:8::\/64; gateway fd00:9::1, not fd00:8::7$/)
      assert.match(await refused('NETWORK_DIFFERS', () => createNetwork({ name: 'lab' })), /with ipv6 true, not false(;|$)/)
    }))

  test('take their MTU from the way out, unless they have none', async () => {
    await ip('link add x0 mtu 1420 type veth peer name x1', 'address add 10.7.0.1/24 dev x0', 'link set x1 up', 'link set x0 up')
    await ip('route add default via 10.7.0.9')
    await withNetwork({ subnets: dual }, async (network) => {
      assert.is(network.mtu, 1420)
      const web = await network.attach({ name: 'web' })
      assert.equal([(await linkShown('br-lab'))?.mtu, (await linkShown('eth0', inside(web)))?.mtu], [1420, 1420])
      const inner = await createNetwork({ name: 'inner', subnets: ['10.8.0.0/24'], internal: true })
      assert.is(inner.mtu, 1500)
      await inner.delete()
    })
    await ip('link delete x0')
  })

  test.run()
}

{
  const test = suite('static addresses')

  test('of IPv6 are claimed beside the number of IPv4, and both numbers are blocked for others', () =>
    withNetwork({ subnets: dual }, async (network) => {
      const far = await network.attach({ name: 'far', addresses: ['fd00:9::1:0:5/64'] })
      assert.equal(far.addresses, ['10.9.0.2/24', 'fd00:9::1:0:5/64'])
      assert.match((await linkShown(far.hostIfname))?.altnames?.join() ?? '', /-4294967301(,|$)/)
      const near = await network.attach({ name: 'near', addresses: ['fd00:9::4/64'] })
      assert.equal(near.addresses, ['10.9.0.3/24', 'fd00:9::4/64'])
      assert.equal((await network.attach({ name: 'auto' })).addresses, ['10.9.0.5/24', 'fd00:9::5/64'])
      for (const address of ['fd00:9::1:0:5/64', 'fd00:9::4/64', 'fd00:9::3/64', '10.9.0.4/24', '10.9.0.3/24']) {
        const message = await refused('ADDRESS_IN_USE', () => network.attach({ name: 'more', addresses: [address] }))
        assert.ok(message.includes(`${address.split('/')[0]} is leased already, to the device v`), message)
      }
      const both = await network.attach({ name: 'both', addresses: ['fd00:9::77/64', '10.9.0.9/24'] })
      assert.equal(both.addresses, ['10.9.0.9/24', 'fd00:9::77/64'])
      assert.equal(await addressesShown(inside(both), 6), ['lo ::1/128', 'eth0 fd00:9::77/64'])
      assert.equal((await (await openNetwork('lab')).endpoint('far')).addresses, far.addresses)
      await far.detach()
      assert.equal((await network.attach({ name: 'heir', addresses: ['fd00:9::1:0:5/64'] })).addresses[1], 'fd00:9::1:0:5/64')
    }))

  test('of a network of IPv6 only', () =>
    withNetwork({ subnets: ['fd00:9::/64'] }, async (network) => {
      const near = await network.attach({ name: 'near', addresses: ['fd00:9::63/64'] })
      assert.match(near.hostIfname, /-99$/)
      const far = await network.attach({ name: 'far', addresses: ['fd00:9::ffff:ffff:ffff:ffff/64'] })
      assert.match((await linkShown(far.hostIfname))?.altnames?.join() ?? '', /-18446744073709551615/)
      const again = await network.attach({ name: 'again', addresses: ['fd00:9::1:ffff:ffff/64'] })
      assert.is.not(far.mac, again.mac)
      assert.equal((await network.endpoints()).map(({ addresses }) => addresses[0]).sort(), [
        'fd00:9::1:ffff:ffff/64',
        'fd00:9::63/64',
        'fd00:9::ffff:ffff:ffff:ffff/64',
      ])
      await refused('ADDRESS_IN_USE', () => network.attach({ name: 'more', addresses: ['fd00:9::63/64'] }))
      await refused('ADDRESS_IN_USE', () => network.attach({ name: 'more', addresses: ['fd00:9::ffff:ffff:ffff:ffff/64'] }))
    }))

  test('that go with a gateway need the other one, too', () =>
    withNetwork({ subnets: dual, gateways: ['fd00:9::7'] }, async (network) => {
      assert.equal(network.gateways, ['10.9.0.1', 'fd00:9::7'])
      const message = await refused('ERR_INVALID_ARG_VALUE', () => network.attach({ name: 'web', addresses: ['10.9.0.7/24'] }))
      assert.match(message, /needs an IPv6 address: the one that goes with it, fd00:9::7, is the gateway/)
      await network.attach({ name: 'web', addresses: ['10.9.0.7/24', 'fd00:9::70/64'] })
    }))

  test('of a container that died lead nobody to its heir', () =>
    withNetwork({ subnets: dual }, async (network) => {
      const victim = await attachElsewhere('lab', { name: 'victim', publish: ['8080:80', '[2001:db8::1]:81:81'] })
      await victim.kill()
      const [dead] = victim.endpoints
      await until('the device is gone', async () => (await linkShown(dead?.hostIfname ?? '')) === undefined)
      assert.is((await elementsShown('ports6')).length, 1)
      await network.attach({ name: 'heir', addresses: ['10.9.0.9/24', 'fd00:9::2/64'] })
      for (const set of ['ports6', 'ports6_at', 'published6']) assert.equal(await elementsShown(set), [], set)
      assert.is((await elementsShown('ports4')).length, 1)
      await network.attach({ name: 'next', publish: ['8080:80'] })
    }))

  test.skipIf(!tracksSctp && 'the kernel does not track SCTP', 'with SCTP ports have them in both families', () =>
    withNetwork({ subnets: dual }, async (network) => {
      const web = await network.attach({ name: 'web', publish: ['9000:90/sctp'] })
      assert.equal(await elementsShown('ports4'), ['sctp . 9000 comment lab/web : 10.9.0.2 . 90'])
      assert.equal(await elementsShown('ports6'), ['sctp . 9000 comment lab/web : fd00:9::2 . 90'])
      assert.is((await linkShown(web.hostIfname))?.ifalias, 'netlink-ct/1 endpoint web 9000:90/sctp')
      await web.unpublish('9000:90/sctp')
      assert.equal(await elementsShown('ports4'), [])
    }),
  )

  test('and ports that collide are refused with the owner, in either family', () =>
    withNetwork({ subnets: dual }, async (network) => {
      const web = await network.attach({ name: 'web', publish: ['[::]:8080:80', '[2001:db8::1]:81:81'] })
      const any = await refused('PORT_IN_USE', () => network.attach({ name: 'other', publish: ['8080:80'] }))
      assert.match(any, /8080\/tcp is published by lab\/web \(\[fd00:9::2\]:80\)/)
      const one = await refused('PORT_IN_USE', () => network.attach({ name: 'other', publish: ['[2001:db8::1]:81:80'] }))
      assert.match(one, /\[2001:db8::1\]:81\/tcp is published by lab\/web/)
      assert.match(await refused('PORT_IN_USE', () => web.publish('8080:80')), /'web' publishes \[::\]:8080\/tcp already/)
      await network.attach({ name: 'other', publish: ['0.0.0.0:8080:80'] })
    }))

  test.run()
}

{
  const test = suite('a host that forwards IPv6')

  test('goes on listening to routers where it did, and as before when the last network goes', async () => {
    await ip(
      'link add x0 type veth peer name x1',
      'link add y0 type veth peer name y1',
      'link add br-theirs type bridge',
      'link set y1 master br-theirs',
    )
    await writeSysctl('net.ipv6.conf.y0.accept_ra', 0)
    const accepts = (name: string): Promise<string> => readSysctl(`net.ipv6.conf.${name}.accept_ra`)
    await withNetwork({ subnets: dual }, async () => {
      assert.equal(await Promise.all(['x0', 'y0', 'y1', 'lo'].map(accepts)), ['2', '0', '1', '1'])
      const index = (await linkShown('x0'))?.ifindex
      assert.equal((await linkShown('x0'))?.altnames, [`netlink-ct/accept_ra=1/${index}`])
      const two = await createNetwork({ name: 'two', subnets: ['fd00:8::/64'] })
      await createNetwork({ name: 'four', subnets: ['10.8.0.0/24'] }).then((four) => four.delete())
      await two.delete()
      assert.equal([await accepts('x0'), await readSysctl('net.ipv6.conf.all.forwarding')], ['2', '1'])
    })
    assert.is(await accepts('x0'), '1')
    assert.is((await linkShown('x0'))?.altnames, undefined)
    await ip('link delete x0', 'link delete y0', 'link delete br-theirs')
  })

  test('forwards on when it did before', async () => {
    await writeSysctl('net.ipv6.conf.all.forwarding', 1)
    await withNetwork({ subnets: dual }, async () => {
      assert.match((await linkShown('br-lab'))?.ifalias ?? '', / forwarding6=1 /)
    })
    assert.is(await readSysctl('net.ipv6.conf.all.forwarding'), '1')
    await writeSysctl('net.ipv6.conf.all.forwarding', 0)
  })

  test.run()
}
