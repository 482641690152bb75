// A bridge that was there before: what it must be, and what it has.

import { createHash } from 'node:crypto'
import { type Address, type Cidr, contains, type Family, formatAddress, formatCidr, networkOf, parseCidr } from '../../cidr.ts'
import { NetlinkError } from '../../errors.ts'
import type { Netns } from '../../netns/netns.ts'
import type { AddressInfo } from '../../rtnetlink/address.ts'
import type { Link } from '../../rtnetlink/link/link.ts'
import type { Route } from '../../rtnetlink/route/route.ts'
import { noMac } from '../create/device.ts'
import { type CheckedSpec, leastMtu6 } from '../create/spec.ts'
import { NetworkError } from '../errors.ts'
import { forwardingKeys, sysctlOf } from '../host/forwarding.ts'
import { networkLabelOf } from '../label.ts'

/** The bridge as it was found. */
export interface FoundBridge {
  readonly link: Link
  readonly addresses: readonly AddressInfo[]
  readonly routeLocalnet: boolean
  /** Whether anything is plugged in. */
  readonly isEmpty: boolean
}

const unfit = (why: string): NetworkError => new NetworkError('BRIDGE_UNFIT', why)

async function bridgeNamed(host: Netns, name: string): Promise<Link> {
  try {
    return await host.getLink(name)
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === 'ENODEV')) throw error
    throw new NetworkError('BRIDGE_NOT_FOUND', `the host has no device '${name}'`, { cause: error })
  }
}

/** Of a network whose name is told, if not what it is. */
const isCalledOurs = ({ altnames }: Link): string | undefined =>
  altnames.find((altname) => /^netlink-ct\/[^/=]+$/.test(altname))?.slice('netlink-ct/'.length)

export function refuseUsed(link: Link): void {
  const owner = networkLabelOf(link)?.name ?? isCalledOurs(link)
  if (owner !== undefined) throw new NetworkError('BRIDGE_IN_USE', `the bridge ${link.name} is that of the network '${owner}'`)
}

/** What a network needs and does not change. */
function refuseUnfit({ name, kind, up, group, mac, mtu }: Link, families: readonly Family[]): void {
  if (kind !== 'bridge')
    throw unfit(`${name} is ${kind === undefined ? 'no bridge' : `a device of the kind ${kind}, not a bridge`}`)
  if (!up) throw unfit(`the bridge ${name} is down: ip link set ${name} up`)
  const how = 'the firewall knows a network by its own group'
  if (group !== 0) throw unfit(`the bridge ${name} is in the group ${group}, and ${how}: ip link set ${name} group default`)
  if (mac === noMac) throw unfit(`the bridge ${name} lost its MAC with its last port: ip link set ${name} address …`)
  if (families.includes(10) && mtu < leastMtu6) throw unfit(`the bridge ${name} has an MTU of ${mtu}; IPv6 takes ${leastMtu6}`)
}

/** Settings that are off and that an owner may have turned off for a reason. */
async function refuseOff(host: Netns, { name }: Link, families: readonly Family[]): Promise<void> {
  const refuse = async (key: string, off: string, on: string): Promise<void> => {
    if ((await sysctlOf(host, key)) === off)
      throw unfit(`${key} is ${off}, and a network on ${name} needs ${on}: sysctl -w ${key}=${on}`)
  }
  if (families.includes(10)) await refuse(`net/ipv6/conf/${name}/disable_ipv6`, '1', '0')
  for (const family of families) {
    // With the host's own, all devices have it.
    if ((await sysctlOf(host, forwardingKeys[family])) !== '1') continue
    await refuse(`net/${family === 2 ? 'ipv4' : 'ipv6'}/conf/${name}/forwarding`, '0', '1')
  }
}

/** BRIDGE_NOT_FOUND, BRIDGE_IN_USE, BRIDGE_UNFIT. Changes nothing. */
export async function findBridge(host: Netns, { bridge, families }: CheckedSpec): Promise<FoundBridge> {
  const link = await bridgeNamed(host, bridge)
  refuseUsed(link)
  refuseUnfit(link, families)
  await refuseOff(host, link, families)
  const addresses = await host.listAddresses({ link: link.index })
  const isEmpty = (await host.listLinks({ master: link.index })).length === 0
  const routeLocalnet = (await sysctlOf(host, `net/ipv4/conf/${link.name}/route_localnet`)) === '1'
  return { link, addresses, routeLocalnet, isEmpty }
}

