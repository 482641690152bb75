// What is remembered about networks and endpoints, in the kernel: the aliases and alternative names of their devices.
//
//   bridge    altname netlink-ct/lab        alias netlink-ct/1 network lab [ptp] icc [anti-spoofing] masquerade [source4=…] [routed6] [trusted=wg0] forwarding=0 [forwarding6=0] [dns[=…]] [reserved=…] addresses=…
//   (of the drivers on a wire: driver/lan-label.ts)
//   a bridge that was there before keeps its alias, and has the same words in alternative names, in as many as they need:
//             altnames netlink-ct/lab netlink-ct/bridge=7 netlink-ct/lab=1of2;icc;… netlink-ct/lab=2of2;…
//   host end  altname netlink-ct/lab/web    alias netlink-ct/1 endpoint web 8080:80 127.0.0.1:53:53/udp [?from=192.0.2.0/24 8081:80]
//                                               [mac=02:00:00:00:00:07] [aliases=db,sql] [limited] [@app=shop …]
//
// An alternative name is unique in its namespace: two networks, or two endpoints of a network, cannot have the same name, because
// the kernel refuses the second; and the device is found by name without a dump.

import type { Family } from '../cidr.ts'
import { dnsWord, type NetworkDns, parseDnsWord } from '../dns/options.ts'
import { invalidType, invalidValue } from '../invalid.ts'
import { macAddress, objectName } from '../names.ts'
import type { Link } from '../rtnetlink/link/link.ts'
import { type LanDriver, type LanLabel, lanWords, parseLanWords } from './driver/lan-label.ts'
import { formatPorts, type Port, readPortWords } from './port/port.ts'

const prefix = 'netlink-ct/1'
/** IFALIASZ without the NUL. */
const longest = 255

export const networkAltname = (network: string): string => `netlink-ct/${network}`
export const endpointAltname = (network: string, endpoint: string): string => `netlink-ct/${network}/${endpoint}`

/**
 * How containers are connected: as ports of a bridge, each by a link of its own that the host routes to, or on the wire of one of the
 * host's devices.
 */
export type Driver = 'bridge' | 'ptp' | LanDriver

/** Whether containers go out under an address of the host and, by family, under which; of a family without one whichever fits. */
export type Masquerade = boolean | { readonly ipv4?: string; readonly ipv6?: string }

export type GatewayMode = 'nat' | 'routed'
/** How containers are reached, in the families that the network has: by ports of the host, or by their own addresses. */
export type GatewayModes = { readonly ipv4?: GatewayMode; readonly ipv6?: GatewayMode }

export interface NetworkLabel {
  readonly name: string
  readonly driver: Driver
  readonly internal: boolean
  readonly icc: boolean
  readonly masquerade: Masquerade
  readonly gatewayMode: GatewayModes
  /** Interfaces of the host from which every port of the containers is reached. */
  readonly trusted: readonly string[]
  /** Of networks whose containers have names. */
  readonly dns?: NetworkDns | undefined
  /** Whether containers may send as themselves only. */
  readonly antiSpoofing: boolean
  /** Whether the host forwarded before the first network; of families that the network has. */
  readonly forwardingBefore: Readonly<Partial<Record<Family, boolean>>>
  readonly reserved: readonly string[]
  /** The host's addresses in it, with the prefixes of the subnets: `['172.18.0.1/16', 'fd00::1/64']`; IPv4 first. */
  readonly addresses: readonly string[]
  /** Of the drivers on a wire. */
  readonly lan?: LanLabel | undefined
  /** Of a bridge that was there before. */
  readonly adopted?: Adopted | undefined
}

/** What a network did to a bridge that was there before, and takes back. */
export interface Adopted {
  /** Addresses that the bridge did not have: `['172.18.0.1/16']`. */
  readonly added: readonly string[]
  /** Whether it let localhost out already. */
  readonly routeLocalnet: boolean
}

export interface EndpointLabel {
  readonly name: string
  readonly ports: readonly Port[]
  /** Only when it is not derived from the address. */
  readonly mac?: string | undefined
  /** What it is called, too. */
  readonly aliases?: readonly string[]
  /** What it receives is limited, so that there is a device that goes with it. */
  readonly limited?: boolean
  readonly labels?: Labels
}

/** Words that a user has the kernel remember. */
export type Labels = Readonly<Record<string, string>>

export function checkLabels(value: unknown): Labels {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidType('labels', "an object such as { app: 'shop' }", value)
  for (const [key, text] of Object.entries(value)) {
    if (!/^[\w./-]+$/.test(key)) throw invalidValue('labels', "must have keys of letters, digits, '_', '.', '/' and '-'", key)
    if (typeof text !== 'string' || /\p{Surrogate}/u.test(text)) throw invalidType(`labels['${key}']`, 'a well-formed text', text)
  }
  return value as Labels
}

const forwardingWords: readonly (readonly [Family, string])[] = [
  [2, 'forwarding'],
  [10, 'forwarding6'],
]

