// Ports as the elements and flows that the native side takes.

import { type Address, type Family, parseAddress } from '../cidr.ts'
import type { PlanFlow, PlanHostPort } from '../native.ts'
import { type FirewallElement, type PublishedPort, portElement, publishedElement } from './firewall/index.ts'
import { familiesOf, onlyAddress, type Port, protocolNumber } from './port.ts'

const anywhere = new Uint8Array(0)

/** What becomes of ports in the families of their container. */
export function published(ports: readonly Port[], families: readonly Family[]): PublishedPort[] {
  return ports.flatMap((port) => {
    const address = onlyAddress(port)
    const { hostPort, containerPort } = port
    const protocol = protocolNumber[port.protocol]
    const hostAddress = address === undefined ? undefined : parseAddress(address, 'hostAddress').bytes
    return familiesOf(port)
      .filter((family) => families.includes(family))
      .map((family): PublishedPort => ({ family, protocol, hostAddress, hostPort, containerPort }))
  })
}

/** What no process of the host may have, in the order of `published`. */
export const hostPortsOf = (ports: readonly Port[], families: readonly Family[]): PlanHostPort[] =>
  published(ports, families).map(({ family, protocol, hostAddress, hostPort }) => {
    return { protocol, address: hostAddress ?? new Uint8Array(family === 2 ? 4 : 16), port: hostPort }
  })

/** Whose a port is: the comment of its element. */
export const ownerOf = (network: string, endpoint: string): string => `${network}/${endpoint}`

/**
 * The elements of some of an endpoint's ports, with those of the addresses that then have any, or have none any more: of families that
 * none of the `others` is in.
 */
export function elementsOf(
  ports: readonly Port[],
  addresses: readonly Address[],
  owner: string,
  others: readonly Port[] = [],
): FirewallElement[] {
  return addresses.flatMap(({ family, bytes }) => {
    const elements = published(ports, [family]).map((port) => portElement(port, bytes, owner))
    const alone = elements.length > 0 && published(others, [family]).length === 0
    return alone ? [...elements, publishedElement(bytes, owner)] : elements
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
