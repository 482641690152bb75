// A process that dies while it makes a network leaves it as far as it came. What was still to do is seen in the kernel: the device comes up
// with its addresses, then the firewall hears of it, then the host's forwarding is turned on.

import { Netns } from '../../netns/netns.ts'
import { readComment } from '../../nftables/userdata.ts'
import { networksSets, tablesFor } from '../firewall/index.ts'
import { forwardingKeys, sysctlOf } from '../host/forwarding.ts'
import { networkAltname } from '../label.ts'
import type { Network } from '../network.ts'
import { readSet } from '../state/table.ts'

async function isWhole(host: Netns, network: Network): Promise<boolean> {
  const { name, forwards, subnets } = network
  if (!(await host.getLink(networkAltname(name))).up) return false
  for (const table of tablesFor(network.firewalled())) {
    const admitted = await readSet(Netns.handleOf(host), networksSets[table])
    if (!admitted.some(({ userdata }) => userdata instanceof Uint8Array && readComment(userdata) === name)) return false
  }
  for (const subnet of forwards ? subnets : [])
    if ((await sysctlOf(host, forwardingKeys[subnet.includes(':') ? 10 : 2])) === '0') return false
  return true
}

/** The network, with what was still to do. */
export async function completed(host: Netns, network: Network): Promise<Network> {
  // What an existing bridge lacks is not to be seen so soon.
  if (network.adopted || !(await isWhole(host, network))) await network.repair()
  return network
}
