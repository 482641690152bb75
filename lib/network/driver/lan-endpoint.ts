// A container on a wire: what it may ask for, and what it is.

import { invalidValue, outOfRange } from '../../invalid.ts'
import type { Netns } from '../../netns/netns.ts'
import { Endpoint, type EndpointOwner } from '../attach/endpoint.ts'
import { type AttachSite, type AttachSpec, type CheckedAttach, checkAttach } from '../attach/spec.ts'
import { markWords, readMarks } from '../label.ts'
import type { LanDriver, LanMode } from './lan-label.ts'
import { isRouted } from './lan-spec.ts'
import { type Lease, longestName } from './lease-table.ts'

/** An endpoint that has no end on the host: `hostIfname` is empty, `hostIndex` is 0. */
export class LanEndpoint extends Endpoint {
  /** @internal */
  readonly lease: Lease

  /** @internal use Network.attach or Network.endpoint */
  constructor(
    network: EndpointOwner & { readonly name: string; readonly gateways: readonly string[] },
    lease: Lease,
    addresses: readonly string[],
    netns: Netns | undefined,
  ) {
    const { name, ifname, mac, words } = lease
    const { limited, labels } = readMarks(words)
    const facts = { name, network: network.name, netns, ifname, mac, addresses, gateways: network.gateways, ports: [] }
    const label = { name, ports: [], limited, labels }
    super({ ...facts, hostIfname: '', hostIndex: 0, label, isBridgePort: false, routed: [], sender: undefined }, network)
    this.lease = lease
  }
}

export interface LanSite extends Omit<AttachSite, 'routed'> {
  readonly driver: LanDriver
  readonly mode: LanMode
}

/** As `checkAttach`, and that the container asks for nothing that it cannot have on a wire. */
export function checkLanAttach(spec: AttachSpec, site: LanSite): CheckedAttach {
  const { driver, mode } = site
  // Before its ports are read: whatever they are.
  if (spec?.publish !== undefined)
    throw invalidValue('publish', `makes no sense with the driver ${driver}: the LAN reaches the container itself`, spec.publish)
  const checked = checkAttach(spec, { ...site, routed: [], isDeviceTheWay: isRouted(mode) })
  const { name, mac, bandwidth } = checked
  if (name.length > longestName) throw outOfRange(`the length of name with the driver ${driver}`, 1, longestName, name.length)
  if (mac !== undefined && (driver === 'ipvlan' || mode === 'passthru'))
    throw invalidValue('mac', `is the parent's with ${driver === 'ipvlan' ? 'ipvlan' : 'the mode passthru'}`, mac)
  if (bandwidth?.ingress !== undefined && mode === 'l3s')
    throw invalidValue(
      'bandwidth.ingress',
      'cannot be limited in the mode l3s: what comes in passes the queues of the parent only',
      bandwidth.ingress,
    )
  // Announced, unless it is said otherwise: a switch or a neighbor may know the address, or the MAC, on another machine.
  return { ...checked, announce: spec.announce ?? true }
}

/** What is remembered of it with its lease. */
export const wordsOf = ({ labels, bandwidth }: CheckedAttach): string[] =>
  markWords({ labels, limited: bandwidth?.ingress !== undefined })
