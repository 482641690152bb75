// The attacks by packets, and who may hear each: `.` is nobody, `x1!` an answer that x1 gets.

import type { Family } from '../matrix/city.ts'
import type { Driver } from '../matrix/variant.ts'
import type { Packet, Probe } from './wire.ts'
import { own, published, type World } from './world.ts'

export interface Attack {
  readonly name: string
  readonly from: string
  readonly frame: Probe
  readonly heard: string
}

export interface Situation {
  readonly world: World
  readonly driver: Driver
  readonly family: Family
}

type Kind = Packet['kind']
const kinds: readonly Kind[] = ['tcp', 'udp', 'echo']
const outside = ['lan', 'neighbor', 'internet'] as const

interface Shot {
  readonly from: string
  readonly kind: Kind
  readonly destination: string
  readonly port?: number
  /** Default: its own address. */
  readonly source?: string
  /** Default: the host's MAC. */
  readonly to?: string
}

/** Counts through everything, so that no two packets belong to one connection. */
let lastPort = 40_000

function shoot({ world, family }: Situation, name: string, heard: string, shot: Shot): Attack {
  const { from, kind, destination, port = 9 } = shot
  const frame: Packet = {
    kind,
    to: shot.to ?? world.hostMac(from),
    source: shot.source ?? world.address(from, family),
    destination,
    from: ++lastPort,
    port,
  }
  return { name, from, frame, heard }
}

/** What must arrive: else the rest would prove nothing. */
export function permitted(situation: Situation): Attack[] {
  const { world, family } = situation
  const host = world.city.hostAddress('lan', family)
  const on = (name: string, heard: string, shot: Shot): Attack => shoot(situation, name, heard, shot)
  return [
    on('lan asks a published port', 'x1', { from: 'lan', kind: 'tcp', destination: host, port: published.any }),
    on('lan asks a published port of UDP', 'x1', { from: 'lan', kind: 'udp', destination: host, port: published.udp }),
    on('lan asks the host', 'lan!', { from: 'lan', kind: 'echo', destination: host }),
    on('lan asks a server of the host', 'host', { from: 'lan', kind: 'udp', destination: host, port: own.any }),
    on('x1 asks the internet', 'internet, x1!', { from: 'x1', kind: 'echo', destination: world.address('internet', family) }),
    on('x1 asks x2', 'x1!, x2', {
      from: 'x1',
      kind: 'echo',
      destination: world.address('x2', family),
      to: macOf(situation, 'x1', 'x2'),
    }),
    on("a port of one address is that address's by whichever device", 'x1', {
      from: 'internet',
      kind: 'tcp',
      destination: host,
      port: published.one,
    }),
  ]
}

/** By which a container sends to a sibling: on a bridge directly, else by its gateway. */
const macOf = ({ world, driver }: Situation, from: string, to: string): string =>
  driver === 'bridge' ? world.wire(to).mac : world.hostMac(from)

export function intoContainers(situation: Situation): Attack[] {
  const { world, family } = situation
  const targets = ['x1', 'x2', 'y1', 'i1', 'n1', 'n2']
  return outside.flatMap((from) =>
    targets.flatMap((target) =>
      kinds.flatMap((kind) =>
        (kind === 'echo' ? [0] : [9, 53, 80]).map((port) =>
          shoot(situation, `${from} sends ${kind} ${port} to ${target}`, '.', {
            from,
            kind,
            destination: world.address(target, family),
            port,
          }),
        ),
      ),
    ),
  )
}

export function toLoopback(situation: Situation): Attack[] {
  const { world, family } = situation
  const destinations = family === 'ipv4' ? ['127.0.0.1', '127.0.0.2'] : ['::1']
  const ports: readonly (readonly [Kind, number])[] = [
    ['tcp', published.loopback],
    ['tcp', published.any],
    ['udp', published.loopbackUdp],
    ['udp', published.udp],
    ['udp', own.loopback],
    ['udp', own.any],
    ['echo', 0],
  ]
  const here = [...outside, 'x1', 'x2', 'y1', 'i1', 'n1'].flatMap((from) =>
    destinations.flatMap((destination) =>
      ports.map(([kind, port]) =>
        shoot(situation, `${from} sends ${kind} ${port} to ${destination}`, '.', { from, kind, destination, port }),
      ),
    ),
  )
  const elsewhere = ['lan', 'internet', 'y1'].map((from) =>
    shoot(situation, `${from} asks the port of the address towards the LAN on another`, '.', {
      from,
      kind: 'tcp',
      destination: world.city.hostAddress('internet', family),
      port: published.one,
    }),
  )
  return [...here, ...elsewhere]
}

