// [ payload load 4b @ network header + 16 => reg 1 ]

import { fields, oneOf } from '../../../invalid.ts'
import type { Operand } from '../operand.ts'
import { type Program, register } from '../program.ts'
import { type Header, type HeaderField, headers } from './headers.ts'

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

export function payload(program: Program, value: unknown, path: string): Operand {
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
