// The multicast databases of bridges: which ports want which groups; see bridge(8), `mdb`. IGMP and MLD snooping fill them too.

import { type Abortable, signalOf } from '../../abort.ts'
import { formatAddress, parseAddress } from '../../cidr.ts'
import { dump, number, optionalNumber, optionalText, present } from '../../exchange.ts'
import { fields, integer, invalidValue, list, oneOf } from '../../invalid.ts'
import { formatMac, macBytes } from '../../names.ts'
import type { Body, Message, NamespaceHandle } from '../../native.ts'
import * as c from '../constants.ts'
import { called, indexOf, type LinkRef } from '../link/ref.ts'
import { optionalBoolean } from '../link/settings.ts'
import { type Operation, perform, type ResolveLink } from '../operation.ts'
import { protocolOf } from '../route/spec.ts'

/** The sources of a group that are let through, or all but these. */
export type MdbFilterMode = 'include' | 'exclude'
const filterModes: readonly MdbFilterMode[] = ['exclude', 'include'] // MCAST_EXCLUDE, MCAST_INCLUDE

export interface MdbKey {
  readonly bridge: LinkRef
  /** The port that wants the group; the bridge itself: the host does. */
  readonly port: LinkRef
  /** A multicast address of IPv4, IPv6 or, for what is neither, of Ethernet. */
  readonly group: string
  /** Only from this source: an (S, G) entry. */
  readonly source?: string
  readonly vlan?: number
}

export interface MdbSpec extends MdbKey {
  /** false: it ages like what snooping finds. @defaultValue true, and false where `port` is the bridge */
  readonly permanent?: boolean
  /** Of a group without `source`. Linux 6.2. @defaultValue 'exclude' */
  readonly filterMode?: MdbFilterMode
  /** The sources that `filterMode` speaks of: an entry for each is made too. Linux 6.2. */
  readonly sources?: readonly string[]
  /** Who made it. Linux 6.2. @defaultValue 'static' */
  readonly protocol?: keyof typeof c.RTPROT | number
}

/** MDB_FLAGS_*. */
const flagBits = { offloaded: 0x01, fastLeave: 0x02, addedByStarExclude: 0x04, blocked: 0x08, offloadFailed: 0x10 } as const
export type MdbFlag = keyof typeof flagBits

export interface MdbEntry {
  /** Index of the bridge. */
  readonly bridge: number
  /** Index of the port, or of the bridge when the host has joined. */
  readonly port: number
  readonly group: string
  readonly source?: string
  readonly vlan?: number
  readonly permanent: boolean
  readonly flags: readonly MdbFlag[]
  readonly filterMode?: MdbFilterMode
  readonly sources?: readonly { readonly address: string; readonly expires?: number }[]
  /** `kernel` for what snooping found. */
  readonly protocol?: string
  /** Seconds until it is forgotten. */
  readonly expires?: number
}

export interface MdbFlush {
  /** Only of this port; the bridge itself: of the host. */
  readonly port?: LinkRef
  readonly vlan?: number
  /** true: only permanent ones; false: only others. */
  readonly permanent?: boolean
  readonly protocol?: keyof typeof c.RTPROT | number
}

const ETH_P_IP = 0x0800
const ETH_P_IPV6 = 0x86dd
const NLM_F_BULK = 0x200
const MDB_PERMANENT = 1

const keyNames = ['bridge', 'port', 'group', 'source', 'vlan'] as const
const specNames = [...keyNames, 'permanent', 'filterMode', 'sources', 'protocol'] as const

/** The address and the number that says of what kind it is. */
function groupBody(group: unknown): Body {
  if (typeof group === 'string' && /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(group)) {
    const bytes = macBytes(group)
    if (((bytes[0] ?? 0) & 1) === 0) throw invalidValue('entry.group', 'must be a multicast address', group)
    return { group: bytes, protocol: 0 }
  }
  const { bytes, family } = parseAddress(group, 'entry.group')
  const isMulticast = family === c.AF_INET ? ((bytes[0] ?? 0) & 0xf0) === 0xe0 : bytes[0] === 0xff
  if (!isMulticast) throw invalidValue('entry.group', 'must be a multicast address', group)
  return { group: bytes, protocol: family === c.AF_INET ? ETH_P_IP : ETH_P_IPV6 }
}

