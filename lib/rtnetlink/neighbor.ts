// The neighbor table: ARP for IPv4, neighbor discovery for IPv6; see ip-neighbour(8).

import { parseAddress } from '../cidr.ts'
import { fields, invalidType, oneOf } from '../invalid.ts'
import { macAddress } from '../names.ts'
import type { Body, NamespaceHandle } from '../native.ts'
import { familyName, familyNumber } from './address.ts'
import * as c from './constants.ts'
import { dump, number, optionalNumber, optionalText } from './exchange.ts'
import { indexOf, type LinkRef } from './link-ref.ts'
import { type Operation, perform } from './operation.ts'

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
export type NeighborFlag = keyof typeof NTF

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
}

export interface NeighborSpec {
  readonly address: string
  readonly link: LinkRef
  /** Needed, unless `proxy`. */
  readonly mac?: string
  /** @defaultValue 'permanent' */
  readonly state?: NeighborState
  /** Answer for the address on this device, in place of its owner. */
  readonly proxy?: boolean
  /** The neighbor is a router (IPv6). */
  readonly router?: boolean
}

export interface NeighborFilter {
  readonly family?: 'inet' | 'inet6'
  readonly link?: LinkRef
  /** Of devices that are ports of this one. */
  readonly master?: LinkRef
  /** The proxy entries, in place of the others. */
  readonly proxy?: boolean
}

const names = ['address', 'link', 'mac', 'state', 'proxy', 'router'] as const
const states = Object.keys(neighborStates) as NeighborState[]

function flagsOf(spec: Pick<NeighborSpec, 'proxy' | 'router'>): number {
  for (const name of ['proxy', 'router'] as const) {
    if (spec[name] !== undefined && typeof spec[name] !== 'boolean')
      throw invalidType(`neighbor.${name}`, 'a boolean', spec[name])
  }
  return (spec.proxy ? NTF.proxy : 0) | (spec.router ? NTF.router : 0)
}

function body(spec: NeighborSpec, index: number): Body {
  fields(spec, 'neighbor', names)
  const address = parseAddress(spec.address, 'neighbor.address')
  if (spec.mac === undefined && spec.proxy !== true) throw invalidType('neighbor.mac', 'a MAC address', spec.mac)
  const state = spec.state === undefined ? 'permanent' : oneOf(spec.state, 'neighbor.state', states)
  return {
    family: address.family,
    index,
    state: neighborStates[state],
    flags: flagsOf(spec),
    address: address.text,
    mac: spec.mac === undefined ? undefined : macAddress(spec.mac, 'neighbor.mac'),
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
        step: `${verb} the neighbor ${spec.address}`,
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
        step: `delete the neighbor ${address.text}`,
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

export function neighborFrom(entry: Body): Neighbor {
  const bits = number(entry, 'flags')
  const mac = optionalText(entry, 'mac')
  const master = optionalNumber(entry, 'master')
  return {
    address: optionalText(entry, 'address') ?? '',
    family: familyName(number(entry, 'family')),
    link: number(entry, 'index'),
    state: states.find((state) => neighborStates[state] === number(entry, 'state')) ?? 'none',
    flags: (Object.keys(NTF) as NeighborFlag[]).filter((flag) => (bits & NTF[flag]) !== 0),
    ...(mac === undefined ? {} : { mac }),
    ...(master === undefined ? {} : { master }),
  }
}

/** The kernel filters by device and master. */
export async function listNeighbors(handle: NamespaceHandle, filter: NeighborFilter = {}): Promise<Neighbor[]> {
  fields(filter, 'filter', ['family', 'link', 'master', 'proxy'])
  const family = familyNumber(filter.family, 'filter.family')
  const via = filter.link === undefined ? undefined : await indexOf(handle, filter.link, 'filter.link')
  const master = filter.master === undefined ? undefined : await indexOf(handle, filter.master, 'filter.master')
  const flags = filter.proxy === true ? NTF.proxy : 0
  const found = await dump(handle, 'RTM_GETNEIGH', { family, flags, via, master }, 'the neighbors', neighborFrom)
  // With no family named the kernel walks the forwarding databases of bridges too: those have their own verb.
  return found.filter((neighbor) => neighbor.address !== '')
}
