// Network devices: looking, changing, deleting. Making them is in bridge.ts and veth.ts.

import { type Abortable, signalOf } from '../../abort.ts'
import { dump, nested, number, optionalNumber, optionalText, present, send } from '../../exchange.ts'
import { fields, invalidType, invalidValue, list, oneOf } from '../../invalid.ts'
import { interfaceName } from '../../names.ts'
import type { Body, Message, NamespaceHandle } from '../../native.ts'
import { type BridgePort, bridgePortFrom } from '../bridge/port-options.ts'
import * as c from '../constants.ts'
import { type Operation, perform } from '../operation.ts'
import { altnamesAddition } from './completion.ts'
import { type KindInfo, readKind } from './kind/kinds.ts'
import { altname, called, getLinkMessage, indexOf, type LinkRef, refBody } from './ref.ts'
import {
  type AddressGeneration,
  generations,
  type LinkSettings,
  laterBody,
  optionalBoolean,
  settingNames,
  settingsBody,
} from './settings.ts'
import { type LinkStatistics, linkStatisticsFrom } from './statistics.ts'

export { altname, called, getLinkMessage, indexOf, type LinkRef, refBody } from './ref.ts'

/** RFC 2863 operational state, in the words of `ip link`. */
export type OperState = 'unknown' | 'notpresent' | 'down' | 'lowerlayerdown' | 'testing' | 'dormant' | 'up'
const operStates: readonly OperState[] = ['unknown', 'notpresent', 'down', 'lowerlayerdown', 'testing', 'dormant', 'up']

/** What a carrier makes of the operational state: 'up', or 'dormant' until somebody (802.1X) says `operstate: 'up'`. */
export type LinkMode = 'default' | 'dormant' | 'testing'
/** IF_LINK_MODE_*. */
const linkModes: readonly LinkMode[] = ['default', 'dormant', 'testing']

/** A network device as it was when it was read: plain, JSON-safe data. */
export interface Link extends KindInfo {
  readonly index: number
  readonly name: string
  /** Other names by which it is found, up to 127 characters each. */
  readonly altnames: readonly string[]
  /** `veth`, `bridge`, …: absent for physical devices and the loopback. */
  readonly kind?: string
  /** Administratively up (IFF_UP). */
  readonly up: boolean
  /** Up, and with a carrier (IFF_LOWER_UP). */
  readonly carrier: boolean
  readonly operstate: OperState
  readonly loopback: boolean
  /** It resolves the link-layer addresses of its neighbors. */
  readonly arp: boolean
  readonly multicast: boolean
  /** Somebody wants every packet: an administrator, a bridge, a capture. */
  readonly promiscuous: boolean
  readonly allMulticast: boolean
  readonly mac?: string
  /** The one that it was made with in the factory. */
  readonly permanentMac?: string
  readonly mtu: number
  readonly minMtu: number
  /** 0: no bound. */
  readonly maxMtu: number
  readonly group: number
  readonly txqlen: number
  readonly alias?: string
  /** Index of the device that this one is a port of. */
  readonly master?: number
  /** Index of the other end of a veth, or of the device below; in the namespace `peerNetnsid` when that is there. */
  readonly peer?: number
  /** The id that this namespace has for the one where the other end lives (see ip-netns(8), `nsid`). */
  readonly peerNetnsid?: number
  readonly qdisc?: string
  readonly txQueues: number
  readonly rxQueues: number
  /** See LinkSettings. */
  readonly gsoMaxSize: number
  readonly gsoMaxSegments: number
  readonly groMaxSize: number
  /** Linux 6.3. */
  readonly gsoIpv4MaxSize?: number
  readonly groIpv4MaxSize?: number
  /** Absent where IPv6 is not on the device. */
  readonly addressGeneration?: AddressGeneration
  readonly linkMode: LinkMode
  /** A protocol holds it down. */
  readonly protodown: boolean
  /** Of a bridge's port. */
  readonly port?: BridgePort
  /** When they were asked for. */
  readonly statistics?: LinkStatistics
}

/** What getLink and listLinks tell besides. */
export interface LinkDetails {
  /** With what the device has counted. They cost time to read, so only who asks gets them. @defaultValue false */
  readonly statistics?: boolean
}

export interface LinkFilter extends LinkDetails, Abortable {
  /** Only ports of this device. */
  readonly master?: LinkRef
  /** Only devices of this kind: `veth`, `bridge`. */
  readonly kind?: string
}

