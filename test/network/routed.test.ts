// Networks whose containers are reached by their own addresses, or from interfaces that are trusted: what the matrix does not ask. The kernel's
// own answer to an echo request, what stands in the table and on the device, and that it is found again.

import * as assert from 'uvu/assert'
import { createNetwork, exposedPorts, type Network, NetworkError, type NetworkSpec, openNetwork } from '../../lib/index.ts'
import { run } from '../support/command.ts'
import { failureOf } from '../support/failure.ts'
import { suite } from '../support/suite.ts'
import { type City, createCity } from './matrix/city.ts'
import { attachElsewhere } from './support/processes.ts'
import { sweep } from './support/sweep.ts'
import { until } from './support/until.ts'
import { elementsShown, linkShown } from './support/witness.ts'

const subnets = ['10.9.0.0/24', 'fd00:9::/64']

{
  const test = suite('routed networks')
  let city: City
  test.before(async () => {
    city = await createCity()
  })
  test.after(async () => {
    await city[Symbol.asyncDispose]()
    await sweep()
  })

  /** One of several: what is sent before the kernel has noticed a new link's carrier is lost. */
  const answers = async (place: string, address: string, seconds = 10): Promise<boolean> =>
    (await run('ping', ['-n', '-c', '1', '-i', '0.3', '-w', String(seconds), address], { netns: place })).code === 0

  for (const driver of ['bridge', 'ptp'] as const) {
    test(`${driver}: answer an echo request in the families that are routed, and from a trusted interface in all`, async () => {
      const mixed = await createNetwork({ name: 'mixed', driver, subnets, gatewayMode: { ipv6: 'routed' }, trusted: ['lan0'] })
      try {
        await mixed.attach({ name: 'web', addresses: ['10.9.0.2/24', 'fd00:9::2/64'] })
        assert.ok(await answers('internet', 'fd00:9::2'))
        assert.not.ok(await answers('internet', '10.9.0.2', 2))
        assert.ok(await answers('lan', '10.9.0.2'))
        assert.ok(await answers('lan', 'fd00:9::2'))
      } finally {
        await mixed.delete({ force: true })
      }
    })
  }

  test.run()
}

