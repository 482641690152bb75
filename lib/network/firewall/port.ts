// Published ports as elements, in the kernel's own bytes: nothing is compiled for them.

import type { Family } from '../../cidr.ts'
import { concatenated, element, protocol, readService, service } from '../../nftables/element.ts'
import { type KernelMessage, type KernelObject, NLM_F_CREATE, NLM_F_EXCL } from '../../nftables/message.ts'
import { readComment } from '../../nftables/userdata.ts'
import { familyNumber, type PortMapName, portSets, type SetName, sourceSets, tableName } from './table.ts'

/** A network: its first and its last address. */
export type Sources = readonly [first: Uint8Array, last: Uint8Array]

/** On the host, from where it leads to a container. */
export interface PublishedPort {
  /** Of both ends: what is sent to an IPv4 address is answered by one. */
  readonly family: Family
  /** IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP. */
  readonly protocol: number
  /** One address of the host; absent: any. */
  readonly hostAddress?: Uint8Array | undefined
  readonly hostPort: number
  readonly containerPort: number
  /** Who may ask for it; absent: everybody. No two overlap. */
  readonly from?: readonly Sources[] | undefined
}

/** Of a container that is reached by its own address. */
export interface OpenPort extends Pick<PublishedPort, 'family' | 'protocol' | 'from'> {
  readonly port: number
}

/** An element as the hot path takes it. */
export interface FirewallElement {
  /** Of the table. */
  readonly family: number
  readonly set: string
  readonly key: Uint8Array
  /** Empty where the set holds no intervals. */
  readonly keyEnd: Uint8Array
  /** Empty in a set. */
  readonly data: Uint8Array
  readonly comment: string
  /** Whether it is an error (EEXIST) that it is there already. */
  readonly exclusive: boolean
}

/** Before the address is known, which is put in front of the key or the data. */
export interface PendingElement extends FirewallElement {
  /** Which of the lease's addresses. */
  readonly address: number
  readonly addressIn: 'key' | 'data' | 'neither'
}

const nothing = new Uint8Array(0)
const here = { family: tableName.family }

function portKey({ protocol: number, hostAddress, hostPort }: PublishedPort): Uint8Array {
  return hostAddress === undefined
    ? concatenated(protocol(number), service(hostPort))
    : concatenated(hostAddress, protocol(number), service(hostPort))
}

const mapOf = ({ family, hostAddress }: PublishedPort): PortMapName => portSets[family][hostAddress === undefined ? 'any' : 'one']
const familyOf = (address: Uint8Array): Family => (address.length === 4 ? 2 : 10)

/** Two bytes filled up to four, as every field of a concatenation is. */
const paddedService = (port: number): Uint8Array => Uint8Array.of(port >> 8, port & 255, 0, 0)

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]))

/** All but the address of the container. */
function portElements(port: PublishedPort, owner: string): [PendingElement, ...PendingElement[]] {
  const map = mapOf(port)
  const key = portKey(port)
  const bare = {
    ...here,
    key,
    keyEnd: nothing,
    data: nothing,
    comment: owner,
    exclusive: true,
    address: 0,
    addressIn: 'neither',
  } as const
  const own: PendingElement = { ...bare, set: map, data: paddedService(port.containerPort), addressIn: 'data' }
  if (port.from === undefined) return [own]
  const { limited, allowed } = sourceSets[map]
  const sources = port.from.map(([first, last]): PendingElement => {
    return { ...bare, set: allowed, key: joined(key, first), keyEnd: joined(key, last) }
  })
  return [own, { ...bare, set: limited }, ...sources]
}

function openElements({ family, protocol: number, port, from }: OpenPort, owner: string): PendingElement[] {
  const key = concatenated(protocol(number), service(port))
  const bare = {
    ...here,
    key,
    keyEnd: nothing,
    data: nothing,
    comment: owner,
    exclusive: true,
    address: 0,
    addressIn: 'key',
  } as const
  if (from === undefined) return [{ ...bare, set: portSets[family].open }]
  return from.map(([first, last]): PendingElement => {
    return { ...bare, set: portSets[family].openFrom, key: joined(key, first), keyEnd: joined(key, last) }
  })
}

/** With the address that was leased. */
function complete({ address: _, addressIn, ...rest }: PendingElement, address: Uint8Array): FirewallElement {
  if (addressIn === 'neither') return rest
  if (addressIn === 'data') return { ...rest, data: joined(address, rest.data) }
  const keyEnd = rest.keyEnd.length === 0 ? nothing : joined(address, rest.keyEnd)
  return { ...rest, key: joined(address, rest.key), keyEnd }
}

/** The element of a port that leads to `address`, without those who may ask for it. `owner` is the comment: whose port it is. */
export function portElement(port: PublishedPort, address: Uint8Array, owner: string): FirewallElement {
  return complete(portElements(port, owner)[0], address)
}

/** What ports of a container mean to the firewall. */
export interface ContainerPorts {
  readonly published: readonly PublishedPort[]
  readonly open: readonly OpenPort[]
}

