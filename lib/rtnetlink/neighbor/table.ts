// The tables that neighbors are kept in, one for ARP and one for neighbor discovery: their limits, and how each device asks for and
// forgets neighbors; see ip-ntable(8).

import { type Abortable, onlySignal } from '../../abort.ts'
import { dump, nested, number, optionalText } from '../../exchange.ts'
import { fields, integer, invalidValue, oneOf } from '../../invalid.ts'
import type { Body, NamespaceHandle } from '../../native.ts'
import * as c from '../constants.ts'
import { familyName, familyNumber } from '../family.ts'
import type { LinkRef } from '../link/ref.ts'
import { type Operation, perform } from '../operation.ts'

/** Times are in milliseconds. */
export interface NeighborParameters {
  /** How long a neighbor counts as reachable, on average: each time is from half to one and a half of it. */
  readonly baseReachable?: number
  /** Between two probes. */
  readonly retrans?: number
  /** How long an unused entry is kept at least. */
  readonly gcStale?: number
  /** In the state `delay`, before the first probe. */
  readonly delayProbe?: number
  /** Between the probes of managed entries (Linux 6.0). */
  readonly intervalProbe?: number
  /** Packets that wait for a neighbor's answer. */
  readonly queue?: number
  /** The same in bytes, which is what the kernel counts. */
  readonly queueBytes?: number
  /** Probes to be made by a daemon, over netlink. */
  readonly appProbes?: number
  readonly ucastProbes?: number
  readonly mcastProbes?: number
  /** After the unicast ones have failed. */
  readonly mcastReprobes?: number
  readonly anycastDelay?: number
  /** The longest delay of an answer for somebody else. */
  readonly proxyDelay?: number
  /** Requests to be answered for somebody else that wait. */
  readonly proxyQueue?: number
  /** How long an entry is kept before another answer changes it. */
  readonly locktime?: number
}

export interface NeighborTable {
  /** `arp_cache`, `ndisc_cache`. */
  readonly name: string
  readonly family: 'inet' | 'inet6'
  /** Entries below which none is collected. */
  readonly gcThresh1: number
  /** Entries beyond which those of the last five seconds go too. */
  readonly gcThresh2: number
  /** The most entries, of all namespaces together: beyond it new ones fail, "neighbor table overflow". */
  readonly gcThresh3: number
  /** Milliseconds between two collections. */
  readonly gcInterval: number
  /** Those that count, of all namespaces. */
  readonly entries: number
  /** Since the kernel started, of all namespaces. `overflows`: entries that the table had no room for. */
  readonly statistics: Readonly<Record<NeighborStatistic, number>>
  /** What new devices start with. */
  readonly parameters: Required<NeighborParameters>
  readonly devices: readonly (Required<NeighborParameters> & {
    /** Index of the device. */
    readonly link: number
  })[]
}

type NeighborStatistic =
  | ('allocations' | 'destructions' | 'hashGrows' | 'failures' | 'lookups' | 'hits' | 'multicastProbes')
  | ('unicastProbes' | 'periodicCollections' | 'forcedCollections' | 'overflows')

export interface NeighborTableChanges {
  readonly gcThresh1?: number
  readonly gcThresh2?: number
  readonly gcThresh3?: number
  /** Milliseconds. */
  readonly gcInterval?: number
  readonly parameters?: NeighborParameters
  /** The device whose `parameters` are meant. @defaultValue what new devices start with */
  readonly link?: LinkRef
}

const times = [
  'baseReachable',
  'retrans',
  'gcStale',
  'delayProbe',
  'intervalProbe',
  'anycastDelay',
  'proxyDelay',
  'locktime',
] as const
const counts = ['queue', 'queueBytes', 'appProbes', 'ucastProbes', 'mcastProbes', 'mcastReprobes', 'proxyQueue'] as const
const thresholds = ['gcThresh1', 'gcThresh2', 'gcThresh3'] as const
const tableNames = { inet: 'arp_cache', inet6: 'ndisc_cache' } as const

