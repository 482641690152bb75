// Filters: which packets go to which class, or into which actions; see tc(8).

import { type Abortable, signalOf } from '../../abort.ts'
import { dump, nested, number, optionalNumber, optionalText, send } from '../../exchange.ts'
import { fields, integer, invalidType, invalidValue, oneOf } from '../../invalid.ts'
import type { Body, NamespaceHandle } from '../../native.ts'
import * as c from '../constants.ts'
import { called, indexOf, type LinkRef, refBody } from '../link/link.ts'
import { type Action, type ActionSpec, actionBodies, actionDevs, actionsFrom } from './filter/action.ts'
import { type FlowerInfo, type FlowerSpec, flowerInfo, flowerNames, flowerOptions } from './filter/flower.ts'
import { type U32Info, type U32Spec, u32Info, u32Options } from './filter/u32.ts'
import { classId, filterParent, formatHandle, formatParent } from './handle.ts'

/** EtherTypes, in network order in the message's header. */
const protocols = { all: 0x0003, ip: 0x0800, arp: 0x0806, '802.1q': 0x8100, ipv6: 0x86dd, '802.1ad': 0x88a8 } as const
export type FilterProtocol = keyof typeof protocols | number

export interface FilterPlace {
  /** `'ingress'` or `'egress'`, the hooks of ingress and clsact; a queueing discipline `'1:'`; or `'root'`, whatever is there. */
  readonly parent: string
  /** From 1 to 65535: lower comes first. @defaultValue chosen by the kernel: before all others */
  readonly priority?: number
  /** @defaultValue 'all' */
  readonly protocol?: FilterProtocol
  /** `'800::800'` for u32, a number otherwise. @defaultValue chosen by the kernel */
  readonly handle?: string | number
}

interface FilterCommon extends FilterPlace {
  /** The class that matching packets go to: `'1:10'`. */
  readonly classId?: string
  readonly actions?: readonly ActionSpec[]
}

export type MatchallSpec = Readonly<Record<never, never>>

export type FilterSpec = FilterCommon &
  (
    | ({ readonly kind: 'u32' } & U32Spec)
    | ({ readonly kind: 'flower' } & FlowerSpec)
    | ({ readonly kind: 'matchall' } & MatchallSpec)
  )

export type Filter = {
  readonly link: number
  readonly parent: string
  readonly priority: number
  readonly protocol: FilterProtocol
  readonly handle: string | number
  readonly chain: number
  readonly classId?: string
  readonly actions: readonly Action[]
} & (
  | ({ readonly kind: 'u32' } & U32Info)
  | ({ readonly kind: 'flower' } & FlowerInfo)
  | { readonly kind: 'matchall' }
  | { readonly kind: 'other'; readonly type: string; readonly options?: Uint8Array }
)

const places = ['parent', 'priority', 'protocol', 'handle'] as const
const common = [...places, 'kind', 'classId', 'actions']
const kindNames = { u32: ['match'], flower: flowerNames, matchall: [] } as const

const swapped = (value: number): number => ((value & 0xff) << 8) | (value >>> 8)

function protocolOf(protocol: FilterProtocol, path: string): number {
  if (typeof protocol === 'number') return integer(protocol, path, 1, 0xffff)
  return protocols[oneOf(protocol, path, Object.keys(protocols) as (keyof typeof protocols)[])]
}

/** The table, bucket and number of a u32 filter; `800::800` and `800:1:800`. */
function handleOf(handle: string | number, path: string): number {
  if (typeof handle === 'number') return integer(handle, path, 0, 0xffffffff)
  const [, table, bucket, node] = /^([0-9a-f]{1,3}):([0-9a-f]{0,2}):([0-9a-f]{0,3})$/i.exec(handle) ?? []
  if (table === undefined) throw invalidValue(path, "must be a number, or for u32 a text such as '800::800'", handle)
  const hex = (text: string | undefined): number => (text ? Number.parseInt(text, 16) : 0)
  return ((hex(table) << 20) | (hex(bucket) << 12) | hex(node)) >>> 0
}

function formatU32(handle: number): string {
  const hex = (value: number): string => (value === 0 ? '' : value.toString(16))
  return `${(handle >>> 20).toString(16)}:${hex((handle >>> 12) & 0xff)}:${hex(handle & 0xfff)}`
}

function placeBody(index: number, place: FilterPlace, path: string, fallback: FilterProtocol | undefined): Body {
  const protocol = place.protocol ?? fallback
  const priority = place.priority === undefined ? 0 : integer(place.priority, `${path}.priority`, 1, 0xffff)
  return {
    index,
    parent: filterParent(place.parent, `${path}.parent`),
    handle: place.handle === undefined ? 0 : handleOf(place.handle, `${path}.handle`),
    info: ((priority << 16) | (protocol === undefined ? 0 : swapped(protocolOf(protocol, `${path}.protocol`)))) >>> 0,
  }
}

function kindOptions(spec: FilterSpec): Body {
  if (spec.kind === 'u32') return u32Options(spec, 'filter')
  if (spec.kind === 'flower')
    return flowerOptions(spec, 'filter', protocolOf(spec.protocol ?? 'all', 'filter.protocol'), protocols.all)
  return {}
}

