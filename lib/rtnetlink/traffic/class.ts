// Classes of queueing disciplines that divide a device among them; see tc-htb(8).

import { type Abortable, signalOf } from '../../abort.ts'
import { dump, nested, number, optionalText, send } from '../../exchange.ts'
import { fields, integer, oneOf } from '../../invalid.ts'
import type { Body, NamespaceHandle } from '../../native.ts'
import * as c from '../constants.ts'
import { called, indexOf, type LinkRef, refBody } from '../link/link.ts'
import { classId, eitherHandle, formatHandle, formatParent, qdiscHandle } from './handle.ts'
import { rateFields, rateFrom, transmitSize, transmitTicks, wideRate } from './psched.ts'
import { statisticsFrom, type TrafficStatistics } from './statistics.ts'
import { type Rate, rateOf, type Size, sizeOf } from './units.ts'

export interface HtbClassSpec {
  readonly kind: 'htb'
  /** The queueing discipline `'1:'`, or the class above: `'1:1'`. */
  readonly parent: string
  /** `'1:10'`. */
  readonly classId: string
  /** What it has for itself. */
  readonly rate: Rate
  /** What it can have when others leave it. @defaultValue rate */
  readonly ceil?: Rate
  /** @defaultValue 1600 bytes, as tc has it */
  readonly burst?: Size
  /** The burst at `ceil`. @defaultValue 1600 bytes */
  readonly ceilBurst?: Size
  /** Lower is served first. @defaultValue 0 */
  readonly priority?: number
  /** Bytes a turn. @defaultValue the rate divided by the discipline's `rateToQuantum` */
  readonly quantum?: Size
}

export type ClassSpec = HtbClassSpec

interface ClassPlace {
  readonly link: number
  readonly parent: string
  readonly classId: string
  /** The handle of the queueing discipline inside. */
  readonly leaf?: string
  readonly statistics?: TrafficStatistics
}

/** Rates in bits a second, sizes in bytes. */
export interface HtbClass extends ClassPlace {
  readonly kind: 'htb'
  readonly rate: number
  readonly ceil: number
  readonly burst: number
  readonly ceilBurst: number
  readonly priority: number
  readonly quantum: number
}

export type TrafficClass =
  | HtbClass
  | (ClassPlace & { readonly kind: 'other'; readonly type: string; readonly options?: Uint8Array })

const names = ['kind', 'parent', 'classId', 'rate', 'ceil', 'burst', 'ceilBurst', 'priority', 'quantum']
/** tc's guess at a packet. */
const packet = 1600

function classBody(index: number, spec: ClassSpec): Body {
  fields(spec, 'class', names)
  oneOf(spec.kind, 'class.kind', ['htb'] as const)
  const rate = rateOf(spec.rate, 'class.rate')
  const ceil = spec.ceil === undefined ? rate : rateOf(spec.ceil, 'class.ceil')
  // A millisecond's timer would need more; with high resolution ones this is what tc takes.
  const burst = spec.burst === undefined ? packet + Math.floor(rate / 1e9) : sizeOf(spec.burst, 'class.burst')
  const ceilBurst = spec.ceilBurst === undefined ? packet + Math.floor(ceil / 1e9) : sizeOf(spec.ceilBurst, 'class.ceilBurst')
  return {
    index,
    handle: classId(spec.classId, 'class.classId'),
    parent: eitherHandle(spec.parent, 'class.parent'),
    kind: 'htb',
    options: {
      rate64: wideRate(rate),
      ceil64: wideRate(ceil),
      parameters: {
        ...rateFields('rate', rate),
        ...rateFields('ceil', ceil),
        buffer: transmitTicks(burst, rate),
        ceilBuffer: transmitTicks(ceilBurst, ceil),
        quantum: spec.quantum === undefined ? 0 : sizeOf(spec.quantum, 'class.quantum'),
        priority: spec.priority === undefined ? 0 : integer(spec.priority, 'class.priority', 0, 7),
      },
    },
  }
}

async function change(handle: NamespaceHandle, link: LinkRef, spec: ClassSpec, flags: number, verb: string): Promise<void> {
  refBody(link, 'link')
  classBody(1, spec)
  const body = classBody(await indexOf(handle, link, 'link'), spec)
  await send(handle, [{ type: 'RTM_NEWTCLASS', flags, body, step: `${verb} the class ${spec.classId} of ${called(link)}` }])
}

/** EEXIST when there is a class of that id. */
export const addClass = (handle: NamespaceHandle, link: LinkRef, spec: ClassSpec): Promise<void> =>
  change(handle, link, spec, c.NLM_F_CREATE | c.NLM_F_EXCL, 'add')

/** Makes it, or changes the one of that id. */
export const replaceClass = (handle: NamespaceHandle, link: LinkRef, spec: ClassSpec): Promise<void> =>
  change(handle, link, spec, c.NLM_F_CREATE, 'replace')

/** ENOENT when there is none; EBUSY while it has classes or filters of its own. */
export async function deleteClass(handle: NamespaceHandle, link: LinkRef, id: string): Promise<void> {
  refBody(link, 'link')
  const number = classId(id, 'classId')
  const index = await indexOf(handle, link, 'link')
  await send(handle, [
    { type: 'RTM_DELTCLASS', flags: 0, body: { index, handle: number }, step: `delete the class ${id} of ${called(link)}` },
  ])
}

function classFrom(body: Body): TrafficClass {
  const kind = optionalText(body['kind']) ?? ''
  const statistics = statisticsFrom(body)
  const leaf = number(body['info'])
  const place: ClassPlace = {
    link: number(body['index']),
    parent: formatParent(number(body['parent']), kind),
    classId: formatHandle(number(body['handle'])),
    ...(leaf === 0 ? {} : { leaf: formatHandle(leaf) }),
    ...(statistics === undefined ? {} : { statistics }),
  }
  const options = nested(body['options'])
  if (kind !== 'htb' || options === undefined) {
    const raw = body['options']
    return { ...place, kind: 'other', type: kind, ...(raw instanceof Uint8Array ? { options: raw } : {}) }
  }
  const parameters = nested(options['parameters']) ?? {}
  const rate = rateFrom(parameters, 'rate', options['rate64'])
  const ceil = rateFrom(parameters, 'ceil', options['ceil64'])
  return {
    ...place,
    kind,
    rate: rate * 8,
    ceil: ceil * 8,
    burst: transmitSize(number(parameters['buffer']), rate, 'down'),
    ceilBurst: transmitSize(number(parameters['ceilBuffer']), ceil, 'down'),
    priority: number(parameters['priority']),
    quantum: number(parameters['quantum']),
  }
}

export interface ClassFilter extends Abortable {
  /** Only those of this queueing discipline: `'1:'`. */
  readonly qdisc?: string
}

/** Of one device; the kernel filters by the queueing discipline. */
export async function listClasses(handle: NamespaceHandle, link: LinkRef, filter: ClassFilter = {}): Promise<TrafficClass[]> {
  fields(filter, 'filter', ['qdisc', 'signal'])
  const signal = signalOf(filter, 'filter')
  const parent = filter.qdisc === undefined ? 0 : qdiscHandle(filter.qdisc, 'filter.qdisc')
  const body = { index: await indexOf(handle, link, 'link'), parent }
  return dump(handle, 'RTM_GETTCLASS', body, 'the classes', classFrom, { signal })
}
