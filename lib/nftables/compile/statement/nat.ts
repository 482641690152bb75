// [ nat dnat ip addr_min reg 1 proto_min reg 9 ], [ masq flags 0x10 ], [ redir proto_min reg 1 ]

import { fields, invalidValue, oneOf, words } from '../../../invalid.ts'
import { ipv4Address, ipv6Address } from '../../datatype/address.ts'
import { keyTypeOf } from '../../datatype/concatenation.ts'
import type { DataType } from '../../datatype/datatype.ts'
import { inetService } from '../../datatype/protocol.ts'
import { families, type KernelObject } from '../../message.ts'
import { isRange, parseInterval } from '../expression/value.ts'
import { slots } from '../operand.ts'
import { type Program, register, SLOTS_PER_REGISTER } from '../program.ts'
import { loadFromMap } from './value.ts'

/** NF_NAT_RANGE_*. */
const PROTO_SPECIFIED = 0x2
export const flagBits = { random: 0x4, persistent: 0x8, 'fully-random': 0x10 } as const

export const NFT_NAT_SNAT = 0
const NFT_NAT_DNAT = 1

export const snat = (program: Program, value: unknown, path: string): void => nat(program, NFT_NAT_SNAT, value, path)
export const dnat = (program: Program, value: unknown, path: string): void => nat(program, NFT_NAT_DNAT, value, path)

function nat(program: Program, type: number, value: unknown, path: string): void {
  const given = fields(value, path, ['family', 'addr', 'port', 'flags', 'type_flags'])
  const family = natFamily(program, given['family'], path)
  const registers: Record<string, number> = {}
  let next = 0
  const addr = given['addr']
  if (addr !== undefined) {
    const addressType = family === 'ip' ? ipv4Address : ipv6Address
    next = loadAddress(program, addressType, addr, registers, `${path}.addr`)
  }
  if (given['type_flags'] !== undefined) {
    words(given['type_flags'], `${path}.type_flags`, ['concat'])
    if (registers['protoMin'] === undefined)
      throw invalidValue(`${path}.type_flags`, 'needs a map that gives address and port', addr)
  }
  if (given['port'] !== undefined) {
    if (registers['protoMin'] !== undefined) throw invalidValue(`${path}.port`, 'is given by the map already', given['port'])
    loadPorts(program, given['port'], next, registers, `${path}.port`)
  }
  if (addr === undefined && given['port'] === undefined) throw invalidValue(path, 'must have addr or port', value)
  const flags = natFlags(given['flags'], given['port'] !== undefined, path)
  program.emit('nat', { type, family: families[family], ...registers, ...flags })
}

function natFamily(program: Program, given: unknown, path: string): 'ip' | 'ip6' {
  if (given !== undefined) {
    const family = oneOf(given, `${path}.family`, ['ip', 'ip6'])
    if (program.family !== 'inet' && program.family !== family) {
      throw invalidValue(`${path}.family`, `must be that of the table, ${program.family}`, given)
    }
    return family
  }
  if (program.family === 'ip' || program.family === 'ip6') return program.family
  throw invalidValue(`${path}.family`, 'must be ip or ip6 in an inet table', given)
}

/** Returns the first free slot. */
function loadAddress(program: Program, type: DataType, addr: unknown, registers: Record<string, number>, path: string): number {
  registers['addrMin'] = register(0)
  if (typeof addr === 'object' && addr !== null && 'map' in addr) {
    const { fields: parts } = loadFromMap(program, mapData(type, addr), addr, 0, path)
    const [first, second] = parts
    if (first?.name !== type.name || parts.length > 2 || (second !== undefined && second.name !== inetService.name)) {
      const got = parts.map(({ name }) => name).join(' . ')
      throw invalidValue(path, `must give ${type.name} or ${type.name} . ${inetService.name}, and gives ${got}`, addr)
    }
    if (second !== undefined) registers['protoMin'] = register(slots(type.bytes))
    return SLOTS_PER_REGISTER
  }
  const { from, to } = parseInterval(type, addr, path)
  program.emit('immediate', { dreg: register(0), data: { value: from } })
  if (!isRange(addr)) return SLOTS_PER_REGISTER
  program.emit('immediate', { dreg: register(SLOTS_PER_REGISTER), data: { value: to } })
  registers['addrMax'] = register(SLOTS_PER_REGISTER)
  return 2 * SLOTS_PER_REGISTER
}

/** What a map in place gives: an address, or an address and a port if its first datum is a concatenation. */
function mapData(type: DataType, addr: object): ReturnType<typeof keyTypeOf> {
  const entries = (addr as { map?: { data?: { set?: readonly (readonly unknown[])[] } } }).map?.data?.set
  const datum = Array.isArray(entries) ? entries[0]?.[1] : undefined
  const isPair = typeof datum === 'object' && datum !== null && 'concat' in datum
  return keyTypeOf(isPair ? [type, inetService] : [type], 'addr')
}

function loadPorts(program: Program, port: unknown, slot: number, registers: Record<string, number>, path: string): void {
  if (!program.hasTransport) throw invalidValue(path, 'needs a match on the transport protocol before it', port)
  const { from, to } = parseInterval(inetService, port, path)
  program.emit('immediate', { dreg: register(slot), data: { value: from } })
  registers['protoMin'] = register(slot)
  if (!isRange(port)) return
  program.emit('immediate', { dreg: register(slot + SLOTS_PER_REGISTER), data: { value: to } })
  registers['protoMax'] = register(slot + SLOTS_PER_REGISTER)
}

function natFlags(given: unknown, hasPort: boolean, path: string): KernelObject {
  const named = given === undefined ? [] : words(given, `${path}.flags`, ['random', 'fully-random', 'persistent'])
  const flags = named.reduce((sum, flag) => sum | flagBits[flag], hasPort ? PROTO_SPECIFIED : 0)
  return flags === 0 ? {} : { flags }
}

const portNat =
  (expression: 'masq' | 'redir') =>
  (program: Program, value: unknown, path: string): void => {
    const given = value === null ? {} : fields(value, path, ['port', 'flags'])
    const registers: Record<string, number> = {}
    if (given['port'] !== undefined) loadPorts(program, given['port'], 0, registers, `${path}.port`)
    program.emit(expression, { ...registers, ...natFlags(given['flags'], given['port'] !== undefined, path) })
  }

export const masquerade: (program: Program, value: unknown, path: string) => void = portNat('masq')
export const redirect: (program: Program, value: unknown, path: string) => void = portNat('redir')
