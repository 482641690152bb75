// Networks and endpoints, from creation to deletion, seen with ip, bridge, nft and conntrack.

import * as assert from 'uvu/assert'
import {
  createNetns,
  createNetwork,
  type Endpoint,
  type Network,
  NetworkError,
  type NetworkSpec,
  openNetwork,
} from '../../lib/index.ts'
import { createLab, curl, json, kernelState, output, readSysctl, serve, writeSysctl } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { changes } from './support/changes.ts'
import { attachElsewhere, detachElsewhere, publishElsewhere } from './support/processes.ts'
import { sweep } from './support/sweep.ts'
import { udpClient } from './support/udp-client.ts'
import { until } from './support/until.ts'
import { addressesShown, elementsShown, linkShown, linksShown, routesShown } from './support/witness.ts'

const inside = (endpoint: Endpoint): { path: string } => ({ path: endpoint.netns?.path ?? 'closed' })
const address = (endpoint: { readonly addresses: readonly string[] }): string => endpoint.addresses[0]?.split('/')[0] ?? ''

async function refused(code: string, call: () => Promise<unknown>): Promise<Error> {
  try {
    await call()
  } catch (error) {
    assert.is((error as { code?: string }).code, code, String(error))
    return error as Error
  }
  throw new Error(`not refused with ${code}`)
}

/** A network for `body`, after which the kernel is as it was before. */
async function withNetwork(spec: Partial<NetworkSpec>, body: (network: Network) => Promise<void>): Promise<void> {
  const before = await kernelState()
  try {
    const network = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'], ...spec })
    await body(network)
    await network.delete({ force: true })
  } catch (error) {
    await sweep() // one failure is enough
    throw error
  }
  assert.equal(changes(before, await kernelState()), [], 'the kernel is as before the network')
}

const gone = (name: string): Promise<void> => until(`${name} is gone`, async () => (await linkShown(name)) === undefined)

