// A network with names, for a test, and the kernel as it was before when that is over.

import * as assert from 'uvu/assert'
import { createNetwork, type Network, type NetworkSpec } from '../../../lib/index.ts'
import { changes } from '../../network/support/changes.ts'
import { sweep } from '../../network/support/sweep.ts'
import { kernelState } from '../../support/lab.ts'

export const dual = ['10.9.0.0/24', 'fd09::/64']

export async function withNetwork(spec: Partial<NetworkSpec>, body: (network: Network) => Promise<void>): Promise<void> {
  const before = await kernelState()
  try {
    const network = await createNetwork({ name: 'lab', subnets: dual, dns: true, ...spec } as NetworkSpec)
    await body(network)
    await network.delete({ force: true })
  } catch (error) {
    await sweep() // one failure is enough
    throw error
  }
  assert.equal(changes(before, await kernelState()), [], 'the kernel is as before the network')
}
