// Ports of endpoints that are there: published, withdrawn, and taken back from containers that died.

import { constants } from 'node:os'
import { formatAddress, parseAddress } from '../cidr.ts'
import { kernel, NetlinkError } from '../errors.ts'
import { formatMac } from '../names.ts'
import { type Message, native } from '../native.ts'
import { Netns } from '../netns/netns.ts'
import { send } from '../rtnetlink/exchange.ts'
import { getLinkMessage, type Link, linkFrom } from '../rtnetlink/link.ts'
import { rolledBack } from '../rtnetlink/roll-back.ts'
import type { Endpoint } from './endpoint.ts'
import { NetworkError } from './errors.ts'
import { type FirewallElement, portElement, readPorts, tableName } from './firewall/index.ts'
import { endpointAltname, formatEndpointLabel, parseEndpointLabel } from './label.ts'
import { leaseMac } from './lease.ts'
import { type Port, portKey } from './port.ts'
import { elementsOf, flowsOf, ownerOf, published } from './ports.ts'

/** Dead containers may leave ports as fast as they are taken back. */
const mostAttempts = 16

/** Descriptions of devices that surely fit a receive buffer of the kernel's default size. */
const mostReplies = 32
const { ENODEV } = constants.errno

const isCode = (error: unknown, code: string): boolean => error instanceof NetlinkError && error.code === code

const addressOf = (endpoint: Endpoint): Uint8Array => parseAddress((endpoint.addresses[0] ?? '').split('/')[0], 'address').bytes

/** The elements of some of an endpoint's ports; `all` when no others remain. */
export function endpointElements(endpoint: Endpoint, ports: readonly Port[], all: boolean): FirewallElement[] {
  return elementsOf(ports, addressOf(endpoint), ownerOf(endpoint.network, endpoint.name), all)
}

/** What the endpoint publishes by the kernel's memory: another process may have changed it. ENDPOINT_NOT_FOUND when its link is gone. */
async function portsNow(host: Netns, endpoint: Endpoint): Promise<readonly Port[]> {
  try {
    return parseEndpointLabel((await host.getLink(endpoint.hostIndex)).alias)?.ports ?? endpoint.ports
  } catch (error) {
    if (!isCode(error, 'ENODEV')) throw error
    throw new NetworkError('ENDPOINT_NOT_FOUND', `'${endpoint.name}' is not attached to '${endpoint.network}' any more`)
  }
}

/** Devices by their names; undefined for one that is not there. */
export async function findLinks(host: Netns, names: readonly string[]): Promise<(Link | undefined)[]> {
  const found: (Link | undefined)[] = []
  for (let at = 0; at < names.length; at += mostReplies) {
    const questions = names.slice(at, at + mostReplies).map((name) => getLinkMessage(name, 'link'))
    for (const { error, replies } of await kernel(native.submit(Netns.handleOf(host), questions))) {
      if (error !== undefined && error.errno !== ENODEV) throw new NetlinkError(error)
      found.push(replies[0] === undefined ? undefined : linkFrom(replies[0]))
    }
  }
  return found
}

/** What each endpoint has in the table, before it is detached; also when its container died. */
export async function portsLeft(host: Netns, endpoints: readonly Endpoint[]): Promise<(readonly Port[])[]> {
  const names = endpoints.map((endpoint) => endpoint.hostIfname)
  const links = await findLinks(host, names)
  return endpoints.map((endpoint, at) => {
    const link = links[at]
    if (link === undefined) return endpoint.ports
    // Else its address is another's now, whose attach has withdrawn what stood there.
    return link.index === endpoint.hostIndex ? (parseEndpointLabel(link.alias)?.ports ?? endpoint.ports) : []
  })
}

/** Writes down what the endpoint publishes, and lets it reach its own ports: br_netfilter sends that back where it came from. */
async function remember(host: Netns, endpoint: Endpoint, ports: readonly Port[]): Promise<void> {
  const { name, hostIndex: index } = endpoint
  const mac = endpoint.mac === formatMac(leaseMac(addressOf(endpoint))) ? undefined : endpoint.mac
  const alias = formatEndpointLabel({ name, ports, mac })
  const portData = { hairpin: ports.length > 0 ? 1 : 0 }
  await send(Netns.handleOf(host), [
    { type: 'RTM_SETLINK', flags: 0, body: { index, alias }, step: "write the endpoint's alias" },
    {
      type: 'RTM_NEWLINK',
      flags: 0,
      body: { index, info: { portKind: 'bridge', portData } },
      step: "set the bridge port's options",
    },
  ])
}

