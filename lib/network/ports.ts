// Ports as the elements and flows that the native side takes.

import { formatAddress, parseAddress } from '../cidr.ts'
import { NetlinkError } from '../errors.ts'
import { type Message, type NamespaceHandle, native, type PlanFlow } from '../native.ts'
import { NetworkError } from './errors.ts'
import {
  type FirewallElement,
  type PublishedPort,
  portElement,
  publishedElement,
  readPorts,
  tableName,
} from './firewall/index.ts'
import { type Port, portKey, protocolNumber } from './port.ts'

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

/** Says whose the port is that could not be published; other errors pass. */
export async function explainTaken(handle: NamespaceHandle, error: unknown, ports: readonly Port[]): Promise<unknown> {
  if (!(error instanceof NetlinkError) || error.code !== 'EEXIST' || error.syscall !== 'NFT_MSG_NEWSETELEM') return error
  const { family, name: table } = tableName
  for (const port of ports) {
    const { set, key } = portElement(published(port), Uint8Array.of(0, 0, 0, 0), '')
    const message: Message = {
      type: 'NFT_MSG_GETSETELEM',
      flags: 0,
      body: { family, table, set, elements: [{ key: { value: key } }] },
    }
    const [outcome] = await native.submit(handle, [message])
    const [holder] = readPorts(outcome?.replies ?? [])
    if (holder === undefined) continue
    const who = `${holder.owner} (${formatAddress(holder.containerAddress)}:${holder.containerPort})`
    return new NetworkError('PORT_IN_USE', `${portKey(port)} is published by ${who}: ${error.message}`, { cause: error })
  }
  return error
}