/** 64-bit on the wire, far from it in fact. */
const wide = (body: Body, field: string): number => {
  const value = body[field]
  return typeof value === 'bigint' ? Number(value) : 0
}

function parametersFrom(body: Body): Required<NeighborParameters> {
  const found: Record<string, number> = {}
  for (const name of times) found[name] = wide(body, name)
  for (const name of counts) found[name] = number(body[name])
  return found as unknown as Required<NeighborParameters>
}

/** A table's own message comes first, then one for each device. */
export async function listNeighborTables(handle: NamespaceHandle, options: Abortable = {}): Promise<NeighborTable[]> {
  const signal = onlySignal(options)
  const messages = await dump(handle, 'RTM_GETNEIGHTBL', {}, 'the neighbor tables', (body) => body, { signal })
  const own = messages.filter((body) => nested(body['config']) !== undefined)
  return own.map((table): NeighborTable => {
    const name = optionalText(table['name']) ?? ''
    const counters = nested(table['statistics']) ?? {}
    return {
      name,
      family: familyName(number(table['family'])),
      gcThresh1: number(table['gcThresh1']),
      gcThresh2: number(table['gcThresh2']),
      gcThresh3: number(table['gcThresh3']),
      gcInterval: wide(table, 'gcInterval'),
      entries: number(nested(table['config'])?.['entries']),
      statistics: Object.fromEntries(Object.keys(counters).map((one) => [one, wide(counters, one)])) as Record<
        NeighborStatistic,
        number
      >,
      parameters: parametersFrom(nested(table['parameters']) ?? {}),
      devices: messages
        .filter((body) => body['name'] === name && number(nested(body['parameters'])?.['index']) !== 0)
        .map((body) => nested(body['parameters']) ?? {})
        .map((parameters) => ({ link: number(parameters['index']), ...parametersFrom(parameters) })),
    }
  })
}

function parametersBody(parameters: NeighborParameters | undefined, index: number | undefined): Body | undefined {
  if (parameters === undefined) return undefined
  fields(parameters, 'changes.parameters', [...times, ...counts])
  const body: Record<string, number | bigint | undefined> = { index }
  // The kernel counts in ticks of its clock, in an int.
  for (const name of times) {
    const value = parameters[name]
    if (value !== undefined) body[name] = BigInt(integer(value, `changes.parameters.${name}`, 0, 0x7fffffff))
  }
  for (const name of counts) {
    const value = parameters[name]
    if (value !== undefined) body[name] = integer(value, `changes.parameters.${name}`, 0, 0x7fffffff)
  }
  return body
}

export function neighborTableChange(family: 'inet' | 'inet6', changes: NeighborTableChanges): Operation {
  const name = tableNames[oneOf(family, 'family', ['inet', 'inet6'] as const)]
  fields(changes, 'changes', [...thresholds, 'gcInterval', 'parameters', 'link'])
  const { link, parameters, gcInterval } = changes
  if (link !== undefined && parameters === undefined) throw invalidValue('changes.link', 'goes with parameters', link)
  const limits: Record<string, number> = {}
  for (const limit of thresholds) {
    const value = changes[limit]
    if (value !== undefined) limits[limit] = integer(value, `changes.${limit}`, 0, 0x7fffffff)
  }
  const interval = gcInterval === undefined ? undefined : BigInt(integer(gcInterval, 'changes.gcInterval', 0, 0x7fffffff))
  return {
    devices: link === undefined ? [] : [{ ref: link, path: 'changes.link' }],
    build: (resolve) => [
      {
        type: 'RTM_SETNEIGHTBL',
        flags: c.NLM_F_REPLACE,
        body: {
          family: familyNumber(family, 'family'),
          name,
          ...limits,
          gcInterval: interval,
          parameters: parametersBody(parameters, link === undefined ? undefined : resolve(link)),
        },
        step: `change the neighbor table ${name}`,
      },
    ],
  }
}

export async function setNeighborTable(
  handle: NamespaceHandle,
  family: 'inet' | 'inet6',
  changes: NeighborTableChanges,
): Promise<void> {
  await perform(handle, neighborTableChange(family, changes))
}
