// Published ports as elements, in the kernel's own bytes: nothing is compiled for them.

import type { Family } from '../../cidr.ts'
import { concatenated, element, protocol, readService, service } from '../../nftables/element.ts'
import { type KernelMessage, type KernelObject, NLM_F_CREATE, NLM_F_EXCL } from '../../nftables/message.ts'
import { readComment } from '../../nftables/userdata.ts'
import { portSets, type SetName, tableName } from './table.ts'

export interface PublishedPort {
  /** Of both ends: what is sent to an IPv4 address is answered by one. */
  readonly family: Family
  /** IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP. */
  readonly protocol: number
  /** One address of the host; absent: any. */
  readonly hostAddress?: Uint8Array | undefined
  readonly hostPort: number
  readonly containerPort: number
}

/** An element as the hot path takes it. `data` is empty in a set. */
export interface FirewallElement {
  readonly set: string
  readonly key: Uint8Array
  readonly data: Uint8Array
  readonly comment: string
  /** Whether it is an error (EEXIST) that it is there already. */
  readonly exclusive: boolean
}

/** Before the address is known, which is put in front of the key or the data. */
export interface PendingElement extends FirewallElement {
  /** Which of the lease's addresses. */
  readonly address: number
  readonly addressIn: 'key' | 'data'
}

const nothing = new Uint8Array(0)

function portKey({ protocol: number, hostAddress, hostPort }: PublishedPort): Uint8Array {
  return hostAddress === undefined
    ? concatenated(protocol(number), service(hostPort))
    : concatenated(hostAddress, protocol(number), service(hostPort))
}

const mapOf = ({ family, hostAddress }: PublishedPort): SetName => portSets[family][hostAddress === undefined ? 'any' : 'one']
const familyOf = (address: Uint8Array): Family => (address.length === 4 ? 2 : 10)

/** Two bytes filled up to four, as every field of a concatenation is. */
const paddedService = (port: number): Uint8Array => Uint8Array.of(port >> 8, port & 255, 0, 0)

/** The element of a port that leads to `address`. `owner` is the comment: whose port it is. */
export function portElement(port: PublishedPort, address: Uint8Array, owner: string): FirewallElement {
  const data = concatenated(address, service(port.containerPort))
  return { set: mapOf(port), key: portKey(port), data, comment: owner, exclusive: true }
}

/** That `address` has ports. There may be several that say so. */
export function publishedElement(address: Uint8Array, owner: string): FirewallElement {
  const set = portSets[familyOf(address)].published
  return { set, key: address, data: nothing, comment: owner, exclusive: false }
}

/** All that ports of a container mean, while its addresses, one of each of the `families`, are still being leased. */
export function pendingElements(ports: readonly PublishedPort[], owner: string, families: readonly Family[]): PendingElement[] {
  return families.flatMap((family, address): PendingElement[] => {
    const own = ports.filter((port) => port.family === family)
    if (own.length === 0) return []
    const elements = own.map(
      (port): PendingElement => ({
        set: mapOf(port),
        key: portKey(port),
        data: paddedService(port.containerPort),
        comment: owner,
        exclusive: true,
        address,
        addressIn: 'data',
      }),
    )
    const set = portSets[family].published
    return [...elements, { set, key: nothing, data: nothing, comment: owner, exclusive: false, address, addressIn: 'key' }]
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

const bodyOf = ({ key, data, comment }: FirewallElement): KernelObject =>
  element(key, data.length === 0 ? undefined : data, comment === '' ? undefined : comment)

function elementMessages(type: KernelMessage['type'], flags: number, elements: readonly FirewallElement[]): KernelMessage[] {
  const { family, name: table } = tableName
  return Array.from(grouped(elements).values(), (group) => ({
    type,
    flags: flags !== 0 && group[0]?.exclusive ? flags | NLM_F_EXCL : flags,
    body: { family, table, set: group[0]?.set, elements: group.map(bodyOf) },
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
      const userdata = one['userdata']
      return [
        {
          family,
          protocol: rest[0] ?? 0,
          hostAddress: before === 0 ? undefined : key.slice(0, before),
          hostPort: readService(rest.subarray(4)),
          containerAddress: data.slice(0, bytes),
          containerPort: readService(data.subarray(bytes)),
          owner: (userdata instanceof Uint8Array ? readComment(userdata) : undefined) ?? '',
        },
      ]
    })
  })
}

/** The message whose dump lists the elements of a set. */
export const listElements = (set: string): KernelMessage => ({
  type: 'NFT_MSG_GETSETELEM',
  flags: 0,
  body: { family: tableName.family, table: tableName.name, set },
})
