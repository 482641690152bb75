// Which connections are meant, in words that the kernel compares itself.

import type { Abortable } from '../abort.ts'
import { type Address, parseAddress } from '../cidr.ts'
import { fields, integer, invalidType, invalidValue, oneOf, words } from '../invalid.ts'
import type { Body } from '../native.ts'
import { type Flow, type FlowProtocol, type FlowStatus, flowProtocols, flowStatuses } from './flow.ts'

/** Of one direction; what is absent may be anything. Ports need the filter's `protocol`. */
export interface TupleFilter {
  readonly source?: string
  readonly destination?: string
  readonly sourcePort?: number
  readonly destinationPort?: number
}

/** All that is given must hold. The kernel compares, except for IPv6 addresses. */
export interface FlowFilter extends Abortable {
  /** @defaultValue that of the addresses; without any, both */
  readonly family?: 'inet' | 'inet6'
  readonly protocol?: FlowProtocol
  readonly original?: TupleFilter
  readonly reply?: TupleFilter
  /** The mark, or the bits of it that `mask` selects. */
  readonly mark?: number | { readonly value: number; readonly mask: number }
  readonly zone?: number
  /** All of these. */
  readonly status?: FlowStatus | readonly FlowStatus[]
}

const AF_INET = 2
const AF_INET6 = 10
const families = { inet: AF_INET, inet6: AF_INET6 } as const
const tupleNames = ['source', 'destination', 'sourcePort', 'destinationPort'] as const
const filterNames = ['family', 'protocol', 'original', 'reply', 'mark', 'zone', 'status', 'signal'] as const
const protocolNames = Object.keys(flowProtocols) as FlowProtocol[]

/** CTA_FILTER_F_*: which members of a tuple count. */
const compared = { source: 1 << 0, destination: 1 << 1, protocol: 1 << 3, sourcePort: 1 << 4, destinationPort: 1 << 5 } as const

interface CheckedTuple {
  readonly source: Address | undefined
  readonly destination: Address | undefined
  readonly sourcePort: number | undefined
  readonly destinationPort: number | undefined
}

function tupleOf(value: unknown, path: string): CheckedTuple {
  const given = value === undefined ? {} : fields(value, path, tupleNames)
  const address = (name: 'source' | 'destination'): Address | undefined =>
    given[name] === undefined ? undefined : parseAddress(given[name], `${path}.${name}`)
  const port = (name: 'sourcePort' | 'destinationPort'): number | undefined =>
    given[name] === undefined ? undefined : integer(given[name], `${path}.${name}`, 0, 65535)
  return {
    source: address('source'),
    destination: address('destination'),
    sourcePort: port('sourcePort'),
    destinationPort: port('destinationPort'),
  }
}

function markOf(value: FlowFilter['mark']): Body {
  if (value === undefined) return {}
  if (typeof value === 'number') return { mark: integer(value, 'filter.mark', 0, 0xffffffff) }
  const { value: mark, mask } = fields(value, 'filter.mark', ['value', 'mask'])
  return { mark: integer(mark, 'filter.mark.value', 0, 0xffffffff), markMask: integer(mask, 'filter.mark.mask', 0, 0xffffffff) }
}

function statusOf(value: FlowFilter['status']): Body {
  if (value === undefined) return {}
  const bits = words(value, 'filter.status', flowStatuses).reduce((sum, word) => sum | (1 << flowStatuses.indexOf(word)), 0)
  return { status: bits, statusMask: bits }
}

/** The addresses' family; the kernel knows none for a filter without addresses, and compares nothing then. */
function familyOf(filter: FlowFilter, tuples: Readonly<Record<'original' | 'reply', CheckedTuple>>): number | undefined {
  let family = filter.family === undefined ? undefined : families[oneOf(filter.family, 'filter.family', ['inet', 'inet6'])]
  for (const direction of ['original', 'reply'] as const) {
    for (const name of ['source', 'destination'] as const) {
      const address = tuples[direction][name]
      if (address === undefined) continue
      if (family !== undefined && address.family !== family)
        throw invalidValue(`filter.${direction}.${name}`, 'is of another family than the rest of the filter', address.text)
      family = address.family
    }
  }
  return family
}

/** What one family is asked. */
export interface Question {
  readonly body: Body
  /** What of the answer is meant; absent when the kernel compares all. */
  readonly matches?: (flow: Flow) => boolean
}

const directions = ['original', 'reply'] as const
type Tuples = Readonly<Record<(typeof directions)[number], CheckedTuple>>

