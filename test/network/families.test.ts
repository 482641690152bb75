// IPv4 and IPv6 beside each other, and IPv6 alone: who reaches whom, with real packets.

import * as assert from 'uvu/assert'
import { createNetwork, openNetwork } from '../../lib/index.ts'
import { failureOf } from '../support/failure.ts'
import { askUdp, curl, ping, run } from '../support/lab.ts'
import { suite } from '../support/suite.ts'
import { around, createDualWorld, type DualWorld, inUrl } from './support/dual-world.ts'

const noBridgeNetfilter =
  (await run('sysctl', ['-n', 'net.bridge.bridge-nf-call-ip6tables'])).code !== 0 && 'the kernel has no br_netfilter'

type Case = readonly [url: string, from: string, server: string | undefined]

for (const [driver, filtered] of [
  ['bridge', 0],
  ['bridge', 1],
  ['ptp', 1],
] as const) {
  const test = suite(`both families, ${driver}, bridge-nf-call-ip6tables=${filtered}`)
  let world: DualWorld

  if (noBridgeNetfilter === false) {
    test.before(async () => {
      world = await createDualWorld(driver, filtered)
      await world.lab.serve({ name: 'host', host: '::1', http: 9999 })
    })
    test.after(async () => {
      await world[Symbol.asyncDispose]()
    })
  }
  const check = (title: string, body: () => Promise<void>): void => test.skipIf(noBridgeNetfilter, title, body, { limit: 60_000 })

  const fetched = async (url: string, from: string, within = 5000) =>
    (await curl(`http://${url}/`, { netns: world.place(from), within })).answer
  /** All at once: what must not answer takes its time. */
  async function answers(cases: readonly Case[]): Promise<void> {
    const found = await Promise.all(cases.map(([url, from, server]) => fetched(url, from, server === undefined ? 1000 : 5000)))
    const wrong = cases.flatMap(([url, from, server], at) =>
      found[at]?.server === server ? [] : [`${url} from ${from}: ${found[at]?.server}, not ${server}`],
    )
    assert.equal(wrong, [])
  }

  for (const version of [4, 6] as const) {
    const { hostLan, hostWan, lan, internet } = around[version]
    const url = (address: string, port: number): string => `${inUrl(address)}:${port}`
    const of = (container: string): string => world.addressOf(container, version)

    check(`IPv${version}: the LAN, the host and every container reach a published port`, async () => {
      await answers([
        [url(hostLan, 8080), 'lan', 'a1'],
        [url(hostWan, 8080), 'internet', 'a1'],
        [url(hostLan, 8080), 'host', 'a1'],
        [url(hostWan, 8080), 'host', 'a1'],
        [url(hostLan, 8080), 'a1', 'a1'],
        [url(hostLan, 8080), 'a2', 'a1'],
        [url(hostLan, 8080), 'b1', 'a1'],
        [url(hostLan, 8083), 'lan', 'n2'],
        [`${world.gatewayOf('a', version)}:8080`, 'a1', 'a1'],
        [`${world.gatewayOf('a', version)}:8080`, 'a2', 'a1'],
      ])
      assert.is((await askUdp(hostLan, 5353, { netns: 'lan', within: 3000 }))?.server, 'a1')
      assert.is((await askUdp(hostLan, 5353, { netns: world.place('a1'), within: 3000 }))?.server, 'a1')
    })

    check(`IPv${version}: a port of one address, or of one family, is on no other`, async () => {
      await answers([
        [url(hostLan, 8082), 'lan', 'a1'],
        [url(hostWan, 8082), 'host', undefined],
        [url(hostLan, 8084), 'lan', version === 4 ? 'a1' : undefined],
        [url(hostLan, 8086), 'lan', version === 6 ? 'a1' : undefined],
        [url(hostLan, 8081), 'lan', undefined],
      ])
    })

    check(`IPv${version}: whoever answers sees who asks, and the internet sees the host`, async () => {
      assert.is((await fetched(url(hostLan, 8080), 'lan'))?.peer, lan)
      assert.is((await fetched(`${of('a1')}:80`, 'a2'))?.peer, of('a2').replace(/[[\]]/g, ''))
      assert.is((await fetched(url(internet, 81), 'a1'))?.peer, hostWan)
      assert.is((await fetched(url(internet, 81), 'n1'))?.peer, hostWan)
    })

    check(`IPv${version}: containers reach their network, the host reaches them, others do not`, async () => {
      await answers([
        [`${of('a1')}:80`, 'a2', 'a1'],
        [`${of('a1')}:80`, 'host', 'a1'],
        [`${of('i2')}:80`, 'i1', 'i2'],
        [`${of('a1')}:80`, 'b1', undefined],
        [`${of('b1')}:80`, 'a1', undefined],
        [`${of('n2')}:80`, 'n1', undefined],
        [`${of('a1')}:80`, 'lan', undefined],
        [`${of('a2')}:80`, 'lan', undefined],
        [`${of('i1')}:80`, 'lan', undefined],
        [`${of('i1')}:80`, 'a1', undefined],
        [`${of('a1')}:80`, 'i1', undefined],
        [url(internet, 81), 'i1', undefined],
        [url(hostLan, 8080), 'i1', undefined],
      ])
    })

    check(`IPv${version}: ping goes where packets may go`, async () => {
      const bare = (address: string): string => address.replace(/[[\]]/g, '')
      assert.ok(await ping(bare(of('a1')), { netns: world.place('a2') }))
      assert.ok(await ping(bare(world.gatewayOf('a', version)), { netns: world.place('a1') }))
      assert.ok(await ping(internet, { netns: world.place('a1') }))
      assert.not.ok(await ping(bare(of('a1')), { netns: 'lan', within: 1000 }))
      assert.not.ok(await ping(bare(of('n2')), { netns: world.place('n1'), within: 1000 }))
    })
  }

  check('a network of IPv6 only has all of it', async () => {
    const { hostLan, hostWan, internet } = around[6]
    const url = (address: string, port: number): string => `${inUrl(address)}:${port}`
    const of = (container: string): string => world.addressOf(container, 6)
    await answers([
      [url(hostLan, 8085), 'lan', 's1'],
      [url(hostLan, 8085), 's1', 's1'],
      [url(hostLan, 8085), 's2', 's1'],
      [url(hostLan, 8085), 'a1', 's1'],
      [`${of('s1')}:80`, 's2', 's1'],
      [`${of('s1')}:80`, 'a1', undefined],
      [`${of('s1')}:80`, 'lan', undefined],
      [url(around[4].hostLan, 8085), 'lan', undefined],
      [url(internet, 81), 's1', 'internet6'],
    ])
    assert.is((await fetched(url(internet, 81), 's1'))?.peer, hostWan)
    assert.is((await askUdp(hostLan, 5355, { netns: 'lan', within: 3000 }))?.server, 's1')
  })

  check('a network with a source of its own goes out under that, in each family that has one', async () => {
    const [ipv4, ipv6] = ['203.0.113.7', '2001:db8:2::7']
    await run('ip', ['address', 'add', `${ipv4}/32`, 'dev', 'wan0'])
    await run('ip', ['address', 'add', `${ipv6}/128`, 'dev', 'wan0', 'nodad'])
    for (const masquerade of [{ ipv4, ipv6 }, { ipv6 }]) {
      const own = await createNetwork({ name: 'own', driver, subnets: ['10.6.0.0/24', 'fd00:6::/64'], masquerade })
      const { netns } = await own.attach({ name: 'web' })
      const seen = async (version: 4 | 6): Promise<string | undefined> =>
        (await curl(`http://${inUrl(around[version].internet)}:81/`, { netns: { path: netns.path } })).answer?.peer
      assert.equal([await seen(4), await seen(6)], [masquerade.ipv4 ?? around[4].hostWan, ipv6])
      assert.equal((await openNetwork('own')).masquerade, masquerade)
      const other = await failureOf(() => createNetwork({ name: 'own', ipv6: true, driver }))
      assert.match(other.message, /masquerade \{.*\}, not true/)
      await own.delete({ force: true })
    }
  })

  check("what listens on the host's ::1 stays there, and a published port does not hide it", async () => {
    const web = await world.networks.get('b')?.attach({ name: 'web', publish: ['9999:80'] })
    await answers([['[::1]:9999', 'host', 'host']])
    await web?.detach()
  })

  test.run()
}
