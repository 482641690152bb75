// Ports of endpoints that are there: published, withdrawn, and taken back from containers that died.

import { constants } from 'node:os'
import { throwIfAborted } from '../../abort.ts'
import { type Address, type Family, formatAddress, parseAddress } from '../../cidr.ts'
import { kernel, NetlinkError } from '../../errors.ts'
import { send } from '../../exchange.ts'
import { type DetachPlan, type Message, native, type PlanFlow } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import { memberElements } from '../../policy/members.ts'
import type { Policy } from '../../policy/policy.ts'
import { rolledBack } from '../../roll-back.ts'
import { getLinkMessage, type Link, linkFrom } from '../../rtnetlink/link/link.ts'
import type { LinkRef } from '../../rtnetlink/link/ref.ts'
import type { Endpoint } from '../attach/endpoint.ts'
import { NetworkError, PortInUseError } from '../errors.ts'
import {
  type FirewallElement,
  limitSetsOf,
  type PublishedPort,
  partedElements,
  portElement,
  readLimits,
  senderElements,
  tableName,
} from '../firewall/index.ts'
import { formatEndpointLabel, parseEndpointLabel } from '../label.ts'
import { restoreFirewall } from '../state/restore.ts'
import { choosePorts } from './choose.ts'
import {
  elementsOf,
  endpointFlowsOf,
  hostPortsOf,
  lastingFlows,
  ownerOf,
  type PortOwner,
  published,
  translated,
} from './elements.ts'
import { elementsIn, type Holder, holdersOf, isAlive, keyOf, numberOf } from './holders.ts'
import { collide, fits, isSettled, type Port, type PortWish, portKey, unfulfilled } from './port.ts'

/** Dead containers may leave ports as fast as they are taken back. */
const mostAttempts = 16

/** Descriptions of devices that surely fit a receive buffer of the kernel's default size. */
const mostReplies = 32
const { ENODEV } = constants.errno

const isCode = (error: unknown, code: string): boolean => error instanceof NetlinkError && error.code === code

const addressesOf = (endpoint: Endpoint): Address[] =>
  endpoint.addresses.map((address) => parseAddress(address.split('/')[0], 'address'))
const hostFamiliesOf = (endpoint: Endpoint): Family[] =>
  translated({ families: addressesOf(endpoint).map(({ family }) => family), routed: endpoint.routed })

const portOwnerOf = (endpoint: Endpoint): PortOwner => {
  const { network, name, routed } = endpoint
  return { owner: ownerOf(network, name), addresses: addressesOf(endpoint), routed }
}

/** The elements of some of an endpoint's ports, beside `others` that stay. */
export function endpointElements(endpoint: Endpoint, ports: readonly Port[], others: readonly Port[] = []): FirewallElement[] {
  return elementsOf(ports, portOwnerOf(endpoint), others)
}

const endpointFlows = (endpoint: Endpoint, ports: readonly Port[]): PlanFlow[] => endpointFlowsOf(ports, portOwnerOf(endpoint))

interface PortsLeft {
  readonly endpoint: Endpoint
  readonly ports: readonly Port[]
}

/** What its device may send as; nothing where the network does not ask. */
export const endpointSenders = ({ network, name, sender }: Endpoint): FirewallElement[] =>
  sender === undefined ? [] : senderElements(sender, ownerOf(network, name))