const vlanOf = (vlan: unknown, path: string): number | undefined =>
  vlan === undefined ? undefined : integer(vlan, path, 1, 4094)

const sourceText = (source: unknown, path: string): string => parseAddress(source, path).text

/** MDBA_SET_ENTRY_ATTRS: older kernels know none of it, so it is there only when something is in it. */
function attributesOf(spec: MdbSpec): Body | undefined {
  const { source, filterMode, sources, protocol } = spec
  const attributes = present({
    source: source === undefined ? undefined : sourceText(source, 'entry.source'),
    sources:
      sources === undefined
        ? undefined
        : list(sources, 'entry.sources').map((one, at) => ({ address: sourceText(one, `entry.sources[${at}]`) })),
    filterMode: filterMode && filterModes.indexOf(oneOf(filterMode, 'entry.filterMode', filterModes)),
    protocol: protocol === undefined ? undefined : protocolOf(protocol, 'entry.protocol'),
  })
  return Object.keys(attributes).length === 0 ? undefined : attributes
}

function mdbBody(spec: MdbSpec, permanent: boolean, resolve: ResolveLink): Body {
  const entry = {
    port: resolve(spec.port),
    state: permanent ? MDB_PERMANENT : 0,
    vlan: vlanOf(spec.vlan, 'entry.vlan'),
    ...groupBody(spec.group),
  }
  return { family: c.AF_BRIDGE, index: resolve(spec.bridge), entry, attributes: attributesOf(spec) }
}

const devicesOf = ({ bridge, port }: MdbKey): Operation['devices'] => [
  { ref: bridge, path: 'entry.bridge' },
  { ref: port, path: 'entry.port' },
]

const verbFlags = { add: c.NLM_F_CREATE | c.NLM_F_EXCL, replace: c.NLM_F_CREATE | c.NLM_F_REPLACE } as const

export function mdbChange(verb: 'add' | 'replace', spec: MdbSpec): Operation {
  fields(spec, 'entry', specNames)
  const permanent = optionalBoolean(spec.permanent, 'entry.permanent')
  return {
    devices: devicesOf(spec),
    build: (resolve) => [
      {
        type: 'RTM_NEWMDB',
        flags: verbFlags[verb],
        // The kernel has no permanent entry for the host.
        body: mdbBody(spec, permanent ?? resolve(spec.port) !== resolve(spec.bridge), resolve),
        step: `${verb} the multicast group ${spec.group} on ${called(spec.port)}`,
      },
    ],
  }
}

export function mdbDeletion(key: MdbKey): Operation {
  fields(key, 'entry', keyNames)
  return {
    devices: devicesOf(key),
    build: (resolve) => [
      {
        type: 'RTM_DELMDB',
        flags: 0,
        body: mdbBody(key, false, resolve),
        step: `delete the multicast group ${key.group} on ${called(key.port)}`,
      },
    ],
  }
}

export function mdbFlush(bridge: LinkRef, filter: MdbFlush = {}): Operation {
  fields(filter, 'filter', ['port', 'vlan', 'permanent', 'protocol'])
  const permanent = optionalBoolean(filter.permanent, 'filter.permanent')
  const attributes = present({
    stateMask: permanent === undefined ? undefined : MDB_PERMANENT,
    protocol: filter.protocol === undefined ? undefined : protocolOf(filter.protocol, 'filter.protocol'),
  })
  const message = (resolve: ResolveLink): Message => ({
    type: 'RTM_DELMDB',
    flags: NLM_F_BULK,
    body: {
      family: c.AF_BRIDGE,
      index: resolve(bridge),
      entry: {
        port: filter.port === undefined ? 0 : resolve(filter.port),
        state: permanent ? MDB_PERMANENT : 0,
        vlan: vlanOf(filter.vlan, 'filter.vlan'),
      },
      attributes: Object.keys(attributes).length === 0 ? undefined : attributes,
    },
    step: `flush the multicast groups of ${called(bridge)}`,
  })
  return {
    devices: [{ ref: bridge, path: 'bridge' }, ...(filter.port === undefined ? [] : [{ ref: filter.port, path: 'filter.port' }])],
    build: (resolve) => [message(resolve)],
  }
}

