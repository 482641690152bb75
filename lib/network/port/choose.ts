// Ports of the host that a container leaves to choice: any one of a range, or of those that are for local use.

import { randomInt } from 'node:crypto'
import type { Family } from '../../cidr.ts'
import { NetlinkError, TornDumpError } from '../../errors.ts'
import type { Body } from '../../native.ts'
import type { Netns } from '../../netns/netns.ts'
import { NetworkError, PortInUseError } from '../errors.ts'
import { portSets, readPorts } from '../firewall/index.ts'
import { published } from './elements.ts'
import { elementsIn, type Holder, isAlive, numberOf } from './holders.ts'
import { isSettled, type Port, type PortWish } from './port.ts'

/** Somebody may be faster each time. */
const mostAttempts = 64

async function holders(host: Netns, families: readonly Family[]): Promise<Holder[]> {
  const maps = families.flatMap((family) => [portSets[family].any, portSets[family].one])
  const dumps = await Promise.all(
    maps.map((map) =>
      elementsIn(host, map).catch((error: unknown) => {
        // While it changes all the time what was read last will do: the kernel has the last word.
        if (error instanceof TornDumpError) return error.data as readonly Body[]
        // Somebody flushed the ruleset: whoever publishes restores it.
        if (error instanceof NetlinkError && error.code === 'ENOENT') return []
        throw error
      }),
    ),
  )
  return dumps.flatMap((bodies) =>
    readPorts(bodies).map(({ owner, containerAddress, ...port }): Holder => ({ port, owner, address: containerAddress })),
  )
}

/** net.ipv4.ip_local_port_range, which is of both families: nobody expects a certain program there. */
async function localPorts(host: Netns): Promise<readonly [first: number, last: number]> {
  const [first = 32_768, last = 60_999] = (await host.getSysctl('net.ipv4.ip_local_port_range')).split(/\s+/).map(Number)
  return [first, last]
}

/** Of a range the first that is free; else from somewhere on, so that a number comes back late. */
function* candidates([first, last]: readonly [number, number], start: number): Generator<number> {
  for (let port = start; port <= last; port++) yield port
  for (let port = first; port < start; port++) yield port
}

/** What stands in the way of a port: the same number on the same address or, of one of the two, on all of them. */
function obstacles(port: Port, families: readonly Family[], others: readonly Holder[]): Holder[] {
  const own = published([port], families)
  return others.filter((other) =>
    own.some(
      ({ family, protocol, hostAddress, hostPort }) =>
        family === other.port.family &&
        protocol === other.port.protocol &&
        hostPort === other.port.hostPort &&
        (hostAddress === undefined ||
          other.port.hostAddress === undefined ||
          Buffer.compare(hostAddress, other.port.hostAddress) === 0),
    ),
  )
}

class Choice {
  readonly #host: Netns
  readonly #families: readonly Family[]
  readonly #refused: ReadonlySet<string>
  #holders: Holder[]

  constructor(host: Netns, families: readonly Family[], taken: readonly Holder[], refused: ReadonlySet<string>) {
    this.#host = host
    this.#families = families
    this.#holders = [...taken]
    this.#refused = refused
  }

  take(port: Port): Port {
    const nobody = { owner: '', address: new Uint8Array(4) }
    this.#holders.push(...published([port], this.#families).map((one): Holder => ({ port: one, ...nobody })))
    return port
  }

  /** One that nobody has or, if there is none, one that only containers have that died. */
  async choose(wish: PortWish, bounds: readonly [number, number]): Promise<Port> {
    const start = wish.hostPort === undefined ? randomInt(bounds[0], bounds[1] + 1) : bounds[0]
    const inTheWay: Holder[][] = []
    for (const hostPort of candidates(bounds, start)) {
      const port: Port = { ...wish, hostPort }
      if (published([port], this.#families).some((one) => this.#refused.has(numberOf(one)))) continue
      const found = obstacles(port, this.#families, this.#holders)
      if (found.length === 0) return this.take(port)
      inTheWay.push(found)
    }
    for (const found of inTheWay) {
      const hostPort = found[0]?.port.hostPort ?? 0
      if (await this.#areDead(found)) return this.take({ ...wish, hostPort })
    }
    const [first, last] = bounds
    throw new NetworkError('PORT_IN_USE', `none of the ports ${first}-${last}/${wish.protocol} of the host is free`)
  }

  async #areDead(found: readonly Holder[]): Promise<boolean> {
    for (const holder of found) if (await isAlive(this.#host, holder)) return false
    return true
  }
}

/**
 * Does `work` with all of the ports, those of them chosen that are open. Where one of these is taken at the same time, by another container
 * or by a process, it chooses again and does it again.
 */
export async function choosePorts<T>(
  host: Netns,
  wishes: readonly PortWish[],
  families: readonly Family[],
  work: (ports: readonly Port[]) => Promise<T>,
): Promise<T> {
  if (wishes.every(isSettled)) return work(wishes)
  const refused = new Set<string>()
  for (let attempt = 0; ; attempt++) {
    const choice = new Choice(host, families, await holders(host, families), refused)
    for (const port of wishes.filter(isSettled)) choice.take(port)
    const ports: Port[] = []
    const chosen = new Set<string>()
    for (const wish of wishes) {
      if (isSettled(wish)) {
        ports.push(wish)
        continue
      }
      const bounds = typeof wish.hostPort === 'object' ? wish.hostPort : await localPorts(host)
      const port = await choice.choose(wish, bounds)
      for (const one of published([port], families)) chosen.add(numberOf(one))
      ports.push(port)
    }
    try {
      return await work(ports)
    } catch (error) {
      if (!(error instanceof PortInUseError && chosen.has(error.port)) || attempt >= mostAttempts) throw error
      refused.add(error.port)
    }
  }
}