export function fromInternal(situation: Situation): Attack[] {
  const { world, family } = situation
  const { city } = world
  const places = ['x1', 'y1', 'n1', ...outside]
  const destinations = places.flatMap((place) =>
    kinds.map((kind) =>
      shoot(situation, `i1 sends ${kind} to ${place}`, '.', {
        from: 'i1',
        kind,
        destination: world.address(place, family),
        port: 80,
      }),
    ),
  )
  const hosts = {
    'its gateway': world.gateway('i', family),
    "another's gateway": world.gateway('x', family),
    host: city.hostAddress('lan', family),
  }
  const ports = Object.entries(hosts).flatMap(([what, destination]) => [
    shoot(situation, `i1 asks a published port at ${what}`, '.', { from: 'i1', kind: 'tcp', destination, port: published.any }),
    shoot(situation, `i1 asks a published port of UDP at ${what}`, '.', {
      from: 'i1',
      kind: 'udp',
      destination,
      port: published.udp,
    }),
  ])
  const intoInternal = ['x1', 'y1', 'n1'].flatMap((from) =>
    kinds.map((kind) =>
      shoot(situation, `${from} sends ${kind} to i1`, '.', { from, kind, destination: world.address('i1', family), port: 80 }),
    ),
  )
  const foreign = ['x1', 'internet'].map((as) =>
    shoot(situation, `i1 sends as ${as} to the LAN`, '.', {
      from: 'i1',
      kind: 'udp',
      source: world.address(as, family),
      destination: world.address('lan', family),
    }),
  )
  return [...destinations, ...ports, ...intoInternal, ...foreign]
}

/** Networks from each other, and containers of a network without icc. */
export function betweenContainers(situation: Situation): Attack[] {
  const { world, family } = situation
  const pairs = [
    ['x1', 'y1'],
    ['y1', 'x1'],
    ['x1', 'n1'],
    ['n1', 'x1'],
    ['n1', 'n2'],
    ['n2', 'n1'],
  ] as const
  return pairs.flatMap(([from, target]) =>
    kinds.flatMap((kind) => {
      const shot = { from, kind, destination: world.address(target, family), port: 80 }
      return [
        shoot(situation, `${from} sends ${kind} to ${target}`, '.', shot),
        ...(from[0] === target[0]
          ? [shoot(situation, `${from} sends ${kind} to the MAC of ${target}`, '.', { ...shot, to: world.wire(target).mac })]
          : []),
      ]
    }),
  )
}