function tupleBody(tuple: CheckedTuple, protocol: number | undefined, family: number): { tuple: Body; flags: number } {
  const { source, destination, sourcePort, destinationPort } = tuple
  const ports =
    (protocol === undefined ? 0 : compared.protocol) |
    (sourcePort === undefined ? 0 : compared.sourcePort) |
    (destinationPort === undefined ? 0 : compared.destinationPort)
  const rest = protocol === undefined ? {} : { protocol: { number: protocol, sourcePort, destinationPort } }
  // Linux, 6.18 too, compares IPv6 addresses the wrong way round: it gives, and deletes, all flows but those of the address.
  if (family === AF_INET6) return { tuple: { ip: {}, ...rest }, flags: ports }
  const addresses = (source === undefined ? 0 : compared.source) | (destination === undefined ? 0 : compared.destination)
  return { tuple: { ip: { source4: source?.text, destination4: destination?.text }, ...rest }, flags: ports | addresses }
}

const hasAddresses = (tuples: Tuples): boolean =>
  directions.some((direction) => tuples[direction].source !== undefined || tuples[direction].destination !== undefined)

const hasPorts = (tuples: Tuples): boolean =>
  directions.some((direction) => tuples[direction].sourcePort !== undefined || tuples[direction].destinationPort !== undefined)

const sameAddresses =
  (tuples: Tuples) =>
  (flow: Flow): boolean =>
    directions.every((direction) =>
      (['source', 'destination'] as const).every((end) => {
        const wanted = tuples[direction][end]
        return wanted === undefined || wanted.text === flow[direction][end]
      }),
    )

/** What to ask the kernel: once, or once for each family. Throws on bad arguments. */
export function questions(filter: FlowFilter): Question[] {
  fields(filter, 'filter', filterNames)
  const tuples: Tuples = {
    original: tupleOf(filter.original, 'filter.original'),
    reply: tupleOf(filter.reply, 'filter.reply'),
  }
  const protocol =
    filter.protocol === undefined ? undefined : flowProtocols[oneOf(filter.protocol, 'filter.protocol', protocolNames)]
  if (hasPorts(tuples) && protocol === undefined) throw invalidType('filter.protocol', 'given with ports', undefined)
  const zone = filter.zone === undefined ? undefined : integer(filter.zone, 'filter.zone', 0, 65535)
  const rest: Body = { ...markOf(filter.mark), ...statusOf(filter.status), ...(zone === undefined ? {} : { zone }) }
  const family = familyOf(filter, tuples)
  if (protocol === undefined && !hasAddresses(tuples)) return [{ body: { family: family ?? 0, ...rest } }]

  return (family === undefined ? [AF_INET, AF_INET6] : [family]).map((one): Question => {
    const original = tupleBody(tuples.original, protocol, one)
    const reply = tupleBody(tuples.reply, protocol, one)
    const body: Body = { family: one, original: original.tuple, reply: reply.tuple, ...rest }
    const flags = { original: original.flags, reply: reply.flags }
    return {
      // Without a flag the kernel would take the tuple for that of one connection.
      body: flags.original === 0 && flags.reply === 0 ? { family: one, ...rest } : { ...body, filter: flags },
      ...(one === AF_INET6 && hasAddresses(tuples) ? { matches: sameAddresses(tuples) } : {}),
    }
  })
}

/** Whether nothing is asked for. */
export const isEmpty = ({ signal, ...filter }: FlowFilter): boolean => Object.values(filter).every((value) => value === undefined)

/** Names exactly one connection: its original direction, and its number, so that a later one with the same ends is spared. */
export function bodyOf(flow: Flow): Body {
  const { source, destination, sourcePort, destinationPort, icmp } = flow.original
  const version = flow.family === 'inet6' ? '6' : '4'
  const icmpVersion = flow.family === 'inet6' ? 'icmp6' : 'icmp'
  const protocol = typeof flow.protocol === 'number' ? flow.protocol : flowProtocols[flow.protocol]
  const icmpBody = icmp && {
    [`${icmpVersion}Type`]: icmp.type,
    [`${icmpVersion}Code`]: icmp.code,
    [`${icmpVersion}Id`]: icmp.id,
  }
  return {
    family: families[flow.family],
    original: {
      ip: { [`source${version}`]: source, [`destination${version}`]: destination },
      protocol: { number: protocol, sourcePort, destinationPort, ...icmpBody },
    },
    id: flow.id,
    ...(flow.zone === 0 ? {} : { zone: flow.zone }),
  }
}