/** What goes from the firewall, and from conntrack, with endpoints, the ports that each has there, and the policies about them. */
export function withdrawal(
  left: readonly PortsLeft[],
  policies: readonly Policy[],
): Pick<DetachPlan, 'elements' | 'marks' | 'addresses' | 'members' | 'table'> {
  return {
    members: left.flatMap(({ endpoint }) => memberElements(policies, endpoint)),
    ...partedElements(
      left.flatMap(({ endpoint, ports }) => [...endpointElements(endpoint, ports), ...endpointSenders(endpoint)]),
    ),
    addresses: left.flatMap(({ endpoint, ports }) => (ports.length === 0 ? [] : addressesOf(endpoint).map(({ bytes }) => bytes))),
    table: tableName,
  }
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

/** PROTOCOL_UNSUPPORTED where the kernel tracks no SCTP: it would take the ports, and change no packet. */
export async function requireProtocols(
  host: Netns,
  ports: readonly Pick<PortWish, 'protocol'>[],
  what = 'be published',
): Promise<void> {
  if (!ports.some(({ protocol }) => protocol === 'sctp')) return
  try {
    await host.getSysctl('net.netfilter.nf_conntrack_sctp_timeout_established')
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error
    const why = `the kernel does not track SCTP (CONFIG_NF_CT_PROTO_SCTP), so its ports cannot ${what}`
    throw new NetworkError('PROTOCOL_UNSUPPORTED', why, { cause: error })
  }
}

/** Devices by their names or indexes; undefined for one that is not there. */
export async function findLinks(host: Netns, refs: readonly LinkRef[]): Promise<(Link | undefined)[]> {
  const found: (Link | undefined)[] = []
  for (let at = 0; at < refs.length; at += mostReplies) {
    const questions = refs.slice(at, at + mostReplies).map((ref) => getLinkMessage(ref, 'link'))
    for (const { error, replies } of await kernel(native.submit(Netns.handleOf(host), questions))) {
      if (error !== undefined && error.errno !== ENODEV) throw new NetlinkError(error)
      found.push(replies[0] === undefined ? undefined : linkFrom(replies[0]))
    }
  }
  return found
}

/** What of endpoints is left in the tables, before they are detached; also when a container died. */
export async function portsLeft(host: Netns, endpoints: readonly Endpoint[]): Promise<PortsLeft[]> {
  const names = endpoints.map((endpoint) => endpoint.hostIfname)
  const links = await findLinks(host, names)
  return endpoints.flatMap((endpoint, at) => {
    const link = links[at]
    // Its address is another's now, whose attach has withdrawn what stood there.
    if (link !== undefined && link.index !== endpoint.hostIndex) return []
    return [{ endpoint, ports: parseEndpointLabel(link?.alias)?.ports ?? endpoint.ports }]
  })
}

const aliasMessage = ({ hostIndex: index, label }: Endpoint, ports: readonly Port[]): Message => {
  const alias = formatEndpointLabel({ ...label, ports })
  return { type: 'RTM_SETLINK', flags: 0, body: { index, alias }, step: "write the endpoint's alias" }
}

/**
 * Writes down what the endpoint publishes, and lets it reach its own ports: on a bridge br_netfilter sends that back where it came from.
 * A host end that is on no bridge any more takes only the first; where there are more ports than `before`, that is refused.
 */
async function remember(host: Netns, endpoint: Endpoint, ports: readonly Port[], before?: readonly Port[]): Promise<void> {
  const { hostIndex: index } = endpoint
  const messages = [aliasMessage(endpoint, ports)]
  if (endpoint.isBridgePort) {
    const info = { portKind: 'bridge', portData: { hairpin: ports.length > 0 ? 1 : 0 } }
    messages.push({ type: 'RTM_NEWLINK', flags: 0, body: { index, info }, step: "set the bridge port's options" })
  }
  try {
    await send(Netns.handleOf(host), messages)
  } catch (error) {
    if (!isCode(error, 'ENOTSUP')) throw error
    if (before === undefined) return
    await send(Netns.handleOf(host), [aliasMessage(endpoint, before)])
    throw offBridge(endpoint, error as NetlinkError)
  }
}

function offBridge({ hostIfname, name, network }: Endpoint, cause: NetlinkError): NetworkError {
  const why = `the host end ${hostIfname} of '${name}' is no port of the bridge of '${network}' any more: ${cause.message}`
  return new NetworkError('NETWORK_NOT_FOUND', why, { cause })
}

/** Publishes more ports, all or none; those that the endpoint publishes already are no error. Resolves to all of its ports. */
export async function publishPorts(
  host: Netns,
  endpoint: Endpoint,
  wishes: readonly PortWish[],
  signal: AbortSignal | undefined,
): Promise<readonly Port[]> {
  throwIfAborted(signal)
  const current = await portsNow(host, endpoint)
  const open = unfulfilled(wishes, current)
  for (const port of open.filter(isSettled)) {
    const other = current.find((has) => collide(has, port, endpoint.routed))
    if (other !== undefined) {
      const whom = other.from === undefined ? '' : `, for ${other.from.join(', ')}`
      const why = `'${endpoint.name}' publishes ${portKey(other)} already, as its port ${other.containerPort}${whom}`
      throw new NetworkError('PORT_IN_USE', why)
    }
  }
  // A process that died after it had written the alias left them out of the table.
  const known = current.filter((port) => wishes.some((wish) => fits(port, wish)))
  const lost = await lostPorts(host, endpoint, known)
  if (open.length + lost.length === 0) return current
  return choosePorts(host, open, hostFamiliesOf(endpoint), (fresh) =>
    publishChosen(host, endpoint, { current, fresh, lost, signal }),
  )
}

interface Publication {
  readonly current: readonly Port[]
  readonly fresh: readonly Port[]
  readonly lost: readonly Port[]
  readonly signal: AbortSignal | undefined
}

async function publishChosen(
  host: Netns,
  endpoint: Endpoint,
  { current, fresh, lost, signal }: Publication,
): Promise<readonly Port[]> {
  throwIfAborted(signal)
  const added = [...fresh, ...lost]
  const ports = [...current, ...fresh]
  const plan = { table: tableName, publish: true, hostPorts: hostPortsOf(added, hostFamiliesOf(endpoint)) }
  // The alias first, when ports come and when they go: it is what the firewall is restored from.
  await remember(host, endpoint, ports, current)
  await rolledBack(
    () =>
      withReclaim(host, ownerOf(endpoint.network, endpoint.name), added, hostFamiliesOf(endpoint), async () => {
        throwIfAborted(signal)
        const [elements, flows] = [endpointElements(endpoint, added), endpointFlows(endpoint, added)]
        await kernel(native.changePorts(Netns.handleOf(host), { ...plan, elements, marks: [], flows }))
      }),
    () => remember(host, endpoint, current),
  )
  return ports
}

/** Those that the firewall does not lead to the endpoint, of ports of the host that its alias tells of. */
async function lostPorts(host: Netns, endpoint: Endpoint, ports: readonly Port[]): Promise<Port[]> {
  if (ports.length === 0) return []
  const owner = ownerOf(endpoint.network, endpoint.name)
  const families = hostFamiliesOf(endpoint)
  const nameOf = (port: PublishedPort): string => `${port.family} ${keyOf(port)}`
  const holders = await holdersOf(host, published(ports, families))
  const held = new Set(holders.filter((holder) => holder.owner === owner).map(({ port }) => nameOf(port)))
  return ports.filter((port) => published([port], families).some((one) => !held.has(nameOf(one))))
}

/**
 * Withdraws ports; ones that it does not publish are no error. One whose number on the host is left open stands for all that it may have
 * become. Resolves to those that remain.
 */
export async function unpublishPorts(
  host: Netns,
  endpoint: Endpoint,
  unwanted: readonly PortWish[],
  signal: AbortSignal | undefined,
): Promise<readonly Port[]> {
  throwIfAborted(signal)
  const settled = unwanted.filter(isSettled)
  const keys = new Set(settled.map(portKey))
  const open = unwanted.filter((wish) => !isSettled(wish))
  const isUnwanted = (port: Port): boolean => keys.has(portKey(port)) || open.some((wish) => fits(port, wish))
  const current = await portsNow(host, endpoint)
  const removed = current.filter(isUnwanted)
  const remaining = current.filter((port) => !isUnwanted(port))
  // Also those that the alias does not tell of: a process that died after it had written that left them in the table.
  const forgotten = settled.filter((port) => !removed.some((has) => portKey(has) === portKey(port)))
  const withdrawn = [...removed, ...forgotten]
  const plan = { table: tableName, publish: false, hostPorts: [] }
  const elements = partedElements([
    ...endpointElements(endpoint, withdrawn, remaining),
    ...(await ownLimits(host, endpoint, forgotten)),
  ])
  const flows = endpointFlows(endpoint, withdrawn)
  const work = (): Promise<void> => kernel(native.changePorts(Netns.handleOf(host), { ...plan, ...elements, flows }))
  throwIfAborted(signal)
  // The alias tells of a port as long as it stands: a detach after a crash withdraws what the alias tells.
  await work()
  if (removed.length === 0) return remaining
  await remember(host, endpoint, remaining)
  // Somebody may have restored the firewall from the alias before it was written.
  await work()
  return remaining
}

/** Whether the error says that somebody flushed the ruleset, or a part of it that is needed. */
function lacksTable(error: unknown): boolean {
  if (!(error instanceof NetlinkError) || error.code !== 'ENOENT') return false
  return (
    ['NFT_MSG_NEWSETELEM', 'NFT_MSG_DESTROYSETELEM'].includes(error.syscall) ||
    error.operation === 'find the network in the firewall'
  )
}

/**
 * Does `work`, which publishes `ports` of `self`. Where it fails because one is taken by a container that died without a detach,
 * withdraws what that one left and does it again; where it fails because somebody flushed the ruleset, restores that. PORT_IN_USE names
 * the owner of a port that is truly taken.
 */
export async function withReclaim<T>(
  host: Netns,
  self: string,
  ports: readonly Port[],
  families: readonly Family[],
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      refusePortOfProcess(error, ports, families)
      if (lacksTable(error) && attempt < mostAttempts) {
        await restoreFirewall(host)
        continue
      }
      if (!isCode(error, 'EEXIST') || (error as NetlinkError).syscall !== 'NFT_MSG_NEWSETELEM') throw error
      const holders = await holdersOf(host, published(ports, families))
      for (const holder of holders) {
        if (holder.owner !== self && (await isAlive(host, holder))) throw portInUse(holder, error as NetlinkError)
      }
      if (attempt >= mostAttempts) throw error
      // Nobody: it went since, and the next attempt finds the port free.
      if (holders.length > 0) await withdraw(host, holders)
    }
  }
}

