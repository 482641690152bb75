// [ ct load state => reg 1 ]

import { fields, invalidValue, oneOf } from '../../../invalid.ts'
import { ipv4Address, ipv6Address } from '../../datatype/address.ts'
import { connectionDirection, connectionState, connectionStatus } from '../../datatype/conntrack.ts'
import type { DataType } from '../../datatype/datatype.ts'
import { mark, plainInteger } from '../../datatype/host.ts'
import { inetProtocol, inetService, networkProtocol } from '../../datatype/protocol.ts'
import type { KernelObject } from '../../message.ts'
import type { Operand } from '../operand.ts'
import { type Program, register } from '../program.ts'

interface CtKey {
  readonly key: number
  readonly type: DataType
  /** Of which direction, original or reply, must be said. */
  readonly directed?: true
  readonly writable?: true
}

/** enum nft_ct_keys. */
export const ctKeys: Readonly<Record<string, CtKey>> = {
  state: { key: 0, type: connectionState },
  direction: { key: 1, type: connectionDirection },
  status: { key: 2, type: connectionStatus },
  mark: { key: 3, type: mark, writable: true },
  l3proto: { key: 7, type: networkProtocol, directed: true },
  protocol: { key: 10, type: inetProtocol, directed: true },
  'proto-src': { key: 11, type: inetService, directed: true },
  'proto-dst': { key: 12, type: inetService, directed: true },
  zone: { key: 17, type: plainInteger(2, 'host') },
  'ip saddr': { key: 19, type: ipv4Address, directed: true },
  'ip daddr': { key: 20, type: ipv4Address, directed: true },
  'ip6 saddr': { key: 21, type: ipv6Address, directed: true },
  'ip6 daddr': { key: 22, type: ipv6Address, directed: true },
  id: { key: 23, type: plainInteger(4, 'big') },
}

const directions = { original: 0, reply: 1 } as const

export function ct(program: Program, value: unknown, path: string): Operand {
  const given = fields(value, path, ['key', 'dir', 'family'])
  const word = given['key']
  // Older spelling: { key: 'saddr', family: 'ip' }.
  const spelled =
    given['family'] === undefined ? word : `${oneOf(given['family'], `${path}.family`, ['ip', 'ip6'])} ${String(word)}`
  const name = oneOf(spelled, `${path}.key`, Object.keys(ctKeys))
  const { key, type, directed } = ctKeys[name] as CtKey
  const dir = given['dir'] === undefined ? undefined : oneOf(given['dir'], `${path}.dir`, ['original', 'reply'])
  if (directed && dir === undefined) throw invalidValue(`${path}.dir`, `must be original or reply for ct ${name}`, dir)
  if (!directed && dir !== undefined) throw invalidValue(`${path}.dir`, `means nothing for ct ${name}`, dir)
  const direction: KernelObject = dir === undefined ? {} : { direction: directions[dir] }
  return {
    fields: [type],
    load: (slot) => program.emit('ct', { dreg: register(slot), key, ...direction }),
  }
}
