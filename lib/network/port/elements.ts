// Ports as the elements and flows that the native side takes.

import { type Address, type Family, lastOf, parseAddress, parseCidr } from '../../cidr.ts'
import type { PlanFlow, PlanHostPort } from '../../native.ts'
import {
  type ContainerPorts,
  containerElements,
  type FirewallElement,
  type OpenPort,
  type PublishedPort,
  publishedElement,
  type Sources,
} from '../firewall/index.ts'
import { familiesOf, onlyAddress, type Port, type PortSite, protocolNumber } from './port.ts'

const anywhere = new Uint8Array(0)

/** Those of a family. */
const sourcesOf = ({ from }: Port, family: Family): { readonly from?: readonly Sources[] } => {
  if (from === undefined) return {}
  const networks = from.map((network) => parseCidr(network, 'from')).filter((network) => network.family === family)
  return { from: networks.map((network): Sources => [network.bytes, lastOf(network)]) }
}

/** What becomes of ports on the host, in the families of their container in which it does not route. */
export function published(ports: readonly Port[], families: readonly Family[]): PublishedPort[] {
  return ports.flatMap((port) => {
    const address = onlyAddress(port)
    const { hostPort, containerPort } = port
    const protocol = protocolNumber[port.protocol]
    const hostAddress = address === undefined ? undefined : parseAddress(address, 'hostAddress').bytes
    return familiesOf(port)
      .filter((family) => families.includes(family))
      .map((family): PublishedPort => {
        return { family, protocol, hostAddress, hostPort, containerPort, ...sourcesOf(port, family) }
      })
  })
}

/** What no process of the host may have, in the order of `published`. */
export const hostPortsOf = (ports: readonly Port[], families: readonly Family[]): PlanHostPort[] =>
  published(ports, families).map(({ family, protocol, hostAddress, hostPort }) => {
    return { protocol, address: hostAddress ?? new Uint8Array(family === 2 ? 4 : 16), port: hostPort }
  })

/** What becomes of them where the host routes. */
function opened(ports: readonly Port[], families: readonly Family[]): OpenPort[] {
  return ports.flatMap((port) =>
    familiesOf(port)
      .filter((family) => families.includes(family))
      .map((family): OpenPort => {
        return { family, protocol: protocolNumber[port.protocol], port: port.containerPort, ...sourcesOf(port, family) }
      }),
  )
}

/** The families in which ports are the host's. */
export const translated = ({ families, routed }: PortSite): Family[] => families.filter((family) => !routed.includes(family))

export const containerPorts = (ports: readonly Port[], { families, routed }: PortSite): ContainerPorts => ({
  published: published(ports, translated({ families, routed })),
  open: opened(
    ports,
    routed.filter((family) => families.includes(family)),
  ),
})

/** Whose a port is: the comment of its element. */
export const ownerOf = (network: string, endpoint: string): string => `${network}/${endpoint}`

/** Whose elements are meant, and where they are. */
export interface PortOwner {
  readonly owner: string
  readonly addresses: readonly Address[]
  readonly routed: readonly Family[]
}

/**
 * The elements of some of an endpoint's ports, with those of the addresses that then have any, or have none any more: of families that
 * none of the `others` is in.
 */
export function elementsOf(
  ports: readonly Port[],
  { owner, addresses, routed }: PortOwner,
  others: readonly Port[] = [],
): FirewallElement[] {
  return addresses.flatMap(({ family, bytes }) => {
    const own = containerElements(containerPorts(ports, { families: [family], routed }), bytes, owner)
    const beside = containerElements(containerPorts(others, { families: [family], routed }), bytes, owner)
    return own.length > 0 && beside.length === 0 ? [...own, publishedElement(bytes, owner)] : own
  })
}

/**
 * UDP has no end of a connection, and an association of SCTP may outlive its container: what conntrack remembers of the port would still go
 * to the container before.
 */
export function lastingFlows(ports: readonly PublishedPort[]): PlanFlow[] {
  return ports
    .filter(({ protocol }) => protocol !== protocolNumber.tcp)
    .map(({ family, protocol, hostAddress = anywhere, hostPort }) => ({ family, protocol, address: hostAddress, port: hostPort }))
}

export const flowsOf = (ports: readonly Port[], families: readonly Family[]): PlanFlow[] =>
  lastingFlows(published(ports, families))

/** The same of an endpoint whose addresses are known: what reaches it by them lasts, too. */
export function endpointFlowsOf(ports: readonly Port[], { addresses, routed }: Omit<PortOwner, 'owner'>): PlanFlow[] {
  const families = addresses.map(({ family }) => family)
  const open = addresses.flatMap(({ family, bytes }) =>
    containerPorts(ports, { families: [family], routed }).open.map(({ protocol, port }): PublishedPort => {
      return { family, protocol, hostAddress: bytes, hostPort: port, containerPort: port }
    }),
  )
  return [...flowsOf(ports, translated({ families, routed })), ...lastingFlows(open)]
}
