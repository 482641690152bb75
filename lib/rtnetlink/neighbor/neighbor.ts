// The neighbor table: ARP for IPv4, neighbor discovery for IPv6; see ip-neighbour(8).

import { type Abortable, signalOf } from '../../abort.ts'
import { parseAddress } from '../../cidr.ts'
import { dump, nested, number, optionalNumber, optionalText, present, sweep } from '../../exchange.ts'
import { fields, invalidType, list, oneOf, words } from '../../invalid.ts'
import { macAddress } from '../../names.ts'
import type { Body, NamespaceHandle } from '../../native.ts'
import * as c from '../constants.ts'
import { familyName, familyNumber } from '../family.ts'
import { called, indexOf, type LinkRef } from '../link/ref.ts'
import { type Operation, perform } from '../operation.ts'
import { protocolOf, type RouteProtocol } from '../route/spec.ts'

/** NUD_*: what the kernel knows of the neighbor. */
export type NeighborState = 'incomplete' | 'reachable' | 'stale' | 'delay' | 'probe' | 'failed' | 'noarp' | 'permanent'

export const neighborStates: Readonly<Record<NeighborState, number>> = {
  incomplete: 0x01,
  reachable: 0x02,
  stale: 0x04,
  delay: 0x08,
  probe: 0x10,
  failed: 0x20,
  noarp: 0x40,
  permanent: 0x80,
}

/** NTF_*. */
const NTF = {
  use: 0x01,
  self: 0x02,
  master: 0x04,
  proxy: 0x08,
  externLearned: 0x10,
  offloaded: 0x20,
  sticky: 0x40,
  router: 0x80,
} as const
/** NTF_EXT_*, in NDA_FLAGS_EXT. */
const extended = { managed: 0x01, externValidated: 0x02 } as const
export type NeighborFlag = keyof typeof NTF | keyof typeof extended
const extendedNames = Object.keys(extended) as (keyof typeof extended)[]

export interface Neighbor {
  /** The neighbor's IP address. */
  readonly address: string
  readonly family: 'inet' | 'inet6'
  /** Index of the device. */
  readonly link: number
  /** Absent while it is not known. */
  readonly mac?: string
  readonly state: NeighborState | 'none'
  readonly flags: readonly NeighborFlag[]
  /** Index of the device that `link` is a port of. */
  readonly master?: number
  /** How often the kernel has asked without an answer. */
  readonly probes?: number
  /** Who made the entry; absent where nobody said. */
  readonly protocol?: RouteProtocol
  /** Seconds since it was used, found right, and changed. Absent in proxies. */
  readonly ages?: { readonly used: number; readonly confirmed: number; readonly updated: number }
}

export interface NeighborSpec {
  readonly address: string
  readonly link: LinkRef
  /** Needed, unless `proxy`, `use` or `managed`. */
  readonly mac?: string
  /** @defaultValue 'permanent'; with `use` or `managed` what the kernel finds out */
  readonly state?: NeighborState
  /** Answer for the address on this device, in place of its owner. */
  readonly proxy?: boolean
  /** The neighbor is a router (IPv6). */
  readonly router?: boolean
  /** Ask for the neighbor now, as if a packet were to be sent. */
  readonly use?: boolean
  /** The kernel keeps it reachable by asking again and again (Linux 5.16). */
  readonly managed?: boolean
  /** A routing daemon has learned it: never collected. */
  readonly externLearned?: boolean
  /** The daemon also answers for its being right; with `externLearned` (Linux 6.17). */
  readonly externValidated?: boolean
  /** Who makes the entry: a mark that the kernel keeps. */
  readonly protocol?: RouteProtocol
}

export interface NeighborFilter extends Abortable {
  readonly family?: 'inet' | 'inet6'
  readonly link?: LinkRef
  /** Of devices that are ports of this one. */
  readonly master?: LinkRef
  /** The proxy entries, in place of the others. */
  readonly proxy?: boolean
  /** Only those in one of these states. */
  readonly states?: readonly NeighborState[]
}

const switches = ['proxy', 'router', 'use', 'externLearned'] as const
const names = ['address', 'link', 'mac', 'state', 'protocol', ...switches, ...extendedNames] as const
const filterNames = ['family', 'link', 'master', 'proxy', 'states', 'signal'] as const
const states = Object.keys(neighborStates) as NeighborState[]

function flagsOf(spec: Pick<NeighborSpec, (typeof switches)[number]>): number {
  let flags = 0
  for (const name of switches) {
    const value = spec[name]
    if (value !== undefined && typeof value !== 'boolean') throw invalidType(`neighbor.${name}`, 'a boolean', value)
    if (value) flags |= NTF[name]
  }
  return flags
}

function extendedFlagsOf(spec: NeighborSpec): number | undefined {
  let flags = 0
  for (const name of extendedNames) {
    const value = spec[name]
    if (value !== undefined && typeof value !== 'boolean') throw invalidType(`neighbor.${name}`, 'a boolean', value)
    if (value) flags |= extended[name]
  }
  return flags === 0 ? undefined : flags
}

function stateOf({ state, use, managed }: NeighborSpec): number {
  if (state !== undefined) return neighborStates[oneOf(state, 'neighbor.state', states)]
  return use === true || managed === true ? 0 : neighborStates.permanent
}