function networkText(label: NetworkLabel): string {
  const words = [prefix, 'network', label.name]
  if (label.lan !== undefined) words.push(...lanWords(label.lan))
  else if (label.adopted !== undefined) words.push(...adoptedWords(label.adopted))
  else if (label.driver !== 'bridge') words.push(label.driver)
  if (label.internal) words.push('internal')
  if (label.icc) words.push('icc')
  if (label.antiSpoofing) words.push('anti-spoofing')
  if (label.masquerade) words.push('masquerade')
  if (typeof label.masquerade === 'object') {
    const { ipv4, ipv6 } = label.masquerade
    if (ipv4 !== undefined) words.push(`source4=${ipv4}`)
    if (ipv6 !== undefined) words.push(`source6=${ipv6}`)
  }
  if (label.gatewayMode.ipv4 === 'routed') words.push('routed4')
  if (label.gatewayMode.ipv6 === 'routed') words.push('routed6')
  // A device's name may have any letter but a slash and spaces.
  if (label.trusted.length > 0) words.push(`trusted=${label.trusted.map(encodeURIComponent).join(',')}`)
  for (const [family, word] of forwardingWords) {
    const before = label.forwardingBefore[family]
    if (before !== undefined) words.push(`${word}=${before ? 1 : 0}`)
  }
  if (label.dns !== undefined) words.push(dnsWord(label.dns))
  if (label.reserved.length > 0) words.push(`reserved=${label.reserved.join(',')}`)
  if (label.addresses.length > 0) words.push(`addresses=${label.addresses.join(',')}`)
  return words.join(' ')
}

const fittingNetwork = (label: NetworkLabel, most: number): string =>
  fitting(
    networkText(label),
    `the options of the network '${label.name}'`,
    'reserve fewer and larger parts, trust fewer devices, name fewer DNS servers and domains',
    most,
  )

/** Throws a RangeError when the network's options do not fit the alias. */
export const formatNetworkLabel = (label: NetworkLabel): string => fittingNetwork(label, longest)

/** undefined for an alias that is not ours. */
export function parseNetworkLabel(alias: string | undefined): NetworkLabel | undefined {
  const [mark, kind, name, ...words] = alias?.split(' ') ?? []
  if (mark !== prefix || kind !== 'network' || name === undefined) return undefined
  const has = (word: string): boolean => words.includes(word)
  const value = (key: string): string | undefined => words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1)
  const [ipv4, ipv6] = [value('source4'), value('source6')]
  const addresses = value('addresses')?.split(',') ?? []
  const modes = addresses.map((address): [keyof GatewayModes, GatewayMode] => {
    const six = address.includes(':')
    return [six ? 'ipv6' : 'ipv4', has(six ? 'routed6' : 'routed4') ? 'routed' : 'nat']
  })
  const before = forwardingWords.flatMap(([family, word]) => {
    const text = value(word)
    return text === undefined ? [] : [[family, text !== '0'] as const]
  })
  const lan = parseLanWords(words)
  return {
    name,
    lan,
    adopted: has('adopted') ? { added: value('added')?.split(',') ?? [], routeLocalnet: value('localnet') === '1' } : undefined,
    driver: lan?.driver ?? (has('ptp') ? 'ptp' : 'bridge'),
    internal: has('internal'),
    icc: has('icc'),
    antiSpoofing: has('anti-spoofing'),
    masquerade: ipv4 === undefined && ipv6 === undefined ? has('masquerade') : sources(ipv4, ipv6),
    gatewayMode: Object.fromEntries(modes),
    trusted: value('trusted')?.split(',').map(decodeURIComponent) ?? [],
    dns: parseDnsWord(words),
    forwardingBefore: Object.fromEntries(before),
    reserved: value('reserved')?.split(',') ?? [],
    addresses,
  }
}

const adoptedWords = ({ added, routeLocalnet }: Adopted): string[] => [
  'adopted',
  `localnet=${routeLocalnet ? 1 : 0}`,
  ...(added.length > 0 ? [`added=${added.join(',')}`] : []),
]

/** ALTIFNAMSIZ without the NUL. */
const longestAltname = 127
/** A digit counts them. */
const mostParts = 9

/** By which a bridge that was there before is one network's only, whatever that is called. */
export const bridgeClaim = (bridge: Pick<Link, 'index'>): string => `netlink-ct/bridge=${bridge.index}`

/** What a bridge that was there before is called, so that its alias stays what it is. Throws a RangeError when they are too many. */
export function labelAltnames(label: NetworkLabel): string[] {
  const room = longestAltname - `${networkAltname(label.name)}=1of1;`.length
  const text = fittingNetwork(label, room * mostParts)
    .split(' ')
    .slice(3)
    .join(';')
  const parts = Array.from({ length: Math.ceil(text.length / room) }, (_, at) => text.slice(at * room, (at + 1) * room))
  return parts.map((part, at) => `${networkAltname(label.name)}=${at + 1}of${parts.length};${part}`)
}

const labelPart = /^netlink-ct\/([^/=]+)=(\d)of(\d);(.*)$/

