// IPv4 and IPv6 addresses of devices.

import { type Abortable, signalOf } from '../abort.ts'
import { type Cidr, contains, type Family, formatAddress, formatCidr, lastOf, parseAddress, parseCidr } from '../cidr.ts'
import { dump, nested, number, optionalNumber, optionalText, sweep } from '../exchange.ts'
import { fields, integer, invalidType, invalidValue, list, oneOf, outOfRange, words } from '../invalid.ts'
import type { Mutable } from '../mutable.ts'
import type { Body, Message, NamespaceHandle } from '../native.ts'
import * as c from './constants.ts'
import { familyName, familyNumber } from './family.ts'
import { called, indexOf, type LinkRef } from './link/ref.ts'
import { check, type Operation, perform } from './operation.ts'
import { lookForClash } from './route/clash.ts'

export type Scope = keyof typeof c.RT_SCOPE

export interface AddressInfo {
  /** `172.18.0.10/16`. */
  readonly address: string
  readonly family: 'inet' | 'inet6'
  /** Index of the device. */
  readonly link: number
  readonly label?: string
  readonly broadcast?: string
  /** The other end of a point-to-point address. */
  readonly peer?: string
  readonly scope: string
  /** As `ip address` names them: `permanent`, `tentative`, `dadfailed`, `deprecated`, `secondary`, `temporary`, … */
  readonly flags: readonly AddressFlag[]
  /** Seconds until the kernel removes the address. */
  readonly validLifetime: Lifetime
  /** Seconds until it is `deprecated`: no longer chosen as a source. */
  readonly preferredLifetime: Lifetime
  /** Of the route of its network, when it is not the kernel's own choice. */
  readonly metric?: number
  /** Who made it: `'kernel_lo'`, `'kernel_ra'`, `'kernel_ll'`, or a number. Absent where nobody said (Linux 5.18). */
  readonly protocol?: keyof typeof addressProtocols | number
}

/** In seconds. */
export type Lifetime = number | 'forever'

export interface AddressOptions {
  /** @defaultValue the last address of the network, for IPv4 prefixes shorter than /31; false for none */
  readonly broadcast?: string | false
  /** The other end, for a point-to-point link. */
  readonly peer?: string
  /** @defaultValue 'global', and 'host' for loopback addresses */
  readonly scope?: Scope
  /** IPv4 only; must start with the device's name. */
  readonly label?: string
  /** IPv6: usable at once, without duplicate address detection. @defaultValue false */
  readonly nodad?: boolean
  /** IPv6: usable while duplicate address detection runs (RFC 4429). @defaultValue false */
  readonly optimistic?: boolean
  /** IPv6: the home address of a mobile node (RFC 6275). @defaultValue false */
  readonly home?: boolean
  /** IPv6: the kernel makes and renews temporary addresses from this one (RFC 4941). @defaultValue false */
  readonly mngtmpaddr?: boolean
  /** Don't make the route of the address's network. @defaultValue false */
  readonly noprefixroute?: boolean
  /** A multicast address: join its group on the link. @defaultValue false */
  readonly autojoin?: boolean
  /** Of the route of the address's network. */
  readonly metric?: number
  /** Seconds until the kernel removes the address, at least 1. @defaultValue 'forever' */
  readonly validLifetime?: Lifetime
  /** Seconds until it is no longer chosen as a source; not beyond `validLifetime`. @defaultValue validLifetime */
  readonly preferredLifetime?: Lifetime
  /** Who makes it: a mark that the kernel keeps (Linux 5.18). */
  readonly protocol?: keyof typeof addressProtocols | number
}

export interface AddressFilter extends Abortable {
  readonly link?: LinkRef
  readonly family?: 'inet' | 'inet6'
  readonly scope?: Scope
  /** Only addresses in this network: `'10.0.0.0/8'`. */
  readonly to?: string
  /** Only addresses that have all of these flags. */
  readonly flags?: readonly AddressFlag[]
}

