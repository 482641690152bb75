// Nexthops as objects of their own, which routes share; see ip-nexthop(8).

import { type Abortable, signalOf } from '../../abort.ts'
import { parseAddress } from '../../cidr.ts'
import { dump, number, optionalNumber, optionalText } from '../../exchange.ts'
import { fields, integer, invalidType, invalidValue } from '../../invalid.ts'
import type { Body, NamespaceHandle } from '../../native.ts'
import * as c from '../constants.ts'
import { familyName, familyNumber } from '../family.ts'
import { indexOf, type LinkRef } from '../link/ref.ts'
import { type Operation, perform } from '../operation.ts'

interface NexthopIdentity {
  readonly id: number
}

interface NexthopHop {
  readonly via?: string
  readonly dev: LinkRef
  readonly onlink?: boolean
  readonly family?: 'inet' | 'inet6'
  readonly blackhole?: never
  readonly group?: never
}

interface NexthopHole {
  readonly blackhole: true
  readonly family?: 'inet' | 'inet6'
  readonly via?: never
  readonly dev?: never
  readonly onlink?: never
  readonly group?: never
}

interface NexthopGroup {
  /** `weight` is from 1 to 256. */
  readonly group: readonly { readonly id: number; readonly weight?: number }[]
  readonly via?: never
  readonly dev?: never
  readonly onlink?: never
  readonly family?: never
  readonly blackhole?: never
}

/** A gateway or a device, a hole, or a group of others with weights. */
export type NexthopSpec = NexthopIdentity & (NexthopHop | NexthopHole | NexthopGroup)

export interface Nexthop extends NexthopIdentity {
  readonly family?: 'inet' | 'inet6'
  readonly via?: string
  /** Index of the device. */
  readonly dev?: number
  readonly blackhole: boolean
  readonly onlink: boolean
  readonly group?: readonly { readonly id: number; readonly weight: number }[]
}

function groupBody(group: unknown): Body {
  if (!Array.isArray(group) || group.length === 0) throw invalidType('nexthop.group', 'an array that is not empty', group)
  const members = group.map((member: unknown, at) => {
    const { id, weight } = fields(member, `nexthop.group[${at}]`, ['id', 'weight'])
    return {
      id: integer(id, `nexthop.group[${at}].id`, 1, 0xffffffff),
      weight: integer(weight ?? 1, `nexthop.group[${at}].weight`, 1, 256) - 1,
    }
  })
  return { family: c.AF_UNSPEC, members }
}

/** Refuses what is of another sort of nexthop. */
function only(spec: NexthopSpec, sort: 'group' | 'blackhole', others: readonly string[]): void {
  const other = Object.entries(spec).find(([name, value]) => value !== undefined && !['id', sort, ...others].includes(name))
  if (other !== undefined) throw invalidValue(`nexthop.${other[0]}`, `does not go with nexthop.${sort}`, other[1])
}

function body(spec: NexthopSpec, oif: number | undefined): Body {
  fields(spec, 'nexthop', ['id', 'via', 'dev', 'onlink', 'family', 'blackhole', 'group'])
  const id = integer(spec.id, 'nexthop.id', 1, 0xffffffff)
  if (spec.group !== undefined) {
    only(spec, 'group', [])
    return { id, protocol: c.RTPROT.static, ...groupBody(spec.group) }
  }
  const named = familyNumber(spec.family, 'nexthop.family')
  if (spec.blackhole !== undefined) {
    only(spec, 'blackhole', ['family'])
    const blackhole: unknown = spec.blackhole
    if (blackhole !== true) throw invalidType('nexthop.blackhole', 'true', blackhole)
    return { id, family: named || c.AF_INET, protocol: c.RTPROT.static, blackhole: true }
  }
  const gateway = spec.via === undefined ? undefined : parseAddress(spec.via, 'nexthop.via')
  if (gateway !== undefined && named !== c.AF_UNSPEC && named !== gateway.family) {
    throw invalidValue('nexthop.via', 'is of another family than nexthop.family', spec.via)
  }
  return {
    id,
    family: gateway?.family ?? (named || c.AF_INET),
    protocol: c.RTPROT.static,
    flags: spec.onlink ? c.RTNH_F_ONLINK : 0,
    gateway: gateway?.text,
    oif,
  }
}

const flagsFor: Readonly<Record<'add' | 'replace', number>> = {
  add: c.NLM_F_CREATE | c.NLM_F_EXCL,
  replace: c.NLM_F_CREATE | c.NLM_F_REPLACE,
}

export function nexthopChange(verb: 'add' | 'replace', spec: NexthopSpec): Operation {
  const dev = spec?.dev
  return {
    devices: dev === undefined ? [] : [{ ref: dev, path: 'nexthop.dev' }],
    build: (resolve) => [
      {
        type: 'RTM_NEWNEXTHOP',
        flags: flagsFor[verb],
        body: body(spec, dev === undefined ? undefined : resolve(dev)),
        step: `${verb} the nexthop ${spec.id}`,
      },
    ],
  }
}

export function nexthopDeletion(id: number): Operation {
  const body = { id: integer(id, 'id', 1, 0xffffffff) }
  return { devices: [], build: () => [{ type: 'RTM_DELNEXTHOP', flags: 0, body, step: `delete the nexthop ${id}` }] }
}

/** EEXIST when the id is taken. */
export async function addNexthop(handle: NamespaceHandle, spec: NexthopSpec): Promise<void> {
  await perform(handle, nexthopChange('add', spec))
}

export async function replaceNexthop(handle: NamespaceHandle, spec: NexthopSpec): Promise<void> {
  await perform(handle, nexthopChange('replace', spec))
}

/** Its routes go with it. ENOENT when there is none. */
export async function deleteNexthop(handle: NamespaceHandle, id: number): Promise<void> {
  await perform(handle, nexthopDeletion(id))
}

export function nexthopFrom(found: Body): Nexthop {
  const family = number(found['family'])
  const via = optionalText(found['gateway'])
  const dev = optionalNumber(found['oif'])
  const members = found['members']
  return {
    id: number(found['id']),
    blackhole: found['blackhole'] === true,
    onlink: (number(found['flags']) & c.RTNH_F_ONLINK) !== 0,
    ...(family === c.AF_UNSPEC ? {} : { family: familyName(family) }),
    ...(via === undefined ? {} : { via }),
    ...(dev === undefined ? {} : { dev }),
    ...(Array.isArray(members)
      ? { group: (members as readonly Body[]).map((one) => ({ id: number(one['id']), weight: number(one['weight']) + 1 })) }
      : {}),
  }
}

/** The kernel filters by device. */
export interface NexthopFilter extends Abortable {
  /** Only over this device. */
  readonly dev?: LinkRef
}

export async function listNexthops(handle: NamespaceHandle, filter: NexthopFilter = {}): Promise<Nexthop[]> {
  fields(filter, 'filter', ['dev', 'signal'])
  const signal = signalOf(filter, 'filter')
  const oif = filter.dev === undefined ? undefined : await indexOf(handle, filter.dev, 'filter.dev')
  return dump(handle, 'RTM_GETNEXTHOP', { oif }, 'the nexthops', nexthopFrom, { signal })
}
