// What a network's names are made of, checked and as its device remembers it.
//
//   dns                                                  with the defaults
//   dns=port:40053+ttl:5+domain:lab.test+search:corp.test+servers:192.0.2.53,[2001:db8::53]:5353

import { isIP } from 'node:net'
import { type Address, parseAddress } from '../cidr.ts'
import { fields, integer, invalidType, invalidValue, list } from '../invalid.ts'

export interface DnsOptions {
  /**
   * Whom the resolver asks for what it does not know: `['192.0.2.53', '192.0.2.53:5353', '[2001:db8::53]:53']`.
   * @defaultValue those of the host's /etc/resolv.conf, as it is at the time
   */
  readonly servers?: readonly string[]
  /** A domain of the network's own: names of containers are answered below it, too, and nothing below it is asked elsewhere: `'lab.test'`. */
  readonly domain?: string
  /** More domains for the containers' resolv.conf, see `containerFiles`. */
  readonly search?: readonly string[]
  /** How many seconds an answer about a container may be kept, and that there is none. @defaultValue 0, for names come and go */
  readonly ttl?: number
  /** Whether createNetwork starts a resolver in this process; `false`: `serveDns` will, here or elsewhere. @defaultValue true */
  readonly serve?: boolean
}

/** The same, complete. */
export interface NetworkDns {
  /** Empty for the host's. */
  readonly servers: readonly string[]
  readonly domain?: string
  readonly search: readonly string[]
  readonly ttl: number
  /** Where the resolver listens; another than 53 when something else has that on the gateway. Containers ask port 53 in any case. */
  readonly port: number
}

export const dnsPort = 53
/** RFC 2181, section 8. */
const longestTtl = 0x7fffffff

export interface ServerAddress extends Address {
  readonly port: number
}

/** `'192.0.2.53'`, `'192.0.2.53:5353'`, `'2001:db8::53'`, `'[2001:db8::53]:5353'` */
export function parseServer(value: unknown, path: string): ServerAddress {
  if (typeof value !== 'string') throw invalidType(path, "an address such as '192.0.2.53'", value)
  const [, six, four, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(value) ?? []
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535)) throw invalidValue(path, 'has no such port', value)
  const address = parseAddress(six ?? four ?? value, path)
  return { ...address, port: port === undefined ? dnsPort : Number(port) }
}

export function formatServer({ family, text, port }: ServerAddress): string {
  if (port === dnsPort) return text
  return family === 10 ? `[${text}]:${port}` : `${text}:${port}`
}

/** A domain as it is written into a resolv.conf: without the dot at its end. */
export function domainName(value: unknown, path: string): string {
  if (typeof value !== 'string') throw invalidType(path, "a domain such as 'lab.test'", value)
  const name = value.replace(/\.$/, '').toLowerCase()
  if (name.length > 200 || !/^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(name))
    throw invalidValue(path, "must be a domain such as 'lab.test'", value)
  return name
}

export interface CheckedDns {
  readonly dns: NetworkDns | undefined
  readonly serve: boolean
}

/** The option `dns` of a network. */
export function checkDns(value: unknown, internal: boolean): CheckedDns {
  if (value === undefined || value === false) return { dns: undefined, serve: false }
  if (value !== true && (typeof value !== 'object' || value === null)) throw invalidType('dns', 'a boolean or an object', value)
  const given = value === true ? {} : fields(value, 'dns', ['servers', 'domain', 'search', 'ttl', 'serve'])
  const { servers, domain, search, ttl, serve } = given
  if (serve !== undefined && typeof serve !== 'boolean') throw invalidType('dns.serve', 'a boolean', serve)
  if (internal && servers !== undefined)
    throw invalidValue('dns.servers', 'makes no sense for an internal network: nothing is asked outside', servers)
  if (servers !== undefined && list(servers, 'dns.servers').length === 0)
    throw invalidValue('dns.servers', 'must name a server, or be left out for those of the host', servers)
  const asked = list(servers ?? [], 'dns.servers').map((one, at) => formatServer(parseServer(one, `dns.servers[${at}]`)))
  return {
    dns: {
      servers: asked,
      ...(domain === undefined ? {} : { domain: domainName(domain, 'dns.domain') }),
      search: list(search ?? [], 'dns.search').map((one, at) => domainName(one, `dns.search[${at}]`)),
      ttl: ttl === undefined ? 0 : integer(ttl, 'dns.ttl', 0, longestTtl),
      port: dnsPort,
    },
    serve: serve !== false,
  }
}

/** A word of the network's alias. */
export function dnsWord({ servers, domain, search, ttl, port }: NetworkDns): string {
  const parts = [
    ...(port === dnsPort ? [] : [`port:${port}`]),
    ...(ttl === 0 ? [] : [`ttl:${ttl}`]),
    ...(domain === undefined ? [] : [`domain:${domain}`]),
    ...(search.length === 0 ? [] : [`search:${search.join(',')}`]),
    ...(servers.length === 0 ? [] : [`servers:${servers.join(',')}`]),
  ]
  return parts.length === 0 ? 'dns' : `dns=${parts.join('+')}`
}

/** undefined for a network without names. */
export function parseDnsWord(words: readonly string[]): NetworkDns | undefined {
  const word = words.find((one) => one === 'dns' || one.startsWith('dns='))
  if (word === undefined) return undefined
  const parts = word.slice('dns='.length).split('+')
  const value = (key: string): string | undefined => parts.find((part) => part.startsWith(`${key}:`))?.slice(key.length + 1)
  const domain = value('domain')
  return {
    servers: value('servers')?.split(',') ?? [],
    ...(domain === undefined ? {} : { domain }),
    search: value('search')?.split(',') ?? [],
    ttl: Number(value('ttl') ?? 0),
    port: Number(value('port') ?? dnsPort),
  }
}

/** Whether two networks have the same names; where their resolvers listen is no matter. */
export const isSameDns = (a: NetworkDns | undefined, b: NetworkDns | undefined): boolean =>
  (a && dnsWord({ ...a, port: dnsPort })) === (b && dnsWord({ ...b, port: dnsPort }))

const id = /^[0-9a-f]{64}$/

/** A name that is an id, as container engines give them, is known by its first letters. */
export const shortId = (name: string): string | undefined => (id.test(name) ? name.slice(0, 12) : undefined)

/** The option `aliases` of attach. */
export function checkAliases(value: unknown, hasNames: boolean): string[] {
  if (value === undefined) return []
  const aliases = list(value, 'aliases').map((one, at) => {
    if (typeof one !== 'string') throw invalidType(`aliases[${at}]`, 'a string', one)
    if (isIP(one) !== 0) throw invalidValue(`aliases[${at}]`, 'is an address, which nobody asks the address of', one)
    return shortId(one.toLowerCase()) ?? domainName(one, `aliases[${at}]`)
  })
  if (!hasNames && aliases.length > 0) throw invalidValue('aliases', 'needs a network with names: make it with dns', value)
  return [...new Set(aliases)]
}
