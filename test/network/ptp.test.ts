// Networks without a bridge: each container has a link of its own, and the host routes to it.

import * as assert from 'uvu/assert'
import { createNetns, createNetwork, type Endpoint, type Network, type NetworkSpec, openNetwork } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { createLab, curl, json, kernelState, output, ping, readSysctl, writeSysctl } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { changes } from './support/changes.ts'
import { attachElsewhere } from './support/processes.ts'
import { sweep } from './support/sweep.ts'
import { until } from './support/until.ts'
import { addressesShown, elementsShown, linkShown, routesShown } from './support/witness.ts'

const test = suite('a network without a bridge')
const inside = (endpoint: Endpoint): { path: string } => ({ path: endpoint.netns?.path ?? 'closed' })
const dual = ['10.9.0.0/24', 'fd00:9::/64']

/** A network for `body`, after which the kernel is as it was before. */
async function withNetwork(spec: Partial<NetworkSpec>, body: (network: Network) => Promise<void>): Promise<void> {
  const before = await kernelState()
  try {
    const network = await createNetwork({ name: 'lab', driver: 'ptp', subnets: dual, ...spec })
    await body(network)
    await network.delete({ force: true })
  } catch (error) {
    await sweep() // one failure is enough
    throw error
  }
  assert.equal(changes(before, await kernelState()), [], 'the kernel is as before the network')
}

interface Neighbor {
  readonly dst: string
  readonly lladdr?: string
  readonly state: readonly string[]
}
const neighborsShown = (args: readonly string[], netns?: { path: string }): Promise<Neighbor[]> =>
  json('ip', ['neigh', ...args], { netns })

test('has a device with its gateways and no ports; a container has a link, routes and neighbors on both sides', () =>
  withNetwork({}, async (network) => {
    assert.is(network.driver, 'ptp')
    assert.is(
      (await linkShown('br-lab'))?.ifalias,
      'netlink-ct/1 network lab ptp icc masquerade forwarding=0 forwarding6=0 addresses=10.9.0.1/24,fd00:9::1/64',
    )
    const group = (await linkShown('br-lab'))?.group
    assert.equal(await elementsShown('gateways4'), [`${group} comment lab : 10.9.0.1`])
    assert.equal(await elementsShown('gateways6'), [`${group} comment lab : fd00:9::1`])
    const ruleset = await output('nft', ['list', 'ruleset'])
    const web = await network.attach({ name: 'web' })
    assert.is(await output('nft', ['list', 'ruleset']), ruleset, 'a container without ports is nothing to the firewall')
    assert.equal(web.addresses, ['10.9.0.2/32', 'fd00:9::2/128'])
    const outer = await linkShown(web.hostIfname)
    assert.equal([outer?.master, outer?.group, outer?.inet6_addr_gen_mode], [undefined, group, 'none'])
    assert.ok((await routesShown()).includes(`10.9.0.2 dev ${web.hostIfname}`))
    assert.ok((await routesShown(undefined, 6)).includes(`fd00:9::2 dev ${web.hostIfname}`))
    const permanent = (neighbors: readonly Neighbor[]): string[] =>
      neighbors.filter(({ state }) => state.includes('PERMANENT')).map(({ dst, lladdr }) => `${dst} ${lladdr}`)
    assert.equal(permanent(await neighborsShown(['show', 'dev', web.hostIfname])).sort(), [
      `10.9.0.2 ${web.mac}`,
      `fd00:9::2 ${web.mac}`,
    ])
    assert.equal(permanent(await neighborsShown(['show', 'dev', 'eth0'], inside(web))).sort(), [
      `10.9.0.1 ${outer?.address}`,
      `fd00:9::1 ${outer?.address}`,
    ])
    assert.equal(await addressesShown(inside(web)), ['lo 127.0.0.1/8', 'eth0 10.9.0.2/32'])
    assert.equal(await addressesShown(inside(web), 6), ['lo ::1/128', 'eth0 fd00:9::2/128'])
    assert.equal(await routesShown(inside(web)), ['default via 10.9.0.1 dev eth0'])
    assert.equal(await routesShown(inside(web), 6), ['fd00:9::2 dev eth0', 'default via fd00:9::1 dev eth0'])
    assert.is(await readSysctl(`net.ipv6.conf.${web.hostIfname}.accept_ra`), '0')
    assert.is(await readSysctl(`net.ipv4.conf.${web.hostIfname}.route_localnet`), '1')
    const opened = await openNetwork('lab')
    assert.equal(opened.toJSON(), network.toJSON())
    assert.equal(
      (await opened.endpoints()).map(({ name, addresses }) => [name, addresses]),
      [['web', web.addresses]],
    )
    assert.equal((await opened.attach({ name: 'next' })).addresses, ['10.9.0.3/32', 'fd00:9::3/128'])
    const message = (await failureOf(() => createNetwork({ name: 'lab', subnets: dual }))).message
    assert.match(message, /with driver ptp, not bridge/)
  }))

