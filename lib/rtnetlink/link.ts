// Network devices: looking, changing, deleting. Making them is in bridge.ts and veth.ts.

import { fields, integer, invalidType, list, outOfRange } from '../invalid.ts'
import { interfaceName, macAddress } from '../names.ts'
import type { Body, Message, NamespaceHandle } from '../native.ts'
import { type BridgePort, bridgePortFrom } from './bridge-options.ts'
import * as c from './constants.ts'
import { dump, nested, number, optionalNumber, optionalText, send } from './exchange.ts'
import { type KindInfo, readKind } from './kind/kinds.ts'
import { altname, getLinkMessage, indexOf, type LinkRef, refBody } from './link-ref.ts'
import { type Operation, perform } from './operation.ts'

export { altname, getLinkMessage, indexOf, type LinkRef, refBody } from './link-ref.ts'

/** RFC 2863 operational state, in the words of `ip link`. */
export type OperState = 'unknown' | 'notpresent' | 'down' | 'lowerlayerdown' | 'testing' | 'dormant' | 'up'
const operStates: readonly OperState[] = ['unknown', 'notpresent', 'down', 'lowerlayerdown', 'testing', 'dormant', 'up']

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
  readonly promiscuous: boolean
  readonly mac?: string
  readonly mtu: number
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
  /** Of a bridge's port. */
  readonly port?: BridgePort
}

export interface LinkFilter {
  /** Only ports of this device. */
  readonly master?: LinkRef
  /** Only devices of this kind: `veth`, `bridge`. */
  readonly kind?: string
}

export interface LinkChanges {
  readonly name?: string
  readonly up?: boolean
  /** null takes it off its master. */
  readonly master?: LinkRef | null
  readonly mac?: string
  readonly mtu?: number
  readonly group?: number
  readonly txqlen?: number
  /** An empty string removes it. */
  readonly alias?: string
  /** Alternative names to add; EEXIST when one is taken in the namespace. */
  readonly addAltnames?: readonly string[]
  readonly deleteAltnames?: readonly string[]
}

const changeNames = ['name', 'up', 'master', 'mac', 'mtu', 'group', 'txqlen', 'alias', 'addAltnames', 'deleteAltnames'] as const

export function linkFrom(body: Body): Link {
  const info = nested(body, 'info')
  const kind = info && optionalText(info, 'kind')
  const portData = info && nested(info, 'portData')
  const flags = number(body, 'flags')
  const optional = {
    kind,
    mac: optionalText(body, 'mac'),
    alias: optionalText(body, 'alias'),
    master: optionalNumber(body, 'master'),
    peer: optionalNumber(body, 'link'),
    peerNetnsid: optionalNumber(body, 'linkNetnsid'),
    qdisc: optionalText(body, 'qdisc'),
    ...readKind(kind, info?.['data']),
    port:
      info !== undefined && optionalText(info, 'portKind') === 'bridge' && portData !== undefined
        ? bridgePortFrom(portData)
        : undefined,
  }
  const link: Record<string, unknown> = {
    index: number(body, 'index'),
    name: optionalText(body, 'name') ?? '',
    altnames: Array.isArray(body['altnames']) ? body['altnames'] : [],
    up: (flags & c.IFF_UP) !== 0,
    carrier: (flags & c.IFF_LOWER_UP) !== 0,
    operstate: operStates[number(body, 'operstate')] ?? 'unknown',
    loopback: (flags & c.IFF_LOOPBACK) !== 0,
    promiscuous: number(body, 'promiscuity') > 0,
    mtu: number(body, 'mtu'),
    group: number(body, 'group'),
    txqlen: number(body, 'txqlen'),
    txQueues: number(body, 'txQueues'),
    rxQueues: number(body, 'rxQueues'),
  }
  for (const [field, value] of Object.entries(optional)) if (value !== undefined) link[field] = value
  return link as unknown as Link
}

export function mtuOf(value: unknown, path: string): number {
  return integer(value, path, 68, 65535)
}

export async function getLink(handle: NamespaceHandle, ref: LinkRef): Promise<Link> {
  const [outcome] = await send(handle, [getLinkMessage(ref, 'link')])
  return linkFrom(outcome?.replies[0] ?? {})
}