{
  const test = suite('gateway modes and trusted interfaces')
  const full: NetworkSpec = { name: 'lab', subnets, gatewayMode: { ipv4: 'nat', ipv6: 'routed' }, trusted: ['wg0', 'a,b'] }
  let lab: Network
  test.before.each(async () => {
    lab = await createNetwork(full)
  })
  test.after.each(async () => {
    await lab.delete({ force: true })
    await sweep()
  })

  test('are remembered by the device, and found again', async () => {
    const words = 'icc masquerade routed6 trusted=wg0,a%2Cb forwarding=0 forwarding6=0 addresses=10.9.0.1/24,fd00:9::1/64'
    assert.is((await linkShown('br-lab'))?.ifalias, `netlink-ct/1 network lab ${words}`)
    const found = await openNetwork('lab')
    assert.equal(found.gatewayMode, { ipv4: 'nat', ipv6: 'routed' })
    assert.equal(found.trusted, ['wg0', 'a,b'])
    assert.equal(found.toJSON(), lab.toJSON())
    await createNetwork({ ...full, trusted: ['a,b', 'wg0'] })
    await createNetwork({ ...full, gatewayMode: { ipv6: 'routed' } })
  })

  for (const [change, text] of [
    [{ gatewayMode: 'nat' }, 'gatewayMode {"ipv4":"nat","ipv6":"routed"}, not {"ipv4":"nat","ipv6":"nat"}'],
    [{ trusted: ['wg0'] }, 'trusted a,b, wg0, not wg0'],
    [{ trusted: undefined }, 'trusted a,b, wg0, not nothing'],
  ] as const) {
    test(`that differ are refused: ${text}`, async () => {
      const failure = await failureOf(() => createNetwork({ ...full, ...change } as NetworkSpec))
      assert.instance(failure, NetworkError)
      assert.is(failure.message, `NETWORK_DIFFERS: there is a network 'lab' with ${text}`)
    })
  }

  test('are elements of the table, and go with the network', async () => {
    const group = (await elementsShown('networks'))[0]?.split(' ')[0]
    assert.equal(await elementsShown('trusted'), [`a,b . ${group} comment lab`, `wg0 . ${group} comment lab`])
    assert.equal(await elementsShown('routed6'), [`${group} comment lab`])
    assert.equal(await elementsShown('routed4'), [])
    assert.equal(await elementsShown('masqueraded4'), [`${group} comment lab`])
    assert.equal(await elementsShown('masqueraded6'), [])
    assert.equal(await elementsShown('into'), [`${group} comment lab : goto into_routed`])
    const other = await createNetwork({ name: 'other', subnets: ['10.8.0.0/24'] })
    await lab.delete()
    for (const set of ['trusted', 'routed6']) assert.equal(await elementsShown(set), [])
    await other.delete()
  })

  test('open ports of containers by their own address, and close them: at attach, later, by another object', async () => {
    const web = await lab.attach({ name: 'web', publish: ['8080:80', '[::]::53/udp'] })
    const http = 'fd00:9::2 . tcp . 80 comment lab/web'
    const dns = 'fd00:9::2 . udp . 53 comment lab/web'
    assert.equal(await elementsShown('open6'), [http, dns])
    assert.equal(await elementsShown('ports6'), [])
    assert.equal(await elementsShown('ports4'), ['tcp . 8080 comment lab/web : 10.9.0.2 . 80'])
    await web.publish('[::]::82?from=2001:db8::/32')
    assert.equal(await elementsShown('open6_from'), ['fd00:9::2 . tcp . 82 . 2001:db8::/32 comment lab/web'])
    assert.equal(
      (await exposedPorts()).map(({ containerAddress, containerPort, hostPort, from }) => {
        return [containerAddress, containerPort, hostPort, from]
      }),
      [
        ['fd00:9::2', 53, undefined, 'everyone'],
        ['fd00:9::2', 80, undefined, 'everyone'],
        ['fd00:9::2', 82, undefined, ['2001:db8::/32']],
        ['10.9.0.2', 80, 8080, 'everyone'],
      ],
    )
    const found = await (await openNetwork('lab')).endpoint('web')
    await found.unpublish(['8080:80', '[::]::82'])
    assert.equal(await elementsShown('open6'), [dns])
    assert.equal(await elementsShown('open6_from'), [])
    await found.detach()
    for (const set of ['open6', 'ports4', 'published4', 'published6']) assert.equal(await elementsShown(set), [], set)
  })

  test('of a dead container are closed before somebody else has its address', async () => {
    const addresses = ['10.9.0.66/24', 'fd00:9::66/64']
    const publish = ['8080:80', '8081:81?from=2001:db8::/32,192.0.2.0/24']
    const dead = await attachElsewhere('lab', { name: 'dead', addresses, publish })
    await dead.kill()
    await until('the device is gone', async () => (await linkShown(dead.endpoints[0]?.hostIfname ?? '')) === undefined)
    assert.is((await elementsShown('open6')).length + (await elementsShown('open6_from')).length, 2)
    await lab.attach({ name: 'web', addresses })
    for (const set of ['open6', 'open6_from', 'ports4', 'limited4', 'allowed4', 'published6'])
      assert.equal(await elementsShown(set), [], set)
  })

  test('a routed network has the ports of its containers, each of them', async () => {
    const routed = await createNetwork({ name: 'routed', subnets: ['10.8.0.0/24'], gatewayMode: 'routed' })
    const [a, b] = [
      await routed.attach({ name: 'a', publish: ['80', '81:81'] }),
      await routed.attach({ name: 'b', publish: ['80'] }),
    ]
    const port = (number: number) => ({ protocol: 'tcp', containerPort: number, hostPort: number })
    assert.equal(a.ports, [port(80), port(81)])
    assert.equal(b.ports, [port(80)])
    await b.publish('80')
    assert.equal((await elementsShown('open4')).length, 3)
    assert.is(routed.masquerade, false)
    await routed.delete({ force: true })
  })

  test.run()
}
