// Names of containers. Compiled, never run.

import {
  type ContainerFiles,
  containerFiles,
  createNetwork,
  type DnsServer,
  type DnsStats,
  type Network,
  type NetworkDns,
  openNetwork,
  serveDns,
} from '../../lib/index.ts'
import { expectType } from './expect.ts'

export async function names(): Promise<void> {
  const lab = await createNetwork({ name: 'lab', dns: { servers: ['192.0.2.53'], domain: 'lab.test', search: [], ttl: 5 } })
  expectType<NetworkDns | undefined>()(lab.dns)
  // @ts-expect-error seconds are a number
  await createNetwork({ name: 'lab', dns: { ttl: '5s' } })
  // @ts-expect-error a word that is none
  await createNetwork({ name: 'lab', dns: { nameservers: [] } })
  // @ts-expect-error a LAN has names of its own
  await createNetwork({ name: 'lab', driver: 'macvlan', parent: 'eth0', subnets: ['192.0.2.0/24'], dns: true })
  const web = await lab.attach({ name: 'web', aliases: ['www'] })
  expectType<readonly string[]>()(web.aliases)
  // @ts-expect-error several of them
  await lab.attach({ name: 'web', aliases: 'www' })

  const server = await serveDns(lab, { resolvConf: '/etc/resolv.conf', timeout: 1000, persistent: false })
  expectType<DnsServer>()(server)
  expectType<DnsStats>()(server.stats())
  expectType<string[]>()(server.addresses)
  // @ts-expect-error a network, not its name
  await serveDns('lab')
  // @ts-expect-error a number of milliseconds
  await serveDns(await openNetwork('lab'), { timeout: '1s' })

  const network: Network = lab
  const files = containerFiles({ attached: [{ network, endpoint: web }], extraHosts: { db: '192.0.2.7' } })
  expectType<ContainerFiles>()(files)
  expectType<string>()(files.resolvConf)
  // @ts-expect-error where it is attached has to be said
  containerFiles({ hostname: 'web' })
}