test('of IPv4 only has no IPv6 on either end', () =>
  withNetwork({ subnets: ['10.9.0.0/24'] }, async (network) => {
    const web = await network.attach({ name: 'web' })
    assert.is(await readSysctl(`net.ipv6.conf.${web.hostIfname}.disable_ipv6`), '1')
    assert.is(await readSysctl('net.ipv6.conf.eth0.disable_ipv6', inside(web)), '1')
  }))

test('gives addresses that were asked for, in the spelling of the subnet or their own', () =>
  withNetwork({}, async (network) => {
    const far = await network.attach({ name: 'far', addresses: ['fd00:9::1:0:5/64'] })
    assert.equal(far.addresses, ['10.9.0.2/32', 'fd00:9::1:0:5/128'])
    assert.is((await failureOf(() => network.attach({ name: 'more', addresses: far.addresses }))).code, 'ADDRESS_IN_USE')
    await far.detach()
    assert.equal((await network.attach({ name: 'more', addresses: far.addresses })).addresses, far.addresses)
  }))

test('lets containers without a default route reach each other, the host and their published ports', async () => {
  await using lab = await createLab()
  for (const internal of [false, true]) {
    await withNetwork({ internal }, async (network) => {
      const ports = internal ? [] : ['8080:80']
      const [one, two] = [
        await network.attach({ name: 'one', defaultRoute: false, publish: ports }),
        await network.attach({ name: 'two', defaultRoute: false }),
      ]
      assert.equal(await routesShown(inside(two)), ['10.9.0.0/24 via 10.9.0.1 dev eth0'])
      await using _server = await lab.serve({ netns: inside(one), name: 'one', host: '::', http: 80 })
      for (const at of ['10.9.0.2', '[fd00:9::2]']) {
        assert.is((await curl(`http://${at}/`, { netns: inside(two) })).answer?.server, 'one', at)
        // From the gateway: the container has a way back to that one only.
        assert.is((await curl(`http://${at}/`)).answer?.peer, at.startsWith('1') ? '10.9.0.1' : 'fd00:9::1')
      }
      if (!internal) {
        assert.is((await curl('http://127.0.0.1:8080/')).answer?.peer, '10.9.0.1')
        assert.is((await curl('http://10.9.0.1:8080/', { netns: inside(one) })).answer?.peer, '10.9.0.1')
        assert.is((await curl('http://[fd00:9::1]:8080/', { netns: inside(one) })).answer?.peer, 'fd00:9::1')
      }
    })
  }
})

