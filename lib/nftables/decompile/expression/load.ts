// Expressions that put something of the packet, or of what the kernel knows about it, into a register.

import type { Body } from '../../../native.ts'
import { ctKeys } from '../../compile/expression/ct.ts'
import { bases, type Header, type HeaderField, headers, LINK_HEADER, NETWORK_HEADER } from '../../compile/expression/headers.ts'
import { metaKeys } from '../../compile/expression/meta.ts'
import { META_IIFTYPE, META_L4PROTO, META_NFPROTO, META_PROTOCOL } from '../../compile/program.ts'
import { addressType, plainInteger } from '../../datatype/host.ts'
import { interfaceIndex, interfaceName } from '../../datatype/interface.ts'
import { protocols } from '../../datatype/protocol.ts'
import type { FibFlag } from '../../schema.ts'
import { number, optionalNumber } from '../body.ts'
import type { Knowledge, Need } from '../knowledge.ts'
import type { Reader } from '../reader.ts'
import { Inexpressible, type Loaded, type PayloadPlace } from '../registers.ts'

export function meta(reader: Reader, data: Body): void {
  const key = number(data['key'])
  const found = Object.entries(metaKeys).find(([, meaning]) => meaning.key === key)
  if (found === undefined) throw new Inexpressible()
  const [name, { type }] = found
  const told = {
    [META_L4PROTO]: 'transport',
    [META_NFPROTO]: 'nfproto',
    [META_PROTOCOL]: 'protocol',
    [META_IIFTYPE]: 'ethernet',
  } as const
  const tells = told[key as keyof typeof told]
  reader.registers.put(number(data['dreg']), {
    expression: { meta: { key: name } },
    fields: [type],
    bytes: type.bytes,
    needs: [],
    ...(tells !== undefined && { tells }),
  })
}

export function ct(reader: Reader, data: Body): void {
  const key = number(data['key'])
  const found = Object.entries(ctKeys).find(([, meaning]) => meaning.key === key)
  const direction = optionalNumber(data['direction'])
  if (found === undefined) throw new Inexpressible()
  const [name, { type, directed }] = found
  if ((direction !== undefined) !== (directed === true)) throw new Inexpressible()
  const dir = direction === undefined ? undefined : direction === 0 ? 'original' : 'reply'
  reader.registers.put(number(data['dreg']), {
    expression: { ct: { key: name, ...(dir !== undefined && { dir }) } },
    fields: [type],
    bytes: type.bytes,
    needs: [],
  })
}

const fibResults = [undefined, ['oif', interfaceIndex], ['oifname', interfaceName], ['type', addressType]] as const
const fibFlags: readonly FibFlag[] = ['saddr', 'daddr', 'mark', 'iif', 'oif']

export function fib(reader: Reader, data: Body): void {
  const bits = number(data['flags'])
  const found = fibResults[number(data['result'])]
  if (found === undefined || bits >= 1 << fibFlags.length) throw new Inexpressible()
  const [result, type] = found
  const flags = fibFlags.filter((_, bit) => (bits & (1 << bit)) !== 0)
  reader.registers.put(number(data['dreg']), {
    expression: { fib: { result, flags } },
    fields: [type],
    bytes: type.bytes,
    needs: [],
  })
}

export const payloadPlace = (data: Body): PayloadPlace => ({
  base: number(data['base']),
  offset: number(data['offset']),
  len: number(data['len']),
})

export function payload(reader: Reader, data: Body): void {
  const place = payloadPlace(data)
  const found = fieldAt(reader.known, place)
  const loaded: Loaded = { fields: [], bytes: place.len, needs: [], payload: place }
  const isSeveral = found === undefined && fieldsIn(reader.known, place).length > 0
  reader.registers.put(number(data['dreg']), isSeveral ? loaded : { ...loaded, ...(found ?? rawField(place)) })
}

/** Bytes that no header has a name for. Not as a place: nothing is learned from them, and none of them is a field. */
function rawField({ base, offset, len }: PayloadPlace): Pick<Loaded, 'expression' | 'fields' | 'payload'> {
  const word = (['ll', 'nh', 'th'] as const).find((name) => bases[name] === base)
  if (word === undefined) return { fields: [] }
  const expression = { payload: { base: word, offset: offset * 8, len: len * 8 } }
  return { expression, fields: [plainInteger(len, 'big')], payload: undefined }
}

export interface PayloadField extends Pick<Loaded, 'fields' | 'needs'> {
  readonly expression: { payload: { protocol: string; field: string } }
  readonly tells?: 'transport' | 'protocol'
  readonly header: Header
}

/** The field of a header that the packet is known to have; or the beginning of one, which stands for a prefix. */
export function fieldAt(known: Knowledge, { base, offset, len }: PayloadPlace): PayloadField | undefined {
  const protocol = protocolAt(known, base)
  const header = protocol === undefined ? undefined : headers[protocol]
  if (protocol === undefined || header === undefined) return undefined
  const at = Object.entries(header.fields).filter(([, field]) => field.offset === offset)
  const [name, field] =
    at.find(([, { type }]) => type.bytes === len) ??
    at.find(([, { type }]) => type.bytes > len && type.name.endsWith('_addr')) ??
    []
  if (name === undefined || field === undefined) return undefined
  return {
    expression: { payload: { protocol, field: name } },
    fields: [field.type],
    needs: needsOf(header),
    header,
    ...(tellsTransport(field) && { tells: 'transport' }),
    ...(field === headers['ether']?.fields['type'] && { tells: 'protocol' }),
  }
}

const tellsTransport = (field: HeaderField): boolean =>
  field === headers['ip']?.fields['protocol'] || field === headers['ip6']?.fields['nexthdr']

/** Fields that stand one behind the other in that place, and fill it: nft reads them at once. */
export function fieldsIn(known: Knowledge, { base, offset, len }: PayloadPlace): PayloadPlace[] {
  const header = headers[protocolAt(known, base) ?? '']
  const places: PayloadPlace[] = []
  for (let at = offset; at < offset + len; ) {
    const field = Object.values(header?.fields ?? {}).find((one) => one.offset === at && at + one.type.bytes <= offset + len)
    if (field === undefined) return []
    places.push({ base, offset: at, len: field.type.bytes })
    at += field.type.bytes
  }
  return places
}

function protocolAt({ ethernet, network, transport }: Knowledge, base: number): string | undefined {
  if (base === LINK_HEADER) return ethernet ? 'ether' : undefined
  if (base === NETWORK_HEADER) return network
  const known = Object.entries(headers).find(
    ([, header]) =>
      header.transport !== undefined &&
      protocols[header.transport] === transport &&
      (header.network === undefined || network === undefined || header.network === network),
  )
  if (known !== undefined) return known[0]
  return transport === undefined || transport === 'several' ? 'th' : undefined
}

/** In the order in which the compiler asks for them. */
function needsOf({ ethernet, network, transport }: Header): Need[] {
  return [
    ...(ethernet ? [{ layer: 'ethernet', value: true } as const] : []),
    ...(network ? [{ layer: 'network', value: network, unless: transport && protocols[transport] } as const] : []),
    ...(transport ? [{ layer: 'transport', value: protocols[transport] } as const] : []),
  ]
}
