// What the alias of a LAN network's device remembers beside the words of every network:
//
//   alias netlink-ct/1 network lab macvlan parent=eth0 mode=bridge subnets=192.168.1.0/24 gateways=192.168.1.1

import { type Address, type Cidr, formatCidr, parseAddress, parseCidr } from '../../cidr.ts'
import type { Body } from '../../native.ts'
import { type IpvlanIsolation, type IpvlanMode, ipvlan } from '../../rtnetlink/link/kind/ipvlan.ts'
import { type MacvlanMode, macvlan } from '../../rtnetlink/link/kind/macvlan.ts'

/** Drivers whose containers are on the wire of one of the host's devices. */
export type LanDriver = 'macvlan' | 'ipvlan'
export type LanMode = Exclude<MacvlanMode, 'source'> | IpvlanMode

export const lanModes: Readonly<Record<LanDriver, readonly LanMode[]>> = {
  macvlan: ['bridge', 'private', 'vepa', 'passthru'],
  ipvlan: ['l2', 'l3', 'l3s'],
}

export interface LanLabel {
  readonly driver: LanDriver
  /** Name of the device that the containers' devices stand on. */
  readonly parent: string
  readonly mode: LanMode
  /** IPv4 first. */
  readonly subnets: readonly Cidr[]
  /** The routers on the wire; none for a network without a way out, or without neighbors. */
  readonly gateways: readonly Address[]
  readonly device: LanDeviceOptions
}

/** How the containers' devices are made, beside the mode; see MacvlanSpec and IpvlanSpec. */
export interface LanDeviceOptions {
  readonly broadcastQueue?: number
  readonly broadcastCutoff?: number
  readonly promiscuous?: boolean
  readonly isolation?: IpvlanIsolation
}

export const deviceOptions: Readonly<Record<LanDriver, readonly (keyof LanDeviceOptions)[]>> = {
  macvlan: ['broadcastQueue', 'broadcastCutoff', 'promiscuous'],
  ipvlan: ['isolation'],
}

export function lanWords({ driver, parent, mode, subnets, gateways, device }: LanLabel): string[] {
  const words = [driver, `parent=${parent}`, `mode=${mode}`, `subnets=${subnets.map(formatCidr).join(',')}`]
  if (gateways.length > 0) words.push(`gateways=${gateways.map(({ text }) => text).join(',')}`)
  for (const [key, value] of Object.entries(device)) words.push(`${key}=${value}`)
  return words
}

/** Throws a TypeError or RangeError for what somebody spoiled. */
function readDevice(driver: LanDriver, mode: LanMode, value: (key: string) => string | undefined): LanDeviceOptions {
  const read = (text: string): unknown => (/^-?\d+$/.test(text) ? Number(text) : text === 'false' ? false : text)
  const given = deviceOptions[driver].flatMap((key) => {
    const text = value(key)
    return text === undefined ? [] : [[key, read(text)] as const]
  })
  return checkDevice(driver, mode, Object.fromEntries(given), 'the alias')
}

/** Those that are given, and not what they are anyway. */
export function checkDevice(driver: LanDriver, mode: LanMode, given: LanDeviceOptions, path: string): LanDeviceOptions {
  deviceData(driver, mode, given, path)
  const usual: LanDeviceOptions = { promiscuous: true, isolation: 'bridge' }
  const kept = deviceOptions[driver].filter((key) => given[key] !== undefined && given[key] !== usual[key])
  return Object.fromEntries(kept.map((key) => [key, given[key]]))
}

/** IFLA_INFO_DATA. */
export const deviceData = (driver: LanDriver, mode: LanMode, device: LanDeviceOptions, path: string): Body | undefined =>
  ({ macvlan, ipvlan })[driver].data({ mode, ...device } as never, path)

/** undefined when these are another driver's words, or somebody spoiled them. */
export function parseLanWords(words: readonly string[]): LanLabel | undefined {
  const driver = (['macvlan', 'ipvlan'] as const).find((one) => words.includes(one))
  if (driver === undefined) return undefined
  const value = (key: string): string | undefined => words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1)
  const mode = lanModes[driver].find((one) => one === value('mode'))
  const parent = value('parent')
  if (mode === undefined || parent === undefined) return undefined
  try {
    const subnets = (value('subnets') ?? '').split(',').map((subnet) => parseCidr(subnet, 'the alias'))
    const gateways = (value('gateways')?.split(',') ?? []).map((gateway) => parseAddress(gateway, 'the alias'))
    return { driver, parent, mode, subnets, gateways, device: readDevice(driver, mode, value) }
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return undefined
    throw error
  }
}
