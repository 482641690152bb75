// Attaches and detaches, six at a time, until it is killed: node --import tsx lan-churner.ts NETWORK. A line for each that was attached.

import { openNetwork } from '../../../lib/index.ts'

const network = await openNetwork(process.argv[2] ?? '')

async function come(lane: number): Promise<void> {
  for (let round = 0; ; round++) {
    const endpoint = await network.attach({ name: `c${lane}-${round}` })
    console.log(endpoint.name)
    if (round % 3 !== 2) await endpoint.detach()
  }
}

await Promise.all(Array.from({ length: 6 }, (_, lane) => come(lane)))
