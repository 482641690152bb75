// The forwarding databases of bridges and vxlan devices: which MAC address is behind which port; see bridge(8), `fdb`.

import { type Abortable, signalOf } from '../../abort.ts'
import { parseAddress } from '../../cidr.ts'
import { dump, nested, number, optionalNumber, optionalText, present, send } from '../../exchange.ts'
import { fields, integer, invalidType, oneOf } from '../../invalid.ts'
import { macAddress } from '../../names.ts'
import type { Body, Message, NamespaceHandle } from '../../native.ts'
import * as c from '../constants.ts'
import { called, getLinkMessage, indexOf, type LinkRef } from '../link/ref.ts'
import { type Operation, perform } from '../operation.ts'

const NTF_SELF = 0x02
const NTF_MASTER = 0x04
const NTF_EXT_LEARNED = 0x10
const NTF_OFFLOADED = 0x20
const NTF_STICKY = 0x40
const NTF_EXT_LOCKED = 0x02
const NUD_REACHABLE = 0x02
const NUD_NOARP = 0x40
const NUD_PERMANENT = 0x80
const NLM_F_BULK = 0x200

/** Of a vxlan device: where it floods to. */
const everyMac = '00:00:00:00:00:00'

/** `static`: never ages; `local`: the port's own address; `dynamic`: learned, or to age like a learned one. */
export type FdbState = 'static' | 'local' | 'dynamic'

export interface FdbEntry {
  readonly mac: string
  /** Index of the port, or of the vxlan device. */
  readonly link: number
  /** Index of the bridge. */
  readonly master?: number
  readonly state: FdbState
  readonly sticky: boolean
  readonly externLearned: boolean
  readonly vlan?: number
  /** Of a vxlan device: the other end's address, port, network identifier. */
  readonly remote?: string
  readonly port?: number
  readonly vni?: number
  /** Of a vxlan device with `external`: the network identifier that it arrives with. */
  readonly sourceVni?: number
  /** Index of the device towards the other end. */
  readonly via?: number
  /** The id of the nexthop object that the other ends are. */
  readonly nexthop?: number
  /** A switch forwards it in hardware. */
  readonly offloaded: boolean
  /** Heard on a locked port, and not let in. */
  readonly locked: boolean
  /** Seconds since it was used, and since it was last learned or changed. */
  readonly ages?: { readonly used: number; readonly updated: number }
}

export interface FdbFlush {
  /** @defaultValue 'dynamic' */
  readonly state?: FdbState | 'any'
  readonly vlan?: number
}

export interface FdbSpec {
  readonly mac: string
  /** A port of a bridge, or with `self` the device itself. */
  readonly link: LinkRef
  /** The device's own table, in place of its bridge's: vxlan, macvlan. @defaultValue false, and true with `remote` */
  readonly self?: boolean
  /** @defaultValue 'static' */
  readonly state?: FdbState
  readonly sticky?: boolean
  readonly vlan?: number
  readonly remote?: string
  readonly port?: number
  readonly vni?: number
}

export interface FdbFilter extends Abortable {
  /** Only of this port or device. */
  readonly link?: LinkRef
  /** Only of this bridge's ports. */
  readonly master?: LinkRef
}

const names = ['mac', 'link', 'self', 'state', 'sticky', 'vlan', 'remote', 'port', 'vni'] as const
const stateBits: Readonly<Record<FdbState, number>> = { static: NUD_NOARP, local: NUD_PERMANENT, dynamic: NUD_REACHABLE }

function flagsOf(spec: FdbSpec): number {
  for (const name of ['self', 'sticky'] as const) {
    if (spec[name] !== undefined && typeof spec[name] !== 'boolean') throw invalidType(`entry.${name}`, 'a boolean', spec[name])
  }
  const self = spec.self ?? spec.remote !== undefined
  return (self ? NTF_SELF : NTF_MASTER) | (spec.sticky ? NTF_STICKY : 0)
}

const optional = (value: unknown, path: string, from: number, to: number): number | undefined =>
  value === undefined ? undefined : integer(value, path, from, to)

function body(spec: FdbSpec, index: number): Body {
  fields(spec, 'entry', names)
  const state = stateBits[spec.state ?? 'static']
  if (state === undefined) throw invalidType('entry.state', "'static', 'local' or 'dynamic'", spec.state)
  return {
    family: c.AF_BRIDGE,
    index,
    state: spec.remote === undefined ? state : NUD_PERMANENT | NUD_NOARP,
    flags: flagsOf(spec),
    mac: spec.mac === everyMac ? everyMac : macAddress(spec.mac, 'entry.mac'),
    vlan: optional(spec.vlan, 'entry.vlan', 1, 4094),
    address: spec.remote === undefined ? undefined : parseAddress(spec.remote, 'entry.remote').text,
    port: optional(spec.port, 'entry.port', 1, 65535),
    vni: optional(spec.vni, 'entry.vni', 0, 0xffffff),
  }
}

export type FdbVerb = 'add' | 'replace' | 'append' | 'delete'
const verbs: Readonly<Record<FdbVerb, Pick<Message, 'type' | 'flags'>>> = {
  add: { type: 'RTM_NEWNEIGH', flags: c.NLM_F_CREATE | c.NLM_F_EXCL },
  replace: { type: 'RTM_NEWNEIGH', flags: c.NLM_F_CREATE | c.NLM_F_REPLACE },
  append: { type: 'RTM_NEWNEIGH', flags: c.NLM_F_CREATE | c.NLM_F_APPEND },
  delete: { type: 'RTM_DELNEIGH', flags: 0 },
}

