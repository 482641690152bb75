// Making a network on the wire of one of the host's devices.

import { throwIfAborted } from '../../abort.ts'
import { formatCidr, overlaps } from '../../cidr.ts'
import { outOfRange } from '../../invalid.ts'
import type { Netns } from '../../netns/netns.ts'
import { host as ownHost } from '../../netns/registry.ts'
import { rolledBack } from '../../roll-back.ts'
import { bearBridge } from '../create/birth.ts'
import { NetworkError } from '../errors.ts'
import { findOrMake } from '../find.ts'
import { networkLabels } from '../host/forwarding.ts'
import type { Network } from '../network.ts'
import { LanNetwork } from './lan.ts'
import type { LanLabel } from './lan-label.ts'
import { type CheckedLan, checkLanSpec, type LanNetworkSpec } from './lan-spec.ts'
import { existing, LeaseTable } from './lease-table.ts'
import { chosenParent } from './parent.ts'

/** createNetwork with the drivers macvlan and ipvlan. */
export async function createLanNetwork(spec: LanNetworkSpec): Promise<LanNetwork> {
  const checked = checkLanSpec(spec)
  const { name } = checked.label
  const { host = ownHost, signal } = spec
  throwIfAborted(signal)
  const there = await findOrMake(host, name)
  if (there !== undefined) return refuseDifference(there, checked)
  const parent = await chosenParent(host, spec.parent)
  const label = { ...checked.label, lan: { ...checked.label.lan, parent: parent.name } }
  if (checked.mtu !== undefined && checked.mtu > parent.mtu) throw outOfRange('mtu', 68, parent.mtu, checked.mtu)
  await refuseNeighbors(host, label.lan)
  throwIfAborted(signal)
  const bridge = await bearBridge(host, label, { name: checked.bridge, mtu: checked.mtu ?? parent.mtu })
  return rolledBack(
    async () => {
      throwIfAborted(signal)
      // What a network whose device was deleted has left stays leased as long as its containers live.
      await new LeaseTable(host, label.name).create().catch(existing)
      return new LanNetwork(label, bridge, host)
    },
    () => host.deleteLink(bridge.index),
  )
}

/** Networks on one wire must not give the same address twice, and not all devices go together on one parent. */
async function refuseNeighbors(host: Netns, own: LanLabel): Promise<void> {
  const { driver, parent, mode, subnets } = own
  for (const { name, lan } of await networkLabels(host)) {
    if (lan?.parent !== parent) continue
    const why = misfit(own, lan)
    if (why !== undefined)
      throw new NetworkError('PARENT_IN_USE', `${driver} (${mode}) does not go on ${parent} beside the network '${name}': ${why}`)
    for (const subnet of subnets) {
      const other = lan.subnets.find((one) => overlaps(one, subnet))
      if (other === undefined) continue
      const conflict = `${formatCidr(subnet)} overlaps ${formatCidr(other)} of the network '${name}', which is on ${parent}, too`
      throw new NetworkError('SUBNET_CONFLICT', conflict)
    }
  }
}

function misfit(own: LanLabel, other: LanLabel): string | undefined {
  if (own.driver !== other.driver) return `a device carries macvlan or ipvlan, not both`
  if ([own.mode, other.mode].includes('passthru')) return 'passthru has the parent to itself'
  // The kernel would change the mode of those that are there.
  if (own.driver === 'ipvlan' && own.mode !== other.mode)
    return `all ipvlan devices of a parent have one mode, here ${other.mode}`
  const [wanted, has] = [own, other].map(({ device: { isolation = 'bridge' } }) => isolation)
  if (wanted !== has) return `all ipvlan devices of a parent have one isolation, here ${has}`
  return undefined
}

function refuseDifference(there: Network, { label, gateways, bridge, mtu }: CheckedLan): LanNetwork {
  const { lan } = label
  const list = (items: readonly string[]): string => [...items].sort().join(', ') || 'none'
  const isOnLan = there instanceof LanNetwork
  const wanted: [what: string, has: unknown, wants: unknown][] = [
    ['driver', there.driver, lan.driver],
    ['parent', isOnLan ? there.parent : 'none', lan.parent || (isOnLan ? there.parent : 'any')],
    ['mode', isOnLan ? there.mode : 'none', lan.mode],
    ['device', isOnLan ? JSON.stringify(there.device) : '{}', JSON.stringify(lan.device)],
    ['subnets', list(there.subnets), list(lan.subnets.map(formatCidr))],
    ['internal', there.internal, label.internal],
    ['reserved', list(there.reserved), list(label.reserved)],
    ['bridge', there.bridge, bridge],
    ['mtu', there.mtu, mtu ?? there.mtu],
    ...gateways.map(({ text }): [string, unknown, unknown] => [
      'gateway',
      there.gateways.includes(text) ? text : list(there.gateways),
      text,
    ]),
  ]
  const differences = wanted.filter(([, has, wants]) => has !== wants).map(([what, has, wants]) => `${what} ${has}, not ${wants}`)
  if (isOnLan && differences.length === 0) return there
  throw new NetworkError('NETWORK_DIFFERS', `there is a network '${there.name}' with ${differences.join('; ')}`)
}
