// [ meta load iifname => reg 1 ]

import { fields, oneOf } from '../../../invalid.ts'
import type { DataType } from '../../datatype/datatype.ts'
import { decodeInteger } from '../../datatype/datatype.ts'
import { deviceGroup, groupId, mark, packetType, plainInteger, userId } from '../../datatype/host.ts'
import { interfaceIndex, interfaceName } from '../../datatype/interface.ts'
import { etherType, inetProtocol, networkProtocol } from '../../datatype/protocol.ts'
import type { Operand } from '../operand.ts'
import { ARPHRD_ETHER, META_IIFTYPE, META_L4PROTO, META_NFPROTO, META_PROTOCOL, type Program, register } from '../program.ts'

/** enum nft_meta_keys by the names of `nft describe meta`. */
export const metaKeys: Readonly<Record<string, { readonly key: number; readonly type: DataType; readonly writable?: true }>> = {
  length: { key: 0, type: plainInteger(4, 'host') },
  protocol: { key: META_PROTOCOL, type: etherType },
  priority: { key: 2, type: plainInteger(4, 'host'), writable: true },
  mark: { key: 3, type: mark, writable: true },
  iif: { key: 4, type: interfaceIndex },
  oif: { key: 5, type: interfaceIndex },
  iifname: { key: 6, type: interfaceName },
  oifname: { key: 7, type: interfaceName },
  iiftype: { key: META_IIFTYPE, type: plainInteger(2, 'host') },
  oiftype: { key: 9, type: plainInteger(2, 'host') },
  skuid: { key: 10, type: userId },
  skgid: { key: 11, type: groupId },
  nftrace: { key: 12, type: plainInteger(1, 'host'), writable: true },
  nfproto: { key: META_NFPROTO, type: networkProtocol },
  l4proto: { key: META_L4PROTO, type: inetProtocol },
  ibrname: { key: 17, type: interfaceName },
  obrname: { key: 18, type: interfaceName },
  pkttype: { key: 19, type: packetType, writable: true },
  cpu: { key: 20, type: plainInteger(4, 'host') },
  iifgroup: { key: 21, type: deviceGroup },
  oifgroup: { key: 22, type: deviceGroup },
  cgroup: { key: 23, type: plainInteger(4, 'host') },
  random: { key: 24, type: plainInteger(4, 'big') },
}

export function meta(program: Program, value: unknown, path: string): Operand {
  const given = fields(value, path, ['key'])
  const name = oneOf(given['key'], `${path}.key`, Object.keys(metaKeys))
  const { key, type } = metaKeys[name] as { key: number; type: DataType }
  return {
    fields: [type],
    load: (slot) => program.emit('meta', { key, dreg: register(slot) }),
    learn(bytes) {
      if (key === META_L4PROTO) program.learnTransport(bytes?.[0] ?? 'several')
      if (bytes === undefined) return
      if (key === META_IIFTYPE && decodeInteger(bytes, 'host') === ARPHRD_ETHER) program.learnEthernet()
      const word = type.format(bytes)
      if (key === META_NFPROTO) program.learnNetwork(word === 'ipv4' ? 'ip' : word === 'ipv6' ? 'ip6' : undefined)
      if (key === META_PROTOCOL && program.network === undefined && decodeInteger(bytes, 'big') >= 0x0800) {
        program.learnNetwork(word === 'ip' || word === 'ip6' ? word : undefined)
      }
    },
  }
}