function body(spec: NeighborSpec, index: number): Body {
  fields(spec, 'neighbor', names)
  const address = parseAddress(spec.address, 'neighbor.address')
  if (spec.mac === undefined && spec.proxy !== true && spec.use !== true && spec.managed !== true)
    throw invalidType('neighbor.mac', 'a MAC address', spec.mac)
  return {
    family: address.family,
    index,
    state: stateOf(spec),
    flags: flagsOf(spec),
    address: address.text,
    mac: spec.mac === undefined ? undefined : macAddress(spec.mac, 'neighbor.mac'),
    extendedFlags: extendedFlagsOf(spec),
    protocol: spec.protocol === undefined ? undefined : protocolOf(spec.protocol, 'neighbor.protocol'),
  }
}

const flagsFor: Readonly<Record<'add' | 'replace', number>> = {
  add: c.NLM_F_CREATE | c.NLM_F_EXCL,
  replace: c.NLM_F_CREATE | c.NLM_F_REPLACE,
}

export function neighborChange(verb: 'add' | 'replace', spec: NeighborSpec): Operation {
  return {
    devices: [{ ref: spec?.link, path: 'neighbor.link' }],
    build: (resolve) => [
      {
        type: 'RTM_NEWNEIGH',
        flags: flagsFor[verb],
        body: body(spec, resolve(spec.link)),
        step: `${verb} the neighbor ${spec.address} on ${called(spec.link)}`,
      },
    ],
  }
}

/** What identifies an entry. */
export type NeighborKey = Pick<NeighborSpec, 'address' | 'link' | 'proxy'>

export function neighborDeletion(key: NeighborKey): Operation {
  fields(key, 'neighbor', ['address', 'link', 'proxy'])
  const address = parseAddress(key.address, 'neighbor.address')
  return {
    devices: [{ ref: key.link, path: 'neighbor.link' }],
    build: (resolve) => [
      {
        type: 'RTM_DELNEIGH',
        flags: 0,
        body: { family: address.family, index: resolve(key.link), flags: flagsOf(key), address: address.text },
        step: `delete the neighbor ${address.text} on ${called(key.link)}`,
      },
    ],
  }
}

/** EEXIST when the device has an entry for the address. */
export async function addNeighbor(handle: NamespaceHandle, spec: NeighborSpec): Promise<void> {
  await perform(handle, neighborChange('add', spec))
}

/** Makes the entry, in place of one for the same address. */
export async function replaceNeighbor(handle: NamespaceHandle, spec: NeighborSpec): Promise<void> {
  await perform(handle, neighborChange('replace', spec))
}

/** ENOENT when there is none. */
export async function deleteNeighbor(handle: NamespaceHandle, key: NeighborKey): Promise<void> {
  await perform(handle, neighborDeletion(key))
}

/** The kernel counts in USER_HZ. */
const secondsOf = (ages: Body): NonNullable<Neighbor['ages']> => ({
  used: number(ages['used']) / 100,
  confirmed: number(ages['confirmed']) / 100,
  updated: number(ages['updated']) / 100,
})

export function neighborFrom(entry: Body): Neighbor {
  const bits = number(entry['flags'])
  const more = number(entry['extendedFlags'])
  const ages = nested(entry['ages'])
  const protocol = number(entry['protocol'])
  return {
    address: optionalText(entry['address']) ?? '',
    family: familyName(number(entry['family'])),
    link: number(entry['index']),
    state: states.find((state) => neighborStates[state] === number(entry['state'])) ?? 'none',
    flags: [
      ...(Object.keys(NTF) as (keyof typeof NTF)[]).filter((flag) => (bits & NTF[flag]) !== 0),
      ...extendedNames.filter((flag) => (more & extended[flag]) !== 0),
    ],
    ...present({
      mac: optionalText(entry['mac']),
      master: optionalNumber(entry['master']),
      probes: number(entry['probes']) || undefined,
      protocol: protocol === 0 ? undefined : c.wordOrNumber(c.RTPROT, protocol),
      ages: ages === undefined ? undefined : secondsOf(ages),
    }),
  }
}

/** The kernel filters by device and master. */
export async function listNeighbors(handle: NamespaceHandle, filter: NeighborFilter = {}): Promise<Neighbor[]> {
  fields(filter, 'filter', filterNames)
  const signal = signalOf(filter, 'filter')
  const family = familyNumber(filter.family, 'filter.family')
  const wanted = filter.states === undefined ? undefined : words(list(filter.states, 'filter.states'), 'filter.states', states)
  const via = filter.link === undefined ? undefined : await indexOf(handle, filter.link, 'filter.link')
  const master = filter.master === undefined ? undefined : await indexOf(handle, filter.master, 'filter.master')
  const flags = filter.proxy === true ? NTF.proxy : 0
  const found = await dump(handle, 'RTM_GETNEIGH', { family, flags, via, master }, 'the neighbors', neighborFrom, { signal })
  // With no family named the kernel walks the forwarding databases of bridges too: those have their own verb.
  return found.filter(
    ({ address, state }) => address !== '' && (wanted === undefined || (state !== 'none' && wanted.includes(state))),
  )
}

/** What ip-neighbour(8) leaves in place, unless it is named. */
const kept: readonly string[] = ['permanent', 'noarp']

/** One dump and one submission. What goes meanwhile is no error. */
export async function flushNeighbors(handle: NamespaceHandle, filter: NeighborFilter): Promise<Neighbor[]> {
  fields(filter, 'filter', filterNames)
  const all = await listNeighbors(handle, filter)
  const chosen = filter.states !== undefined || filter.proxy === true ? all : all.filter(({ state }) => !kept.includes(state))
  const proxy = filter.proxy === true ? { proxy: true } : {}
  const messages = chosen.flatMap(({ address, link }) => neighborDeletion({ address, link, ...proxy }).build(() => link))
  await sweep(handle, messages, ['ENOENT', 'ENODEV'])
  return chosen
}
