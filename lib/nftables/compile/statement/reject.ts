// [ reject type 0 code 3 ]

import { fields, integer, invalidValue, oneOf } from '../../../invalid.ts'
import type { Program } from '../program.ts'

/** enum nft_reject_types. */
export const ICMP_UNREACH = 0
export const TCP_RST = 1
export const ICMPX_UNREACH = 2

export const icmpCodes: Readonly<Record<string, number>> = {
  'net-unreachable': 0,
  'host-unreachable': 1,
  'prot-unreachable': 2,
  'port-unreachable': 3,
  'net-prohibited': 9,
  'host-prohibited': 10,
  'admin-prohibited': 13,
}
export const icmpv6Codes: Readonly<Record<string, number>> = {
  'no-route': 0,
  'admin-prohibited': 1,
  'addr-unreachable': 3,
  'port-unreachable': 4,
  'policy-fail': 5,
  'reject-route': 6,
}
/** enum nft_reject_inet_code: what the kernel translates for either family. */
export const icmpxCodes: Readonly<Record<string, number>> = {
  'no-route': 0,
  'port-unreachable': 1,
  'host-unreachable': 2,
  'admin-prohibited': 3,
}

export function reject(program: Program, value: unknown, path: string): void {
  const given = value === null ? {} : fields(value, path, ['type', 'expr'])
  const type = oneOf(given['type'] ?? defaultType(program), `${path}.type`, ['tcp reset', 'icmp', 'icmpv6', 'icmpx'])
  if (type === 'tcp reset') {
    if (given['expr'] !== undefined) throw invalidValue(`${path}.expr`, 'means nothing for a tcp reset', given['expr'])
    program.requireTransport('tcp')
    program.emit('reject', { type: TCP_RST, icmpCode: 0 })
    return
  }
  const table = type === 'icmp' ? icmpCodes : type === 'icmpv6' ? icmpv6Codes : icmpxCodes
  const icmpCode = code(given['expr'] ?? 'port-unreachable', table, `${path}.expr`)
  if (type === 'icmpx') {
    program.emit('reject', { type: ICMPX_UNREACH, icmpCode })
    return
  }
  program.requireNetwork(type === 'icmp' ? 'ip' : 'ip6', path)
  program.emit('reject', { type: ICMP_UNREACH, icmpCode })
}

function defaultType({ family, network }: Program): 'icmp' | 'icmpv6' | 'icmpx' {
  if (family === 'ip' || family === 'ip6') return family === 'ip' ? 'icmp' : 'icmpv6'
  return network === 'ip' ? 'icmp' : network === 'ip6' ? 'icmpv6' : 'icmpx'
}

function code(value: unknown, table: Readonly<Record<string, number>>, path: string): number {
  if (typeof value === 'number') return integer(value, path, 0, 255)
  return table[oneOf(value, path, Object.keys(table))] ?? 0
}
