// Published ports, in Docker's spelling: [hostAddress:]hostPort:containerPort[/protocol], single or as equal ranges.

import { parseAddress } from '../cidr.ts'
import { fields, invalidType, invalidValue, oneOf, outOfRange } from '../invalid.ts'

export type Protocol = 'tcp' | 'udp'

/** One published port. */
export interface Port {
  readonly protocol: Protocol
  /** The only host address that it is published on; absent for all of them. */
  readonly hostAddress?: string
  readonly hostPort: number
  readonly containerPort: number
}

/** `'8080:80'`, `'127.0.0.1:53:53/udp'`, `'8000-8009:9000-9009'`, or an object. */
export type PortSpec = string | (Omit<Port, 'protocol'> & { readonly protocol?: Protocol })

export const protocolNumber: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17 }
const protocols: readonly Protocol[] = ['tcp', 'udp']

function portNumber(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw invalidType(path, 'a port number', value)
  if (value < 1 || value > 65535) throw outOfRange(path, 1, 65535, value)
  return value
}

function range(text: string, path: string, spec: string): readonly [first: number, last: number] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text)
  if (match === null) throw invalidValue(path, `must be [hostAddress:]hostPort:containerPort[/protocol], such as '8080:80'`, spec)
  const first = portNumber(Number(match[1]), `${path}: port`)
  const last = match[2] === undefined ? first : portNumber(Number(match[2]), `${path}: port`)
  if (last < first) throw invalidValue(path, 'has a range that ends before it starts', spec)
  return [first, last]
}

function hostAddressOf(text: string, path: string): string | undefined {
  const address = parseAddress(text, `the host address of ${path}`)
  if (address.family !== 2) throw invalidValue(path, 'must name an IPv4 host address', text)
  return address.text === '0.0.0.0' ? undefined : address.text
}

function make(protocol: Protocol, hostAddress: string | undefined, hostPort: number, containerPort: number): Port {
  return { protocol, hostPort, containerPort, ...(hostAddress === undefined ? {} : { hostAddress }) }
}

function parseText(spec: string, path: string): Port[] {
  const [ports = '', protocol, ...rest] = spec.split('/')
  if (rest.length > 0)
    throw invalidValue(path, `must be [hostAddress:]hostPort:containerPort[/protocol], such as '8080:80'`, spec)
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
    const key = portKey(port)
    if (seen.has(key)) throw invalidValue(path, 'publishes a host port twice', key)
    seen.add(key)
  }
  return ports
}

/** What two containers cannot both have. */
export const portKey = (port: Port): string =>
  `${port.hostAddress === undefined ? '' : `${port.hostAddress}:`}${port.hostPort}/${port.protocol}`

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
    const address = first.hostAddress === undefined ? '' : `${first.hostAddress}:`
    return `${address}${span(first.hostPort)}:${span(first.containerPort)}${first.protocol === 'tcp' ? '' : `/${first.protocol}`}`
  })
}
