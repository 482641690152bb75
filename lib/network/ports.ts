// Ports as the elements and flows that the native side takes.

import { parseAddress } from '../cidr.ts'
import type { PlanFlow } from '../native.ts'
import { type FirewallElement, type PublishedPort, portElement, publishedElement } from './firewall/index.ts'
import { type Port, protocolNumber } from './port.ts'

const anywhere = new Uint8Array(0)

export function published(port: Port): PublishedPort {
  return {
    protocol: protocolNumber[port.protocol],
    hostAddress: port.hostAddress === undefined ? undefined : parseAddress(port.hostAddress, 'hostAddress').bytes,
    hostPort: port.hostPort,
    containerPort: port.containerPort,
  }
}

/** Whose a port is: the comment of its element. */
export const ownerOf = (network: string, endpoint: string): string => `${network}/${endpoint}`

/** The elements of some of an endpoint's ports; `all` when no others remain, so that the address's own goes with them. */
export function elementsOf(ports: readonly Port[], address: Uint8Array, owner: string, all: boolean): FirewallElement[] {
  if (ports.length === 0) return []
  const elements = ports.map((port) => portElement(published(port), address, owner))
  return all ? [...elements, publishedElement(address, owner)] : elements
}

/** UDP has no end of a connection: what conntrack remembers of the port would still go to the container before. */
export function flowsOf(ports: readonly Port[]): PlanFlow[] {
  return ports
    .filter((port) => port.protocol === 'udp')
    .map((port) => ({ protocol: protocolNumber.udp, address: published(port).hostAddress ?? anywhere, port: port.hostPort }))
}