const pendingOf = (ports: ContainerPorts, owner: string, family: Family): PendingElement[] => [
  ...ports.published.filter((port) => port.family === family).flatMap((port) => portElements(port, owner)),
  ...ports.open.filter((port) => port.family === family).flatMap((port) => openElements(port, owner)),
]

/** The elements of ports of the container that has the address. */
export function containerElements(ports: ContainerPorts, address: Uint8Array, owner: string): FirewallElement[] {
  return pendingOf(ports, owner, familyOf(address)).map((one) => complete(one, address))
}

/** That `address` has ports. There may be several that say so. */
export function publishedElement(address: Uint8Array, owner: string): FirewallElement {
  const set = portSets[familyOf(address)].published
  return { ...here, set, key: address, keyEnd: nothing, data: nothing, comment: owner, exclusive: false }
}

/** Whether elements of the set tell that an address has ports. They go last: whoever gets the address of a dead container looks for them. */
export const isMarkSet = (set: string): boolean => Object.values(portSets).some(({ published }) => published === set)

/** As they are withdrawn. */
export const partedElements = (
  elements: readonly FirewallElement[],
): { readonly elements: FirewallElement[]; readonly marks: FirewallElement[] } => ({
  elements: elements.filter(({ set }) => !isMarkSet(set)),
  marks: elements.filter(({ set }) => isMarkSet(set)),
})

/** All that ports of a container mean, while its addresses, one of each of the `families`, are still being leased. */
export function pendingElements(ports: ContainerPorts, owner: string, families: readonly Family[]): PendingElement[] {
  return families.flatMap((family, address): PendingElement[] => {
    const own = pendingOf(ports, owner, family).map((one) => ({ ...one, address }))
    if (own.length === 0) return []
    const bare = { ...here, key: nothing, keyEnd: nothing, data: nothing, comment: owner, exclusive: false }
    return [...own, { ...bare, set: portSets[family].published, address, addressIn: 'key' }]
  })
}

