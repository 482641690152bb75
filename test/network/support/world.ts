// Four networks beside each other in the lab, made with the library, with a server in every container that says its name:
//
//   a1 a2 ── a 10.1.0.0/24      b1 ── b 10.2.0.0/24      i1 i2 ── i 10.3.0.0/24 (internal)      n1 n2 ── n 10.4.0.0/24 (icc: false)

import { createNetwork, type Endpoint, type Network, type PortSpec } from '../../../lib/index.ts'
import { createLab, type Lab, output, readSysctl, writeSysctl } from '../../support/lab.ts'

const blueprint: readonly {
  readonly name: string
  readonly subnet: string
  readonly options?: { readonly internal?: boolean; readonly icc?: boolean }
  readonly containers: Readonly<Record<string, readonly PortSpec[]>>
}[] = [
  {
    name: 'a',
    subnet: '10.1.0.0/24',
    containers: {
      a1: ['8080:80', '5353:53/udp', '127.0.0.1:8081:80', '192.0.2.1:8082:80', '192.0.2.1:5382:53/udp', '9000-9002:80-82'],
      a2: [],
    },
  },
  { name: 'b', subnet: '10.2.0.0/24', containers: { b1: ['8090:80'] } },
  { name: 'i', subnet: '10.3.0.0/24', options: { internal: true }, containers: { i1: [], i2: [] } },
  { name: 'n', subnet: '10.4.0.0/24', options: { icc: false }, containers: { n1: [], n2: ['8083:80', '5383:53/udp'] } },
]

export interface World extends AsyncDisposable {
  readonly lab: Lab
  readonly networks: ReadonlyMap<string, Network>
  readonly endpoints: ReadonlyMap<string, Endpoint>
  /** Where a process of that name lives: a container, `lan`, `internet`, or `undefined` for the host. */
  place(name: string): string | { path: string } | undefined
  /** '10.1.0.2' */
  addressOf(container: string): string
}

const bridgeNetfilterKey = 'net.bridge.bridge-nf-call-iptables'

/** `bridgeNetfilter`: whether packets between the ports of a bridge pass the firewall. */
export async function createWorld(bridgeNetfilter: 0 | 1): Promise<World> {
  const undo: (() => Promise<void>)[] = []
  const dispose = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step()
  }
  try {
    const lab = await createLab()
    undo.push(async () => lab[Symbol.asyncDispose]())
    const before = await readSysctl(bridgeNetfilterKey)
    await writeSysctl(bridgeNetfilterKey, bridgeNetfilter)
    undo.push(() => writeSysctl(bridgeNetfilterKey, before))
    const networks = new Map<string, Network>()
    const endpoints = new Map<string, Endpoint>()
    for (const { name, subnet, options, containers } of blueprint) {
      const network = await createNetwork({ name, subnets: [subnet], ...options })
      undo.push(() => network.delete({ force: true }))
      networks.set(name, network)
      for (const [container, publish] of Object.entries(containers)) {
        const endpoint = await network.attach({ name: container, publish })
        undo.push(() => endpoint.detach())
        endpoints.set(container, endpoint)
        const netns = { path: endpoint.netns?.path ?? '' }
        await lab.serve({ netns, name: container, http: 80, udp: 53 })
        // Only the firewall keeps an internal container in, not that it lacks a route.
        if (options?.internal) await output('ip', ['route', 'add', 'default', 'via', network.gateways[0] ?? ''], { netns })
      }
    }
    return {
      lab,
      networks,
      endpoints,
      place(name) {
        const path = endpoints.get(name)?.netns?.path
        if (path !== undefined) return { path }
        return name === 'host' ? undefined : name
      },
      addressOf: (container) => endpoints.get(container)?.addresses[0]?.split('/')[0] ?? '',
      [Symbol.asyncDispose]: dispose,
    }
  } catch (error) {
    await dispose()
    throw error
  }
}