export function filterBody(index: number, spec: FilterSpec, devs: readonly number[]): Body {
  if (typeof spec !== 'object' || spec === null) throw invalidType('filter', 'an object', spec)
  const kind = oneOf(spec.kind, 'filter.kind', ['u32', 'flower', 'matchall'] as const)
  fields(spec, 'filter', [...common, ...kindNames[kind]])
  return {
    ...placeBody(index, spec, 'filter', 'all'),
    kind,
    options: {
      classId: spec.classId === undefined ? undefined : classId(spec.classId, 'filter.classId'),
      actions: actionBodies(spec.actions, 'filter.actions', devs),
      ...kindOptions(spec),
    },
  }
}

async function change(handle: NamespaceHandle, link: LinkRef, spec: FilterSpec, flags: number, verb: string): Promise<void> {
  refBody(link, 'link')
  filterBody(1, spec, [])
  const [index, devs] = await Promise.all([indexOf(handle, link, 'link'), actionDevs(handle, spec.actions, 'filter.actions')])
  const step = `${verb} the ${spec.kind} filter of ${called(link)} at ${spec.parent}`
  await send(handle, [{ type: 'RTM_NEWTFILTER', flags, body: filterBody(index, spec, devs), step }])
}

/** EEXIST when there is one with the same handle, EINVAL when the parent can't have filters. */
export const addFilter = (handle: NamespaceHandle, link: LinkRef, spec: FilterSpec): Promise<void> =>
  change(handle, link, spec, c.NLM_F_CREATE | c.NLM_F_EXCL, 'add')

/** Makes it, or changes the one with the same priority and handle. */
export const replaceFilter = (handle: NamespaceHandle, link: LinkRef, spec: FilterSpec): Promise<void> =>
  change(handle, link, spec, c.NLM_F_CREATE, 'replace')

export type FilterRef = FilterPlace & { readonly kind?: 'u32' | 'flower' | 'matchall' }

/** One, with `handle`, `priority` and `kind`; all of a priority; or all of a parent. ENOENT when there is none. */
export async function deleteFilter(handle: NamespaceHandle, link: LinkRef, ref: FilterRef): Promise<void> {
  refBody(link, 'link')
  fields(ref, 'filter', [...places, 'kind'])
  if (ref.handle !== undefined && (ref.priority === undefined || ref.kind === undefined))
    throw invalidValue('filter.handle', 'needs filter.priority and filter.kind', ref.handle)
  const kind = ref.kind === undefined ? undefined : oneOf(ref.kind, 'filter.kind', ['u32', 'flower', 'matchall'] as const)
  // A priority has one protocol only, and the kernel checks that it is named.
  const body = (index: number): Body => ({
    ...placeBody(index, ref, 'filter', ref.priority === undefined ? undefined : 'all'),
    kind,
  })
  body(1)
  const step = `delete the filters of ${called(link)} at ${ref.parent}`
  await send(handle, [{ type: 'RTM_DELTFILTER', flags: 0, body: body(await indexOf(handle, link, 'link')), step }])
}

/** The kernel lists priorities, without a handle, and u32's hash tables, without a number in it, too: they are no filters. */
function isFilter(body: Body): boolean {
  const handle = number(body['handle'])
  return optionalText(body['kind']) === 'u32' ? (handle & 0xfff) !== 0 : handle !== 0
}

function filterFrom(body: Body): Filter {
  const kind = optionalText(body['kind']) ?? ''
  const info = number(body['info'])
  const protocol = swapped(info & 0xffff)
  const handle = number(body['handle'])
  const options = nested(body['options']) ?? {}
  const target = optionalNumber(options['classId'])
  const raw = body['options']
  const place = {
    link: number(body['index']),
    parent: formatParent(number(body['parent']), kind),
    priority: info >>> 16,
    protocol: (Object.entries(protocols).find(([, value]) => value === protocol)?.[0] as keyof typeof protocols) ?? protocol,
    handle: kind === 'u32' ? formatU32(handle) : handle,
    chain: number(body['chain']),
    actions: actionsFrom(options),
    ...(target === undefined || target === 0 ? {} : { classId: formatHandle(target) }),
  }
  if (kind === 'u32') return { ...place, kind, ...u32Info(options) }
  if (kind === 'flower') return { ...place, kind, ...flowerInfo(options) }
  if (kind === 'matchall') return { ...place, kind }
  return { ...place, kind: 'other', type: kind, ...(raw instanceof Uint8Array ? { options: raw } : {}) }
}

/** Those of a parent, in the order in which they are asked. */
export async function listFilters(
  handle: NamespaceHandle,
  link: LinkRef,
  place: { readonly parent: string } & Abortable,
): Promise<Filter[]> {
  fields(place, 'filter', ['parent', 'signal'])
  const signal = signalOf(place, 'filter')
  const parent = filterParent(place.parent, 'filter.parent')
  const body = { index: await indexOf(handle, link, 'link'), parent }
  const look = (one: Body): Filter | undefined => (isFilter(one) ? filterFrom(one) : undefined)
  const found = await dump(handle, 'RTM_GETTFILTER', body, 'the filters', look, { signal })
  return found.filter((filter) => filter !== undefined)
}