interface LabelPart {
  readonly name: string
  readonly at: number
  readonly count: number
  readonly text: string
}

function readPart(altname: string): LabelPart[] {
  const [, name, at, count, text] = labelPart.exec(altname) ?? []
  return name === undefined ? [] : [{ name, at: Number(at), count: Number(count), text: text ?? '' }]
}

/** Those that say what the network is; undefined when one is missing. */
function readLabelAltnames(altnames: readonly string[]): NetworkLabel | undefined {
  const parts = altnames.flatMap(readPart).sort((a, b) => a.at - b.at)
  const [first] = parts
  if (first === undefined || parts.length !== first.count) return undefined
  const text = parts.map((part) => part.text).join('')
  return parseNetworkLabel(`${prefix} network ${first.name} ${text.replaceAll(';', ' ')}`)
}

/** What a device says it is the network of: by its alias or, if it was there before, by its alternative names. */
export const networkLabelOf = ({ alias, altnames }: Pick<Link, 'alias' | 'altnames'>): NetworkLabel | undefined =>
  parseNetworkLabel(alias) ?? readLabelAltnames(altnames)

/** The alternative names that a network gave its bridge. */
export const adoptedAltnames = ({ name }: NetworkLabel, bridge: Pick<Link, 'index' | 'altnames'>): string[] =>
  bridge.altnames.filter(
    (altname) => [bridgeClaim(bridge), networkAltname(name)].includes(altname) || readPart(altname)[0]?.name === name,
  )

const sources = (ipv4: string | undefined, ipv6: string | undefined): Masquerade => ({
  ...(ipv4 === undefined ? {} : { ipv4 }),
  ...(ipv6 === undefined ? {} : { ipv6 }),
})

/** Of an alias. Throws a RangeError when the kernel does not keep that much. */
export function fitting(text: string, what: string, remedy: string, most: number = longest): string {
  if (text.length <= most) return text
  const message = `${what} take ${text.length} characters to remember, the kernel keeps ${most}: ${remedy}`
  throw Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' })
}

/** What is remembered of an endpoint beside its name and ports. */
export type Marks = Pick<EndpointLabel, 'mac' | 'aliases' | 'limited' | 'labels'>

export function markWords({ mac, aliases = [], limited = false, labels = {} }: Marks): string[] {
  const own = Object.entries(labels).map(([key, text]) => `@${key}=${encodeURIComponent(text)}`)
  const also = aliases.length === 0 ? [] : [`aliases=${aliases.join(',')}`]
  return [...(mac === undefined ? [] : [`mac=${mac}`]), ...also, ...(limited ? ['limited'] : []), ...own]
}

const isMac = (word: string): boolean => word.startsWith('mac=')
const isLabel = (word: string): boolean => word.startsWith('@')
const isAliases = (word: string): boolean => word.startsWith('aliases=')
const isMark = (word: string): boolean => isMac(word) || isAliases(word) || isLabel(word) || word === 'limited'

/** Throws what names and labels that somebody spoiled make it throw. */
export function readMarks(words: readonly string[]): Required<Marks> {
  const mac = words.find(isMac)?.slice('mac='.length)
  const labels = words.filter(isLabel).map((word) => {
    const [key = '', text = ''] = word.slice(1).split('=')
    return [key, decodeURIComponent(text)] as const
  })
  return {
    mac: mac === undefined ? undefined : macAddress(mac, 'the alias'),
    aliases: words.find(isAliases)?.slice('aliases='.length).split(',') ?? [],
    limited: words.includes('limited'),
    labels: Object.fromEntries(labels),
  }
}

/** Throws a RangeError when the ports' description does not fit the alias. */
export function formatEndpointLabel({ name, ports, ...marks }: EndpointLabel): string {
  const words = [prefix, 'endpoint', name, ...formatPorts(ports), ...markWords(marks)]
  const { aliases = [], labels = {} } = marks
  const more = [...(aliases.length > 0 ? ['aliases'] : []), ...(Object.keys(labels).length > 0 ? ['labels'] : [])]
  const what = `the ${['published ports', ...more].join(' and ')} of '${name}'`
  return fitting(words.join(' '), what, ['publish ranges', ...more.map((one) => `shorten the ${one}`)].join(', '))
}

/** Whether that was thrown for a text that somebody spoiled. */
export const isSpoiled = (error: unknown): boolean =>
  error instanceof TypeError || error instanceof RangeError || error instanceof URIError

/** undefined for an alias that is not ours, or that somebody spoiled. */
export function parseEndpointLabel(alias: string | undefined): EndpointLabel | undefined {
  const [mark, kind, name, ...words] = alias?.split(' ') ?? []
  if (mark !== prefix || kind !== 'endpoint' || name === undefined) return undefined
  try {
    const ports = readPortWords(
      words.filter((word) => !isMark(word)),
      'the alias',
    )
    return { name: objectName(name, 'the alias'), ports, ...readMarks(words) }
  } catch (error) {
    if (isSpoiled(error)) return undefined
    throw error
  }
}