export async function listLinks(handle: NamespaceHandle, filter: LinkFilter = {}): Promise<Link[]> {
  fields(filter, 'filter', ['master', 'kind'])
  const master = filter.master === undefined ? undefined : await indexOf(handle, filter.master, 'filter.master')
  if (filter.kind !== undefined && typeof filter.kind !== 'string') throw invalidType('filter.kind', 'a string', filter.kind)
  const info = filter.kind === undefined ? undefined : { kind: filter.kind }
  const links = await dump(handle, 'RTM_GETLINK', { extMask: c.RTEXT_FILTER_SKIP_STATS, master, info }, 'the links', linkFrom)
  // The kernel gives all devices for a kind that it has never heard of.
  return links.filter((link) => filter.kind === undefined || link.kind === filter.kind)
}

function checkChanges(changes: LinkChanges): void {
  fields(changes, 'changes', changeNames)
  if (changes.name !== undefined) interfaceName(changes.name, 'changes.name')
  if (changes.up !== undefined && typeof changes.up !== 'boolean') throw invalidType('changes.up', 'a boolean', changes.up)
  if (changes.master !== undefined && changes.master !== null) refBody(changes.master, 'changes.master')
  if (changes.mac !== undefined) macAddress(changes.mac, 'changes.mac')
  if (changes.mtu !== undefined) mtuOf(changes.mtu, 'changes.mtu')
  if (changes.group !== undefined) integer(changes.group, 'changes.group', 0, 0xffffffff)
  if (changes.txqlen !== undefined) integer(changes.txqlen, 'changes.txqlen', 0, 0xffffffff)
  if (changes.alias !== undefined) checkAlias(changes.alias, 'changes.alias')
  for (const change of ['addAltnames', 'deleteAltnames'] as const) {
    if (changes[change] === undefined) continue
    for (const [at, name] of list(changes[change], `changes.${change}`).entries()) altname(name, `changes.${change}[${at}]`)
  }
}

/** IFALIASZ without the NUL. */
export const longestAlias = 255

export function checkAlias(value: unknown, path: string): string {
  if (typeof value !== 'string') throw invalidType(path, 'a string', value)
  if (Buffer.byteLength(value) > longestAlias || value.includes('\0'))
    throw outOfRange(`the length of ${path}`, 0, longestAlias, value.length)
  return value
}

/** A rename is safe: the device is named by its index. */
function changeMessages(index: number, changes: LinkChanges, master: number | undefined): Message[] {
  const set: Body = {
    name: changes.name,
    mac: changes.mac,
    mtu: changes.mtu,
    group: changes.group,
    txqlen: changes.txqlen,
    alias: changes.alias,
    master,
    ...(changes.up === undefined ? {} : { flags: changes.up ? c.IFF_UP : 0, change: c.IFF_UP }),
  }
  const isEmpty = Object.values(set).every((value) => value === undefined)
  return isEmpty ? [] : [{ type: 'RTM_SETLINK', flags: 0, body: { index, ...set } }]
}

function nameMessages(index: number, changes: LinkChanges): Message[] {
  const { deleteAltnames, addAltnames } = changes
  const messages: Message[] = []
  const put = (type: string, flags: number, altnames: readonly string[] | undefined, step: string): void => {
    if (altnames?.length) messages.push({ type, flags, body: { index, altnames }, step })
  }
  put('RTM_DELLINKPROP', 0, deleteAltnames, 'delete alternative names')
  put('RTM_NEWLINKPROP', c.NLM_F_CREATE | c.NLM_F_EXCL | c.NLM_F_APPEND, addAltnames, 'add alternative names')
  return messages
}

function devicesOf(ref: LinkRef, changes: LinkChanges): Operation['devices'] {
  checkChanges(changes)
  const { master } = changes
  return [{ ref, path: 'link' }, ...(master === undefined || master === null ? [] : [{ ref: master, path: 'changes.master' }])]
}

const masterIndex = ({ master }: LinkChanges, resolve: (ref: LinkRef) => number): number | undefined => {
  if (master === undefined) return undefined
  return master === null ? 0 : resolve(master)
}

/** All changes in one submission, in the order of LinkChanges. */
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

/** By name without a look-up: the kernel resolves it. */
export function linkDeletion(ref: LinkRef): Operation {
  const body = refBody(ref, 'link')
  return { devices: [], build: () => [{ type: 'RTM_DELLINK', flags: 0, body, step: 'delete the link' }] }
}

export async function deleteLink(handle: NamespaceHandle, ref: LinkRef): Promise<void> {
  await perform(handle, linkDeletion(ref))
}
