// What policies cost, a packet and an operation, in a network with few and with many containers.

import { once } from 'node:events'
import { type AttachedEndpoint, allow, createNetwork, deletePolicy, deny, type Network } from 'netlink-ct'
import { timed, warmUp } from '../contenders/library.ts'
import { kernelDone } from '../kernel-done.ts'
import { median } from '../statistics.ts'
import type { Figures, TableTrial, TableWorkload } from './workload.ts'

const inFlight = 64
const laps = Array.from({ length: 15 }, (_, lap) => lap)
const pings = 5000

async function fill(network: Network, size: number): Promise<AttachedEndpoint[]> {
  const all: AttachedEndpoint[] = []
  const numbers = Array.from({ length: size }, (_, number) => number).values()
  const worker = async (): Promise<void> => {
    for (const number of numbers) all.push(await network.attach({ name: `c${number}`, labels: { app: 'shop' } }))
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  return all
}

/** There and back, in microseconds: the median of a few floods, each of whose mean is told by ping(8). */
async function roundTrip(from: AttachedEndpoint, to: AttachedEndpoint): Promise<number> {
  const means: number[] = []
  for (let flood = 0; flood < 5; flood++) {
    const args = ['-n', '-q', '-f', '-c', String(pings), to.addresses[0]?.split('/')[0] ?? '']
    const child = await from.netns.spawn('ping', args, { stdio: ['ignore', 'pipe', 'ignore'] })
    let said = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text))
    await once(child, 'close')
    means.push(1000 * Number(/= [\d.]+\/([\d.]+)\//.exec(said)?.[1]))
  }
  return median(means)
}

async function each(work: (lap: number) => Promise<unknown>): Promise<number> {
  const all: number[] = []
  for (const lap of laps) all.push(await timed(() => work(lap)))
  return median(all)
}

const measure =
  (size: number): TableTrial =>
  async (): Promise<Figures> => {
    await warmUp(true)
    const network = await createNetwork({ name: 'bench', subnets: ['172.18.0.0/16'] })
    const [a, b] = await fill(network, size)
    if (a === undefined || b === undefined) throw new RangeError('two containers are needed')
    await kernelDone()
    const bare = await roundTrip(a, b)
    const attachBare = await each((lap) => network.attach({ name: `x${lap}` }))
    await network.detachMany(laps.map((lap) => `x${lap}`))
    const shop = { network: 'bench', labels: { app: 'shop' } }
    const first = await timed(() => deny({ name: 'first', from: shop, to: '192.0.2.0/24' }))
    const one = await roundTrip(a, b)
    for (let number = 1; number < 10; number++)
      await allow({ name: `p${number}`, from: shop, to: `198.51.100.${number}`, ports: '80' })
    const ten = await roundTrip(a, b)
    const attach = await each((lap) => network.attach({ name: `y${lap}`, labels: { app: 'shop' } }))
    await network.detachMany(laps.map((lap) => `y${lap}`))
    const make = await each((lap) => deny({ name: `one${lap}`, from: 'bench/c0', to: 'bench/c1' }))
    const unmake = await each((lap) => deletePolicy(`one${lap}`))
    return {
      'ping there and back, no policy': bare,
      '…, 1 policy': one,
      '…, 10 policies': ten,
      'attach, no policy': attachBare,
      'attach into the sets of 10 policies': attach,
      'deny, the first, of all by label': first,
      'deny, of one container': make,
      deletePolicy: unmake,
    }
  }

export const policies: TableWorkload = {
  title: 'what policies cost (bridge, bridge-nf-call-iptables as it is)',
  columns: 'containers before',
  trials: { 10: measure(10), 1000: measure(1000) },
}
