// What is varied, and who must then reach whom.

import type { NetworkSpec, PortSpec } from '../../../lib/index.ts'
import type { Family } from './city.ts'

export type Driver = 'bridge' | 'ptp'
export type Option = 'default' | 'internal' | 'icc off' | 'not masqueraded' | 'limited' | 'trusted' | 'routed' | 'IPv6 routed'

export interface Variant {
  readonly driver: Driver
  readonly families: readonly Family[]
  readonly option: Option
}

export const subnets: Readonly<Record<'x' | 'y', Readonly<Record<Family, string>>>> = {
  x: { ipv4: '10.1.0.0/24', ipv6: 'fd00:1::/64' },
  y: { ipv4: '10.2.0.0/24', ipv6: 'fd00:2::/64' },
}

const options: Readonly<Record<Option, Partial<NetworkSpec>>> = {
  default: {},
  internal: { internal: true },
  'icc off': { icc: false },
  'not masqueraded': { masquerade: false },
  // Of the ports that are published.
  limited: {},
  trusted: { trusted: ['lan0'] },
  routed: { gatewayMode: 'routed' },
  'IPv6 routed': { gatewayMode: { ipv6: 'routed' } },
}

export const isRouted = (option: Option, family: Family): boolean =>
  option === 'routed' || (option === 'IPv6 routed' && family === 'ipv6')

/** What x1 publishes; `hostAddress` faces the LAN. */
export function portsOf({ option, families }: Variant, hostAddress: (family: Family) => string): PortSpec[] {
  if (option === 'internal') return []
  if (option === 'routed') return ['80', '53/udp']
  const from = option === 'limited' ? '?from=192.0.2.0/24,2001:db8:1::/64' : ''
  const onHost = families.filter((family) => !isRouted(option, family))
  return [
    `8080:80${from}`,
    `5353:53/udp${from}`,
    ...onHost.map((family) => `[${hostAddress(family)}]:8081:80${from}`),
    ...(families.includes('ipv4') ? ['127.0.0.1:8082:80'] : []),
    ...onHost.map((family) => `${family === 'ipv4' ? '0.0.0.0' : '[::]'}::81`),
  ]
}

export const specOf = ({ driver, families, option }: Variant): NetworkSpec => ({
  name: 'x',
  driver,
  subnets: families.map((family) => subnets.x[family]),
  ...options[option],
})

const drivers: readonly Driver[] = ['bridge', 'ptp']
const familySets: readonly (readonly Family[])[] = [['ipv4'], ['ipv6'], ['ipv4', 'ipv6']]

export const variants: readonly Variant[] = drivers.flatMap((driver) =>
  familySets.flatMap((families) =>
    (Object.keys(options) as Option[])
      .filter((option) => option !== 'IPv6 routed' || families.length === 2)
      .map((option): Variant => ({ driver, families, option })),
  ),
)

/**
 * Targets: containers by their own address, `x1/81` by a port that is not published there; `out` is the internet; `any` is published on every address of the host, `one` on that
 * which faces the LAN, `loop` on the loopback, `chosen` on a port that the library chose; after the @ the host's address that is asked. `own` is a server of the host itself.
 */
export const targets = [
  'x1',
  'x1/udp',
  'x1/81',
  'x2',
  'x2/udp',
  'y1',
  'out',
  'any@lan',
  'any@internet',
  'any@other',
  'any@gateway',
  'any@loopback',
  'any/udp@lan',
  'one@lan',
  'one@internet',
  'loop@loopback',
  'loop@lan',
  'chosen@lan',
  'chosen@other',
  'closed@lan',
  'own@lan',
] as const
export type TargetName = (typeof targets)[number]

export const askers = ['x1', 'x2', 'y1', 'host', 'lan', 'neighbor', 'internet', 'other'] as const
export type Asker = (typeof askers)[number]

const nobody = '.'
/** No matter of the firewall: itself, an address that is not routed to there, or not asked. */
const notAsked = '*'

const isOutside = (asker: Asker): boolean => asker !== 'host' && asker !== 'x1' && asker !== 'x2' && asker !== 'y1'

/** Whether it asks from an address of the LAN: of the host's own that which it asks. */
const isOnLan = (asker: Asker, target: TargetName): boolean => asker === 'lan' || (asker === 'host' && target.endsWith('@lan'))

/** The name of who must answer, with `(host)` or `(self)` for whom the internet must see. */
export function expected(asker: Asker, target: TargetName, variant: Variant, family: Family, bridgeNetfilter: 0 | 1): string {
  const { driver, option } = variant
  const isInside = asker === 'x1' || asker === 'x2'
  const routed = isRouted(option, family)
  if (asker === target.split('/')[0]) return notAsked
  switch (target) {
    case 'x1':
    case 'x1/udp':
    case 'x1/81':
    case 'x2':
    case 'x2/udp': {
      const server = target.slice(0, 2)
      if (asker === 'host') return server
      if (option === 'trusted' && asker === 'lan') return server
      // Published there, and everybody knows the way but the neighbor. Both containers are in one subnet, so nothing of x asks by the host.
      if (routed && (target === 'x1' || target === 'x1/udp') && asker !== 'neighbor' && !isInside) return server
      return isInside && option !== 'icc off' ? server : nobody
    }
    case 'y1':
      return asker === 'host' ? 'y1' : nobody
    case 'out':
      if (isOutside(asker)) return notAsked
      if (asker === 'host' || asker === 'y1') return 'internet(host)'
      if (option === 'internal') return nobody
      return option === 'not masqueraded' || (routed && isInside) ? 'internet(self)' : 'internet(host)'
    case 'closed@lan':
    case 'one@internet':
    case 'loop@lan':
      return nobody
    case 'own@lan':
      return asker === 'neighbor' ? nobody : 'host'
    case 'any@loopback':
    case 'loop@loopback':
      if (asker !== 'host') return notAsked
      // There is no route_localnet for ::1.
      if (family === 'ipv6') return nobody
      break
    default:
      // It has no way to that address.
      if (asker === 'neighbor') return nobody
  }
  if (option === 'internal' || routed) return nobody
  if (option === 'limited' && !target.startsWith('loop@') && !target.startsWith('chosen@') && !isOnLan(asker, target))
    return nobody
  // From port to port of a bridge that keeps them apart: br_netfilter has changed the address before the bridge decides.
  if (isInside && driver === 'bridge' && option === 'icc off' && bridgeNetfilter === 1) return nobody
  return 'x1'
}