/** IFA_F_*. The first bit is `secondary` in IPv4 and `temporary` in IPv6. */
const IFA_F = {
  secondary: 0x01,
  temporary: 0x01,
  nodad: 0x02,
  optimistic: 0x04,
  dadfailed: 0x08,
  home: 0x10,
  deprecated: 0x20,
  tentative: 0x40,
  permanent: 0x80,
  mngtmpaddr: 0x100,
  noprefixroute: 0x200,
  autojoin: 0x400,
  'stable-privacy': 0x800,
} as const
export type AddressFlag = keyof typeof IFA_F
const flagNames = Object.keys(IFA_F) as AddressFlag[]

/** IFAPROT_* of linux/if_addr.h. */
const addressProtocols = { kernel_lo: 1, kernel_ra: 2, kernel_ll: 3 } as const
const protocolNames = Object.keys(addressProtocols) as (keyof typeof addressProtocols)[]

/** INFINITY_LIFE_TIME of net/addrconf.h. */
const forever = 0xffffffff

/** What the caller may ask for, and whether only IPv6 knows it. */
const flagOptions = [
  ['nodad', true],
  ['optimistic', true],
  ['home', true],
  ['mngtmpaddr', true],
  ['noprefixroute', false],
  ['autojoin', false],
] as const

const optionNames: readonly string[] = [
  ...['broadcast', 'peer', 'scope', 'label', 'metric', 'validLifetime', 'preferredLifetime', 'protocol'],
  ...flagOptions.map(([name]) => name),
]
const filterNames = ['link', 'family', 'scope', 'to', 'flags', 'signal'] as const

function broadcastOf(cidr: Cidr, option: string | false | undefined, path: string): string | undefined {
  if (option === false) return undefined
  if (option !== undefined) return sameFamily(option, ipv4Only(cidr, option, path).family, path)
  return cidr.family === c.AF_INET && cidr.prefixLength < 31 ? formatAddress(lastOf(cidr)) : undefined
}

function ipv4Only(cidr: Cidr, option: unknown, path: string): Cidr {
  if (cidr.family !== c.AF_INET) throw invalidValue(path, 'is for IPv4 addresses', option)
  return cidr
}

/** The kernel keeps labels in the room of a device name; ifconfig(8) takes those that go on from one: 'eth0:1'. */
function labelOf(cidr: Cidr, option: unknown, path: string): string | undefined {
  if (option === undefined) return undefined
  if (typeof option !== 'string') throw invalidType(path, 'a string', option)
  const length = Buffer.byteLength(option)
  if (length < 1 || length > 15 || option.includes('\0')) throw outOfRange(`the length of ${path}`, 1, 15, length)
  ipv4Only(cidr, option, path)
  return option
}

function flagsOf(cidr: Cidr, options: AddressOptions): number | undefined {
  let flags = 0
  for (const [name, sixOnly] of flagOptions) {
    const wanted = options[name]
    if (wanted === undefined) continue
    if (typeof wanted !== 'boolean') throw invalidType(`options.${name}`, 'a boolean', wanted)
    if (wanted && sixOnly && cidr.family === c.AF_INET) throw invalidValue(`options.${name}`, 'is for IPv6 addresses', wanted)
    if (wanted) flags |= IFA_F[name]
  }
  return flags === 0 ? undefined : flags
}

function lifetimeOf(value: unknown, path: string, least: number): number {
  return value === 'forever' ? forever : integer(value, path, least, forever - 1)
}

/** Nothing without either: the kernel then takes both as forever. */
function lifetimesOf({ validLifetime, preferredLifetime }: AddressOptions): Body | undefined {
  if (validLifetime === undefined && preferredLifetime === undefined) return undefined
  const valid = lifetimeOf(validLifetime ?? 'forever', 'options.validLifetime', 1)
  const preferred = lifetimeOf(preferredLifetime ?? validLifetime, 'options.preferredLifetime', 0)
  if (preferred > valid) {
    throw invalidValue('options.preferredLifetime', 'must not be longer than options.validLifetime', preferredLifetime)
  }
  return { valid, preferred }
}

