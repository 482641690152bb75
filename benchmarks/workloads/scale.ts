// What a network costs that has many containers already.

import { readFileSync } from 'node:fs'
import { createNetwork, type Endpoint, listNetworks, type Network } from 'netlink-ct'
import { timed, warmUp } from '../contenders/library.ts'
import { kernelDone } from '../kernel-done.ts'
import { median } from '../statistics.ts'
import type { Figures, TableTrial, TableWorkload } from './workload.ts'

type Driver = 'bridge' | 'ptp'

/** A bridge takes 1023 ports: these on top of 1000 fit. */
const laps = 20
const inFlight = 64
const numbers = Array.from({ length: laps }, (_, number) => number)

/** The namespace and the rtnetlink socket inside. */
const descriptorsEach = 2
const otherDescriptors = 100

/** Node.js has raised the soft limit to the hard one. */
function requireDescriptors(size: number): void {
  const needed = (size + laps) * descriptorsEach + otherDescriptors
  const [, limit = ''] = /^Max open files +(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  if (Number(limit) < needed)
    throw new RangeError(`${size} containers need ${needed} descriptors, the limit is ${limit}: ulimit -n`)
}

async function fill(network: Network, size: number): Promise<void> {
  const names = Array.from({ length: size }, (_, number) => `c${number}`).values()
  const worker = async (): Promise<void> => {
    for (const name of names) await network.attach({ name })
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}

async function each<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<number> {
  const all: number[] = []
  for (const item of items) all.push(await timed(() => work(item)))
  return median(all)
}

const measure =
  (driver: Driver, size: number): TableTrial =>
  async (): Promise<Figures> => {
    requireDescriptors(size)
    await warmUp(true)
    const network = await createNetwork({ name: 'bench', driver, subnets: ['172.18.0.0/16'] })
    await kernelDone()
    await fill(network, size)
    const plain: Endpoint[] = []
    const attach = await each(numbers, async (number) => plain.push(await network.attach({ name: `x${number}` })))
    const publish = await each(plain, (endpoint) => endpoint.publish(`${9000 + plain.indexOf(endpoint)}:80`))
    const list = await each(numbers, () => listNetworks())
    const endpoints = await each(numbers, () => network.endpoints())
    const detach = await each(plain, (endpoint) => endpoint.detach())
    await kernelDone()
    const published = await each(numbers, (number) => network.attach({ name: `y${number}`, publish: [`${9000 + number}:80`] }))
    const many = await timed(() => network.detachMany(numbers.map((number) => `y${number}`)))
    return {
      attach,
      'attach, one port published': published,
      'publish a port': publish,
      'detach, one after another': detach,
      [`detach, ${laps} by one call, each`]: many / laps,
      listNetworks: list,
      'network.endpoints': endpoints,
    }
  }

const scale = (driver: Driver, sizes: readonly number[]): TableWorkload => ({
  title: `what a network costs that has many containers (${driver})`,
  columns: 'containers before',
  trials: Object.fromEntries(sizes.map((size) => [String(size), measure(driver, size)])),
})

export const scaleBridge: TableWorkload = scale('bridge', [1, 100, 1000])
export const scalePtp: TableWorkload = scale('ptp', [1, 100, 1000, 4000])