const cidrsOf = ({ addresses }: FoundBridge): Cidr[] => addresses.map(({ address }) => parseCidr(address, 'address'))
const longestPrefix: Readonly<Record<Family, number>> = { 2: 30, 10: 126 }

/** The one that the bridge's addresses of the family are in; undefined when it has none. */
export function subnetOn(found: FoundBridge, family: Family): Cidr | undefined {
  const isShared = ({ scope, address }: AddressInfo): boolean => {
    const { family: own, prefixLength } = parseCidr(address, 'address')
    return own === family && scope === 'global' && prefixLength >= 8 && prefixLength <= longestPrefix[family]
  }
  const subnets = found.addresses.filter(isShared).map(({ address }) => networkOf(parseCidr(address, 'address')))
  const [subnet, ...others] = new Map(subnets.map((one) => [formatCidr(one), one])).values()
  if (others.length === 0) return subnet
  const all = [...new Set(subnets.map(formatCidr))].join(', ')
  throw unfit(`the bridge ${found.link.name} has addresses in several subnets, ${all}: name one in subnets`)
}

/** The bridge's first address in each subnet, which is the gateway unless another is named. */
export const gatewaysOn = (found: FoundBridge, subnets: readonly Cidr[]): Address[] =>
  subnets.flatMap((subnet) => {
    const own = cidrsOf(found).find((one) => formatCidr(networkOf(one)) === formatCidr(subnet))
    return own ?? []
  })

/** Refuses what would give a container an address that somebody on the bridge is known to have: the host itself, or a router of its. */
export function refuseTaken(
  { link, addresses }: FoundBridge,
  routes: readonly Route[],
  {
    subnets,
    gateways,
    reserved,
  }: { readonly subnets: readonly Cidr[]; readonly gateways: readonly string[]; readonly reserved: readonly Cidr[] },
): void {
  const vias = routes.flatMap(({ dev, via }) => (dev === link.index && via !== undefined ? [via] : []))
  const stolen = gateways.find((gateway) => vias.includes(plain(gateway)))
  const hasStolen = stolen !== undefined && !addresses.some(({ address }) => plain(address) === plain(stolen))
  if (hasStolen) {
    const why = `${plain(stolen)} is a router that the host uses through ${link.name}, so it cannot be the host's own address there`
    throw new NetworkError('ADDRESS_IN_USE', `${why}: name another gateway`)
  }
  const isOurs = (text: string): boolean => gateways.some((gateway) => plain(gateway) === text)
  for (const [text, whose] of [
    ...addresses.map(({ address }) => [plain(address), 'an address of the host'] as const),
    ...vias.map((via) => [via, 'a router of the host'] as const),
  ]) {
    const address = parseCidr(`${text}/${text.includes(':') ? 128 : 32}`, 'address')
    const isIn = (part: Cidr): boolean => contains(part, address)
    if (isOurs(text) || !subnets.some(isIn) || reserved.some(isIn)) continue
    throw new NetworkError(
      'ADDRESS_IN_USE',
      `${text} is ${whose} on ${link.name}: reserve it, or a part of the subnet that it lies in`,
    )
  }
}

const plain = (cidr: string): string => cidr.split('/')[0] ?? ''

/** Not fe80::1, which may be a router's; not what the kernel makes of the MAC, which it may yet make. */
function linkLocalOf(network: string): string {
  const digest = createHash('sha256').update(network).digest()
  return `${formatAddress(Uint8Array.from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, ...digest.subarray(0, 8)]))}/64`
}

/** What the bridge lacks of the network's addresses. For a packet that it forwards the kernel asks for no neighbor without a link-local one. */
export function addressesLacking(found: FoundBridge, network: string, addresses: readonly string[]): string[] {
  const own = found.addresses.map(({ address }) => address)
  const lacksLinkLocal = addresses.some((address) => address.includes(':')) && !found.addresses.some(isLinkLocal)
  return [...addresses.filter((address) => !own.includes(address)), ...(lacksLinkLocal ? [linkLocalOf(network)] : [])]
}

const isLinkLocal = ({ family, scope }: AddressInfo): boolean => family === 'inet6' && scope === 'link'