function addressProtocolOf(value: AddressOptions['protocol']): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number') return integer(value, 'options.protocol', 0, 255)
  return addressProtocols[oneOf(value, 'options.protocol', protocolNames)]
}

function sameFamily(text: string, family: Family, path: string): string {
  const address = parseAddress(text, path)
  if (address.family !== family) throw invalidValue(path, 'must be of the same family as the address', text)
  return address.text
}

type AddressVerb = 'add' | 'replace'
const flagsFor: Readonly<Record<AddressVerb, number>> = {
  add: c.NLM_F_CREATE | c.NLM_F_EXCL,
  replace: c.NLM_F_CREATE | c.NLM_F_REPLACE,
}

/** RTM_NEWADDR. `add` is EEXIST when the device has the address already. */
export function addressMessage(
  index: number,
  address: string,
  options: AddressOptions,
  path: string,
  verb: AddressVerb = 'add',
): Message {
  fields(options, 'options', optionNames)
  const cidr = parseCidr(address, path)
  const loopback = cidr.family === c.AF_INET && cidr.bytes[0] === 127
  const scope = options.scope === undefined ? (loopback ? 'host' : 'global') : oneOf(options.scope, 'options.scope', scopes)
  const body: Body = {
    family: cidr.family,
    prefixLength: cidr.prefixLength,
    scope: c.RT_SCOPE[scope],
    index,
    local: cidr.text,
    address: options.peer === undefined ? cidr.text : sameFamily(options.peer, cidr.family, 'options.peer'),
    broadcast: broadcastOf(cidr, options.broadcast, 'options.broadcast'),
    label: labelOf(cidr, options.label, 'options.label'),
    flags: flagsOf(cidr, options),
    metric: options.metric === undefined ? undefined : integer(options.metric, 'options.metric', 0, 0xffffffff),
    lifetimes: lifetimesOf(options),
    protocol: addressProtocolOf(options.protocol),
  }
  return { type: 'RTM_NEWADDR', flags: flagsFor[verb], body, step: `${verb} the address ${formatCidr(cidr)}` }
}

const scopes = Object.keys(c.RT_SCOPE) as Scope[]

export function addressChange(verb: AddressVerb, link: LinkRef, address: string, options: AddressOptions): Operation {
  return {
    devices: [{ ref: link, path: 'link' }],
    build: (resolve) => {
      const message = addressMessage(resolve(link), address, options, 'address', verb)
      return [{ ...message, step: `${message.step} on ${called(link)}` }]
    },
  }
}

export function addressDeletion(link: LinkRef, address: string, options: Pick<AddressOptions, 'peer'>): Operation {
  fields(options, 'options', ['peer'])
  const cidr = parseCidr(address, 'address')
  // Without IFA_ADDRESS the kernel would take the local address alone, with whatever prefix.
  const peer = options.peer === undefined ? cidr.text : sameFamily(options.peer, cidr.family, 'options.peer')
  return {
    devices: [{ ref: link, path: 'link' }],
    build: (resolve) => [
      {
        type: 'RTM_DELADDR',
        flags: 0,
        body: { family: cidr.family, prefixLength: cidr.prefixLength, index: resolve(link), local: cidr.text, address: peer },
        step: `delete the address ${formatCidr(cidr)} on ${called(link)}`,
      },
    ],
  }
}

export async function addAddress(
  handle: NamespaceHandle,
  link: LinkRef,
  address: string,
  options: AddressOptions = {},
): Promise<void> {
  const change = addressChange('add', link, address, options)
  check(change)
  const tellOfClash = await lookForClash(handle, link, address, options)
  await perform(handle, change)
  tellOfClash()
}

export async function replaceAddress(
  handle: NamespaceHandle,
  link: LinkRef,
  address: string,
  options: AddressOptions = {},
): Promise<void> {
  await perform(handle, addressChange('replace', link, address, options))
}

