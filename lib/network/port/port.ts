// Published ports, in Docker's spelling: [[hostAddress:][hostPort]:]containerPort[/protocol], single or as ranges; behind a ? who may.

import { type Cidr, contains, type Family, formatCidr, networkOf, parseAddress, parseCidr } from '../../cidr.ts'
import { fields, invalidType, invalidValue, oneOf, outOfRange } from '../../invalid.ts'

export type Protocol = 'tcp' | 'udp' | 'sctp'

/** One published port. */
export interface Port {
  readonly protocol: Protocol
  /** The only host address that it is published on; '0.0.0.0' for all IPv4 and '::' for all IPv6 addresses; absent for all of them. */
  readonly hostAddress?: string
  /** In a network that is routed in all of its families the container's own. */
  readonly hostPort: number
  readonly containerPort: number
  /** The networks that may ask for it, `['192.0.2.0/24']`: what others send is dropped. Absent: everybody may. */
  readonly from?: readonly string[]
}

/** A port to publish: its number on the host may be any one of a range that is free or, absent, of those for local use. */
export type PortWish = Omit<Port, 'hostPort'> & { readonly hostPort?: number | readonly [first: number, last: number] }

/**
 * `'8080:80'`, `'127.0.0.1:53:53/udp'`, `'[2001:db8::1]:8080:80'`, `'8000-8009:9000-9009'`; `'80'` and `'127.0.0.1::80'` on a port that is
 * free, `'8000-8009:80'` on the first of them that is; `'8080:80?from=192.0.2.0/24,2001:db8::/32'`; or an object.
 */
export type PortSpec = string | (Omit<PortWish, 'protocol'> & { readonly protocol?: Protocol })

export const protocolNumber: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17, sctp: 132 }
const protocols: readonly Protocol[] = ['tcp', 'udp', 'sctp']
const spelling = "must be [[hostAddress:][hostPort]:]containerPort[/protocol][?from=networks], such as '8080:80'"

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

/** Sorted, each once and none inside another. */
function sourcesOf(value: unknown, path: string): string[] {
  if (!Array.isArray(value)) throw invalidType(path, "an array such as ['192.0.2.0/24']", value)
  if (value.length === 0) throw invalidValue(path, 'must have a network: else nobody could ask for the port', value)
  const networks = value.map((one: unknown, at): Cidr => {
    const place = `${path}[${at}]`
    if (typeof one === 'string' && !one.includes('/')) {
      const address = parseAddress(one, place)
      return { ...address, prefixLength: address.bytes.length * 8 }
    }
    const cidr = parseCidr(one, place)
    const exact = networkOf(cidr)
    if (exact.text !== cidr.text) throw invalidValue(place, `has bits behind its prefix: write '${formatCidr(exact)}'`, one)
    return cidr
  })
  const outermost = networks.filter(
    (network, at) =>
      !networks.some((other, position) => {
        if (position === at || !contains(other, network) || other.prefixLength > network.prefixLength) return false
        return other.prefixLength < network.prefixLength || position < at
      }),
  )
  return outermost.map(formatCidr).sort()
}

interface Parts extends Omit<PortWish, 'hostAddress' | 'hostPort' | 'from'> {
  readonly hostAddress: string | undefined
  readonly hostPort: PortWish['hostPort'] | undefined
  readonly from: readonly string[] | undefined
}

const make = ({ protocol, hostAddress, hostPort, containerPort, from }: Parts): PortWish => ({
  protocol,
  containerPort,
  ...(hostPort === undefined ? {} : { hostPort }),
  ...(hostAddress === undefined ? {} : { hostAddress }),
  ...(from === undefined ? {} : { from }),
})

function parseSources(query: string, path: string, spec: string): string[] {
  const [key, list = '', ...rest] = query.split('=')
  if (key !== 'from' || rest.length > 0) throw invalidValue(path, spelling, spec)
  return sourcesOf(list === '' ? [] : list.split(','), `${path}: from`)
}

function parseText(spec: string, path: string): PortWish[] {
  const [place = '', query, ...more] = spec.split('?')
  const [ports = '', protocolName, ...rest] = place.split('/')
  if (rest.length > 0 || more.length > 0) throw invalidValue(path, spelling, spec)
  const protocol = protocolName === undefined ? 'tcp' : oneOf(protocolName, `the protocol of ${path}`, protocols)
  const from = query === undefined ? undefined : parseSources(query, path, spec)
  const parts = ports.split(':')
  const [firstContainer, lastContainer] = range(parts.pop() ?? '', path, spec)
  const hostPart = parts.pop() ?? ''
  const hostAddress = parts.length === 0 ? undefined : hostAddressOf(parts.join(':').replace(/^\[(.*)\]$/, '$1'), path)
  const host = hostPart === '' ? undefined : range(hostPart, path, spec)
  const length = lastContainer - firstContainer + 1
  const rest_ = { protocol, hostAddress, from }
  if (host !== undefined && length === 1 && host[0] !== host[1])
    return [make({ ...rest_, hostPort: host, containerPort: firstContainer })]
  if (host !== undefined && host[1] - host[0] + 1 !== length) throw invalidValue(path, 'has ranges of different lengths', spec)
  return Array.from({ length }, (_, at) =>
    make({ ...rest_, hostPort: host === undefined ? undefined : host[0] + at, containerPort: firstContainer + at }),
  )
}

