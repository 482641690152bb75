// [ nat dnat ip addr_min reg 1 proto_min reg 9 ], [ masq flags 0x10 ], [ redir proto_min reg 1 ]

import type { Body } from '../../../native.ts'
import { flagBits, NFT_NAT_SNAT } from '../../compile/statement/nat.ts'
import { ipv4Address, ipv6Address } from '../../datatype/address.ts'
import type { DataType } from '../../datatype/datatype.ts'
import { inetService } from '../../datatype/protocol.ts'
import { families } from '../../message.ts'
import type { MapLookup, Nat, NatFlag, Range, Scalar } from '../../schema.ts'
import { number, optionalNumber, present } from '../body.ts'
import type { Need } from '../knowledge.ts'
import type { Reader } from '../reader.ts'
import { Inexpressible, slotOf } from '../registers.ts'

/** NF_NAT_RANGE_MAP_IPS and NF_NAT_RANGE_PROTO_SPECIFIED: which registers there are says the same. */
const IMPLIED = 0x3

export function nat(reader: Reader, data: Body): void {
  const family = number(data['family']) === families.ip ? 'ip' : 'ip6'
  const type = family === 'ip' ? ipv4Address : ipv6Address
  const { addr, hasPort, needs } = addressOf(reader, data, type)
  const port = hasPort ? undefined : portOf(reader, data)
  const value: Nat = present({
    family: reader.known.family === 'inet' ? family : undefined,
    addr,
    port,
    flags: flagsOf(data),
  })
  reader.push(number(data['type']) === NFT_NAT_SNAT ? { snat: value } : { dnat: value }, needs)
}

interface FoundAddress {
  readonly addr: Scalar | Range | MapLookup | undefined
  /** A map gives the port as well. */
  readonly hasPort: boolean
  readonly needs: readonly Need[]
}

function addressOf(reader: Reader, data: Body, type: DataType): FoundAddress {
  const [first, last] = [optionalNumber(data['addrMin']), optionalNumber(data['addrMax'])]
  if (first === undefined) return { addr: undefined, hasPort: false, needs: [] }
  const source = reader.registers.get(first)
  const isOne = last === undefined || last === first
  if ('constant' in source) {
    if (source.constant.length !== type.bytes) throw new Inexpressible()
    const from = type.format(source.constant)
    const addr = isOne ? from : { range: [from, type.format(reader.registers.constant(last))] as const }
    return { addr, hasPort: false, needs: [] }
  }
  const { expression, fields, needs } = source
  if (expression === undefined || !('map' in (expression as object)) || !isOne) throw new Inexpressible()
  const [address, service, ...more] = fields
  if (address?.name !== type.name || more.length > 0) throw new Inexpressible()
  if (service !== undefined && service.name !== inetService.name) throw new Inexpressible()
  const portAt = optionalNumber(data['protoMin'])
  const hasPort = service !== undefined && portAt !== undefined && slotOf(portAt) === slotOf(first) + type.bytes / 4
  if (service !== undefined && !hasPort) throw new Inexpressible()
  return { addr: expression as MapLookup, hasPort, needs }
}

function portOf(reader: Reader, data: Body): number | Range | undefined {
  const [first, last] = [optionalNumber(data['protoMin']), optionalNumber(data['protoMax'])]
  if (first === undefined) return undefined
  // Without a protocol in front of it the compiler would refuse a port.
  if (reader.known.transport === undefined) throw new Inexpressible()
  const port = (register: number): number => Number(inetService.format(reader.registers.constant(register)))
  return last === undefined || last === first ? port(first) : { range: [port(first), port(last)] }
}

function flagsOf(data: Body): NatFlag | readonly NatFlag[] | undefined {
  const bits = number(data['flags']) & ~IMPLIED
  const order: readonly NatFlag[] = ['random', 'fully-random', 'persistent']
  const flags = order.filter((flag) => (bits & flagBits[flag]) !== 0)
  if (flags.reduce((sum, flag) => sum | flagBits[flag], 0) !== bits) throw new Inexpressible()
  return flags.length > 1 ? flags : flags[0]
}

const portNat =
  (name: 'masquerade' | 'redirect') =>
  (reader: Reader, data: Body): void => {
    const value = present({ port: portOf(reader, data), flags: flagsOf(data) })
    const argument = Object.keys(value).length === 0 ? null : value
    reader.push(name === 'masquerade' ? { masquerade: argument } : { redirect: argument })
  }

export const masquerade: (reader: Reader, data: Body) => void = portNat('masquerade')
export const redirect: (reader: Reader, data: Body) => void = portNat('redirect')
