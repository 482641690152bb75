// [ payload load 4b @ network header + 16 => reg 1 ]

import { fields, integer, invalidValue, oneOf } from '../../../invalid.ts'
import { plainInteger } from '../../datatype/host.ts'
import type { Operand } from '../operand.ts'
import { type Program, register } from '../program.ts'
import { bases, type Header, type HeaderField, headers } from './headers.ts'

/** The place that `{ protocol, field }` names, once only packets that have it get there. */
export function payloadField(program: Program, value: unknown, path: string): { header: Header; field: HeaderField } {
  const given = fields(value, path, ['protocol', 'field'])
  const protocol = oneOf(given['protocol'], `${path}.protocol`, Object.keys(headers))
  const header = headers[protocol] as Header
  const name = oneOf(given['field'], `${path}.field`, Object.keys(header.fields))
  const field = header.fields[name] as HeaderField
  if (header.ethernet) program.requireEthernet()
  const isThere = header.transport !== undefined && program.network === undefined && program.isTransport(header.transport)
  if (header.network && !isThere) program.requireNetwork(header.network, path)
  if (header.transport) program.requireTransport(header.transport)
  return { header, field }
}

/** What one expression loads at most: a register of 16 bytes. */
const mostBytes = 16

/** `{ base, offset, len }`, in bits: bytes that have no name, wherever they stand. What the packet is has to be matched before. */
function rawPayload(program: Program, value: unknown, path: string): Operand {
  const given = fields(value, path, ['base', 'offset', 'len'])
  const base = bases[oneOf(given['base'], `${path}.base`, ['ll', 'nh', 'th'])]
  const [offset, bytes] = (['offset', 'len'] as const).map((key) => {
    const bits = integer(given[key], `${path}.${key}`, key === 'len' ? 8 : 0, key === 'len' ? mostBytes * 8 : 255 * 8)
    if (bits % 8 !== 0) throw invalidValue(`${path}.${key}`, 'must be whole bytes, a multiple of 8', bits)
    return bits / 8
  }) as [number, number]
  return {
    fields: [plainInteger(bytes, 'big')],
    load: (slot) => program.emit('payload', { dreg: register(slot), base, offset, len: bytes }),
  }
}

export function payload(program: Program, value: unknown, path: string): Operand {
  if (typeof value === 'object' && value !== null && 'base' in value) return rawPayload(program, value, path)
  const { header, field } = payloadField(program, value, path)
  const load = (slot: number, len: number): void => {
    program.emit('payload', { dreg: register(slot), base: header.base, offset: field.offset, len })
  }
  const tellsTransport = field === headers['ip']?.fields['protocol'] || field === headers['ip6']?.fields['nexthdr']
  const tellsNetwork = field === headers['ether']?.fields['type']
  return {
    fields: [field.type],
    load: (slot) => load(slot, field.type.bytes),
    loadStart: load,
    ...(tellsTransport && { learn: (bytes) => program.learnTransport(bytes?.[0] ?? 'several') }),
    ...(tellsNetwork && { learn: (bytes) => learnNetwork(program, field, bytes) }),
  }
}

function learnNetwork(program: Program, { type }: HeaderField, bytes: Uint8Array | undefined): void {
  const word = bytes && type.format(bytes)
  if (program.network === undefined && (word === 'ip' || word === 'ip6')) program.learnNetwork(word)
}
