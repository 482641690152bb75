// Which VLANs a bridge and its ports are members of; see bridge(8), `vlan`. They matter on a bridge with `vlanFiltering`.

import { type Abortable, signalOf } from '../../abort.ts'
import { dump, nested, number, optionalNumber } from '../../exchange.ts'
import { fields, integer, invalidValue } from '../../invalid.ts'
import type { Body, Field, NamespaceHandle } from '../../native.ts'
import * as c from '../constants.ts'
import { called, indexOf, type LinkRef } from '../link/ref.ts'
import { optionalBoolean } from '../link/settings.ts'
import { type Operation, perform } from '../operation.ts'
import { count, dataOf, flag, multicastRouters, namesOf, type OptionTable, readOptions, word } from './option.ts'
import { states } from './port-options.ts'

/** `10`, `{ start: 4, end: 6 }`, or a list of them: 1 to 4094. */
export type VlanIds = VlanId | readonly VlanId[]
type VlanId = number | { readonly start: number; readonly end: number }

export interface BridgeVlanOptions {
  /** What arrives without a tag belongs to this VLAN; only of one. @defaultValue false */
  readonly pvid?: boolean
  /** Its packets leave without a tag. @defaultValue false */
  readonly untagged?: boolean
  /** The device itself in place of its bridge's idea of it: needed when the device is the bridge. @defaultValue false */
  readonly self?: boolean
  /** With `self`: both. @defaultValue the opposite of `self` */
  readonly master?: boolean
}

interface Settings {
  /** Of the spanning tree. */
  readonly state?: 'disabled' | 'listening' | 'learning' | 'forwarding' | 'blocking'
  readonly multicastRouter?: 'disabled' | 'auto' | 'permanent' | 'temporary'
  /** The most multicast groups; 0: no limit. Linux 6.3. */
  readonly multicastMaxGroups?: number
  /** Where the port has `neighborVlanSuppress`. Linux 6.4. */
  readonly neighborSuppress?: boolean
}
/** What a VLAN is on one port. */
export interface BridgeVlanSettings extends Settings {}

/** Neighboring VLANs that are alike are one entry. */
export interface BridgeVlan extends Settings {
  /** Index of the port, or of the bridge. */
  readonly link: number
  /** The first. */
  readonly start: number
  /** The last. */
  readonly end: number
  readonly pvid: boolean
  readonly untagged: boolean
}

const BRIDGE_FLAGS_MASTER = 1
const BRIDGE_FLAGS_SELF = 2
/** BRIDGE_VLAN_INFO_*. */
const info = { pvid: 0x02, untagged: 0x04, rangeBegin: 0x08, rangeEnd: 0x10, onlyOptions: 0x40 } as const

const table: OptionTable<Settings> = {
  state: word(states),
  multicastRouter: word(multicastRouters),
  multicastMaxGroups: count(0, 0xffffffff),
  neighborSuppress: flag,
}

interface Range {
  readonly start: number
  readonly end: number
}

function rangeOf(vlan: unknown, path: string): Range {
  if (typeof vlan === 'number') return { start: integer(vlan, path, 1, 4094), end: vlan }
  const { start, end } = fields(vlan, path, ['start', 'end'])
  const first = integer(start, `${path}.start`, 1, 4094)
  return { start: first, end: integer(end, `${path}.end`, first, 4094) }
}

function rangesOf(vlans: VlanIds): Range[] {
  if (!Array.isArray(vlans)) return [rangeOf(vlans, 'vlans')]
  if (vlans.length === 0) throw invalidValue('vlans', 'must name a VLAN', vlans)
  return vlans.map((vlan, at) => rangeOf(vlan, `vlans[${at}]`))
}

/** IFLA_AF_SPEC: a range is its two ends. */
function memberships(ranges: readonly Range[], options: BridgeVlanOptions): Body {
  const set = (name: keyof BridgeVlanOptions): boolean => optionalBoolean(options[name], `options.${name}`) ?? false
  const bits = (set('pvid') ? info.pvid : 0) | (set('untagged') ? info.untagged : 0)
  const vlans: Field[] = ranges.flatMap(({ start, end }) =>
    start === end
      ? [{ flags: bits, id: start }]
      : [
          { flags: bits | info.rangeBegin, id: start },
          { flags: bits | info.rangeEnd, id: end },
        ],
  )
  if (set('pvid') && vlans.length > 1) throw invalidValue('options.pvid', 'is for one VLAN', ranges)
  const flags = (set('master') ? BRIDGE_FLAGS_MASTER : 0) | (set('self') ? BRIDGE_FLAGS_SELF : 0)
  return flags === 0 ? { vlans } : { flags, vlans }
}

