// IPv4 and IPv6 addresses of devices.

import { type Cidr, type Family, formatAddress, formatCidr, lastOf, parseAddress, parseCidr } from '../cidr.ts'
import { fields, integer, invalidType, invalidValue, oneOf, outOfRange } from '../invalid.ts'
import type { Body, Message, NamespaceHandle } from '../native.ts'
import * as c from './constants.ts'
import { dump, number, optionalNumber, optionalText } from './exchange.ts'
import { indexOf, type LinkRef } from './link-ref.ts'
import { type Operation, perform } from './operation.ts'

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
  readonly flags: readonly string[]
}

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
  /** Don't make the route of the address's network. @defaultValue false */
  readonly noprefixroute?: boolean
  readonly metric?: number
}

export interface AddressFilter {
  readonly link?: LinkRef
  readonly family?: 'inet' | 'inet6'
}

const IFA_F = {
  temporary: 0x01,
  nodad: 0x02,
  optimistic: 0x04,
  dadfailed: 0x08,
  deprecated: 0x20,
  tentative: 0x40,
  permanent: 0x80,
  mngtmpaddr: 0x100,
  noprefixroute: 0x200,
} as const

const optionNames = ['broadcast', 'peer', 'scope', 'label', 'nodad', 'noprefixroute', 'metric'] as const

export const familyNumber = (family: 'inet' | 'inet6' | undefined, path: string): number => {
  if (family === undefined) return c.AF_UNSPEC
  return oneOf(family, path, ['inet', 'inet6'] as const) === 'inet' ? c.AF_INET : c.AF_INET6
}

export const familyName = (family: number): 'inet' | 'inet6' => (family === c.AF_INET ? 'inet' : 'inet6')

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

function flagsOf(options: AddressOptions): number | undefined {
  for (const name of ['nodad', 'noprefixroute'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'boolean')
      throw invalidType(`options.${name}`, 'a boolean', options[name])
  }
  const flags = (options.nodad ? IFA_F.nodad : 0) | (options.noprefixroute ? IFA_F.noprefixroute : 0)
  return flags === 0 ? undefined : flags
}

function sameFamily(text: string, family: Family, path: string): string {
  const address = parseAddress(text, path)
  if (address.family !== family) throw invalidValue(path, 'must be of the same family as the address', text)
  return address.text
}

/** RTM_NEWADDR: EEXIST when the device has the address already. */
export function addressMessage(index: number, address: string, options: AddressOptions, path: string): Message {
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
    flags: flagsOf(options),
    metric: options.metric === undefined ? undefined : integer(options.metric, 'options.metric', 0, 0xffffffff),
  }
  return { type: 'RTM_NEWADDR', flags: c.NLM_F_CREATE | c.NLM_F_EXCL, body, step: `add the address ${formatCidr(cidr)}` }
}

const scopes = Object.keys(c.RT_SCOPE) as Scope[]

export function addressAddition(link: LinkRef, address: string, options: AddressOptions): Operation {
  return {
    devices: [{ ref: link, path: 'link' }],
    build: (resolve) => [addressMessage(resolve(link), address, options, 'address')],
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
        step: `delete the address ${formatCidr(cidr)}`,
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
  await perform(handle, addressAddition(link, address, options))
}

export async function deleteAddress(
  handle: NamespaceHandle,
  link: LinkRef,
  address: string,
  options: Pick<AddressOptions, 'peer'> = {},
): Promise<void> {
  await perform(handle, addressDeletion(link, address, options))
}

export function addressFrom(body: Body): AddressInfo {
  const prefixLength = number(body, 'prefixLength')
  const local = optionalText(body, 'local')
  const address = optionalText(body, 'address') ?? ''
  const flags = optionalNumber(body, 'flags') ?? number(body, 'headerFlags')
  const optional = {
    label: optionalText(body, 'label'),
    broadcast: optionalText(body, 'broadcast'),
    peer: local !== undefined && local !== address ? address : undefined,
  }
  return {
    address: `${local ?? address}/${prefixLength}`,
    family: familyName(number(body, 'family')),
    link: number(body, 'index'),
    scope: c.wordOf(c.RT_SCOPE, number(body, 'scope')),
    flags: Object.entries(IFA_F).flatMap(([name, bit]) => ((flags & bit) === 0 ? [] : [name])),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  }
}

export async function listAddresses(handle: NamespaceHandle, filter: AddressFilter = {}): Promise<AddressInfo[]> {
  fields(filter, 'filter', ['link', 'family'])
  const index = filter.link === undefined ? 0 : await indexOf(handle, filter.link, 'filter.link')
  const body = { family: familyNumber(filter.family, 'filter.family'), index }
  return dump(handle, 'RTM_GETADDR', body, 'the addresses', addressFrom)
}
