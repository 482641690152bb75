// Queueing disciplines: how a device's packets wait; see tc(8).

import { type Abortable, signalOf } from '../../abort.ts'
import { dump, number, optionalText, send } from '../../exchange.ts'
import { fields, invalidType, invalidValue, oneOf } from '../../invalid.ts'
import type { Body, Message, NamespaceHandle } from '../../native.ts'
import * as c from '../constants.ts'
import { called, indexOf, type LinkRef, refBody } from '../link/link.ts'
import { formatHandle, formatParent, ingress, ingressHandle, qdiscHandle, qdiscParent } from './handle.ts'
import type { QdiscKind } from './qdisc/kind.ts'
import { isQdiscKind, type QdiscKindInfo, type QdiscKindName, type QdiscKindSpec, qdiscKinds } from './qdisc/kinds.ts'
import { statisticsFrom, type TrafficStatistics } from './statistics.ts'

interface QdiscPlace {
  /** `'root'`, or a class: `'1:10'`. @defaultValue 'root'; ingress and clsact have a place of their own */
  readonly parent?: string
  /** `'1:'`. @defaultValue chosen by the kernel */
  readonly handle?: string
}

export type QdiscSpec = QdiscPlace & QdiscKindSpec

export type Qdisc = {
  /** Index of the device. */
  readonly link: number
  /** `0:` for those that nobody made. */
  readonly handle: string
  /** `'root'`, `'ingress'`, `'clsact'` or a class: `'1:10'`. */
  readonly parent: string
  readonly statistics?: TrafficStatistics
} & QdiscKindInfo

export interface QdiscFilter extends Abortable {
  readonly link?: LinkRef
}

/** The kind's own part of a body. */
function kindBody(spec: QdiscSpec, handle: number): Body {
  const common = ['kind', 'parent', 'handle']
  oneOf(spec.kind, 'qdisc.kind', [...(Object.keys(qdiscKinds) as QdiscKindName[]), 'other'] as const)
  if (spec.kind === 'other') {
    fields(spec, 'qdisc', [...common, 'type', 'options'])
    if (typeof spec.type !== 'string' || spec.type === '') throw invalidType('qdisc.type', 'the name of a kind', spec.type)
    if (spec.options !== undefined && !(spec.options instanceof Uint8Array))
      throw invalidType('qdisc.options', 'a Uint8Array', spec.options)
    return { kind: spec.type, options: spec.options }
  }
  const kind: QdiscKind<never, unknown> = qdiscKinds[spec.kind]
  fields(spec, 'qdisc', [...common, ...kind.names])
  return { kind: spec.kind, options: kind.options(spec as never, handle) }
}

export function qdiscBody(index: number, spec: QdiscSpec): Body {
  if (typeof spec !== 'object' || spec === null) throw invalidType('qdisc', 'an object', spec)
  if (spec.kind === 'ingress' || spec.kind === 'clsact') {
    for (const [name, only] of [
      ['parent', spec.kind],
      ['handle', 'ffff:'],
    ] as const) {
      if (spec[name] !== undefined && spec[name] !== only)
        throw invalidValue(`qdisc.${name}`, `of ${spec.kind} is always '${only}'`, spec[name])
    }
    return { index, handle: ingressHandle, parent: ingress, ...kindBody(spec, ingressHandle) }
  }
  const handle = spec.handle === undefined ? 0 : qdiscHandle(spec.handle, 'qdisc.handle')
  return { index, handle, parent: qdiscParent(spec.parent ?? 'root', 'qdisc.parent'), ...kindBody(spec, handle) }
}

async function change(handle: NamespaceHandle, link: LinkRef, spec: QdiscSpec, flags: number, verb: string): Promise<void> {
  refBody(link, 'link')
  qdiscBody(1, spec)
  const body = qdiscBody(await indexOf(handle, link, 'link'), spec)
  await send(handle, [
    { type: 'RTM_NEWQDISC', flags, body, step: `${verb} the queueing discipline ${body['kind']} of ${called(link)}` },
  ])
}

/** EEXIST when there is one with the same handle, or the place is taken by one that somebody made. */
export const addQdisc = (handle: NamespaceHandle, link: LinkRef, spec: QdiscSpec): Promise<void> =>
  change(handle, link, spec, c.NLM_F_CREATE | c.NLM_F_EXCL, 'add')

/** In place of what is there. One of the same kind and handle is changed, and keeps what waits in it. */
export const replaceQdisc = (handle: NamespaceHandle, link: LinkRef, spec: QdiscSpec): Promise<void> =>
  change(handle, link, spec, c.NLM_F_CREATE | c.NLM_F_REPLACE, 'replace')

export function deleteQdiscMessage(link: LinkRef, index: number, parent: string): Message {
  const body =
    parent === 'ingress' || parent === 'clsact'
      ? { index, handle: ingressHandle, parent: ingress, kind: parent }
      : { index, parent: qdiscParent(parent, 'parent') }
  return { type: 'RTM_DELQDISC', flags: 0, body, step: `delete the queueing discipline of ${called(link)} at ${parent}` }
}

/** With its classes and filters. ENOENT when nobody made one there. */
export async function deleteQdisc(handle: NamespaceHandle, link: LinkRef, parent: string): Promise<void> {
  refBody(link, 'link')
  deleteQdiscMessage(link, 1, parent)
  await send(handle, [deleteQdiscMessage(link, await indexOf(handle, link, 'link'), parent)])
}

export function qdiscFrom(body: Body): Qdisc {
  const kind = optionalText(body['kind']) ?? ''
  const handle = number(body['handle'])
  const statistics = statisticsFrom(body)
  const options = body['options']
  const place = {
    link: number(body['index']),
    handle: formatHandle(handle),
    parent: formatParent(number(body['parent']), kind),
    ...(statistics === undefined ? {} : { statistics }),
  }
  if (!isQdiscKind(kind)) return { ...place, kind: 'other', type: kind, ...(options instanceof Uint8Array ? { options } : {}) }
  const info = qdiscKinds[kind].read((options instanceof Uint8Array ? {} : (options ?? {})) as Body, handle)
  return { ...place, kind, ...info } as Qdisc
}

/** The kernel gives those of all devices: the choice is made here. */
export async function listQdiscs(handle: NamespaceHandle, filter: QdiscFilter = {}): Promise<Qdisc[]> {
  fields(filter, 'filter', ['link', 'signal'])
  const signal = signalOf(filter, 'filter')
  const index = filter.link === undefined ? undefined : await indexOf(handle, filter.link, 'filter.link')
  const all = await dump(handle, 'RTM_GETQDISC', {}, 'the queueing disciplines', qdiscFrom, { signal })
  return index === undefined ? all : all.filter(({ link }) => link === index)
}

/** NLM_F_ECHO. */
const echo = 8

/** The message that asks for the one at a place. Without the echo the kernel answers only those who listen to its events. */
export const getQdiscMessage = (index: number, parent: string): Message => ({
  type: 'RTM_GETQDISC',
  flags: echo,
  body: { index, parent: qdiscParent(parent, 'parent') },
})