function membershipChange(
  ref: LinkRef,
  vlans: VlanIds,
  options: BridgeVlanOptions,
  known: readonly string[],
  verb: 'add' | 'delete',
): Operation {
  fields(options, 'options', known)
  const bridge = memberships(rangesOf(vlans), options)
  return {
    devices: [{ ref, path: 'link' }],
    build: (resolve) => [
      {
        type: verb === 'add' ? 'RTM_SETLINK' : 'RTM_DELLINK',
        flags: 0,
        body: { family: c.AF_BRIDGE, index: resolve(ref), bridge },
        step: `${verb} VLANs of ${called(ref)}`,
      },
    ],
  }
}

export const vlanAddition = (ref: LinkRef, vlans: VlanIds, options: BridgeVlanOptions = {}): Operation =>
  membershipChange(ref, vlans, options, ['pvid', 'untagged', 'self', 'master'], 'add')

export type BridgeVlanPlace = Pick<BridgeVlanOptions, 'self' | 'master'>

export const vlanDeletion = (ref: LinkRef, vlans: VlanIds, options: BridgeVlanPlace = {}): Operation =>
  membershipChange(ref, vlans, options, ['self', 'master'], 'delete')

/** As `bridge vlan set` sends it. */
export function vlanChange(ref: LinkRef, vlans: VlanIds, settings: BridgeVlanSettings): Operation {
  fields(settings, 'settings', namesOf(table))
  const data = dataOf(table, settings, 'settings')
  if (Object.keys(data).length === 0) throw invalidValue('settings', 'must have something to set', settings)
  const entries = rangesOf(vlans).map(({ start, end }) => ({
    info: { flags: info.onlyOptions, id: start },
    ...(start === end ? {} : { end }),
    ...data,
  }))
  return {
    devices: [{ ref, path: 'link' }],
    build: (resolve) => [
      {
        type: 'RTM_NEWVLAN',
        flags: 0,
        body: { family: c.AF_BRIDGE, index: resolve(ref), entries },
        step: `change VLANs of ${called(ref)}`,
      },
    ],
  }
}

export async function addBridgeVlans(
  handle: NamespaceHandle,
  ref: LinkRef,
  vlans: VlanIds,
  options?: BridgeVlanOptions,
): Promise<void> {
  await perform(handle, vlanAddition(ref, vlans, options))
}

export async function deleteBridgeVlans(
  handle: NamespaceHandle,
  ref: LinkRef,
  vlans: VlanIds,
  options?: BridgeVlanPlace,
): Promise<void> {
  await perform(handle, vlanDeletion(ref, vlans, options))
}

export async function setBridgeVlans(
  handle: NamespaceHandle,
  ref: LinkRef,
  vlans: VlanIds,
  settings: BridgeVlanSettings,
): Promise<void> {
  await perform(handle, vlanChange(ref, vlans, settings))
}

function vlanFrom(link: number, entry: Body): BridgeVlan {
  const { flags, id } = (nested(entry['info']) ?? {}) as { flags?: number; id?: number }
  const start = id ?? 0
  return {
    link,
    start,
    end: optionalNumber(entry['end']) ?? start,
    pvid: ((flags ?? 0) & info.pvid) !== 0,
    untagged: ((flags ?? 0) & info.untagged) !== 0,
    ...readOptions(table, entry),
  }
}

/** Of one device, as RTM_NEWVLAN tells it. */
export function bridgeVlansFrom(body: Body): BridgeVlan[] {
  const entries = Array.isArray(body['entries']) ? (body['entries'] as Body[]) : []
  return entries.map((entry) => vlanFrom(number(body['index']), entry))
}

export interface BridgeVlanFilter extends Abortable {
  /** Only of this port or bridge. */
  readonly link?: LinkRef
}

/** The kernel filters by device. */
export async function listBridgeVlans(handle: NamespaceHandle, filter: BridgeVlanFilter = {}): Promise<BridgeVlan[]> {
  fields(filter, 'filter', ['link', 'signal'])
  const signal = signalOf(filter, 'filter')
  const index = filter.link === undefined ? 0 : await indexOf(handle, filter.link, 'filter.link')
  const devices = await dump(handle, 'RTM_GETVLAN', { family: c.AF_BRIDGE, index }, 'the VLANs', bridgeVlansFrom, { signal })
  return devices.flat()
}