function grouped(elements: readonly FirewallElement[]): Map<string, FirewallElement[]> {
  const groups = new Map<string, FirewallElement[]>()
  for (const one of elements) {
    const key = `${one.set} ${one.exclusive}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [one])
    else group.push(one)
  }
  return groups
}

const unlessEmpty = <T extends string | Uint8Array>(value: T): T | undefined => (value.length === 0 ? undefined : value)

const bodyOf = ({ key, keyEnd, data, comment }: FirewallElement): KernelObject =>
  element(key, unlessEmpty(data), unlessEmpty(comment), unlessEmpty(keyEnd))

function elementMessages(type: KernelMessage['type'], flags: number, elements: readonly FirewallElement[]): KernelMessage[] {
  const { name: table } = tableName
  return Array.from(grouped(elements).values(), (group) => ({
    type,
    flags: flags !== 0 && group[0]?.exclusive ? flags | NLM_F_EXCL : flags,
    body: { family: group[0]?.family, table, set: group[0]?.set, elements: group.map(bodyOf) },
  }))
}

/** The batch that adds elements: all of them or, where one is taken (EEXIST), none. */
export function elementsAdded(elements: readonly FirewallElement[]): KernelMessage[] {
  return elementMessages('NFT_MSG_NEWSETELEM', NLM_F_CREATE, elements)
}

/** The batch that removes elements. What is absent already is no error. Whose they are is for the caller to know. */
export function elementsRemoved(elements: readonly FirewallElement[]): KernelMessage[] {
  return elementMessages('NFT_MSG_DESTROYSETELEM', 0, elements)
}

export interface ListedPort extends PublishedPort {
  readonly containerAddress: Uint8Array
  readonly owner: string
}

interface Datum {
  readonly value?: unknown
}

const bytesOf = (field: unknown, length: number): Uint8Array | undefined => {
  const value = (field as Datum | undefined)?.value
  return value instanceof Uint8Array && value.length >= length ? value : undefined
}

const bodies = (listed: unknown): readonly Record<string, unknown>[] =>
  Array.isArray(listed) ? (listed as readonly Record<string, unknown>[]) : []

/**
 * The ports in what a dump of one of the maps (NFT_MSG_GETSETELEM) gave. An element that does not read like one of ours is
 * somebody else's doing, and left out.
 */
export function readPorts(dumped: readonly { readonly [field: string]: unknown }[]): ListedPort[] {
  return dumped.flatMap((body) => {
    const family = ([2, 10] as const).find((one) => [portSets[one].any, portSets[one].one].some((set) => set === body['set']))
    if (family === undefined) return []
    const bytes = family === 2 ? 4 : 16
    const before = body['set'] === portSets[family].one ? bytes : 0
    return bodies(body['elements']).flatMap((one): ListedPort[] => {
      const key = bytesOf(one['key'], before + 8)
      const data = bytesOf(one['data'], bytes + 4)
      if (key === undefined || data === undefined) return []
      const rest = key.subarray(before)
      return [
        {
          family,
          protocol: rest[0] ?? 0,
          hostAddress: before === 0 ? undefined : key.slice(0, before),
          hostPort: readService(rest.subarray(4)),
          containerAddress: data.slice(0, bytes),
          containerPort: readService(data.subarray(bytes)),
          owner: commentOf(one),
        },
      ]
    })
  })
}

const hasStart = (bytes: Uint8Array, start: Uint8Array): boolean => start.every((byte, at) => bytes[at] === byte)

/** What a dump of a set of limited or allowed gave that belongs to one of the ports, whoever's they are. */
export function readLimits(
  dumped: readonly { readonly [field: string]: unknown }[],
  ports: readonly PublishedPort[],
): FirewallElement[] {
  return dumped.flatMap((body) => {
    const keys = ports.filter((port) => limitSetsOf(port).some((set) => set === body['set'])).map((port) => portKey(port))
    return bodies(body['elements']).flatMap((one): FirewallElement[] => {
      const key = bytesOf(one['key'], 0)
      if (key === undefined || !keys.some((start) => hasStart(key, start))) return []
      const comment = commentOf(one)
      const keyEnd = bytesOf(one['keyEnd'], 0) ?? nothing
      return [{ ...here, set: String(body['set']), key, keyEnd, data: nothing, comment, exclusive: false }]
    })
  })
}

export interface ListedOpenPort extends OpenPort {
  readonly containerAddress: Uint8Array
  readonly owner: string
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const commentOf = (one: Record<string, unknown>): string =>
  (one['userdata'] instanceof Uint8Array ? readComment(one['userdata']) : undefined) ?? ''

type Dumped = readonly { readonly [field: string]: unknown }[]

/** Who may ask for a port, out of dumps of the sets of `limitSetsOf`; undefined: everybody. */
export function readSources(dumped: Dumped): (port: PublishedPort) => readonly Sources[] | undefined {
  const found = new Map<string, Sources[]>()
  for (const [map, { limited, allowed }] of Object.entries(sourceSets)) {
    for (const body of dumped.filter((one) => one['set'] === limited)) {
      for (const one of bodies(body['elements'])) found.set(`${map} ${hex(bytesOf(one['key'], 0) ?? nothing)}`, [])
    }
    const bytes = map.includes('6') ? 16 : 4
    for (const body of dumped.filter((one) => one['set'] === allowed)) {
      for (const one of bodies(body['elements'])) {
        const [key, end] = [bytesOf(one['key'], bytes), bytesOf(one['keyEnd'], bytes)]
        if (key === undefined || end === undefined) continue
        found.get(`${map} ${hex(key.subarray(0, -bytes))}`)?.push([key.slice(-bytes), end.slice(-bytes)])
      }
    }
  }
  return (port) => found.get(`${mapOf(port)} ${hex(portKey(port))}`)
}

/** The ports in dumps of the sets of containers that are reached by their own address. */
export function readOpenPorts(dumped: Dumped): ListedOpenPort[] {
  const found = new Map<string, ListedOpenPort & { readonly from?: Sources[] | undefined }>()
  for (const body of dumped) {
    const family = ([2, 10] as const).find((one) =>
      [portSets[one].open, portSets[one].openFrom].some((set) => set === body['set']),
    )
    if (family === undefined) continue
    const bytes = family === 2 ? 4 : 16
    const hasSources = body['set'] === portSets[family].openFrom
    for (const one of bodies(body['elements'])) {
      const key = bytesOf(one['key'], bytes + 8 + (hasSources ? bytes : 0))
      const end = bytesOf(one['keyEnd'], hasSources ? 2 * bytes + 8 : 0) ?? nothing
      if (key === undefined) continue
      const name = hex(key.subarray(0, bytes + 8))
      const known = found.get(name)
      const source: Sources = [key.slice(bytes + 8), end.slice(bytes + 8)]
      if (known !== undefined) known.from?.push(source)
      else {
        const port = readService(key.subarray(bytes + 4))
        const from = hasSources ? [source] : undefined
        const containerAddress = key.slice(0, bytes)
        found.set(name, { family, protocol: key[bytes] ?? 0, port, from, containerAddress, owner: commentOf(one) })
      }
    }
  }
  return [...found.values()]
}

/** The sets in which `readLimits` finds what belongs to a port. */
export function limitSetsOf(port: PublishedPort): SetName[] {
  const { limited, allowed } = sourceSets[mapOf(port)]
  return [limited, allowed]
}

/** The network from the first to the last address. */
export function prefixLengthOf([first, last]: Sources): number {
  const at = first.findIndex((byte, position) => byte !== last[position])
  return at < 0 ? first.length * 8 : at * 8 + Math.clz32((first[at] ?? 0) ^ (last[at] ?? 0)) - 24
}

/** The message whose dump lists the elements of a set. */
export const listElements = (set: string): KernelMessage => ({
  type: 'NFT_MSG_GETSETELEM',
  flags: 0,
  body: { family: familyNumber(set), table: tableName.name, set },
})