{
  const test = suite('a network')

  test('is a bridge with its gateway, its name and its options, and a few elements of the firewall', () =>
    withNetwork({ mtu: 1400 }, async (network) => {
      const bridge = await linkShown('br-lab')
      assert.is(bridge?.linkinfo?.info_kind, 'bridge')
      assert.is(bridge?.linkinfo?.info_data?.['mcast_snooping'], 0)
      assert.is(bridge?.mtu, 1400)
      assert.ok(bridge?.flags.includes('UP'))
      assert.equal(bridge?.altnames, ['netlink-ct/lab'])
      assert.is(bridge?.ifalias, 'netlink-ct/1 network lab icc masquerade forwarding=0 addresses=10.9.0.1/24')
      // Whether the loopback of the host is up is for whoever used the sandbox before.
      assert.equal(
        (await addressesShown()).filter((shown) => !shown.startsWith('lo ')),
        ['br-lab 10.9.0.1/24'],
      )
      assert.is(await readSysctl('net.ipv4.ip_forward'), '1')
      assert.is(await readSysctl('net.ipv4.conf.br-lab.route_localnet'), '1')
      assert.is(await readSysctl('net.ipv6.conf.br-lab.disable_ipv6'), '1')
      const group = bridge?.group ?? ''
      assert.ok(Number(group) >= 2 ** 30, group)
      assert.equal(await elementsShown('networks'), [`${group} comment lab`])
      assert.equal(await elementsShown('subnets4'), ['10.9.0.0/24 comment lab'])
      assert.equal(await elementsShown('masqueraded4'), [`${group} comment lab`])
      assert.equal(await elementsShown('same'), [`${group} . ${group} comment lab`])
      assert.equal(await elementsShown('into'), [`${group} comment lab : goto into_network`])
      for (const set of ['from', 'subnets6', 'masqueraded6']) assert.equal(await elementsShown(set), [], set)
      assert.equal(JSON.parse(JSON.stringify(network)), {
        name: 'lab',
        driver: 'bridge',
        subnets: ['10.9.0.0/24'],
        gateways: ['10.9.0.1'],
        reserved: [],
        bridge: 'br-lab',
        adopted: false,
        mtu: 1400,
        internal: false,
        icc: true,
        masquerade: true,
        gatewayMode: { ipv4: 'nat' },
        trusted: [],
        antiSpoofing: false,
      })
    }))

  test('that is internal has no masquerade, is dispatched on its way out, and leaves forwarding alone', () =>
    withNetwork({ internal: true, icc: false }, async () => {
      assert.is((await linkShown('br-lab'))?.ifalias, 'netlink-ct/1 network lab internal forwarding=0 addresses=10.9.0.1/24')
      assert.equal(await elementsShown('from'), [`${(await linkShown('br-lab'))?.group} comment lab : goto from_internal`])
      assert.equal(await elementsShown('masqueraded4'), [])
      assert.equal(await elementsShown('same'), [])
      assert.is(await readSysctl('net.ipv4.ip_forward'), '0')
    }))

  test('without a subnet gets one that the host does not route', async () => {
    await output('ip', ['link', 'set', 'lo', 'up'])
    await output('ip', ['route', 'add', '172.18.0.0/15', 'dev', 'lo'])
    await withNetwork({ subnets: undefined as never }, async (network) => {
      assert.equal(network.subnets, ['172.20.0.0/16'])
      assert.equal(network.gateways, ['172.20.0.1'])
    })
    await output('ip', ['route', 'delete', '172.18.0.0/15', 'dev', 'lo'])
    await output('ip', ['link', 'set', 'lo', 'down'])
  })

  test('made again with the same options is the same one', () =>
    withNetwork({}, async (network) => {
      const again = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
      assert.equal(again.toJSON(), network.toJSON())
      const unspecified = await createNetwork({ name: 'lab' })
      assert.equal(unspecified.toJSON(), network.toJSON())
      assert.is((await linksShown()).filter(({ linkinfo }) => linkinfo?.info_kind === 'bridge').length, 1)
      assert.equal(await elementsShown('networks'), [`${(await linkShown('br-lab'))?.group} comment lab`])
    }))

  test('made again with other options is refused with the differences', () =>
    withNetwork({}, async () => {
      const before = await kernelState()
      const error = await refused('NETWORK_DIFFERS', () =>
        createNetwork({
          name: 'lab',
          subnets: ['10.8.0.0/24'],
          gateways: ['10.8.0.9'],
          icc: false,
          internal: true,
          bridge: 'other',
        }),
      )
      assert.instance(error, NetworkError)
      for (const part of ['subnet 10.9.0.0/24, not 10.8.0.0/24', 'gateway 10.9.0.1, not 10.8.0.9', 'icc true, not false'])
        assert.ok(error.message.includes(part), error.message)
      for (const part of ['internal false, not true', 'bridge br-lab, not other'])
        assert.ok(error.message.includes(part), error.message)
      assert.equal(changes(before, await kernelState()), [])
    }))

  test('made again with another MTU is refused', () =>
    withNetwork({ mtu: 1400 }, async () => {
      await refused('NETWORK_DIFFERS', () => createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'], mtu: 1300 }))
      await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'], mtu: 1400 })
    }))

  test('is opened by name as it was made, with its endpoints', () =>
    withNetwork({ gateways: ['10.9.0.254'], icc: false, masquerade: false, mtu: 1400 }, async (network) => {
      const web = await network.attach({ name: 'web', publish: ['8000-8001:80-81', '127.0.0.1:53:53/udp'] })
      const opened = await openNetwork('lab')
      assert.equal(opened.toJSON(), network.toJSON())
      const [found, ...others] = await opened.endpoints()
      assert.equal(others, [])
      assert.is(found?.name, 'web')
      assert.equal(found?.addresses, web.addresses)
      assert.is(found?.mac, web.mac)
      assert.is(found?.hostIndex, web.hostIndex)
      const key = ({ hostPort }: { hostPort: number }): number => hostPort
      assert.equal(
        [...(found?.ports ?? [])].sort((a, b) => key(a) - key(b)),
        [...web.ports].sort((a, b) => key(a) - key(b)),
      )
      assert.is((await opened.endpoint('web')).hostIfname, web.hostIfname)
      await refused('ENDPOINT_NOT_FOUND', () => opened.endpoint('nobody'))
      const next = await opened.attach({ name: 'next' })
      assert.is((await linkShown('eth0', inside(next)))?.mtu, 1400)
    }))

  test('that is not there cannot be opened', async () => {
    assert.match((await refused('NETWORK_NOT_FOUND', () => openNetwork('lab'))).message, /no network 'lab'/)
  })

  test('with endpoints is deleted by force only', () =>
    withNetwork({}, async (network) => {
      await network.attach({ name: 'web', publish: ['8080:80'] })
      await network.attach({ name: 'db' })
      const before = await kernelState()
      const { message } = await refused('NETWORK_IN_USE', () => network.delete())
      assert.match(message, /'lab' has 2 endpoints \(web, db\)/)
      assert.equal(changes(before, await kernelState()), [])
      await network.delete({ force: true })
      assert.is(await linkShown('br-lab'), undefined)
      await network.delete()
    }))

  test('is deleted also when its bridge or the ruleset is gone, or both', async () => {
    for (const loss of ['ip link delete br-lab', 'nft flush ruleset', 'ip link delete br-lab; nft flush ruleset']) {
      await withNetwork({}, async (network) => {
        await network.attach({ name: 'web', publish: ['8080:80'] })
        await output('sh', ['-c', loss])
        await network.delete({ force: true })
      })
    }
  })

  test('whose bridge somebody deleted can be made again', () =>
    withNetwork({}, async (network) => {
      const web = await network.attach({ name: 'web', publish: ['8080:80'] })
      await output('ip', ['link', 'delete', 'br-lab'])
      await output('ip', ['link', 'delete', web.hostIfname])
      const again = await createNetwork({ name: 'lab', subnets: ['10.9.0.0/24'] })
      const [heir] = [await again.attach({ name: 'web', publish: ['8080:80'] })]
      assert.equal(await elementsShown('ports4'), [`tcp . 8080 comment lab/web : ${address(heir)} . 80`])
      await web.detach()
      assert.equal(await elementsShown('ports4'), [`tcp . 8080 comment lab/web : ${address(heir)} . 80`])
      await again.delete({ force: true })
    }))

  test('turns forwarding on, and the last one turns it off again', async () => {
    const one = await createNetwork({ name: 'one', subnets: ['10.1.0.0/24'] })
    const two = await createNetwork({ name: 'two', subnets: ['10.2.0.0/24'] })
    assert.is(await readSysctl('net.ipv4.ip_forward'), '1')
    await one.delete()
    assert.is(await readSysctl('net.ipv4.ip_forward'), '1')
    assert.equal(await elementsShown('networks'), [`${(await linkShown('br-two'))?.group} comment two`])
    await two.delete()
    assert.is(await readSysctl('net.ipv4.ip_forward'), '0')
    assert.is(await output('nft', ['list', 'ruleset']), '')
  })

  test('leaves forwarding on where it was on before', async () => {
    await writeSysctl('net.ipv4.ip_forward', 1)
    await withNetwork({}, async () => {})
    assert.is(await readSysctl('net.ipv4.ip_forward'), '1')
    await writeSysctl('net.ipv4.ip_forward', 0)
  })

  test("comes and goes without a change to anybody else's devices, tables and routes", async () => {
    const foreign = `
      table inet filter { chain forward { type filter hook forward priority 0; policy accept; ip saddr 10.9.0.7 counter drop comment "mine"; }; }
      table ip nat { map ports { type inet_service : ipv4_addr; elements = { 8080 : 10.0.0.1 }; }; }`
    await output('nft', ['-f', '-'], { input: foreign })
    await output('ip', ['-batch', '-'], {
      input: `link add br-foreign type bridge\nlink add veth9 type veth peer name veth8\nlink set veth9 master br-foreign\nlink set veth9 alias "somebody's"\nlink property add dev veth9 altname foreign-name`,
    })
    const shown = async (): Promise<unknown> => [
      await output('nft', ['--stateless', 'list', 'table', 'inet', 'filter']),
      await output('nft', ['--stateless', 'list', 'table', 'ip', 'nat']),
      await linkShown('br-foreign'),
      await linkShown('veth9'),
    ]
    const before = await shown()
    await withNetwork({}, async (network) => {
      await network.attach({ name: 'web', publish: ['8080:80'] })
      assert.equal(await shown(), before)
    })
    assert.equal(await shown(), before)
    await output('nft', ['flush', 'ruleset'])
    await output('ip', ['-batch', '-'], { input: 'link delete br-foreign\nlink delete veth9' })
  })

  test('and all that was in it is gone after its deletion', () =>
    withNetwork({}, async (network) => {
      await Promise.all(
        Array.from({ length: 12 }, (_, at) => network.attach({ name: `c${at}`, publish: at % 2 ? [`${8000 + at}:80`] : [] })),
      )
    }))

  test.run()
}

{
  const test = suite('an endpoint')

  test('is remembered in 255 characters, all that the kernel keeps, and refused with one more', () =>
    withNetwork({}, async (network) => {
      const publish = Array.from({ length: 19 }, (_, at) => `${10000 + at * 7}:${100 + at}`)
      const name = 'x'.repeat(43)
      const full = await network.attach({ name, publish })
      const alias = (await linkShown(full.hostIfname))?.ifalias
      assert.is(alias?.length, 255)
      assert.is((await network.endpoint(name)).ports.length, 19)
      await refused('ERR_OUT_OF_RANGE', () => network.attach({ name: `${name}x`, publish }))
    }))

  test('is a veth pair with names, MAC, MTU, address and default route as they say', () =>
    withNetwork({ mtu: 1400 }, async (network) => {
      const web = await network.attach({ name: 'web' })
      assert.equal(web.addresses, ['10.9.0.2/24'])
      assert.is(web.mac, '02:42:0a:09:00:02')
      const outer = await linkShown(web.hostIfname)
      assert.is(outer?.ifindex, web.hostIndex)
      assert.is(outer?.linkinfo?.info_kind, 'veth')
      assert.is(outer?.master, 'br-lab')
      assert.is(outer?.mtu, 1400)
      assert.is(outer?.ifalias, 'netlink-ct/1 endpoint web')
      assert.equal(outer?.altnames, ['netlink-ct/lab/web'])
      assert.is(outer?.inet6_addr_gen_mode, 'none')
      assert.is((await linkShown('netlink-ct/lab/web'))?.ifname, web.hostIfname)
      const ports = await json<{ ifname: string; master?: string; state: string }[]>('bridge', ['link'])
      assert.equal(
        ports.map(({ ifname, master, state }) => [ifname, master, state]),
        [[web.hostIfname, 'br-lab', 'forwarding']],
      )

      const inner = await linkShown('eth0', inside(web))
      assert.is(inner?.address, web.mac)
      assert.is(inner?.mtu, 1400)
      assert.ok(inner?.flags.includes('UP'))
      assert.ok((await linkShown('lo', inside(web)))?.flags.includes('UP'))
      assert.equal(await addressesShown(inside(web)), ['lo 127.0.0.1/8', 'eth0 10.9.0.2/24'])
      assert.equal(await routesShown(inside(web)), ['default via 10.9.0.1 dev eth0', '10.9.0.0/24 dev eth0'])
      assert.is(await readSysctl('net.ipv6.conf.eth0.disable_ipv6', inside(web)), '1')
      // No port, no element.
      for (const set of ['ports4', 'ports4_at', 'published4']) assert.equal(await elementsShown(set), [])
    }))

  test('has elements with its name for its ports, and they are in its alias', () =>
    withNetwork({}, async (network) => {
      const web = await network.attach({
        name: 'web',
        publish: [
          '8080:80',
          '8000-8002:9000-9002/udp',
          { hostAddress: '127.0.0.1', hostPort: 53, containerPort: 5353, protocol: 'udp' },
        ],
      })
      assert.equal(await elementsShown('ports4'), [
        'tcp . 8080 comment lab/web : 10.9.0.2 . 80',
        'udp . 8000 comment lab/web : 10.9.0.2 . 9000',
        'udp . 8001 comment lab/web : 10.9.0.2 . 9001',
        'udp . 8002 comment lab/web : 10.9.0.2 . 9002',
      ])
      assert.equal(await elementsShown('ports4_at'), ['127.0.0.1 . udp . 53 comment lab/web : 10.9.0.2 . 5353'])
      assert.equal(await elementsShown('published4'), ['10.9.0.2 comment lab/web'])
      const { ifalias, linkinfo } = (await linkShown(web.hostIfname)) ?? {}
      assert.is(ifalias, 'netlink-ct/1 endpoint web 8080:80 8000-8002:9000-9002/udp 127.0.0.1:53:5353/udp')
      assert.is(linkinfo?.info_slave_data?.['hairpin'], true)
      await web.detach()
      for (const set of ['ports4', 'ports4_at', 'published4']) assert.equal(await elementsShown(set), [])
    }))

  test('keeps to itself on a bridge whose containers must not talk', () =>
    withNetwork({ icc: false }, async (network) => {
      const web = await network.attach({ name: 'web' })
      assert.is((await linkShown(web.hostIfname))?.linkinfo?.info_slave_data?.['isolated'], true)
    }))

  test('has the MAC, the interface name and the address that were asked for', () =>
    withNetwork({}, async (network) => {
      const web = await network.attach({ name: 'web', mac: '02:00:00:00:00:07', ifname: 'net7', addresses: ['10.9.0.77/24'] })
      assert.is(web.mac, '02:00:00:00:00:07')
      assert.is((await linkShown('net7', inside(web)))?.address, '02:00:00:00:00:07')
      assert.equal(await addressesShown(inside(web)), ['lo 127.0.0.1/8', 'net7 10.9.0.77/24'])
      // Found again, it has the same.
      assert.is((await network.endpoint('web')).mac, '02:00:00:00:00:07')
      await web.publish('8080:80')
      assert.is((await linkShown(web.hostIfname))?.ifalias, 'netlink-ct/1 endpoint web 8080:80 mac=02:00:00:00:00:07')
      assert.is((await network.endpoint('web')).mac, '02:00:00:00:00:07')
    }))

  test('joins a namespace that is there, by name, path, process or Netns, and leaves it as it was', async () => {
    for (const name of ['named', 'byPath', 'byPid']) await output('ip', ['netns', 'add', name])
    await using process = await serve({ netns: 'byPid', host: '127.0.0.1' })
    await using given = await createNetns()
    const refs = { named: 'named', byPath: { path: '/run/netns/byPath' }, byPid: { pid: process.pid }, given } as const
    await withNetwork({}, async (network) => {
      for (const [name, netns] of Object.entries(refs)) {
        const where = typeof netns === 'string' || !('inode' in netns) ? netns : { path: netns.path }
        const endpoint = await network.attach({ name, netns })
        assert.ok((await addressesShown(where)).includes(`eth0 ${endpoint.addresses[0]}`), name)
        assert.is(await readSysctl('net.ipv6.conf.eth0.disable_ipv6', where), '1')
        assert.is(await readSysctl('net.ipv6.conf.default.disable_ipv6', where), '0')
        await endpoint.detach()
        assert.equal(
          (await linksShown(where)).map(({ ifname }) => ifname),
          ['lo'],
          name,
        )
      }
    })
    assert.not.ok(given.closed)
    for (const name of ['named', 'byPath', 'byPid']) await output('ip', ['netns', 'delete', name])
  })

  test('shares its container with endpoints of other networks, one of which has the default route', () =>
    withNetwork({}, async (first) => {
      const second = await createNetwork({ name: 'second', subnets: ['10.8.0.0/24'] })
      const web = await first.attach({ name: 'web' })
      assert.ok(web.netns)
      const more = await second.attach({ name: 'web', netns: web.netns, ifname: 'eth1', defaultRoute: false })
      assert.equal((await routesShown(inside(web))).sort(), [
        '10.8.0.0/24 dev eth1',
        '10.9.0.0/24 dev eth0',
        'default via 10.9.0.1 dev eth0',
      ])
      await more.detach()
      assert.equal(
        (await linksShown(inside(web))).map(({ ifname }) => ifname),
        ['lo', 'eth0'],
      )
      await second.delete()
    }))

  test('has a namespace of its own that goes with it, and one that ends in `await using` too', () =>
    withNetwork({}, async (network) => {
      let hostIfname: string
      {
        await using web = await network.attach({ name: 'web' })
        hostIfname = web.hostIfname
        assert.ok(await linkShown(hostIfname))
      }
      assert.is(await linkShown(hostIfname), undefined)
      assert.equal(await network.endpoints(), [])
    }))

  test.run()
}

{
  const test = suite('leases')

  test('are handed out in turn, past those that are taken, and come back late', () =>
    withNetwork({ subnets: ['10.9.0.0/28'] }, async (network) => {
      const [a, b] = [await network.attach({ name: 'a' }), await network.attach({ name: 'b' })]
      await network.attach({ name: 'static', addresses: ['10.9.0.5/28'] })
      assert.equal([a, b].map(address), ['10.9.0.2', '10.9.0.3'])
      await a.detach()
      const taken: string[] = []
      for (let at = 0; at < 9; at++) taken.push(address(await network.attach({ name: `more${at}` })))
      assert.equal(
        taken.map((text) => Number(text.split('.').at(-1))),
        [4, 6, 7, 8, 9, 10, 11, 12, 13],
      )
      assert.is(address(await network.attach({ name: 'last' })), '10.9.0.14')
      assert.is(address(await network.attach({ name: 'again' })), '10.9.0.2')
    }))

  test('leave out the gateway, wherever it lies', () =>
    withNetwork({ subnets: ['10.9.0.0/29'], gateways: ['10.9.0.3'] }, async (network) => {
      const endpoints = []
      for (let at = 0; at < 5; at++) endpoints.push(await network.attach({ name: `c${at}` }))
      assert.equal(endpoints.map(address), ['10.9.0.1', '10.9.0.2', '10.9.0.4', '10.9.0.5', '10.9.0.6'])
      assert.equal(await routesShown(inside(endpoints[0] as Endpoint)), ['default via 10.9.0.3 dev eth0', '10.9.0.0/29 dev eth0'])
    }))

  test('run out with a clear error, and one that is given back is given out again', () =>
    withNetwork({ subnets: ['10.9.0.0/29'] }, async (network) => {
      const endpoints = await Promise.all([1, 2, 3, 4, 5].map((at) => network.attach({ name: `c${at}` })))
      assert.equal(endpoints.map(address).sort(), ['10.9.0.2', '10.9.0.3', '10.9.0.4', '10.9.0.5', '10.9.0.6'])
      const before = await kernelState()
      const { message } = await refused('SUBNET_FULL', () => network.attach({ name: 'c6', publish: ['8080:80'] }))
      assert.match(message, /all 5 addresses of 10\.9\.0\.0\/29 are leased/)
      assert.equal(changes(before, await kernelState()), [])
      const [, second] = endpoints
      await second?.detach()
      const heir = await network.attach({ name: 'c6' })
      assert.equal(heir.addresses, second?.addresses)
      assert.is(heir.mac, second?.mac)
    }))

  test('of two for the same address go to one, and the error names the device of the other', () =>
    withNetwork({}, async (network) => {
      const first = await network.attach({ name: 'first', addresses: ['10.9.0.9/24'] })
      const { message } = await refused('ADDRESS_IN_USE', () => network.attach({ name: 'second', addresses: ['10.9.0.9/24'] }))
      assert.ok(message.includes(`10.9.0.9 is leased already, to the device ${first.hostIfname}`), message)
    }))

  test('are held by a device that somebody took off the bridge', () =>
    withNetwork({ subnets: ['10.9.0.0/30'] }, async (network) => {
      const web = await network.attach({ name: 'web' })
      await output('ip', ['link', 'set', web.hostIfname, 'nomaster'])
      await refused('SUBNET_FULL', () => network.attach({ name: 'other' }))
      await web.detach()
      assert.equal((await network.attach({ name: 'other' })).addresses, web.addresses)
    }))

  test(
    'of eight processes at once are all different',
    () =>
      withNetwork({ subnets: ['10.9.0.0/24'] }, async () => {
        const started = await Promise.allSettled(
          Array.from({ length: 8 }, (_, process) => {
            const spec = (at: number) => ({ name: `p${process}-${at}`, publish: [`${10_000 + process * 100 + at}:80`] })
            return attachElsewhere('lab', ...Array.from({ length: 25 }, (_, at) => spec(at)))
          }),
        )
        const processes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
        if (processes.length < 8) await Promise.all(processes.map((process) => process.kill()))
        for (const one of started) if (one.status === 'rejected') throw one.reason
        const endpoints = processes.flatMap((process) => process.endpoints)
        const addresses = endpoints.map(address)
        assert.is(new Set(addresses).size, 200)
        const shown = await Promise.all(endpoints.slice(0, 8).map(({ netns }) => addressesShown({ path: netns })))
        assert.equal(
          shown.map(([, own]) => own),
          endpoints.slice(0, 8).map(({ addresses: [own] }) => `eth0 ${own}`),
        )
        const elements = endpoints.map(
          ({ name, addresses: [own], ports: [port] }) =>
            `tcp . ${port?.hostPort} comment lab/${name} : ${own?.split('/')[0]} . 80`,
        )
        assert.equal(await elementsShown('ports4'), elements.sort())
        await Promise.all(processes.map((process) => process.kill()))
      }),
    { limit: 120_000 },
  )

  test.run()
}

{
  const test = suite('detach')

  test('works by name, from another process', () =>
    withNetwork({}, async (network) => {
      const web = await network.attach({ name: 'web', publish: ['8080:80', '53:53/udp'] })
      await detachElsewhere('lab', 'web', 'nobody')
      assert.is(await linkShown(web.hostIfname), undefined)
      assert.equal(await elementsShown('ports4'), [])
      assert.equal(
        (await linksShown(inside(web))).map(({ ifname }) => ifname),
        ['lo'],
      )
      await web.detach()
    }))

  test('twice is no error, and does not touch a later endpoint of the same name, address and port', () =>
    withNetwork({}, async (network) => {
      const spec = { name: 'web', addresses: ['10.9.0.9/24'], publish: ['8080:80'] }
      const first = await network.attach(spec)
      await first.detach()
      await first.detach()
      const second = await network.attach(spec)
      await first.detach()
      assert.is((await linkShown(second.hostIfname))?.ifindex, second.hostIndex)
      assert.equal(await elementsShown('ports4'), ['tcp . 8080 comment lab/web : 10.9.0.9 . 80'])
      assert.equal(await elementsShown('published4'), ['10.9.0.9 comment lab/web'])
    }))

  test('works on whatever is left', async () => {
    const losses: Readonly<Record<string, (endpoint: Endpoint) => Promise<unknown>>> = {
      'the link': ({ hostIfname }) => output('ip', ['link', 'delete', hostIfname]),
      'the link inside': (endpoint) => output('ip', ['link', 'delete', 'eth0'], { netns: inside(endpoint) }),
      'the namespace': async ({ netns, hostIfname }) => {
        await netns?.close()
        await gone(hostIfname)
      },
      'the ruleset': () => output('nft', ['flush', 'ruleset']),
      'the elements': () => output('nft', ['flush', 'map', 'inet', 'netlink-ct', 'ports4']),
      'the alias': ({ hostIfname }) => output('ip', ['link', 'set', hostIfname, 'alias', '']),
      'the bridge': () => output('ip', ['link', 'delete', 'br-lab']),
    }
    for (const [what, lose] of Object.entries(losses)) {
      await withNetwork({}, async (network) => {
        const web = await network.attach({ name: 'web', publish: ['8080:80'] })
        await lose(web)
        await web.detach()
        assert.is(await linkShown(web.hostIfname), undefined, what)
        assert.equal(await elementsShown('ports4'), [], what)
        assert.equal(await elementsShown('published4'), [], what)
      })
    }
  })

  test('of many at once takes each one’s ports, and those only', () =>
    withNetwork({}, async (network) => {
      const endpoints = await Promise.all(
        Array.from({ length: 20 }, (_, at) => network.attach({ name: `c${at}`, publish: [`${8000 + at}:80`] })),
      )
      await Promise.all(endpoints.filter((_, at) => at % 2 === 0).map((endpoint) => endpoint.detach()))
      assert.equal(
        (await network.endpoints()).map(({ name }) => name).sort(),
        endpoints
          .filter((_, at) => at % 2)
          .map(({ name }) => name)
          .sort(),
      )
      assert.is((await elementsShown('ports4')).length, 10)
      assert.is((await elementsShown('published4')).length, 10)
    }))

  test('forgets what conntrack remembers of its UDP ports, and of those only', () =>
    withNetwork({}, async (network) => {
      await using lab = await createLab()
      const [web, dns] = [
        await network.attach({ name: 'web', publish: ['5301:53/udp'] }),
        await network.attach({ name: 'dns', publish: ['5302:53/udp'] }),
      ]
      for (const endpoint of [web, dns]) await lab.serve({ netns: inside(endpoint), name: endpoint.name, udp: 53 })
      await using toWeb = udpClient(lab.hostLanAddress, 5301, lab.lan)
      await using toDns = udpClient(lab.hostLanAddress, 5302, lab.lan)
      assert.equal([await toWeb.ask(), await toDns.ask()], ['web', 'dns'])
      const remembered = async (port: number): Promise<boolean> =>
        (await output('conntrack', ['-L', '-p', 'udp', '--orig-port-dst', String(port)])).trim() !== ''
      assert.equal([await remembered(5301), await remembered(5302)], [true, true])
      await web.detach()
      assert.equal([await remembered(5301), await remembered(5302)], [false, true])
    }))

  test.run()
}

{
  const test = suite('ports at run time')

  test('come and go, in the table and in the alias', () =>
    withNetwork({}, async (network) => {
      const web = await network.attach({ name: 'web' })
      const alias = async (): Promise<string | undefined> => (await linkShown(web.hostIfname))?.ifalias
      await web.publish(['8080:80', '127.0.0.1:53:53/udp'])
      assert.equal(await elementsShown('ports4'), ['tcp . 8080 comment lab/web : 10.9.0.2 . 80'])
      assert.equal(await elementsShown('ports4_at'), ['127.0.0.1 . udp . 53 comment lab/web : 10.9.0.2 . 53'])
      assert.equal(await elementsShown('published4'), ['10.9.0.2 comment lab/web'])
      assert.is(await alias(), 'netlink-ct/1 endpoint web 8080:80 127.0.0.1:53:53/udp')
      assert.is((await linkShown(web.hostIfname))?.linkinfo?.info_slave_data?.['hairpin'], true)
      await web.publish('8080:80')
      await web.unpublish('8080:80')
      await web.unpublish('9999:80')
      assert.equal(await elementsShown('ports4'), [])
      assert.equal(await elementsShown('published4'), ['10.9.0.2 comment lab/web'])
      assert.equal(web.ports, [{ protocol: 'udp', hostAddress: '127.0.0.1', hostPort: 53, containerPort: 53 }])
      await web.unpublish('127.0.0.1:53:53/udp')
      assert.equal(await elementsShown('published4'), [])
      assert.is(await alias(), 'netlink-ct/1 endpoint web')
      assert.is((await linkShown(web.hostIfname))?.linkinfo?.info_slave_data?.['hairpin'], false)
    }))

  test('published at the same time are all remembered', () =>
    withNetwork({}, async (network) => {
      const web = await network.attach({ name: 'web' })
      await Promise.all([1, 2, 3, 4].map((at) => web.publish(`${8000 + at}:80`)))
      assert.is((await linkShown(web.hostIfname))?.ifalias, 'netlink-ct/1 endpoint web 8001:80 8002:80 8003:80 8004:80')
      assert.is(web.ports.length, 4)
      assert.is((await elementsShown('ports4')).length, 4)
    }))

  test('published by another process are kept, and go with the detach', () =>
    withNetwork({}, async (network) => {
      const web = await network.attach({ name: 'web', publish: ['8080:80'] })
      await publishElsewhere('lab', 'web', '8081:81')
      await web.publish('8082:82')
      assert.is((await linkShown(web.hostIfname))?.ifalias, 'netlink-ct/1 endpoint web 8080-8082:80-82')
      await publishElsewhere('lab', 'web', '8083:83')
      await web.detach()
      assert.equal(await elementsShown('ports4'), [])
      assert.equal(await elementsShown('published4'), [])
    }))

  test('that another container has are refused with its name, all or nothing', () =>
    withNetwork({}, async (network) => {
      await network.attach({ name: 'web', publish: ['8081:80', '53:53/udp'] })
      const other = await network.attach({ name: 'other', publish: ['9000:80'] })
      const before = await kernelState()
      const { message } = await refused('PORT_IN_USE', () => other.publish(['8080:80', '8081:80', '8082:80']))
      assert.match(message, /8081\/tcp is published by lab\/web \(10\.9\.0\.2:80\)/)
      await refused('PORT_IN_USE', () => other.publish('53:53/udp'))
      const own = await refused('PORT_IN_USE', () => other.publish('9000:81'))
      assert.match(own.message, /'other' publishes 9000\/tcp already, as its port 80/)
      assert.equal(changes(before, await kernelState()), [])
      assert.is(other.ports.length, 1)
    }))

  test('of an endpoint that is gone are refused', () =>
    withNetwork({}, async (network) => {
      const web = await network.attach({ name: 'web' })
      await web.detach()
      await refused('ENDPOINT_NOT_FOUND', () => web.publish('8080:80'))
      await refused('ENDPOINT_NOT_FOUND', () => web.unpublish('8080:80'))
      assert.equal(await elementsShown('ports4'), [])
    }))

  test.run()
}

{
  const test = suite('a container that died')

  test('leaves its ports to nobody: the next one at its address does not answer there', async () => {
    await using lab = await createLab()
    await withNetwork({}, async (network) => {
      await using victim = await attachElsewhere('lab', {
        name: 'victim',
        publish: ['8080:80', '192.0.2.1:8081:80', '5300:53/udp'],
      })
      const [dead] = victim.endpoints
      assert.ok(dead)
      const server = await lab.serve({ netns: { path: dead.netns }, name: 'victim', http: 80, udp: 53 })
      await using client = udpClient(lab.hostLanAddress, 5300, lab.lan)
      const fetched = async (port: number) =>
        (await curl(`http://192.0.2.1:${port}/`, { netns: lab.lan, within: 1500 })).answer?.server
      assert.equal([await fetched(8080), await fetched(8081), await client.ask()], ['victim', 'victim', 'victim'])
      await server.stop()
      await victim.kill()
      await gone(dead.hostIfname)
      assert.is((await elementsShown('ports4')).length, 2)
      assert.is((await elementsShown('ports4_at')).length, 1)

      const heir = await network.attach({ name: 'heir', addresses: dead.addresses })
      for (const set of ['ports4', 'ports4_at', 'published4']) assert.equal(await elementsShown(set), [], set)
      await lab.serve({ netns: inside(heir), name: 'heir', http: 80, udp: 53 })
      assert.is((await curl(`http://${address(heir)}/`)).answer?.server, 'heir')
      assert.equal([await fetched(8080), await fetched(8081), await client.ask()], [undefined, undefined, undefined])
    })
  })

  test('leaves its ports to whoever publishes them next, at another address, in another network, or at run time', () =>
    withNetwork({}, async (network) => {
      const second = await createNetwork({ name: 'second', subnets: ['10.8.0.0/24'] })
      const crash = async (): Promise<void> => {
        const victim = await attachElsewhere('lab', { name: 'victim', publish: ['8080:80', '8081:81'] })
        await victim.kill()
        await gone(victim.endpoints[0]?.hostIfname ?? '')
      }
      await crash()
      const heir = await network.attach({ name: 'victim', addresses: ['10.9.0.99/24'], publish: ['8080:80'] })
      assert.equal(await elementsShown('ports4'), [
        'tcp . 8080 comment lab/victim : 10.9.0.99 . 80',
        'tcp . 8081 comment lab/victim : 10.9.0.2 . 81',
      ])
      // The living one of that name has not published it.
      const other = await second.attach({ name: 'other', publish: ['8081:80'] })
      assert.equal(await elementsShown('ports4'), [
        'tcp . 8080 comment lab/victim : 10.9.0.99 . 80',
        `tcp . 8081 comment second/other : ${address(other)} . 80`,
      ])
      await Promise.all([heir.detach(), other.detach()])
      await crash()
      const late = await second.attach({ name: 'late' })
      await late.publish(['8080:80', '8081:80'])
      assert.is((await elementsShown('ports4')).filter((line) => line.includes('second/late')).length, 2)
      await second.delete({ force: true })
    }))

  test('frees its name and its address', () =>
    withNetwork({ subnets: ['10.9.0.0/30'] }, async (network) => {
      const victim = await attachElsewhere('lab', { name: 'web' })
      await refused('SUBNET_FULL', () => network.attach({ name: 'web' }))
      await victim.kill()
      await gone(victim.endpoints[0]?.hostIfname ?? '')
      assert.equal((await network.attach({ name: 'web' })).addresses, victim.endpoints[0]?.addresses)
    }))

  test('loses its ports when its Endpoint is detached', () =>
    withNetwork({}, async (network) => {
      const web = await network.attach({ name: 'web', publish: ['8080:80'] })
      await web.netns?.close()
      await gone(web.hostIfname)
      assert.is((await elementsShown('ports4')).length, 1)
      await web.detach()
      assert.equal(await elementsShown('ports4'), [])
    }))

  test.run()
}