export interface LinkChanges extends LinkSettings {
  readonly name?: string
  readonly up?: boolean
  /** null takes it off its master. */
  readonly master?: LinkRef | null
  /** Of devices without a wire: dummy, and tun and tap with a program at the other end. */
  readonly carrier?: boolean
  /** Holds it down, whatever `up` says: of macvlan, vxlan and some switches. */
  readonly protodown?: boolean
  readonly linkMode?: LinkMode
  /** Only from one of these or 'unknown' to another: else the kernel keeps what it is. */
  readonly operstate?: 'up' | 'dormant' | 'testing'
  /** Alternative names to add; EEXIST when one is taken in the namespace. */
  readonly addAltnames?: readonly string[]
  readonly deleteAltnames?: readonly string[]
}

const changeNames: readonly string[] = [
  ...['name', 'up', 'master', ...settingNames, 'carrier', 'protodown', 'linkMode', 'operstate', 'addAltnames', 'deleteAltnames'],
]

/** Those that only a move has are told by what they lack, not as unknown words. */
export const moveNames: readonly string[] = [...changeNames, 'netns', 'newIndex']

export function linkFrom(body: Body): Link {
  const info = nested(body['info'])
  const kind = info && optionalText(info['kind'])
  const portData = info && nested(info['portData'])
  const flags = number(body['flags'])
  const inet6 = nested(nested(body['afSpec'])?.['inet6'])
  const optional = {
    kind,
    mac: optionalText(body['mac']),
    permanentMac: optionalText(body['permanentMac']),
    gsoIpv4MaxSize: optionalNumber(body['gsoIpv4MaxSize']),
    groIpv4MaxSize: optionalNumber(body['groIpv4MaxSize']),
    addressGeneration: inet6 && generations[number(inet6['addrGenMode'])],
    alias: optionalText(body['alias']),
    master: optionalNumber(body['master']),
    peer: optionalNumber(body['link']),
    peerNetnsid: optionalNumber(body['linkNetnsid']),
    qdisc: optionalText(body['qdisc']),
    statistics: linkStatisticsFrom(body),
    ...readKind(kind, info?.['data']),
    port:
      info !== undefined && optionalText(info['portKind']) === 'bridge' && portData !== undefined
        ? bridgePortFrom(portData)
        : undefined,
  }
  return {
    index: number(body['index']),
    name: optionalText(body['name']) ?? '',
    altnames: Array.isArray(body['altnames']) ? body['altnames'] : [],
    up: (flags & c.IFF_UP) !== 0,
    carrier: (flags & c.IFF_LOWER_UP) !== 0,
    operstate: operStates[number(body['operstate'])] ?? 'unknown',
    loopback: (flags & c.IFF_LOOPBACK) !== 0,
    arp: (flags & c.IFF_NOARP) === 0,
    multicast: (flags & c.IFF_MULTICAST) !== 0,
    promiscuous: number(body['promiscuity']) > 0,
    allMulticast: (flags & c.IFF_ALLMULTI) !== 0 || number(body['allmulti']) > 0,
    mtu: number(body['mtu']),
    minMtu: number(body['minMtu']),
    maxMtu: number(body['maxMtu']),
    group: number(body['group']),
    txqlen: number(body['txqlen']),
    txQueues: number(body['txQueues']),
    rxQueues: number(body['rxQueues']),
    gsoMaxSize: number(body['gsoMaxSize']),
    gsoMaxSegments: number(body['gsoMaxSegments']),
    groMaxSize: number(body['groMaxSize']),
    linkMode: linkModes[number(body['linkMode'])] ?? 'default',
    protodown: number(body['protodown']) !== 0,
    ...present(optional),
  }
}

const wanted = ({ statistics }: LinkDetails, path: string): readonly string[] =>
  optionalBoolean(statistics, `${path}.statistics`) ? ['statistics'] : []

export async function getLink(handle: NamespaceHandle, ref: LinkRef, details: LinkDetails = {}): Promise<Link> {
  fields(details, 'options', ['statistics'])
  const [outcome] = await send(handle, [{ ...getLinkMessage(ref, 'link'), want: wanted(details, 'options') }])
  return linkFrom(outcome?.replies[0] ?? {})
}

export async function listLinks(handle: NamespaceHandle, filter: LinkFilter = {}): Promise<Link[]> {
  fields(filter, 'filter', ['master', 'kind', 'statistics', 'signal'])
  const signal = signalOf(filter, 'filter')
  const want = wanted(filter, 'filter')
  if (filter.kind !== undefined && typeof filter.kind !== 'string') throw invalidType('filter.kind', 'a string', filter.kind)
  const master = filter.master === undefined ? undefined : await indexOf(handle, filter.master, 'filter.master')
  const info = filter.kind === undefined ? undefined : { kind: filter.kind }
  const body = { extMask: c.RTEXT_FILTER_SKIP_STATS, master, info }
  const links = await dump(handle, 'RTM_GETLINK', body, 'the links', linkFrom, { want, signal })
  // The kernel gives all devices for a kind that it has never heard of.
  return links.filter((link) => filter.kind === undefined || link.kind === filter.kind)
}

