// What a container sends under another's name, and who hears or believes it where nobody asks who sends.

import type { Attack, Situation } from './attacks.ts'
import type { Frame, Packet } from './wire.ts'
import { own, published, type World } from './world.ts'

export const strangeMac = '02:00:00:00:0b:ad'
/** Past the hooks of a bridge: LLDP's. */
const linkLocalMac = '01:80:c2:00:00:0e'

/** RFC 4291, appendix A. */
export function linkLocalOf(mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(':').map((part) => Number.parseInt(part, 16))
  const word = (high: number, low: number): string => ((high << 8) | low).toString(16)
  return `fe80::${word(a ^ 2, b)}:${word(c, 0xff)}:${word(0xfe, d)}:${word(e, f)}`
}

let lastPort = 20_000

/** Forged packets of x1. */
export function forged({ world, driver, family }: Situation): Attack[] {
  const onBridge = driver === 'bridge'
  const a = (place: string): string => world.address(place, family)
  const stranger = family === 'ipv4' ? '198.51.100.77' : '2001:db8:9::77'
  const host = world.city.hostAddress('lan', family)
  const toSibling = onBridge ? world.wire('x2').mac : world.hostMac('x1')
  const shot = (name: string, heard: string, frame: Partial<Packet> & { readonly destination: string }): Attack => {
    const rest = { kind: 'udp', to: world.hostMac('x1'), source: a('x1'), port: own.any, ...frame, from: ++lastPort }
    return { name, from: 'x1', heard, frame: rest as Packet }
  }
  const both = [
    shot('as x2 to a server of the host', 'host', { source: a('x2'), destination: host }),
    shot('as y1 to a server of the host', 'host', { source: a('y1'), destination: host }),
    shot('as a stranger to a server of the host', 'host', { source: stranger, destination: host }),
    shot('as x2 to a published port', 'y1', { kind: 'tcp', source: a('x2'), destination: host, port: published.ofY }),
    shot('as a stranger to x2', 'x2', { source: stranger, destination: a('x2'), to: toSibling }),
    shot('as y1 to x2', 'x2', { source: a('y1'), destination: a('x2'), to: toSibling }),
  ]
  if (!onBridge) return both
  return [
    ...both,
    shot('as the gateway to x2', 'x2', { source: world.gateway('x', family), destination: a('x2'), to: toSibling }),
    shot('as x2 to the internet', 'internet, x2!', { kind: 'echo', source: a('x2'), destination: a('internet') }),
    shot('by another MAC to a server of the host', 'host', { mac: strangeMac, destination: host }),
    shot('by another MAC to x2', 'x2', { mac: strangeMac, destination: a('x2'), to: toSibling }),
    shot('in a VLAN to x2', 'x2', { vlan: 7, destination: a('x2'), to: toSibling }),
    shot('as a stranger in a VLAN to x2', 'x2', { vlan: 7, source: stranger, destination: a('x2'), to: toSibling }),
    shot('as x2, past the bridge, to a server of the host', 'host', { source: a('x2'), destination: host, to: linkLocalMac }),
    ...(family === 'ipv6'
      ? [shot("as the gateway's link-local address to x2", 'x2', { source: 'fe80::1', destination: a('x2'), to: toSibling })]
      : []),
  ]
}

export interface Claim {
  readonly name: string
  readonly frame: Frame
  /** Who is to believe that `about` is at `claimed`. */
  readonly whom: 'x2' | 'host'
  readonly about: string
  readonly claimed: string
}

/** On a bridge, of x1. */
export function claims(world: World, family: 'ipv4' | 'ipv6'): Claim[] {
  const [x1, x2] = [world.wire('x1').mac, world.wire('x2').mac]
  const gateway = world.gateway('x', family)
  const own = world.address('x1', family)
  const sibling = world.address('x2', family)
  const toHost = world.hostMac('x1')
  if (family === 'ipv4') {
    const arp = { kind: 'arp', to: x2, source: gateway, destination: sibling, target: gateway } as const
    const about = { whom: 'x2', about: gateway, claimed: x1 } as const
    return [
      { name: "an answer that it has the gateway's address", frame: arp, ...about },
      { name: 'the same of another kind of hardware', frame: { ...arp, hardware: 6 }, ...about },
      { name: 'the same by another MAC', frame: { ...arp, mac: strangeMac, claims: strangeMac }, ...about, claimed: strangeMac },
      { name: 'the same of a MAC that is not the sender', frame: { ...arp, claims: strangeMac }, ...about, claimed: strangeMac },
      { name: "a question from the gateway's address", frame: { ...arp, kind: 'request' }, ...about },
      {
        name: "an answer to the host that it has x2's address",
        frame: { ...arp, to: toHost, target: sibling },
        whom: 'host',
        about: sibling,
        claimed: x1,
      },
      {
        name: 'an answer that its own address is at the MAC of x2',
        frame: { ...arp, to: toHost, target: own, claims: x2 },
        whom: 'host',
        about: own,
        claimed: x2,
      },
    ]
  }
  const neighbor = { kind: 'neighbor', to: x2, source: own, destination: sibling, target: gateway } as const
  const about = { whom: 'x2', about: gateway, claimed: x1 } as const
  return [
    { name: "an advertisement from the gateway's address", frame: { ...neighbor, source: gateway }, ...about },
    { name: "an advertisement of the gateway's address from its own", frame: neighbor, ...about },
    { name: 'the same from its link-local address', frame: { ...neighbor, source: linkLocalOf(x1) }, ...about },
    { name: 'the same behind another header', frame: { ...neighbor, hidden: true }, ...about },
    {
      name: 'the same by another MAC',
      frame: { ...neighbor, mac: strangeMac, claims: strangeMac },
      ...about,
      claimed: strangeMac,
    },
    {
      name: "an advertisement of the gateway's link-local address",
      frame: { ...neighbor, target: 'fe80::1' },
      ...about,
      about: 'fe80::1',
    },
    {
      name: "a solicitation from the gateway's address",
      frame: { ...neighbor, kind: 'solicitation', source: gateway, target: sibling },
      ...about,
    },
    {
      name: "an advertisement to the host of x2's address",
      frame: { ...neighbor, to: toHost, destination: gateway, target: sibling },
      whom: 'host',
      about: sibling,
      claimed: x1,
    },
    {
      name: 'an advertisement that its own address is at the MAC of x2',
      frame: { ...neighbor, to: toHost, destination: gateway, target: own, claims: x2 },
      whom: 'host',
      about: own,
      claimed: x2,
    },
    {
      name: 'a solicitation that its own address is at the MAC of x2',
      frame: { ...neighbor, kind: 'solicitation', to: toHost, destination: gateway, target: gateway, claims: x2 },
      whom: 'host',
      about: own,
      claimed: x2,
    },
  ]
}
