// What a policy that is gone had let through.

import { type Address, type Cidr, contains, parseAddress, parseCidr } from '../cidr.ts'
import type { Flow } from '../conntrack/flow.ts'
import type { Netns } from '../netns/netns.ts'
import type { Network } from '../network/network.ts'
import { type Survey, survey } from '../network/state/survey.ts'
import { type AllowRule, isContainers, type Peer, type PolicyRule } from './policy.ts'
import { selects } from './select.ts'
import { portRange } from './spec.ts'

interface Resident {
  readonly network: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** Who has which address. */
class Residents {
  readonly #byAddress = new Map<string, Resident>()
  readonly #networks: readonly { readonly network: Network; readonly subnets: readonly Cidr[] }[]

  constructor(seen: Survey) {
    this.#networks = Array.from(seen.networks.values(), ({ network }) => ({
      network,
      subnets: network.subnets.map((subnet) => parseCidr(subnet, 'subnet')),
    }))
    for (const { ends } of seen.networks.values())
      for (const { endpoint } of ends)
        for (const address of endpoint.addresses) this.#byAddress.set(address.split('/')[0] ?? '', endpoint)
  }

  networkOf(address: Address): Network | undefined {
    return this.#networks.find(({ subnets }) => subnets.some((subnet) => contains(subnet, address)))?.network
  }

  is(address: Address, peer: Peer): boolean {
    if (peer === 'any') return true
    if (peer === 'world') return this.networkOf(address) === undefined
    if (typeof peer === 'string') return false
    if (isContainers(peer)) {
      const resident = this.#byAddress.get(address.text)
      const isOfNetwork = peer.container === undefined && peer.labels === undefined && peer.network !== undefined
      if (isOfNetwork) return this.networkOf(address)?.name === peer.network
      return resident !== undefined && selects(peer, resident)
    }
    return (
      contains(parseCidr(peer.cidr, 'cidr'), address) &&
      !peer.except?.some((hole) => contains(parseCidr(hole, 'except'), address))
    )
  }

  /** Whether the options of networks let it through by themselves, as far as a connection tells. */
  isOpen(from: Address, to: Address, { status }: Flow): boolean {
    const [sender, receiver] = [this.networkOf(from), this.networkOf(to)]
    if (sender !== undefined && sender.name === receiver?.name) return sender.icc
    if (sender?.internal) return false
    return receiver === undefined || status.includes('destinationNat')
  }
}

function hasPort({ ports }: AllowRule, { protocol, reply }: Flow): boolean {
  const own = protocol === 'icmp6' ? 'icmp' : protocol
  return (
    ports === undefined ||
    ports.some((port) => {
      const { protocol: wanted, first, last = first } = portRange(port, 'ports')
      if (wanted !== own) return false
      if (first === undefined || last === undefined) return true
      const answering = reply.sourcePort ?? 0
      return answering >= first && answering <= last
    })
  )
}

/**
 * Ends the connections that a policy let through, and that nothing else lets through as far as it can be told: conntrack forgets them. Where
 * they may be begun once more they go on.
 */
export async function endOpened(host: Netns, rules: readonly PolicyRule[]): Promise<void> {
  const allowed = rules.filter((rule) => rule.action === 'allow')
  if (allowed.length === 0) return
  const flows = await host.conntrack.list()
  if (flows.length === 0) return
  const residents = new Residents(await survey(host))
  await host.conntrack.forget(
    flows.filter((flow) => {
      const [from, to] = [parseAddress(flow.original.source, 'source'), parseAddress(flow.reply.source, 'source')]
      return (
        !residents.isOpen(from, to, flow) &&
        allowed.some(
          (rule) =>
            hasPort(rule, flow) &&
            rule.from.some((peer) => residents.is(from, peer)) &&
            rule.to.some((peer) => residents.is(to, peer)),
        )
      )
    }),
  )
}