/** Publishes more ports, all or none; those that the endpoint publishes already are no error. Resolves to all of its ports. */
export async function publishPorts(host: Netns, endpoint: Endpoint, wanted: readonly Port[]): Promise<readonly Port[]> {
  const current = await portsNow(host, endpoint)
  const added = wanted.filter((port) => {
    const same = current.find((has) => portKey(has) === portKey(port))
    if (same !== undefined && same.containerPort !== port.containerPort) {
      throw new NetworkError(
        'PORT_IN_USE',
        `'${endpoint.name}' publishes ${portKey(port)} already, as its port ${same.containerPort}`,
      )
    }
    return same === undefined
  })
  if (added.length === 0) return current
  const ports = [...current, ...added]
  const plan = { host: Netns.handleOf(host), table: tableName, publish: true }
  // The alias first when ports come, last when they go: it never tells less than what stands in the table.
  await remember(host, endpoint, ports)
  await rolledBack(
    () =>
      withReclaim(host, ownerOf(endpoint.network, endpoint.name), added, () =>
        kernel(native.changePorts({ ...plan, elements: endpointElements(endpoint, added, true), flows: flowsOf(added) })),
      ),
    () => remember(host, endpoint, current),
  )
  return ports
}

/** Withdraws ports; ones that it does not publish are no error. Resolves to those that remain. */
export async function unpublishPorts(host: Netns, endpoint: Endpoint, unwanted: readonly Port[]): Promise<readonly Port[]> {
  const keys = new Set(unwanted.map(portKey))
  const current = await portsNow(host, endpoint)
  const removed = current.filter((port) => keys.has(portKey(port)))
  const remaining = current.filter((port) => !keys.has(portKey(port)))
  if (removed.length === 0) return remaining
  const elements = endpointElements(endpoint, removed, remaining.length === 0)
  await kernel(
    native.changePorts({ host: Netns.handleOf(host), table: tableName, publish: false, elements, flows: flowsOf(removed) }),
  )
  await remember(host, endpoint, remaining)
  return remaining
}

interface Holder {
  readonly port: Port
  readonly owner: string
  readonly address: Uint8Array
  readonly containerPort: number
}

async function holdersOf(host: Netns, ports: readonly Port[]): Promise<Holder[]> {
  const { family, name: table } = tableName
  const questions = ports.map((port): Message => {
    const { set, key } = portElement(published(port), Uint8Array.of(0, 0, 0, 0), '')
    return { type: 'NFT_MSG_GETSETELEM', flags: 0, body: { family, table, set, elements: [{ key: { value: key } }] } }
  })
  const outcomes = await kernel(native.submit(Netns.handleOf(host), questions))
  return ports.flatMap((port, at) =>
    readPorts(outcomes[at]?.replies ?? []).map(
      ({ owner, containerAddress, containerPort }): Holder => ({ port, owner, address: containerAddress, containerPort }),
    ),
  )
}

/** An endpoint's device is there before its elements and after them, and its alias tells of all of them. */
async function isAlive(host: Netns, { port, owner }: Holder): Promise<boolean> {
  const [network = '', name = ''] = owner.split('/')
  if (name === '') return true // somebody made the element by hand
  try {
    const link = await host.getLink(endpointAltname(network, name))
    return parseEndpointLabel(link.alias)?.ports.some((has) => portKey(has) === portKey(port)) ?? true
  } catch (error) {
    if (isCode(error, 'ENODEV')) return false
    throw error
  }
}

/**
 * Does `work`, which publishes `ports` of `self`. Where it fails because one is taken by a container that died without a detach,
 * withdraws what that one left and does it again. PORT_IN_USE names the owner of a port that is truly taken.
 */
export async function withReclaim<T>(host: Netns, self: string, ports: readonly Port[], work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isCode(error, 'EEXIST') || (error as NetlinkError).syscall !== 'NFT_MSG_NEWSETELEM') throw error
      const holders = await holdersOf(host, ports)
      for (const holder of holders) {
        if (holder.owner !== self && (await isAlive(host, holder))) throw portInUse(holder, error as NetlinkError)
      }
      if (attempt >= mostAttempts) throw error
      // Nobody: it went since, and the next attempt finds the port free.
      if (holders.length > 0) await withdraw(host, holders)
    }
  }
}

function portInUse({ port, owner, address, containerPort }: Holder, cause: NetlinkError): NetworkError {
  const who = `${owner} (${formatAddress(address)}:${containerPort})`
  return new NetworkError('PORT_IN_USE', `${portKey(port)} is published by ${who}: ${cause.message}`, { cause })
}

/** Exactly what is given: an element that changed since stays. */
async function withdraw(host: Netns, holders: readonly Holder[]): Promise<void> {
  const elements = holders.map(({ port, owner, address, containerPort }) =>
    portElement({ ...published(port), containerPort }, address, owner),
  )
  const flows = flowsOf(holders.map(({ port }) => port))
  await kernel(native.changePorts({ host: Netns.handleOf(host), table: tableName, publish: false, elements, flows }))
}
