// Who reaches what: the published ports as they stand in the firewall, not as anybody remembers them.

import { formatAddress } from '../cidr.ts'
import { NetlinkError } from '../errors.ts'
import type { Message } from '../native.ts'
import { Netns } from '../netns/netns.ts'
import { dump } from '../rtnetlink/exchange.ts'
import { type ListedPort, listElements, portSets, readPorts } from './firewall/index.ts'
import { endpointAltname } from './label.ts'
import { type Protocol, protocolNumber } from './port.ts'
import { findLinks } from './publish.ts'

export interface ExposedPort {
  readonly family: 'inet' | 'inet6'
  readonly protocol: Protocol
  /** The only host address that it is published on; absent for all of the family. */
  readonly hostAddress?: string
  readonly hostPort: number
  readonly network: string
  readonly endpoint: string
  readonly containerAddress: string
  readonly containerPort: number
  /** Whom the firewall table lets through: everyone who reaches the host, or what runs on it (a port of 127.0.0.0/8). */
  readonly from: 'everyone' | 'this host'
}

async function listed(host: Netns, set: string): Promise<ListedPort[]> {
  try {
    const { type, body } = listElements(set) as Message
    return readPorts(await dump(Netns.handleOf(host), type, body, 'the published ports', (reply) => reply))
  } catch (error) {
    // No table: nothing is published.
    if (error instanceof NetlinkError && error.code === 'ENOENT') return []
    throw error
  }
}

const isLoopback = ({ hostAddress }: ListedPort): boolean => hostAddress?.length === 4 && hostAddress[0] === 127

function exposed(port: ListedPort): ExposedPort[] {
  const protocol = Object.entries(protocolNumber).find(([, number]) => number === port.protocol)?.[0] as Protocol | undefined
  const [network = '', endpoint = ''] = port.owner.split('/')
  // Somebody made the element by hand.
  if (protocol === undefined || endpoint === '') return []
  return [
    {
      network,
      endpoint,
      family: port.family === 2 ? 'inet' : 'inet6',
      protocol,
      ...(port.hostAddress === undefined ? {} : { hostAddress: formatAddress(port.hostAddress) }),
      hostPort: port.hostPort,
      containerAddress: formatAddress(port.containerAddress),
      containerPort: port.containerPort,
      from: isLoopback(port) ? 'this host' : 'everyone',
    },
  ]
}

/** Those of living containers, sorted by port; of one network if one is named. */
export async function portsOf(host: Netns, network?: string): Promise<ExposedPort[]> {
  const sets = Object.values(portSets).flatMap(({ any, one }) => [any, one])
  const all = (await Promise.all(sets.map((set) => listed(host, set)))).flat().flatMap(exposed)
  const own = all.filter((port) => network === undefined || port.network === network)
  const altname = (port: ExposedPort): string => endpointAltname(port.network, port.endpoint)
  const names = [...new Set(own.map(altname))]
  const links = await findLinks(host, names)
  const alive = new Set(names.filter((_, at) => links[at] !== undefined))
  const place = (port: ExposedPort): string => `${port.protocol} ${port.family} ${port.hostAddress ?? ''}`
  return own
    .filter((port) => alive.has(altname(port)))
    .sort((a, b) => a.hostPort - b.hostPort || place(a).localeCompare(place(b)))
}