/** Everything but the master; throws on bad arguments. */
export function changeBody(changes: LinkChanges, path: string): Body {
  const { linkMode, operstate } = changes
  return present({
    name: changes.name === undefined ? undefined : interfaceName(changes.name, `${path}.name`),
    ...settingsBody(changes, path),
    ...laterBody(changes, path),
    carrier: optionalBoolean(changes.carrier, `${path}.carrier`),
    protodown: optionalBoolean(changes.protodown, `${path}.protodown`),
    linkMode: linkMode && linkModes.indexOf(oneOf(linkMode, `${path}.linkMode`, linkModes)),
    operstate: operstate && operStates.indexOf(oneOf(operstate, `${path}.operstate`, ['up', 'dormant', 'testing'])),
  })
}

/** A rename is safe: the device is named by its index. */
function changeMessages(index: number, changes: LinkChanges, master: number | undefined): Message[] {
  const body = { ...changeBody(changes, 'changes'), ...(master === undefined ? {} : { master }) }
  return Object.keys(body).length === 0 ? [] : [{ type: 'RTM_SETLINK', flags: 0, body: { index, ...body } }]
}

export function nameMessages(index: number, changes: LinkChanges): Message[] {
  const names = (change: 'addAltnames' | 'deleteAltnames'): string[] =>
    list(changes[change] ?? [], `changes.${change}`).map((name, at) => altname(name, `changes.${change}[${at}]`))
  const [deleted, added] = [names('deleteAltnames'), names('addAltnames')]
  return [
    ...(deleted.length === 0
      ? []
      : [
          {
            type: 'RTM_DELLINKPROP',
            flags: 0,
            body: { index, altnames: deleted },
            step: `delete the alternative names ${deleted.join(', ')}`,
          },
        ]),
    ...(added.length === 0 ? [] : [altnamesAddition(index, added)]),
  ]
}

function devicesOf(ref: LinkRef, changes: LinkChanges): Operation['devices'] {
  const { netns, newIndex } = fields(changes, 'changes', moveNames)
  if (netns !== undefined) throw invalidValue('changes.netns', 'is for setLink alone, not for a batch', netns)
  if (newIndex !== undefined) throw invalidValue('changes.newIndex', 'needs changes.netns', newIndex)
  const { master } = changes
  return [{ ref, path: 'link' }, ...(master === undefined || master === null ? [] : [{ ref: master, path: 'changes.master' }])]
}

const masterIndex = ({ master }: LinkChanges, resolve: (ref: LinkRef) => number): number | undefined => {
  if (master === undefined) return undefined
  return master === null ? 0 : resolve(master)
}

/** All changes in one submission. */
export function linkChange(ref: LinkRef, changes: LinkChanges): Operation {
  return {
    devices: devicesOf(ref, changes),
    build: (resolve) => {
      const index = resolve(ref)
      return [...changeMessages(index, changes, masterIndex(changes, resolve)), ...nameMessages(index, changes)]
    },
  }
}

/** Its other names change only when the kernel took the rest: it goes on with a submission after a refusal. */
export async function setLink(handle: NamespaceHandle, ref: LinkRef, changes: LinkChanges): Promise<Link> {
  const devices = devicesOf(ref, changes)
  const change: Operation = { devices, build: (resolve) => changeMessages(resolve(ref), changes, masterIndex(changes, resolve)) }
  const finish = (index: number): Message[] => [...nameMessages(index, changes), getLinkMessage(index, 'link')]
  const hasNames = nameMessages(1, changes).length > 0
  if (hasNames) await perform(handle, change)
  const outcomes = await perform(handle, {
    devices,
    build: (resolve) => [...(hasNames ? [] : change.build(resolve)), ...finish(resolve(ref))],
  })
  return linkFrom(outcomes.at(-1)?.replies[0] ?? {})
}

/** Makes a change to one device and looks at it, in one submission. */
export async function changedLink(handle: NamespaceHandle, ref: LinkRef, { devices, build }: Operation): Promise<Link> {
  const outcomes = await perform(handle, {
    devices,
    build: (resolve) => [...build(resolve), getLinkMessage(resolve(ref), 'link')],
  })
  return linkFrom(outcomes.at(-1)?.replies[0] ?? {})
}

/** By name without a look-up: the kernel resolves it. */
export function linkDeletion(ref: LinkRef): Operation {
  const body = refBody(ref, 'link')
  return { devices: [], build: () => [{ type: 'RTM_DELLINK', flags: 0, body, step: `delete ${called(ref)}` }] }
}

export async function deleteLink(handle: NamespaceHandle, ref: LinkRef): Promise<void> {
  await perform(handle, linkDeletion(ref))
}