test('works where sources are checked strictly and only the device asked answers for its own address', () =>
  withNetwork({}, async (network) => {
    const settings = { rp_filter: 1, arp_ignore: 1, arp_filter: 1 }
    for (const [key, value] of Object.entries(settings)) await writeSysctl(`net.ipv4.conf.all.${key}`, value)
    const [one, two] = [await network.attach({ name: 'one' }), await network.attach({ name: 'two' })]
    assert.ok(await ping('10.9.0.1', { netns: inside(one) }))
    assert.ok(await ping('10.9.0.3', { netns: inside(one) }))
    assert.ok(await ping('fd00:9::2', { netns: inside(two) }))
    for (const key of Object.keys(settings)) await writeSysctl(`net.ipv4.conf.all.${key}`, 0)
  }))

test('publishes at run time, and a detach leaves no port, route or neighbor', () =>
  withNetwork({}, async (network) => {
    const before = await kernelState()
    const web = await network.attach({ name: 'web' })
    await web.publish('8080:80')
    assert.is((await linkShown(web.hostIfname))?.ifalias, 'netlink-ct/1 endpoint web 8080:80')
    assert.equal(await elementsShown('ports6'), ['tcp . 8080 comment lab/web : fd00:9::2 . 80'])
    await web.unpublish('8080:80')
    assert.equal(await elementsShown('ports6'), [])
    await web.detach()
    assert.equal(changes(before, await kernelState()), [])
  }))

test('and a container that died frees its name and its address', () =>
  withNetwork({ subnets: ['10.9.0.0/30'] }, async (network) => {
    const victim = await attachElsewhere('lab', { name: 'web', publish: ['8080:80'] })
    assert.is((await failureOf(() => network.attach({ name: 'more' }))).code, 'SUBNET_FULL')
    await victim.kill()
    await until('the device is gone', async () => (await linkShown(victim.endpoints[0]?.hostIfname ?? '')) === undefined)
    const heir = await network.attach({ name: 'web', publish: ['8080:80'] })
    assert.equal(heir.addresses, ['10.9.0.2/32'])
  }))

test('an attach that fails leaves nothing, whichever step is refused', () =>
  withNetwork({}, async (network) => {
    await using box = await createNetns('box')
    await output('ip', ['-n', 'box', '-batch', '-'], { input: 'link set lo up\nlink set lo down' })
    const fails = async (what: string, code: string, operation: string | RegExp): Promise<void> => {
      const before = [await kernelState(), await kernelState('box')]
      const failure = await failureOf(() => network.attach({ name: 'web', netns: box, publish: ['8080:80'] }))
      assert.equal(changes(before, [await kernelState(), await kernelState('box')]), [], what)
      assert.is(failure.code, code, failure.message)
      assert.match(failure.message, operation, what)
    }
    await output('ip', ['route', 'add', '10.9.0.2/32', 'dev', 'br-lab', 'scope', 'link'])
    await fails('a route that is there', 'EEXIST', /route to the container/)
    await output('ip', ['route', 'delete', '10.9.0.2/32', 'dev', 'br-lab'])
    await output('ip', ['-n', 'box', '-batch', '-'], {
      input:
        'link add x0 type veth peer name x1\naddress add 10.7.0.2/24 dev x0\nlink set x0 up\nlink set x1 up\nroute add default via 10.7.0.1',
    })
    await fails('a default route that is there', 'EEXIST', /add the default route inside/)
    await output('ip', ['-n', 'box', 'link', 'delete', 'x0'])
    await output('ip', ['link', 'delete', 'br-lab'])
    await fails('a gateway that is gone', 'NETWORK_NOT_FOUND', /the bridge br-lab of the network 'lab' is gone/)
    await output('ip', ['netns', 'delete', 'box'])
  }))

test(
  'has more containers than a bridge has room for',
  () =>
    withNetwork({ subnets: ['10.8.0.0/16'] }, async (network) => {
      await Promise.all(Array.from({ length: 1030 }, (_, at) => network.attach({ name: `c${at}` })))
      assert.is((await network.endpoints()).length, 1030)
      assert.is((await routesShown()).filter((route) => route.startsWith('10.8.')).length, 1031)
    }),
  { limit: 180_000 },
)

test.run()
