// One of several processes that attach to and detach from one network at random: node --import tsx churner.ts NETWORK ID SECONDS
// LEAST MOST SEED: for so long, and until so many were attached, with so many at a time.
// Prints one line of JSON for each stay of a container, with the instants between which it surely had its address and ports, and at
// the end one with what was refused and why. Detaches all before it ends.

import { type AttachedEndpoint, NetlinkError, NetworkError, openNetwork } from '../../../lib/index.ts'
import { randomFrom } from '../../support/random.ts'

const [, , name = '', id = '', seconds = '', least = '', most = '', seed = ''] = process.argv
const network = await openNetwork(name)

/** The same sequence for the same process, whatever the timing makes of it. */
const random = randomFrom(Number(seed) + Number(id))
const pick = (below: number): number => Math.floor(random() * below)
const now = (): number => performance.timeOrigin + performance.now()

interface Stay {
  readonly endpoint: AttachedEndpoint
  readonly from: number
}
const stays: Stay[] = []
const refused: Record<string, number> = {}
let operations = 0
let attached = 0

/** What a caller can act on: a port that somebody has. */
function refuse(error: unknown): void {
  if (!(error instanceof NetworkError || error instanceof NetlinkError)) throw error
  const text = error instanceof NetworkError ? error.code : error.message
  refused[text] = (refused[text] ?? 0) + 1
}

async function attach(): Promise<void> {
  const publish = pick(3) === 0 ? [`${20_000 + pick(40)}:80`] : []
  try {
    const endpoint = await network.attach({ name: `c${id}-${operations}`, publish })
    stays.push({ endpoint, from: now() })
    attached++
  } catch (error) {
    refuse(error)
  }
}

async function detach({ endpoint, from }: Stay): Promise<void> {
  const until = now()
  const ports = endpoint.ports.map(({ hostPort }) => hostPort)
  await endpoint.detach()
  console.log(JSON.stringify({ addresses: endpoint.addresses, ports, from, until }))
}

const end = performance.now() + Number(seconds) * 1000
while (performance.now() < end || attached < Number(least)) {
  operations++
  // Several at once, so that processes meet in the kernel.
  const burst = Array.from({ length: 1 + pick(8) }, () => {
    operations++
    if (stays.length > 0 && (stays.length >= Number(most) || pick(3) === 0))
      return detach(stays.splice(pick(stays.length), 1)[0] as Stay)
    return attach()
  })
  await Promise.all(burst)
}
await Promise.all(stays.splice(0).map(detach))
console.log(JSON.stringify({ operations, refused }))