/** Of a process that had the port before: it would listen on, and hear nothing any more. */
function refusePortOfProcess(error: unknown, ports: readonly Port[], families: readonly Family[]): void {
  if (!(error instanceof NetlinkError && error.code === 'EADDRINUSE' && error.syscall === 'bind')) return
  const port = published(ports, families)[error.index ?? -1]
  if (port === undefined) return
  const who = `a process of the host has it (ss -Hanp 'sport = :${port.hostPort}' shows which)`
  const why = `${keyOf(port)} cannot be published: ${who}: ${error.message}`
  throw new PortInUseError(numberOf(port), why, { cause: error })
}

function portInUse({ port, owner, address }: Holder, cause: NetlinkError): PortInUseError {
  const at = port.family === 2 ? formatAddress(address) : `[${formatAddress(address)}]`
  const who = `${owner} (${at}:${port.containerPort})`
  return new PortInUseError(numberOf(port), `${keyOf(port)} is published by ${who}: ${cause.message}`, { cause })
}

/** Who may ask for ports of an endpoint that nothing else remembers. */
async function ownLimits(host: Netns, endpoint: Endpoint, ports: readonly Port[]): Promise<FirewallElement[]> {
  const owner = ownerOf(endpoint.network, endpoint.name)
  const limits = await limitsOf(host, published(ports, hostFamiliesOf(endpoint))).catch((error: unknown) => {
    // A table that was flushed has none.
    if (isCode(error, 'ENOENT')) return []
    throw error
  })
  return limits.filter(({ comment }) => comment === owner)
}

/** Exactly what is given: an element that changed since stays. */
async function withdraw(host: Netns, holders: readonly Holder[]): Promise<void> {
  const ports = holders.map(({ port, owner, address }) => portElement(port, address, owner))
  const elements = [
    ...ports,
    ...(await limitsOf(
      host,
      holders.map(({ port }) => port),
    )),
  ]
  const flows = lastingFlows(holders.map(({ port }) => port))
  const plan = { table: tableName, publish: false, hostPorts: [] }
  await kernel(native.changePorts(Netns.handleOf(host), { ...plan, elements, marks: [], flows }))
}

/** Who might ask for their ports: that goes with them. */
async function limitsOf(host: Netns, ports: readonly PublishedPort[]): Promise<FirewallElement[]> {
  const sets = [...new Set(ports.flatMap(limitSetsOf))]
  return (await Promise.all(sets.map((set) => elementsIn(host, set)))).flatMap((bodies) => readLimits(bodies, ports))
}