function hostPortOf(value: unknown, path: string): PortWish['hostPort'] | undefined {
  if (!Array.isArray(value)) return value === undefined ? undefined : portNumber(value, path)
  if (value.length !== 2) throw invalidType(path, 'a port number, or the first and the last of a range', value)
  const [first, last] = value.map((port: unknown, at) => portNumber(port, `${path}[${at}]`)) as [number, number]
  if (last < first) throw invalidValue(path, 'has a range that ends before it starts', value)
  return first === last ? first : [first, last]
}

export function parsePort(spec: PortSpec, path: string): PortWish[] {
  if (typeof spec === 'string') return parseText(spec, path)
  const given = fields(spec, path, ['protocol', 'hostAddress', 'hostPort', 'containerPort', 'from'])
  return [
    make({
      protocol: spec.protocol === undefined ? 'tcp' : oneOf(spec.protocol, `${path}.protocol`, protocols),
      hostAddress: spec.hostAddress === undefined ? undefined : hostAddressOf(spec.hostAddress, path),
      hostPort: hostPortOf(given['hostPort'], `${path}.hostPort`),
      containerPort: portNumber(spec.containerPort, `${path}.containerPort`),
      from: spec.from === undefined ? undefined : sourcesOf(spec.from, `${path}.from`),
    }),
  ]
}

/** Whether its number on the host is known. */
export const isSettled = (wish: PortWish): wish is Port => typeof wish.hostPort === 'number'

function refuseTwice(ports: readonly PortWish[], routed: readonly Family[], path: string): void {
  const seen = new Set<string>()
  for (const port of ports) {
    for (const place of places(port, routed)) {
      if (seen.has(place)) throw invalidValue(path, 'publishes a port twice', portKey(port))
      seen.add(place)
    }
  }
}

/** All of an endpoint's ports; the same one twice is refused. */
export function parsePorts(specs: unknown, path: string): PortWish[] {
  if (!Array.isArray(specs)) throw invalidType(path, "an array such as ['8080:80']", specs)
  const ports = specs.flatMap((spec: PortSpec, at) => parsePort(spec, `${path}[${at}]`))
  refuseTwice(ports, [], path)
  return ports
}

/** In which families a port is published, if the container has an address of them. */
export const familiesOf = ({ hostAddress }: Pick<Port, 'hostAddress'>): readonly Family[] =>
  hostAddress === undefined ? [2, 10] : hostAddress.includes(':') ? [10] : [2]

/** The one address of the host; undefined for all of a family. */
export const onlyAddress = ({ hostAddress }: Pick<Port, 'hostAddress'>): string | undefined =>
  hostAddress === '0.0.0.0' || hostAddress === '::' ? undefined : hostAddress

/** What no two ports can both have, one for each family: of the host or, where that routes to the containers, of one container. */
const places = (port: PortWish, routed: readonly Family[]): readonly string[] =>
  familiesOf(port).flatMap((family) => {
    if (routed.includes(family)) return [`${family} open ${port.containerPort}/${port.protocol}`]
    return isSettled(port) ? [`${family} ${onlyAddress(port) ?? '*'} ${port.hostPort}/${port.protocol}`] : []
  })

/** Whether no two elements of the table can be one of each. */
export function collide(a: Port, b: Port, routed: readonly Family[] = []): boolean {
  const taken = places(a, routed)
  return places(b, routed).some((place) => taken.includes(place))
}

const addressPart = ({ hostAddress }: PortWish): string =>
  hostAddress === undefined ? '' : hostAddress.includes(':') ? `[${hostAddress}]:` : `${hostAddress}:`

const hostPart = ({ hostPort }: PortWish): string => (typeof hostPort === 'object' ? hostPort.join('-') : `${hostPort ?? ''}`)

/** How a port is called on the host's side. */
export const portKey = (port: PortWish): string => `${addressPart(port)}${hostPart(port)}/${port.protocol}`

/** Empty for everybody, so that these come first. */
const sourcesOfAll = ({ from }: PortWish): string => (from === undefined ? '' : `?from=${from.join(',')}`)

const hasSameSources = (a: PortWish, b: PortWish): boolean => String(a.from) === String(b.from)