export async function deleteAddress(
  handle: NamespaceHandle,
  link: LinkRef,
  address: string,
  options: Pick<AddressOptions, 'peer'> = {},
): Promise<void> {
  await perform(handle, addressDeletion(link, address, options))
}

function lifetimeFrom(lifetimes: Body | undefined, field: 'valid' | 'preferred'): Lifetime {
  const seconds = lifetimes === undefined ? forever : number(lifetimes[field])
  return seconds === forever ? 'forever' : seconds
}

/** Member by member, as a listing does it 10 000 times. */
export function addressFrom(body: Body): AddressInfo {
  const local = optionalText(body['local'])
  const address = optionalText(body['address']) ?? ''
  const label = optionalText(body['label'])
  const broadcast = optionalText(body['broadcast'])
  const metric = number(body['metric'])
  const family = familyName(number(body['family']))
  const flags = optionalNumber(body['flags']) ?? number(body['headerFlags'])
  const unknown = family === 'inet' ? 'temporary' : 'secondary'
  const lifetimes = nested(body['lifetimes'])
  const protocol = number(body['protocol'])
  const info: Mutable<AddressInfo> = {
    address: `${local ?? address}/${number(body['prefixLength'])}`,
    family,
    link: number(body['index']),
    scope: c.wordOf(c.RT_SCOPE, number(body['scope'])),
    flags: flagNames.filter((name) => name !== unknown && (flags & IFA_F[name]) !== 0),
    validLifetime: lifetimeFrom(lifetimes, 'valid'),
    preferredLifetime: lifetimeFrom(lifetimes, 'preferred'),
  }
  if (label !== undefined) info.label = label
  if (broadcast !== undefined) info.broadcast = broadcast
  if (local !== undefined && local !== address) info.peer = address
  if (metric !== 0) info.metric = metric
  if (protocol !== 0) info.protocol = protocolNames.find((name) => addressProtocols[name] === protocol) ?? protocol
  return info
}

/** The kernel filters by device and family, this side by the rest. */
async function find<T>(
  handle: NamespaceHandle,
  filter: AddressFilter,
  look: (body: Body) => T,
  infoOf: (found: T) => AddressInfo,
): Promise<T[]> {
  fields(filter, 'filter', filterNames)
  const signal = signalOf(filter, 'filter')
  const family = familyNumber(filter.family, 'filter.family')
  const scope = filter.scope === undefined ? undefined : oneOf(filter.scope, 'filter.scope', scopes)
  const network = filter.to === undefined ? undefined : parseCidr(filter.to, 'filter.to')
  const flags = filter.flags === undefined ? [] : words(list(filter.flags, 'filter.flags'), 'filter.flags', flagNames)
  const matches = (found: T): boolean => {
    const info = infoOf(found)
    return (
      (scope === undefined || info.scope === scope) &&
      flags.every((flag) => info.flags.includes(flag)) &&
      (network === undefined || contains(network, parseCidr(info.address, 'address')))
    )
  }
  const index = filter.link === undefined ? 0 : await indexOf(handle, filter.link, 'filter.link')
  return (await dump(handle, 'RTM_GETADDR', { family, index }, 'the addresses', look, { signal })).filter(matches)
}

export const listAddresses = (handle: NamespaceHandle, filter: AddressFilter = {}): Promise<AddressInfo[]> =>
  find(handle, filter, addressFrom, (info) => info)

/** One dump and one submission. What goes meanwhile, or with a primary address, is no error. */
export async function flushAddresses(handle: NamespaceHandle, filter: AddressFilter): Promise<AddressInfo[]> {
  const found = await find(
    handle,
    filter,
    (body) => ({ body, info: addressFrom(body) }),
    ({ info }) => info,
  )
  const messages = found.map(({ body, info }): Message => {
    const { family, prefixLength, index, local, address } = body
    const step = `delete the address ${info.address}`
    return { type: 'RTM_DELADDR', flags: 0, body: { family, prefixLength, index, local, address }, step }
  })
  await sweep(handle, messages, ['EADDRNOTAVAIL', 'ENODEV'])
  return found.map(({ info }) => info)
}
