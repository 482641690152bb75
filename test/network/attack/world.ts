// The city with four networks of a driver, a wire at everybody who lives there, and ears at the ports of the host itself.
//
//   x1 x2 ── x      y1 ── y      i1 i2 ── i (internal)      n1 n2 ── n (icc: false)

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createNetwork, type Network, type PortSpec } from '../../../lib/index.ts'
import { json, readSysctl, writeSysctl } from '../../support/lab.ts'
import { type City, createCity, type Family } from '../matrix/city.ts'
import type { Driver } from '../matrix/variant.ts'
import { tap, type Wire } from './wire.ts'

const hostSide = { lan: 'lan0', neighbor: 'lan1', internet: 'wan0', other: 'wan1' }

export const published = { any: 8080, one: 8081, loopback: 8082, udp: 5353, loopbackUdp: 5382, ofY: 8090, ofN: 8083 } as const
/** Of the host itself, on any address and on those of its loopback. */
export const own = { any: 7000, loopback: 7001 } as const

const blueprint = (
  city: City,
): Readonly<Record<string, { options?: object; containers: Readonly<Record<string, PortSpec[]>> }>> => ({
  x: {
    containers: {
      x1: [
        `${published.any}:80`,
        `${published.udp}:53/udp`,
        `${city.hostAddress('lan', 'ipv4')}:${published.one}:80`,
        `[${city.hostAddress('lan', 'ipv6')}]:${published.one}:80`,
        `127.0.0.1:${published.loopback}:80`,
        `127.0.0.1:${published.loopbackUdp}:53/udp`,
      ],
      x2: [],
    },
  },
  y: { containers: { y1: [`${published.ofY}:80`] } },
  i: { options: { internal: true }, containers: { i1: [], i2: [] } },
  n: { options: { icc: false }, containers: { n1: [], n2: [`${published.ofN}:80`] } },
})

export interface World extends AsyncDisposable {
  readonly city: City
  readonly networks: ReadonlyMap<string, Network>
  readonly netns: ReadonlyMap<string, { path: string }>
  readonly hostIfnames: ReadonlyMap<string, string>
  wire(place: string): Wire
  /** Of a container, or of who lives outside. */
  address(place: string, family: Family): string
  gateway(network: string, family: Family): string
  /** The host's MAC that a place sees. */
  hostMac(place: string): string
  /** Where the mark arrived, in words: `x1, y1!`, where `!` is an answer, and `.` nobody. */
  whoHeard(mark: string): string
  /** Resolves when everybody has heard what was sent to them before. */
  settled(): Promise<void>
}

async function ear(address: string, port: number, heard: Set<string>): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  socket.on('message', (message) => {
    const mark = /<<([a-z0-9-]+)>>/.exec(message.toString('latin1'))?.[1]
    if (mark !== undefined) heard.add(mark)
  })
  socket.bind(port, address)
  await once(socket, 'listening')
  return socket
}

const rpFilters = ['all', 'default', ...Object.values(hostSide)].map((device) => `net/ipv4/conf/${device}/rp_filter`)

/** `common`: options of all its networks. */
export async function createWorld(driver: Driver, common: { readonly antiSpoofing?: boolean } = {}): Promise<World> {
  const undo: (() => PromiseLike<unknown>)[] = []
  const dispose = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step()
  }
  try {
    const city = await createCity()
    undo.push(async () => city[Symbol.asyncDispose]())
    // Nothing may depend on what a distribution has set here: 0 is the kernel's own default.
    for (const key of rpFilters) {
      const before = await readSysctl(key)
      await writeSysctl(key, 0)
      if (key.includes('/all/') || key.includes('/default/')) undo.push(() => writeSysctl(key, before))
    }
    const hostHeard = new Set<string>()
    for (const [address, port] of [
      ['::', own.any],
      ['127.0.0.1', own.loopback],
      ['::1', own.loopback],
    ] as const) {
      const socket = await ear(address, port, hostHeard)
      undo.push(async () => socket.close())
    }
    const networks = new Map<string, Network>()
    const netns = new Map<string, { path: string }>()
    const hostIfnames = new Map<string, string>()
    const addresses = new Map<string, readonly string[]>()
    const wires = new Map<string, Wire>()
    const listen = async (place: string, at: string | { path: string }): Promise<void> => {
      const wire = await tap(place, at, 'eth0')
      wires.set(place, wire)
      undo.push(() => wire[Symbol.asyncDispose]())
    }
    for (const [at, [name, { options, containers }]] of Object.entries(blueprint(city)).entries()) {
      const network = await createNetwork({
        name,
        driver,
        subnets: [`10.${at + 1}.0.0/24`, `fd00:${at + 1}::/64`],
        ...options,
        ...common,
      })
      undo.push(() => network.delete({ force: true }))
      networks.set(name, network)
      for (const [container, publish] of Object.entries(containers)) {
        const endpoint = await network.attach({ name: container, publish })
        netns.set(container, { path: endpoint.netns.path })
        hostIfnames.set(container, endpoint.hostIfname)
        addresses.set(container, endpoint.addresses)
        await listen(container, { path: endpoint.netns.path })
      }
    }
    for (const place of Object.keys(hostSide)) await listen(place, place)
    const links = await json<{ ifname: string; address: string }[]>('ip', ['link', 'show'])
    const macs = new Map(links.map(({ ifname, address }) => [ifname, address]))
    const wire = (place: string): Wire => {
      const found = wires.get(place)
      if (found === undefined) throw new Error(`nobody listens at '${place}'`)
      return found
    }
    const isOf = (family: Family) => (cidr: string) => cidr.includes(':') === (family === 'ipv6')
    const address = (place: string, family: Family): string =>
      addresses.get(place)?.find(isOf(family))?.split('/')[0] ?? city.address(place, family)
    const mouths = { ipv4: createSocket('udp4'), ipv6: createSocket('udp6') }
    for (const socket of Object.values(mouths)) undo.push(async () => socket.close())
    let round = 0
    return {
      city,
      networks,
      netns,
      hostIfnames,
      wire,
      address,
      gateway: (network, family) => networks.get(network)?.gateways.find(isOf(family)) ?? '',
      hostMac(place) {
        const bridge = driver === 'bridge' ? networks.get(place[0] ?? '')?.bridge : undefined
        const device = Object.hasOwn(hostSide, place)
          ? hostSide[place as keyof typeof hostSide]
          : (bridge ?? hostIfnames.get(place) ?? '')
        return macs.get(device) ?? ''
      },
      whoHeard(mark) {
        const who = Array.from(wires).flatMap(([place, { heard }]) => [
          ...(heard.has(mark) ? [place] : []),
          ...(heard.has(`${mark}!`) ? [`${place}!`] : []),
        ])
        if (hostHeard.has(mark)) who.push('host')
        return who.length === 0 ? '.' : who.sort().join(', ')
      },
      async settled() {
        const mark = `settled-${round++}`
        await Promise.all(
          Object.entries(mouths).flatMap(([family, socket]) =>
            Array.from(wires, ([place, { until }]) => {
              socket.send(`<<${mark}-${family}>>`, 9, address(place, family as Family))
              return until(`${mark}-${family}`)
            }),
          ),
        )
      },
      [Symbol.asyncDispose]: dispose,
    }
  } catch (error) {
    await dispose()
    throw error
  }
}