/** What identifies an entry. */
export type FdbKey = Omit<FdbSpec, 'state' | 'sticky'>

export function fdbChange(verb: FdbVerb, spec: FdbSpec): Operation {
  return {
    devices: [{ ref: spec?.link, path: 'entry.link' }],
    build: (resolve) => [
      {
        ...verbs[verb],
        body: body(spec, resolve(spec.link)),
        step: `${verb} the forwarding entry ${spec.mac} on ${called(spec.link)}`,
      },
    ],
  }
}

/** EEXIST when the table has the address on another port or in another state. */
export async function addFdbEntry(handle: NamespaceHandle, spec: FdbSpec): Promise<void> {
  await perform(handle, fdbChange('add', spec))
}

export async function replaceFdbEntry(handle: NamespaceHandle, spec: FdbSpec): Promise<void> {
  await perform(handle, fdbChange('replace', spec))
}

/** Adds another remote end for the same address: what a vxlan device floods to. */
export async function appendFdbEntry(handle: NamespaceHandle, spec: FdbSpec): Promise<void> {
  await perform(handle, fdbChange('append', spec))
}

/** ENOENT when there is none. */
export async function deleteFdbEntry(handle: NamespaceHandle, key: FdbKey): Promise<void> {
  await perform(handle, fdbChange('delete', key))
}

/** What the entry's state must be under the mask: a local entry is static as well. */
const flushes: Readonly<Record<FdbState | 'any', Body>> = {
  dynamic: { state: 0, stateMask: NUD_NOARP | NUD_PERMANENT },
  static: { state: NUD_NOARP, stateMask: NUD_NOARP | NUD_PERMANENT },
  local: { state: NUD_PERMANENT, stateMask: NUD_PERMANENT },
  any: {},
}

/** Deletes what a bridge, or one of its ports, or a vxlan device has learned, or what `filter` says, in one message (Linux 5.19). */
export async function flushFdb(handle: NamespaceHandle, link: LinkRef, filter: FdbFlush = {}): Promise<void> {
  fields(filter, 'filter', ['state', 'vlan'])
  const states = flushes[oneOf(filter.state ?? 'dynamic', 'filter.state', Object.keys(flushes) as (keyof typeof flushes)[])]
  const vlan = optional(filter.vlan, 'filter.vlan', 1, 4094)
  // Of a port its bridge is asked, a bridge or a vxlan device itself.
  const [outcome] = await send(handle, [getLinkMessage(link, 'link')])
  const found = outcome?.replies[0] ?? {}
  const flags = optionalNumber(found['master']) === undefined ? NTF_SELF : NTF_MASTER
  const body = { family: c.AF_BRIDGE, index: number(found['index']), flags, vlan, ...states }
  await send(handle, [{ type: 'RTM_DELNEIGH', flags: NLM_F_BULK, body, step: `flush the forwarding entries of ${called(link)}` }])
}

function stateOf(state: number): FdbState {
  if ((state & NUD_PERMANENT) !== 0) return 'local'
  return (state & NUD_NOARP) !== 0 ? 'static' : 'dynamic'
}

/** The kernel counts in USER_HZ. */
const secondsOf = (ages: Body): NonNullable<FdbEntry['ages']> => ({
  used: number(ages['used']) / 100,
  updated: number(ages['updated']) / 100,
})

export function fdbEntryFrom(entry: Body): FdbEntry {
  const flags = number(entry['flags'])
  const ages = nested(entry['ages'])
  return present({
    mac: optionalText(entry['mac']) ?? '',
    link: number(entry['index']),
    state: stateOf(number(entry['state'])),
    sticky: (flags & NTF_STICKY) !== 0,
    externLearned: (flags & NTF_EXT_LEARNED) !== 0,
    offloaded: (flags & NTF_OFFLOADED) !== 0,
    locked: (number(entry['extendedFlags']) & NTF_EXT_LOCKED) !== 0,
    master: optionalNumber(entry['master']),
    vlan: optionalNumber(entry['vlan']),
    remote: optionalText(entry['address']),
    port: optionalNumber(entry['port']),
    vni: optionalNumber(entry['vni']),
    sourceVni: optionalNumber(entry['sourceVni']),
    via: optionalNumber(entry['via']),
    nexthop: optionalNumber(entry['nexthopId']),
    ages: ages === undefined ? undefined : secondsOf(ages),
  }) as FdbEntry
}

/** The kernel filters by device and bridge. */
export async function listFdb(handle: NamespaceHandle, filter: FdbFilter = {}): Promise<FdbEntry[]> {
  fields(filter, 'filter', ['link', 'master', 'signal'])
  const signal = signalOf(filter, 'filter')
  const index = filter.link === undefined ? 0 : await indexOf(handle, filter.link, 'filter.link')
  const master = filter.master === undefined ? undefined : await indexOf(handle, filter.master, 'filter.master')
  return dump(handle, 'RTM_GETNEIGH', { family: c.AF_BRIDGE, index, master }, 'the forwarding entries', fdbEntryFrom, { signal })
}
