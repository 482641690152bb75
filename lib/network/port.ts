// Published ports, in Docker's spelling: [hostAddress:]hostPort:containerPort[/protocol], single or as equal ranges.

import { type Family, parseAddress } from '../cidr.ts'
import { fields, invalidType, invalidValue, oneOf, outOfRange } from '../invalid.ts'

export type Protocol = 'tcp' | 'udp' | 'sctp'

/** One published port. */
export interface Port {
  readonly protocol: Protocol
  /** The only host address that it is published on; '0.0.0.0' for all IPv4 and '::' for all IPv6 addresses; absent for all of them. */
  readonly hostAddress?: string
  readonly hostPort: number
  readonly containerPort: number
}

/** `'8080:80'`, `'127.0.0.1:53:53/udp'`, `'[2001:db8::1]:8080:80'`, `'8000-8009:9000-9009'`, or an object. */
export type PortSpec = string | (Omit<Port, 'protocol'> & { readonly protocol?: Protocol })

export const protocolNumber: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17, sctp: 132 }
const protocols: readonly Protocol[] = ['tcp', 'udp', 'sctp']
const spelling = "must be [hostAddress:]hostPort:containerPort[/protocol], such as '8080:80'"

function portNumber(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw invalidType(path, 'a port number', value)
  if (value < 1 || value > 65535) throw outOfRange(path, 1, 65535, value)
  return value
}

function range(text: string, path: string, spec: string): readonly [first: number, last: number] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text)
  if (match === null) throw invalidValue(path, spelling, spec)
  const first = portNumber(Number(match[1]), `${path}: port`)
  const last = match[2] === undefined ? first : portNumber(Number(match[2]), `${path}: port`)
  if (last < first) throw invalidValue(path, 'has a range that ends before it starts', spec)
  return [first, last]
}

function hostAddressOf(text: string, path: string): string {
  const address = parseAddress(text, `the host address of ${path}`)
  if (address.text === '::1') {
    const why = 'cannot be on ::1: IPv6 has no route_localnet, so no answer comes back there. Publish on 127.0.0.1'
    throw invalidValue(path, why, text)
  }
  return address.text
}

function make(protocol: Protocol, hostAddress: string | undefined, hostPort: number, containerPort: number): Port {
  return { protocol, hostPort, containerPort, ...(hostAddress === undefined ? {} : { hostAddress }) }
}

function parseText(spec: string, path: string): Port[] {
  const [ports = '', protocol, ...rest] = spec.split('/')
  if (rest.length > 0) throw invalidValue(path, spelling, spec)
  const proto = protocol === undefined ? 'tcp' : oneOf(protocol, `the protocol of ${path}`, protocols)
  const parts = ports.split(':')
  const container = parts.pop() ?? ''
  const hostPart = parts.pop()
  if (hostPart === undefined || hostPart === '')
    throw invalidValue(path, `lacks the host's port: write '8080:${container}'`, spec)
  const hostAddress = parts.length === 0 ? undefined : hostAddressOf(parts.join(':').replace(/^\[(.*)\]$/, '$1'), path)
  const [firstHost, lastHost] = range(hostPart, path, spec)
  const [firstContainer, lastContainer] = range(container, path, spec)
  if (lastHost - firstHost !== lastContainer - firstContainer) throw invalidValue(path, 'has ranges of different lengths', spec)
  return Array.from({ length: lastHost - firstHost + 1 }, (_, at) =>
    make(proto, hostAddress, firstHost + at, firstContainer + at),
  )
}

export function parsePort(spec: PortSpec, path: string): Port[] {
  if (typeof spec === 'string') return parseText(spec, path)
  fields(spec, path, ['protocol', 'hostAddress', 'hostPort', 'containerPort'])
  const protocol = spec.protocol === undefined ? 'tcp' : oneOf(spec.protocol, `${path}.protocol`, protocols)
  const hostAddress = spec.hostAddress === undefined ? undefined : hostAddressOf(spec.hostAddress, path)
  return [
    make(
      protocol,
      hostAddress,
      portNumber(spec.hostPort, `${path}.hostPort`),
      portNumber(spec.containerPort, `${path}.containerPort`),
    ),
  ]
}

/** All of an endpoint's ports; the same one twice is refused. */
export function parsePorts(specs: unknown, path: string): Port[] {
  if (!Array.isArray(specs)) throw invalidType(path, "an array such as ['8080:80']", specs)
  const ports = specs.flatMap((spec: PortSpec, at) => parsePort(spec, `${path}[${at}]`))
  const seen = new Set<string>()
  for (const port of ports) {
    for (const place of hostPlaces(port)) {
      if (seen.has(place)) throw invalidValue(path, 'publishes a host port twice', portKey(port))
      seen.add(place)
    }
  }
  return ports
}

/** In which families a port is published, if the container has an address of them. */
export const familiesOf = ({ hostAddress }: Port): readonly Family[] =>
  hostAddress === undefined ? [2, 10] : hostAddress.includes(':') ? [10] : [2]

/** The one address of the host; undefined for all of a family. */
export const onlyAddress = ({ hostAddress }: Port): string | undefined =>
  hostAddress === '0.0.0.0' || hostAddress === '::' ? undefined : hostAddress

/** What two containers cannot both have, one for each family. */
const hostPlaces = (port: Port): readonly string[] =>
  familiesOf(port).map((family) => `${family} ${onlyAddress(port) ?? '*'} ${port.hostPort}/${port.protocol}`)

/** Whether no two elements of the table can be one of each. */
export function collide(a: Port, b: Port): boolean {
  const places = hostPlaces(a)
  return hostPlaces(b).some((place) => places.includes(place))
}

const addressPart = ({ hostAddress }: Port): string =>
  hostAddress === undefined ? '' : hostAddress.includes(':') ? `[${hostAddress}]:` : `${hostAddress}:`

/** How a port is called on the host's side. */
export const portKey = (port: Port): string => `${addressPart(port)}${port.hostPort}/${port.protocol}`

/** Refuses ports of which nothing would come, because their host address is of a family that the network lacks. */
export function refuseForeignFamily(ports: readonly Port[], families: readonly Family[], path: string): void {
  for (const port of ports) {
    if (familiesOf(port).some((family) => families.includes(family))) continue
    const [family] = familiesOf(port)
    const name = family === 2 ? 'IPv4' : 'IPv6'
    throw invalidValue(path, `has an ${name} host address, and the network no ${name} subnet`, portKey(port))
  }
}

/** The shortest spelling of several ports: neighbors become ranges. parsePorts reads it back. */
export function formatPorts(ports: readonly Port[]): string[] {
  const sorted = [...ports].sort(
    (a, b) =>
      a.protocol.localeCompare(b.protocol) || (a.hostAddress ?? '').localeCompare(b.hostAddress ?? '') || a.hostPort - b.hostPort,
  )
  const runs: { first: Port; length: number }[] = []
  for (const port of sorted) {
    const run = runs.at(-1)
    const continues =
      run !== undefined &&
      run.first.protocol === port.protocol &&
      run.first.hostAddress === port.hostAddress &&
      run.first.hostPort + run.length === port.hostPort &&
      run.first.containerPort + run.length === port.containerPort
    if (continues) run.length++
    else runs.push({ first: port, length: 1 })
  }
  return runs.map(({ first, length }) => {
    const span = (port: number): string => (length === 1 ? String(port) : `${port}-${port + length - 1}`)
    return `${addressPart(first)}${span(first.hostPort)}:${span(first.containerPort)}${first.protocol === 'tcp' ? '' : `/${first.protocol}`}`
  })
}
