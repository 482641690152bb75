// What the alias of a LAN network's device remembers beside the words of every network:
//
//   alias netlink-ct/1 network lab macvlan parent=eth0 mode=bridge subnets=192.168.1.0/24 gateways=192.168.1.1

import { type Address, type Cidr, formatCidr, parseAddress, parseCidr } from '../../cidr.ts'
import type { IpvlanMode } from '../../rtnetlink/link/kind/ipvlan.ts'
import type { MacvlanMode } from '../../rtnetlink/link/kind/macvlan.ts'

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
}

export function lanWords({ driver, parent, mode, subnets, gateways }: LanLabel): string[] {
  const words = [driver, `parent=${parent}`, `mode=${mode}`, `subnets=${subnets.map(formatCidr).join(',')}`]
  if (gateways.length > 0) words.push(`gateways=${gateways.map(({ text }) => text).join(',')}`)
  return words
}

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
    return { driver, parent, mode, subnets, gateways }
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return undefined
    throw error
  }
}
