// The files that a container engine mounts into a container, as text: /etc/hosts, /etc/resolv.conf, /etc/hostname.

import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { fields, invalidType, invalidValue, list } from '../invalid.ts'
import { Endpoint } from '../network/attach/endpoint.ts'
import { isNetwork } from '../network/known.ts'
import type { Network } from '../network/network.ts'
import { domainName } from './options.ts'
import { parseResolvConf, type ResolvConf } from './resolv-conf.ts'

export interface ContainerFilesSpec {
  /** @defaultValue the name of the first endpoint */
  readonly hostname?: string
  /** Where the container is: each network, and its endpoint there. The first one's addresses are the hostname's. */
  readonly attached: readonly { readonly network: Network; readonly endpoint: Endpoint }[]
  /** More lines of /etc/hosts: `{ 'db.legacy': '192.0.2.7' }`, as Docker's `--add-host`. */
  readonly extraHosts?: Readonly<Record<string, string>>
  /** In place of the servers that the networks give: `['192.0.2.53']`. */
  readonly servers?: readonly string[]
  /** In place of the networks' domains. */
  readonly search?: readonly string[]
  /** Of resolv.conf(5): `['ndots:0', 'timeout:2']`. @defaultValue none, or the host's where its servers are taken */
  readonly options?: readonly string[]
  /** The host's file, for a container none of whose networks has names. @defaultValue '/etc/resolv.conf' */
  readonly resolvConf?: string
}

export interface ContainerFiles {
  readonly hosts: string
  readonly resolvConf: string
  readonly hostname: string
}

interface Place {
  readonly network: Network
  readonly endpoint: Endpoint
}

function placesOf(value: unknown): Place[] {
  const places = list(value, 'spec.attached').map((one, at): Place => {
    const { network, endpoint } = fields(one, `spec.attached[${at}]`, ['network', 'endpoint'])
    if (!isNetwork(network)) throw invalidType(`spec.attached[${at}].network`, 'a Network', network)
    if (!(endpoint instanceof Endpoint)) throw invalidType(`spec.attached[${at}].endpoint`, 'an Endpoint', endpoint)
    if (endpoint.network !== network.name)
      throw invalidValue(`spec.attached[${at}].endpoint`, `must be of the network '${network.name}'`, endpoint.network)
    return { network, endpoint }
  })
  if (places.length === 0) throw invalidValue('spec.attached', 'must name a network and its endpoint', value)
  return places
}

const texts = (value: unknown, path: string): string[] =>
  list(value, path).map((one, at) => {
    // One word of a line.
    if (typeof one !== 'string' || !/^[\x21-\x7e]+$/.test(one)) throw invalidType(`${path}[${at}]`, 'a word', one)
    return one
  })

function addressOf(value: unknown, path: string): string {
  if (typeof value !== 'string' || isIP(value) === 0) throw invalidType(path, "an address such as '192.0.2.53'", value)
  return value
}

const local = ['127.0.0.1\tlocalhost', '::1\tlocalhost ip6-localhost ip6-loopback']

function hostsFile(hostname: string, places: readonly Place[], extra: Readonly<Record<string, unknown>>): string {
  const own = places.flatMap(({ network, endpoint }, at) => {
    const domain = network.dns?.domain ?? network.name.toLowerCase()
    const names = [
      ...new Set([...(at === 0 ? [hostname] : []), `${endpoint.name}.${domain}`, ...(at === 0 ? [endpoint.name] : [])]),
    ]
    return endpoint.addresses.map((address) => `${address.split('/')[0]}\t${names.join(' ')}`)
  })
  const more = Object.entries(extra).map(([name, address]) => {
    const path = `spec.extraHosts['${name}']`
    return `${addressOf(address, path)}\t${domainName(name, path)}`
  })
  return `${[...local, ...own, ...more].join('\n')}\n`
}

/** The host's servers that a container reaches: not those that listen on the host's loopback. */
function hostConf(path: string): ResolvConf {
  const conf = parseResolvConf(readFileSync(path, 'utf8'))
  return { ...conf, servers: conf.servers.filter((server) => !/^127\.|^::1$|%/.test(server)) }
}

/** Networks that ask others come first: what an internal one does not know, the next one may. */
function resolvFile(places: readonly Place[], spec: ContainerFilesSpec): string {
  const named = places.filter(({ network }) => network.dns !== undefined).map(({ network }) => network)
  const ordered = [...named.filter(({ internal }) => !internal), ...named.filter(({ internal }) => internal)]
  const host = named.length === 0 && spec.servers === undefined ? hostConf(spec.resolvConf ?? '/etc/resolv.conf') : undefined
  const servers = (spec.servers ?? [])
    .map((one, at) => addressOf(one, `spec.servers[${at}]`))
    .concat(spec.servers === undefined ? (host?.servers ?? ordered.flatMap(({ gateways }) => gateways)) : [])
  const domains = ordered.flatMap(({ dns }) => [...(dns?.domain === undefined ? [] : [dns.domain]), ...(dns?.search ?? [])])
  const search =
    spec.search === undefined ? (host?.search ?? domains) : spec.search.map((one, at) => domainName(one, `spec.search[${at}]`))
  const options = spec.options === undefined ? (host?.options ?? []) : texts(spec.options, 'spec.options')
  const lines = [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length === 0 ? [] : [`search ${[...new Set(search)].join(' ')}`]),
    ...(options.length === 0 ? [] : [`options ${options.join(' ')}`]),
  ]
  return `${lines.join('\n')}\n`
}

/**
 * What /etc/hosts, /etc/resolv.conf and /etc/hostname of a container say, for an engine to write and to mount. Names of others are not in
 * `hosts`: they come and go, and are asked for. Of the host only resolv.conf is read, for a container without any named network.
 */
export function containerFiles(spec: ContainerFilesSpec): ContainerFiles {
  const known = ['hostname', 'attached', 'extraHosts', 'servers', 'search', 'options', 'resolvConf']
  const given = fields(spec, 'spec', known)
  const places = placesOf(given['attached'])
  const hostname = spec.hostname === undefined ? (places[0]?.endpoint.name ?? '') : domainName(spec.hostname, 'spec.hostname')
  if (spec.resolvConf !== undefined && typeof spec.resolvConf !== 'string')
    throw invalidType('spec.resolvConf', 'a path', spec.resolvConf)
  const { extraHosts = {} } = spec
  if (typeof extraHosts !== 'object' || extraHosts === null || Array.isArray(extraHosts))
    throw invalidType('spec.extraHosts', "an object such as { 'db.legacy': '192.0.2.7' }", extraHosts)
  return { hosts: hostsFile(hostname, places, extraHosts), resolvConf: resolvFile(places, spec), hostname: `${hostname}\n` }
}
