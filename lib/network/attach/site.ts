// What follows from the facts of a network, worked out once for all that are attached to it.

import { type Address, type Cidr, type Family, familyBits, lastOf, offsetIn, parseCidr } from '../../cidr.ts'
import { macBytes } from '../../names.ts'
import type { AttachPlan } from '../../native.ts'
import type { Link } from '../../rtnetlink/link/link.ts'
import { noMac } from '../create/device.ts'
import { portSets, type Sender, sourceSets, tableName } from '../firewall/index.ts'
import type { NetworkLabel } from '../label.ts'
import { translated } from '../port/elements.ts'
import { type PlanRoute, unicast } from './inside.ts'
import type { Lease, NumberRange } from './lease.ts'

export interface NetworkFacts extends Omit<NetworkLabel, 'addresses'> {
  /** IPv4 first. */
  readonly subnets: readonly Cidr[]
  /** One of each subnet. */
  readonly gateways: readonly Address[]
  readonly bridge: Link
}

const nothing = new Uint8Array(0)
const pointToPointMac = Uint8Array.of(0x02, 0x42, 0, 0, 0, 1)

export class Site {
  readonly families: readonly Family[]
  /** The families in which containers are reached by their own addresses. */
  readonly routed: readonly Family[]
  /** Those in which they are reached by ports of the host. */
  readonly translated: readonly Family[]
  /** Of addresses inside. Point to point the container shares its link with nobody. */
  readonly prefixLengths: readonly number[]
  /**
   * Of host ends, empty for a random one. Point to point all have the same, each being alone on its link. On an existing bridge they have the
   * bridge's own: where nobody gave it one it has the lowest of its ports', and would get another with each container that comes or goes.
   */
  readonly hostMac: Uint8Array
  /** As the attach takes them. */
  readonly planFamilies: AttachPlan['families']
  /** Whether there is a bridge on which each may send as itself only. */
  readonly asksSenders: boolean
  /** Inside: to the other containers where the container has no default route, and without a bridge no neighbors either. */
  readonly #neighbors: readonly PlanRoute[]
  readonly #defaults: readonly PlanRoute[]

  constructor({ driver, subnets, gateways, gatewayMode, antiSpoofing, adopted, bridge }: NetworkFacts) {
    const isPointToPoint = driver === 'ptp'
    this.asksSenders = antiSpoofing && driver === 'bridge'
    const { mac = noMac } = bridge
    const portMac = adopted === undefined || mac === noMac ? nothing : macBytes(mac)
    this.hostMac = isPointToPoint ? pointToPointMac : portMac
    this.families = subnets.map(({ family }) => family)
    this.routed = this.families.filter((family) => gatewayMode[family === 2 ? 'ipv4' : 'ipv6'] === 'routed')
    this.translated = translated({ families: this.families, routed: this.routed })
    this.prefixLengths = subnets.map(({ family, prefixLength }) => (isPointToPoint ? familyBits(family) : prefixLength))
    this.planFamilies = subnets.map(({ family }, at) => {
      const { any, one, open, openFrom, published } = portSets[family]
      const maps = [any, one].map((map) => ({ map, ...sourceSets[map] }))
      const ports = { family: tableName.family, published, maps, open: [open, openFrom] }
      return { prefixLength: this.prefixLengths[at] ?? 0, ports, gateway: gateways[at]?.bytes ?? nothing }
    })
    const rest = { onlink: isPointToPoint, metric: 0, type: unicast }
    this.#defaults = gateways.map(({ bytes }) => ({ to: nothing, prefixLength: 0, gateway: bytes, ...rest }))
    this.#neighbors = isPointToPoint
      ? subnets.map(({ bytes, prefixLength }, at) => {
          return { to: bytes, prefixLength, gateway: gateways[at]?.bytes ?? nothing, ...rest }
        })
      : []
  }

  /** As what the container of a lease may send; undefined where nobody asks. */
  senderOf({ hostIfname, claim, addresses, mac }: Lease, hasOwnMac: boolean): Sender | undefined {
    return this.asksSenders ? { hostIfname, mac, addresses, isChosen: hasOwnMac || claim !== '' } : undefined
  }

  /** A link-local address that does not follow from the MAC would be one that it may not send from. */
  sysctlsInside(ifname: string): AttachPlan['sysctls'] {
    if (!this.asksSenders || !this.families.includes(10)) return []
    return [{ path: `ipv6/conf/${ifname}/addr_gen_mode`, value: '0', ofDevice: true }]
  }

  routesInside(defaultRoute: boolean, metric: number): readonly PlanRoute[] {
    const routes = defaultRoute ? this.#defaults : this.#neighbors
    return metric === 0 ? routes : routes.map((route) => ({ ...route, metric }))
  }
}

/** The gateways and what was reserved, as numbers of either family: a number is one in both. */
export function reservedNumbers({ subnets, gateways, reserved }: NetworkFacts): NumberRange[] {
  return subnets.flatMap((subnet) => {
    const isOfFamily = ({ family }: Address): boolean => family === subnet.family
    const parts = reserved.map((part) => parseCidr(part, 'reserved')).filter(isOfFamily)
    return [
      ...gateways.filter(isOfFamily).map((gateway): NumberRange => [offsetIn(subnet, gateway), offsetIn(subnet, gateway)]),
      ...parts.map((part): NumberRange => [offsetIn(subnet, part), offsetIn(subnet, { ...part, bytes: lastOf(part) })]),
    ]
  })
}