export function withForgedSources(situation: Situation): Attack[] {
  const { world, family, driver } = situation
  const { city } = world
  const host = city.hostAddress('lan', family)
  const loopbacks = family === 'ipv4' ? ['127.0.0.1', '127.0.0.2'] : ['::1']
  const on = (name: string, heard: string, shot: Shot): Attack => shoot(situation, name, heard, shot)
  const a = (place: string): string => world.address(place, family)
  // IPv4 takes no packet from outside with an address of its own as source; IPv6 does.
  const unlessIpv4 = (heard: string): string => (family === 'ipv4' ? '.' : heard)
  return [
    ...['x2', 'i2', 'y1'].flatMap((as) =>
      ['x1', 'i1'].map((target) =>
        on(`lan sends as ${as} to ${target}`, '.', { from: 'lan', kind: 'udp', source: a(as), destination: a(target) }),
      ),
    ),
    ...['x', 'i'].map((network) =>
      on(`lan sends as the gateway of ${network} to a container`, '.', {
        from: 'lan',
        kind: 'udp',
        source: world.gateway(network, family),
        destination: a(`${network}1`),
      }),
    ),
    ...['lan', 'x1', 'i1'].flatMap((from) =>
      loopbacks.flatMap((source) => [
        on(`${from} sends as ${source} to the host`, '.', { from, kind: 'udp', source, destination: host, port: own.any }),
        on(`${from} sends as ${source} to a published port`, '.', {
          from,
          kind: 'tcp',
          source,
          destination: host,
          port: published.any,
        }),
        on(`${from} sends as ${source} to x2`, '.', { from, kind: 'udp', source, destination: a('x2') }),
        on(`${from} sends as ${source} to the internet`, '.', { from, kind: 'udp', source, destination: a('internet') }),
      ]),
    ),
    ...['y1', 'i1', 'n1'].flatMap((target) =>
      ['x2', target, 'lan'].map((as) =>
        on(`x1 sends as ${as} to ${target}`, '.', { from: 'x1', kind: 'udp', source: a(as), destination: a(target) }),
      ),
    ),
    on('n1 sends as the gateway to n2', '.', {
      from: 'n1',
      kind: 'udp',
      source: world.gateway('n', family),
      destination: a('n2'),
      to: macOf(situation, 'n1', 'n2'),
    }),
    // Nobody gets an answer into a network that did not ask.
    ...['y1', 'i1', 'lan'].map((as) =>
      on(`x1 sends as ${as} to the internet`, '.', { from: 'x1', kind: 'echo', source: a(as), destination: a('internet') }),
    ),
    // What the table leaves to rp_filter: that sender and source are one and the same.
    on('lan sends as x2 to a server of the host', 'host', {
      from: 'lan',
      kind: 'udp',
      source: a('x2'),
      destination: host,
      port: own.any,
    }),
    on('lan sends as x2 to a published port', 'x1', {
      from: 'lan',
      kind: 'tcp',
      source: a('x2'),
      destination: host,
      port: published.any,
    }),
    on('lan sends as the host to a server of the host', unlessIpv4('host'), {
      from: 'lan',
      kind: 'udp',
      source: city.hostAddress('internet', family),
      destination: host,
      port: own.any,
    }),
    on('x1 sends as its gateway to a server of the host', unlessIpv4('host'), {
      from: 'x1',
      kind: 'udp',
      source: world.gateway('x', family),
      destination: host,
      port: own.any,
    }),
    on('x1 sends as its gateway to x2', driver === 'bridge' ? 'x2' : unlessIpv4('x2'), {
      from: 'x1',
      kind: 'udp',
      source: world.gateway('x', family),
      destination: a('x2'),
      to: macOf(situation, 'x1', 'x2'),
    }),
    on('x1 sends as y1 to a server of the host', 'host', {
      from: 'x1',
      kind: 'udp',
      source: a('y1'),
      destination: host,
      port: own.any,
    }),
    on('x1 sends as x2 to the internet', driver === 'bridge' ? 'internet, x2!' : '.', {
      from: 'x1',
      kind: 'echo',
      source: a('x2'),
      destination: a('internet'),
    }),
  ]
}

/** Errors about connections that there are not, and answers that nobody asked for. */
export function withoutConnection(situation: Situation): Attack[] {
  const { world, family } = situation
  const inner = (source: string, destination: string): Packet => ({
    kind: 'udp',
    to: '',
    source,
    destination,
    from: 53,
    port: ++lastPort,
  })
  const to = world.hostMac('lan')
  const host = world.city.hostAddress('lan', family)
  const [lan, internet] = [world.address('lan', family), world.address('internet', family)]
  return ['x1', 'i1'].flatMap((target): Attack[] => {
    const destination = world.address(target, family)
    const error = (name: string, frame: { destination: string; inner: Packet }): Attack => ({
      name,
      from: 'lan',
      frame: { kind: 'error', to, source: lan, ...frame },
      heard: '.',
    })
    return [
      error(`lan reports an error to ${target} about nothing that it sent`, { destination, inner: inner(destination, lan) }),
      error(`lan reports an error to the host about nothing that ${target} sent`, { destination: host, inner: inner(host, lan) }),
      shoot(situation, `lan answers ${target} as the internet`, '.', { from: 'lan', kind: 'udp', source: internet, destination }),
    ]
  })
}
