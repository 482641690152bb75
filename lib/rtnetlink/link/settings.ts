// What can be set on a device of any kind, when it is made and later.

import { present } from '../../exchange.ts'
import { integer, invalidType, oneOf, outOfRange } from '../../invalid.ts'
import { macAddress } from '../../names.ts'
import type { Body } from '../../native.ts'
import * as c from '../constants.ts'

/** How the kernel makes a link's IPv6 addresses; see ip-link(8), `addrgenmode`. */
export type AddressGeneration = 'eui64' | 'none' | 'stable_secret' | 'random'
/** IN6_ADDR_GEN_MODE_*. */
export const generations: readonly AddressGeneration[] = ['eui64', 'none', 'stable_secret', 'random']

export interface LinkSettings {
  readonly mac?: string
  readonly mtu?: number
  /** Packets that may wait to be sent. 0 is a length of its own: nothing waits. */
  readonly txqlen?: number
  readonly group?: number
  /** Up to 255 bytes. An empty string removes it. */
  readonly alias?: string
  /** false: link-layer addresses are not asked for (IFF_NOARP). */
  readonly arp?: boolean
  readonly multicast?: boolean
  /** Takes every packet. Others, such as a bridge, may want it too: false takes back only this wish. */
  readonly promiscuous?: boolean
  /** Takes every multicast packet; false as for `promiscuous`. */
  readonly allMulticast?: boolean
  /** Of addresses that are made from now on. 'stable_secret' wants `net.ipv6.conf.<device>.stable_secret` to be set. */
  readonly addressGeneration?: AddressGeneration
  /** Bytes of the largest packet that is handed to the device to be cut into segments; for IPv6 alone since Linux 6.3. */
  readonly gsoMaxSize?: number
  readonly gsoMaxSegments?: number
  /** Linux 6.3. */
  readonly gsoIpv4MaxSize?: number
  /** Bytes of the largest packet that received segments are joined to; for IPv6 alone since Linux 6.3. */
  readonly groMaxSize?: number
  /** Linux 6.3. */
  readonly groIpv4MaxSize?: number
}

const sizes = ['gsoMaxSize', 'gsoMaxSegments', 'gsoIpv4MaxSize', 'groMaxSize', 'groIpv4MaxSize'] as const

/** The flag of each word, and whether the word stands for its absence. */
const flags = {
  arp: [c.IFF_NOARP, true],
  multicast: [c.IFF_MULTICAST, false],
  promiscuous: [c.IFF_PROMISC, false],
  allMulticast: [c.IFF_ALLMULTI, false],
  up: [c.IFF_UP, false],
} as const
const switches = ['arp', 'multicast', 'promiscuous', 'allMulticast'] as const

export const settingNames: readonly string[] = [
  'mac',
  'mtu',
  'txqlen',
  'group',
  'alias',
  ...switches,
  'addressGeneration',
  ...sizes,
]

export function mtuOf(value: unknown, path: string): number {
  return integer(value, path, 68, 65535)
}

export const optional = (value: unknown, path: string, from: number, to: number): number | undefined =>
  value === undefined ? undefined : integer(value, path, from, to)

export function optionalBoolean(value: unknown, path: string): boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') throw invalidType(path, 'a boolean', value)
  return value
}

/** IFALIASZ without the NUL. */
export const longestAlias = 255

export function checkAlias(value: unknown, path: string): string {
  if (typeof value !== 'string') throw invalidType(path, 'a string', value)
  if (Buffer.byteLength(value) > longestAlias || value.includes('\0'))
    throw outOfRange(`the length of ${path}`, 0, longestAlias, value.length)
  return value
}

/** The attributes that RTM_NEWLINK takes as well as RTM_SETLINK. */
export function settingsBody(settings: LinkSettings, path: string): Body {
  return present({
    mac: settings.mac === undefined ? undefined : macAddress(settings.mac, `${path}.mac`),
    mtu: settings.mtu === undefined ? undefined : mtuOf(settings.mtu, `${path}.mtu`),
    txqlen: optional(settings.txqlen, `${path}.txqlen`, 0, 0xffffffff),
    group: optional(settings.group, `${path}.group`, 0, 0xffffffff),
    ...Object.fromEntries(
      sizes.map((name) => [name, optional(settings[name], `${path}.${name}`, 1, name === 'gsoMaxSegments' ? 65535 : 0xffffffff)]),
    ),
  })
}

/** The rest: what the kernel ignores (an alias) or refuses (IFLA_AF_SPEC) while the device is made. */
export function laterBody(settings: LinkSettings & { readonly up?: boolean }, path: string): Body {
  let set = 0
  let change = 0
  for (const [name, [bit, inverted]] of Object.entries(flags)) {
    const on = optionalBoolean(settings[name as keyof typeof flags], `${path}.${name}`)
    if (on === undefined) continue
    change |= bit
    if (on !== inverted) set |= bit
  }
  const generation = settings.addressGeneration
  const mode = generation && generations.indexOf(oneOf(generation, `${path}.addressGeneration`, generations))
  return {
    ...(settings.alias === undefined ? {} : { alias: checkAlias(settings.alias, `${path}.alias`) }),
    ...(change === 0 ? {} : { flags: set, change }),
    ...(mode === undefined ? {} : { afSpec: { inet6: { addrGenMode: mode } } }),
  }
}
