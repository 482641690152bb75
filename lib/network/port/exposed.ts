// Who reaches what: the published ports as they stand in the firewall, not as anybody remembers them.

import { formatAddress } from '../../cidr.ts'
import { NetlinkError } from '../../errors.ts'
import type { Body } from '../../native.ts'
import type { Netns } from '../../netns/netns.ts'
import {
  type ListedOpenPort,
  type ListedPort,
  portSets,
  prefixLengthOf,
  readOpenPorts,
  readPorts,
  readSources,
  type Sources,
  sourceSets,
} from '../firewall/index.ts'
import { endpointAltname } from '../label.ts'
import { elementsIn } from './holders.ts'
import { type Protocol, protocolNumber } from './port.ts'
import { findLinks } from './publish.ts'

export interface ExposedPort {
  readonly family: 'inet' | 'inet6'
  readonly protocol: Protocol
  /** The only host address that it is published on; absent for all of the family, and in a network that is routed. */
  readonly hostAddress?: string
  /** Absent in a network that is routed: the container is reached by its own address. */
  readonly hostPort?: number
  readonly network: string
  readonly endpoint: string
  readonly containerAddress: string
  readonly containerPort: number
  /**
   * Whom the firewall table lets through: everyone who gets there, what runs on the host (a port of 127.0.0.0/8), or those of some networks,
   * sorted. What comes from an interface that the network trusts is not told.
   */
  readonly from: 'everyone' | 'this host' | readonly string[]
}

async function listed(host: Netns, set: string, signal: AbortSignal | undefined): Promise<readonly Body[]> {
  try {
    return await elementsIn(host, set, signal)
  } catch (error) {
    // No table: nothing is published.
    if (error instanceof NetlinkError && error.code === 'ENOENT') return []
    throw error
  }
}

const isLoopback = ({ hostAddress }: ListedPort): boolean => hostAddress?.length === 4 && hostAddress[0] === 127

const networksOf = (sources: readonly Sources[]): string[] =>
  sources.map((source) => `${formatAddress(source[0])}/${prefixLengthOf(source)}`).sort()

interface Found extends Pick<ListedPort, 'family' | 'protocol' | 'owner' | 'containerAddress' | 'containerPort'> {
  readonly host: Pick<ExposedPort, 'hostAddress' | 'hostPort'>
  readonly from: ExposedPort['from']
}

function onHost(port: ListedPort, sources: readonly Sources[] | undefined): Found {
  const { hostAddress, hostPort } = port
  const from = sources === undefined ? (isLoopback(port) ? 'this host' : 'everyone') : networksOf(sources)
  return { ...port, host: { ...(hostAddress && { hostAddress: formatAddress(hostAddress) }), hostPort }, from }
}

const byItself = ({ port, from, ...rest }: ListedOpenPort): Found => {
  return { ...rest, containerPort: port, host: {}, from: from === undefined ? 'everyone' : networksOf(from) }
}

function exposed({ family, protocol: number, owner, containerAddress, containerPort, host, from }: Found): ExposedPort[] {
  const protocol = Object.entries(protocolNumber).find(([, one]) => one === number)?.[0] as Protocol | undefined
  const [network = '', endpoint = ''] = owner.split('/')
  // Somebody made the element by hand.
  if (protocol === undefined || endpoint === '') return []
  const container = { containerAddress: formatAddress(containerAddress), containerPort }
  return [{ network, endpoint, family: family === 2 ? 'inet' : 'inet6', protocol, ...host, ...container, from }]
}

/** Those of living containers, sorted by port; of one network if one is named. */
export async function portsOf(
  host: Netns,
  { network, signal }: { readonly network?: string; readonly signal?: AbortSignal | undefined },
): Promise<ExposedPort[]> {
  const sets = Object.values(portSets).flatMap(({ any, one, open, openFrom }) => {
    return [any, one, open, openFrom, ...[any, one].flatMap((map) => Object.values<string>({ ...sourceSets[map] }))]
  })
  const dumped = (await Promise.all(sets.map((set) => listed(host, set, signal)))).flat()
  const sourcesOf = readSources(dumped)
  const all = [...readPorts(dumped).map((port) => onHost(port, sourcesOf(port))), ...readOpenPorts(dumped).map(byItself)].flatMap(
    exposed,
  )
  const own = all.filter((port) => network === undefined || port.network === network)
  const altname = (port: ExposedPort): string => endpointAltname(port.network, port.endpoint)
  const names = [...new Set(own.map(altname))]
  const links = await findLinks(host, names)
  const alive = new Set(names.filter((_, at) => links[at] !== undefined))
  const number = ({ hostPort, containerPort }: ExposedPort): number => hostPort ?? containerPort
  const place = (port: ExposedPort): string =>
    `${port.protocol} ${port.family} ${port.hostAddress ?? ''} ${port.containerAddress}`
  return own.filter((port) => alive.has(altname(port))).sort((a, b) => number(a) - number(b) || place(a).localeCompare(place(b)))
}