/** Whether a port is what was wished for, by whomever it may be asked for. */
export function fits(port: Port, wish: PortWish): boolean {
  const [first, last] = typeof wish.hostPort === 'object' ? wish.hostPort : [wish.hostPort ?? 1, wish.hostPort ?? 65535]
  return (
    port.protocol === wish.protocol &&
    port.hostAddress === wish.hostAddress &&
    port.containerPort === wish.containerPort &&
    port.hostPort >= first &&
    port.hostPort <= last
  )
}

/** Those of the wishes that none of the ports fulfils; each fulfils one, and first those that can be fulfilled by no other. */
export function unfulfilled(wishes: readonly PortWish[], ports: readonly Port[]): PortWish[] {
  const left = [...ports]
  const isOpen = (wish: PortWish): boolean => {
    const at = left.findIndex((port) => fits(port, wish) && hasSameSources(port, wish))
    if (at >= 0) left.splice(at, 1)
    return at < 0
  }
  const settled = wishes.filter(isSettled).filter(isOpen)
  return [...settled, ...wishes.filter((wish) => !isSettled(wish)).filter(isOpen)]
}

const nameOf = (family: Family): string => (family === 2 ? 'IPv4' : 'IPv6')

export interface PortSite {
  readonly families: readonly Family[]
  /** Those in which containers are reached by their own address. */
  readonly routed: readonly Family[]
}

/**
 * Refuses ports of which nothing would come, because their host address is of a family that the network lacks or routes. Where the host
 * routes all that a port is published in, it has the container's number.
 */
export function settleIn({ families, routed }: PortSite, wishes: readonly PortWish[], path: string): PortWish[] {
  const settled = wishes.map((wish): PortWish => {
    const own = familiesOf(wish).filter((family) => families.includes(family))
    const [family] = own
    if (family === undefined) {
      const name = nameOf(familiesOf(wish)[0] ?? 2)
      throw invalidValue(path, `has an ${name} host address, and the network no ${name} subnet`, portKey(wish))
    }
    if (wish.from !== undefined && !wish.from.some((network) => own.includes(network.includes(':') ? 10 : 2))) {
      const why = `is for ${wish.from.join(', ')} only, and published in ${own.map(nameOf).join(' and ')}: nobody could ask for it`
      throw invalidValue(path, why, portKey(wish))
    }
    if (own.some((one) => !routed.includes(one))) return wish
    if (onlyAddress(wish) !== undefined) {
      const why = `has a host address, and the network routes ${nameOf(family)}: its containers are reached by their own`
      throw invalidValue(path, why, portKey(wish))
    }
    if (wish.hostPort !== undefined && wish.hostPort !== wish.containerPort) {
      const why = `has another port on the host, and the network is routed: a port is reached by the container's own number; write '${wish.containerPort}'`
      throw invalidValue(path, why, portKey(wish))
    }
    return { ...wish, hostPort: wish.containerPort }
  })
  refuseTwice(
    settled,
    routed.filter((family) => families.includes(family)),
    path,
  )
  return settled
}

/** The shortest spelling of several ports: neighbors become ranges, and who may ask is said once for all behind it. */
export function formatPorts(ports: readonly Port[]): string[] {
  const sorted = [...ports].sort(
    (a, b) =>
      sourcesOfAll(a).localeCompare(sourcesOfAll(b)) ||
      a.protocol.localeCompare(b.protocol) ||
      (a.hostAddress ?? '').localeCompare(b.hostAddress ?? '') ||
      a.hostPort - b.hostPort,
  )
  const runs: { first: Port; length: number }[] = []
  for (const port of sorted) {
    const run = runs.at(-1)
    const continues =
      run !== undefined &&
      run.first.protocol === port.protocol &&
      run.first.hostAddress === port.hostAddress &&
      hasSameSources(run.first, port) &&
      run.first.hostPort + run.length === port.hostPort &&
      run.first.containerPort + run.length === port.containerPort
    if (continues) run.length++
    else runs.push({ first: port, length: 1 })
  }
  return runs.flatMap(({ first, length }, at) => {
    const span = (port: number): string => (length === 1 ? String(port) : `${port}-${port + length - 1}`)
    const before = runs[at - 1]?.first
    const from = first.from === undefined || (before && hasSameSources(before, first)) ? [] : [sourcesOfAll(first)]
    const protocol = first.protocol === 'tcp' ? '' : `/${first.protocol}`
    return [...from, `${addressPart(first)}${span(first.hostPort)}:${span(first.containerPort)}${protocol}`]
  })
}

/** Reads what formatPorts wrote. */
export function readPortWords(words: readonly string[], path: string): Port[] {
  let from = ''
  const specs = words.flatMap((word) => {
    if (!word.startsWith('?')) return [word + from]
    from = word
    return []
  })
  return parsePorts(specs, path).filter(isSettled)
}
