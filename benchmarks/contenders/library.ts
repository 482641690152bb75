// The library itself, through its public interface.

import { createNetwork, type Endpoint, host, type Network } from 'netlink-ct'
import { address, device, makeDevice, type Subject } from '../population.ts'
import type { Churn, Contender, Laps } from './contender.ts'

/** Enough for V8 to have compiled what is measured. */
const warmUpContainers = 20

/** Microseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) * 1000
}

/** `items` in groups of `size`. */
function* groups<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size)
}

async function attachAll(network: Network, { containers, attach = 1, ports }: Churn): Promise<[Endpoint[], number[]]> {
  const numbers = Array.from({ length: containers }, (_, number) => number)
  const endpoints: Endpoint[] = []
  const laps: number[] = []
  for (const group of groups(numbers, attach)) {
    const lap = await timed(async () => {
      const attached = group.map((number) =>
        network.attach({ name: `c${number}`, ...(ports && { publish: [`${10_000 + number}:80`] }) }),
      )
      endpoints.push(...(await Promise.all(attached)))
    })
    laps.push(lap / group.length)
  }
  return [endpoints, laps]
}

async function detachAll(endpoints: readonly Endpoint[], atOnce: number): Promise<number[]> {
  const laps: number[] = []
  for (const group of groups(endpoints, atOnce)) {
    const lap = await timed(() => Promise.all(group.map((endpoint) => endpoint.detach())))
    laps.push(lap / group.length)
  }
  return laps
}

export const openBenchNetwork = (): Promise<Network> => createNetwork({ name: 'bench', subnets: ['172.18.0.0/16'] })

/** Does once, on another network, what will be measured. */
export async function warmUp(ports = false): Promise<void> {
  const network = await createNetwork({ name: 'warm-up', subnets: ['172.19.0.0/16'] })
  const [endpoints] = await attachAll(network, { containers: warmUpContainers, ports })
  await detachAll(endpoints, warmUpContainers)
  await network.delete()
}

async function churn(churn: Churn): Promise<Laps> {
  await warmUp(churn.ports)
  const network = await openBenchNetwork()
  const [endpoints, attach] = await attachAll(network, churn)
  return { attach, detach: churn.detach === undefined ? [] : await detachAll(endpoints, churn.detach) }
}

async function publish(ports: number): Promise<number[]> {
  await warmUp(true)
  const network = await openBenchNetwork()
  // An endpoint remembers its own ports in a text of limited length.
  const portsEach = 10
  const [endpoints] = await attachAll(network, { containers: Math.ceil(ports / portsEach) })
  const laps: number[] = []
  for (let number = 0; number < ports; number++) {
    const endpoint = endpoints[number % endpoints.length]
    laps.push(await timed(async () => endpoint?.publish(`${10_000 + number}:${80 + (number % portsEach)}`)))
  }
  return laps
}

async function getLink(times: number): Promise<number[]> {
  await host.createBridge({ name: 'bench0' })
  for (let time = 0; time < times; time++) await host.getLink('bench0')
  const laps: number[] = []
  for (let time = 0; time < times; time++) laps.push(await timed(() => host.getLink('bench0')))
  return laps
}

const lists: Readonly<Record<Subject, () => Promise<readonly unknown[]>>> = {
  links: () => host.listLinks(),
  routes: () => host.listRoutes({ family: 'inet' }),
  addresses: () => host.listAddresses({ family: 'inet' }),
}

async function list(subject: Subject, times: number): Promise<number[]> {
  for (let time = 0; time < 5; time++) await lists[subject]()
  const laps: number[] = []
  for (let time = 0; time < times; time++) laps.push(await timed(lists[subject]))
  return laps
}

async function addRoutes(routes: number, how: 'batch' | 'singly'): Promise<number> {
  const add = async (from: number): Promise<void> => {
    const numbers = Array.from({ length: routes }, (_, number) => from + number)
    const spec = (number: number) => ({ to: `${address(number)}/32`, dev: device })
    if (how === 'singly') for (const number of numbers) await host.addRoute(spec(number))
    else await host.batch((batch) => numbers.forEach((number) => void batch.addRoute(spec(number))))
  }
  await makeDevice()
  // The same once before, with other destinations.
  await add(2 ** 20)
  return timed(() => add(0))
}

export const library: Contender = { churn, publish, getLink, list, addRoutes }
