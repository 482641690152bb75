// Networks with both families, or with IPv6 only, between a LAN and an internet that have both; a server in every container and on the
// internet that says its name and whom it saw. Addresses end in the same number in both families.
//
//   a1 a2 ── a 10.1.0.0/24 fd00:1::/64      b1 ── b 10.2.0.0/24 fd00:2::/64      i1 i2 ── i 10.3.0.0/24 fd00:3::/64 (internal)
//   n1 n2 ── n 10.4.0.0/24 fd00:4::/64 (icc: false)      s1 s2 ── s fd00:5::/64

import { createNetwork, type Endpoint, type Network, type NetworkSpec, type PortSpec } from '../../../lib/index.ts'
import { createLab, type Lab, output, readSysctl, writeSysctl } from '../../support/lab.ts'

export type IpVersion = 4 | 6

/** Addresses of the world around, of each family. */
export const around: Readonly<
  Record<IpVersion, { readonly hostLan: string; readonly hostWan: string; readonly lan: string; readonly internet: string }>
> = {
  4: { hostLan: '192.0.2.1', hostWan: '203.0.113.2', lan: '192.0.2.9', internet: '203.0.113.9' },
  6: { hostLan: '2001:db8:1::1', hostWan: '2001:db8:2::2', lan: '2001:db8:1::9', internet: '2001:db8:2::9' },
}

const both = (number: number): string[] => [`10.${number}.0.0/24`, `fd00:${number}::/64`]
const blueprint: readonly {
  readonly spec: NetworkSpec
  readonly containers: Readonly<Record<string, readonly PortSpec[]>>
}[] = [
  {
    spec: { name: 'a', subnets: both(1) },
    containers: {
      a1: [
        '8080:80',
        '5353:53/udp',
        '127.0.0.1:8081:80',
        '192.0.2.1:8082:80',
        '[2001:db8:1::1]:8082:80',
        '[::]:8086:80',
        '0.0.0.0:8084:80',
      ],
      a2: [],
    },
  },
  { spec: { name: 'b', subnets: both(2) }, containers: { b1: [] } },
  { spec: { name: 'i', subnets: both(3), internal: true }, containers: { i1: [], i2: [] } },
  { spec: { name: 'n', subnets: both(4), icc: false }, containers: { n1: [], n2: ['8083:80'] } },
  { spec: { name: 's', subnets: ['fd00:5::/64'] }, containers: { s1: ['8085:80', '5355:53/udp'], s2: [] } },
]

export interface DualWorld extends AsyncDisposable {
  readonly lab: Lab
  readonly networks: ReadonlyMap<string, Network>
  readonly endpoints: ReadonlyMap<string, Endpoint>
  /** Where a process of that name lives: a container, `lan`, `internet`, or `undefined` for the host. */
  place(name: string): string | { path: string } | undefined
  /** As it stands in a URL: '10.1.0.2', '[fd00:1::2]'. */
  addressOf(container: string, version: IpVersion): string
  gatewayOf(network: string, version: IpVersion): string
}

export const inUrl = (address: string): string => (address.includes(':') ? `[${address}]` : address)

const bridgeNetfilter = ['net.bridge.bridge-nf-call-iptables', 'net.bridge.bridge-nf-call-ip6tables']

export async function addIpv6(): Promise<void> {
  const { hostLan, hostWan, lan, internet } = around[6]
  await output('ip', ['-batch', '-'], {
    input: [`address add ${hostLan}/64 dev lan0 nodad`, `address add ${hostWan}/64 dev wan0 nodad`].join('\n'),
  })
  await output('ip', ['address', 'add', `${lan}/64`, 'dev', 'eth0', 'nodad'], { netns: 'lan' })
  await output('ip', ['address', 'add', `${internet}/64`, 'dev', 'eth0', 'nodad'], { netns: 'internet' })
  await output('ip', ['-6', 'route', 'add', 'default', 'via', internet])
  // As a neighbor that knows, or guesses, what is behind the host.
  await output('ip', ['-6', 'route', 'add', 'fd00::/16', 'via', hostLan], { netns: 'lan' })
}

/** `filtered`: whether packets between the ports of a bridge pass the firewall (bridge-nf-call-…). */
export async function createDualWorld(driver: 'bridge' | 'ptp', filtered: 0 | 1): Promise<DualWorld> {
  const undo: (() => Promise<unknown>)[] = []
  const dispose = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step()
  }
  try {
    const lab = await createLab()
    undo.push(async () => lab[Symbol.asyncDispose]())
    await addIpv6()
    await lab.routeFromLan('10.0.0.0/8')
    await lab.serve({ netns: 'internet', name: 'internet6', host: '::', http: 81 })
    for (const key of bridgeNetfilter) {
      const before = await readSysctl(key)
      await writeSysctl(key, filtered)
      undo.push(() => writeSysctl(key, before))
    }
    const networks = new Map<string, Network>()
    const endpoints = new Map<string, Endpoint>()
    for (const { spec, containers } of blueprint) {
      const network = await createNetwork({ ...spec, driver })
      undo.push(() => network.delete({ force: true }))
      networks.set(network.name, network)
      for (const [name, publish] of Object.entries(containers)) {
        const endpoint = await network.attach({ name, publish })
        undo.push(() => endpoint.detach())
        endpoints.set(name, endpoint)
        const netns = { path: endpoint.netns?.path ?? '' }
        await lab.serve({ netns, name, host: '::', http: 80, udp: 53 })
        // Only the firewall keeps an internal container in, not that it lacks a route.
        for (const gateway of spec.internal ? network.gateways : [])
          await output('ip', ['route', 'add', 'default', 'via', gateway, 'dev', 'eth0', 'onlink'], { netns })
      }
    }
    const own = (addresses: readonly string[] | undefined, version: IpVersion): string =>
      inUrl(addresses?.find((address) => address.includes(':') === (version === 6))?.split('/')[0] ?? 'none')
    return {
      lab,
      networks,
      endpoints,
      place(name) {
        const path = endpoints.get(name)?.netns?.path
        if (path !== undefined) return { path }
        return name === 'host' ? undefined : name
      },
      addressOf: (container, version) => own(endpoints.get(container)?.addresses, version),
      gatewayOf: (network, version) => own(networks.get(network)?.gateways, version),
      [Symbol.asyncDispose]: dispose,
    }
  } catch (error) {
    await dispose()
    throw error
  }
}