export async function addMdbEntry(handle: NamespaceHandle, spec: MdbSpec): Promise<void> {
  await perform(handle, mdbChange('add', spec))
}

export async function replaceMdbEntry(handle: NamespaceHandle, spec: MdbSpec): Promise<void> {
  await perform(handle, mdbChange('replace', spec))
}

export async function deleteMdbEntry(handle: NamespaceHandle, key: MdbKey): Promise<void> {
  await perform(handle, mdbDeletion(key))
}

export async function flushMdb(handle: NamespaceHandle, bridge: LinkRef, filter?: MdbFlush): Promise<void> {
  await perform(handle, mdbFlush(bridge, filter))
}

function groupText(entry: Body): string {
  const bytes = entry['group'] instanceof Uint8Array ? entry['group'] : new Uint8Array(16)
  const protocol = number(entry['protocol'])
  if (protocol === ETH_P_IP) return formatAddress(bytes.subarray(0, 4))
  return protocol === ETH_P_IPV6 ? formatAddress(bytes) : formatMac(bytes.subarray(0, 6))
}

/** 0: no timer runs. */
const expiryOf = (body: Body): number | undefined => {
  const timer = number(body['timer'])
  return timer === 0 ? undefined : timer / 100
}

const sourcesOf = (sources: Body['sources']): MdbEntry['sources'] =>
  Array.isArray(sources)
    ? (sources as Body[]).map((source) => present({ address: optionalText(source['address']) ?? '', expires: expiryOf(source) }))
    : undefined

function mdbEntryFrom(bridge: number, entry: Body): MdbEntry {
  const bits = number(entry['flags'])
  const owner = optionalNumber(entry['owner'])
  const vlan = number(entry['vlan'])
  const mode = optionalNumber(entry['filterMode'])
  return present({
    bridge,
    port: number(entry['port']),
    group: groupText(entry),
    source: optionalText(entry['source']),
    vlan: vlan === 0 ? undefined : vlan,
    permanent: number(entry['state']) === MDB_PERMANENT,
    flags: (Object.keys(flagBits) as MdbFlag[]).filter((name) => (bits & flagBits[name]) !== 0),
    filterMode: mode === undefined ? undefined : filterModes[mode],
    sources: sourcesOf(entry['sources']),
    protocol: owner === undefined ? undefined : c.wordOf(c.RTPROT, owner),
    expires: expiryOf(entry),
  }) as MdbEntry
}

const bodies = (body: Body, field: string): readonly Body[] => {
  const value = body[field]
  return Array.isArray(value) ? (value as Body[]) : []
}

/** The kernel tells of all bridges. */
export interface MdbFilter extends Abortable {
  /** Only of this one. */
  readonly bridge?: LinkRef
}

export async function listMdb(handle: NamespaceHandle, filter: MdbFilter = {}): Promise<MdbEntry[]> {
  fields(filter, 'filter', ['bridge', 'signal'])
  const signal = signalOf(filter, 'filter')
  const only = filter.bridge === undefined ? undefined : await indexOf(handle, filter.bridge, 'filter.bridge')
  const look = (body: Body): MdbEntry[] =>
    bodies(body, 'groups')
      .flatMap((group) => bodies(group, 'entries'))
      .map((entry) => mdbEntryFrom(number(body['index']), entry))
  const told = await dump(handle, 'RTM_GETMDB', { family: c.AF_BRIDGE }, 'the multicast groups', look, { signal })
  return told.flat().filter(({ bridge }) => only === undefined || bridge === only)
}
