// Networks and containers in the states that the tables speak of.

import { type AttachedEndpoint, type AttachSpec, createNetwork, type Network } from '../../../../lib/index.ts'
import type { World } from '../world.ts'

export const drivers = ['bridge', 'ptp', 'macvlan'] as const
export type TestedDriver = (typeof drivers)[number]

export const subnet = '10.9.0.0/24'

/** What stands on the host before the first network. */
export const ground: Readonly<Record<TestedDriver, string>> = {
  bridge: 'ip link set lo up',
  ptp: 'ip link set lo up',
  macvlan: 'ip link set lo up; ip link add p0 type veth peer name p1; ip link set p0 up; ip link set p1 up',
}

type Options = { readonly name?: string; readonly subnets?: readonly string[]; readonly internal?: boolean }

export async function make(world: World, driver: TestedDriver, options: Options = {}): Promise<Network> {
  const spec = { name: 'lab', subnets: [subnet], host: world.ns, ...options }
  return driver === 'macvlan' ? createNetwork({ ...spec, driver, parent: 'p0' }) : createNetwork({ ...spec, driver })
}

/** The ground with one network, `lab`. */
export async function lab(world: World, driver: TestedDriver, options: Options = {}): Promise<Network> {
  await world.shell(ground[driver])
  return make(world, driver, options)
}

/** Holds the container's namespace to the end of the world. */
export async function attach(world: World, network: Network, spec: AttachSpec): Promise<AttachedEndpoint> {
  const endpoint = await network.attach(spec)
  world.keep(endpoint.netns)
  return endpoint
}
