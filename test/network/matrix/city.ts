// The surroundings of a host with two uplinks, in both families, made with the outside tools:
//
//   lan      192.0.2.9    2001:db8:1::9 ─── lan0  .1 [      ] wan0 .2 ─── internet  203.0.113.9   2001:db8:8::9  (default route)
//   neighbor 192.0.3.9    2001:db8:2::9 ─── lan1  .1 [ host ] wan1 .2 ─── other     198.51.100.9  2001:db8:9::9
//
// The host is the default router of all but the neighbor, who knows only its own wire: who has no way to a container proves nothing.

import { inSandbox } from '../../../scripts/sandbox.mjs'
import { json, output, run } from '../../support/command.ts'
import { type Resident, settle } from './resident.ts'

export type Family = 'ipv4' | 'ipv6'

interface Wire {
  readonly place: string
  readonly device: string
  readonly ipv4: { readonly host: string; readonly away: string }
  readonly ipv6: { readonly host: string; readonly away: string }
  readonly hasRoutes: boolean
}

const wires: readonly Wire[] = [
  ['lan', 'lan0', '192.0.2', '2001:db8:1:', 1, true],
  ['neighbor', 'lan1', '192.0.3', '2001:db8:2:', 1, false],
  ['internet', 'wan0', '203.0.113', '2001:db8:8:', 2, true],
  ['other', 'wan1', '198.51.100', '2001:db8:9:', 2, true],
].map(([place, device, ipv4, ipv6, own, hasRoutes]) => ({
  place: place as string,
  device: device as string,
  ipv4: { host: `${ipv4}.${own}`, away: `${ipv4}.9` },
  ipv6: { host: `${ipv6}:${own}`, away: `${ipv6}:9` },
  hasRoutes: hasRoutes as boolean,
}))

export interface City extends AsyncDisposable {
  /** Who lives outside of the host, and the host itself. */
  readonly residents: ReadonlyMap<string, Resident>
  /** Of the host, on the wire to that place. */
  hostAddress(place: string, family: Family): string
  address(place: string, family: Family): string
}

const wireTo = (place: string): Wire => {
  const wire = wires.find((one) => one.place === place)
  if (wire === undefined) throw new Error(`no wire leads to '${place}'`)
  return wire
}

async function lay({ place, device, ipv4, ipv6, hasRoutes }: Wire): Promise<void> {
  await output('ip', ['-batch', '-'], {
    input: `netns add ${place}
link add ${device} type veth peer name eth0 netns ${place}
link set ${device} addrgenmode none
address add ${ipv4.host}/24 dev ${device}
address add ${ipv6.host}/64 dev ${device} nodad
link set ${device} up`,
  })
  await output('ip', ['-batch', '-'], {
    netns: place,
    input: `link set lo up
link set eth0 addrgenmode none
address add ${ipv4.away}/24 dev eth0
address add ${ipv6.away}/64 dev eth0 nodad
link set eth0 up${
      hasRoutes
        ? `
route add default via ${ipv4.host}
route add default via ${ipv6.host}`
        : ''
    }`,
  })
}

export async function createCity(): Promise<City> {
  if (!inSandbox()) throw new Error('a city is made in a sandbox only: npm test')
  const residents = new Map<string, Resident>()
  const [loopback] = await json<{ flags: string[] }[]>('ip', ['link', 'show', 'dev', 'lo'])
  const wasLoopbackUp = loopback?.flags.includes('UP') ?? false
  const dispose = async (): Promise<void> => {
    await Promise.all(Array.from(residents.values(), (resident) => resident[Symbol.asyncDispose]()))
    residents.clear()
    const links = wires.map(({ device }) => `link delete ${device}`)
    await run('ip', ['-force', '-batch', '-'], { input: [...links, ...(wasLoopbackUp ? [] : ['link set lo down'])].join('\n') })
    await run('ip', ['-force', '-batch', '-'], { input: wires.map(({ place }) => `netns delete ${place}`).join('\n') })
  }
  try {
    await output('ip', ['link', 'set', 'lo', 'up'])
    for (const wire of wires) await lay(wire)
    const { ipv4, ipv6 } = wireTo('internet')
    await output('ip', ['route', 'add', 'default', 'via', ipv4.away])
    await output('ip', ['-6', 'route', 'add', 'default', 'via', ipv6.away])
    for (const place of [undefined, ...wires.map((wire) => wire.place)])
      residents.set(place ?? 'host', await settle(place ?? 'host', place))
  } catch (error) {
    await dispose()
    throw error
  }
  return {
    residents,
    hostAddress: (place, family) => wireTo(place)[family].host,
    address: (place, family) => wireTo(place)[family].away,
    [Symbol.asyncDispose]: dispose,
  }
}
