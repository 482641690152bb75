// Ethernet over UDP (RFC 7348); see ip-link(8), `type vxlan`.

import { parseAddress } from '../../../cidr.ts'
import { number, optionalText } from '../../../exchange.ts'
import { integer, invalidType } from '../../../invalid.ts'
import type { Body } from '../../../native.ts'
import type { Kind } from './kind.ts'

/** IANA's, which other implementations use; Linux' own default is 8472. */
const ianaPort = 4789

export interface VxlanSpec {
  /** The network identifier, 24 bits. */
  readonly id: number
  /** The unicast address of the other end, or a multicast group. */
  readonly remote?: string
  readonly local?: string
  /** @defaultValue 4789 */
  readonly port?: number
  readonly sourcePorts?: { readonly low: number; readonly high: number }
  readonly ttl?: number
  readonly tos?: number
  /** Learn remote addresses from what arrives. @defaultValue true */
  readonly learning?: boolean
  /** Answer ARP and neighbor discovery from the neighbor table. @defaultValue false */
  readonly proxy?: boolean
  readonly l2miss?: boolean
  readonly l3miss?: boolean
  /** The tunnel's ends come with each packet. @defaultValue false */
  readonly external?: boolean
}

export interface VxlanInfo {
  readonly id: number
  readonly remote?: string
  readonly local?: string
  readonly port: number
  readonly learning: boolean
  readonly proxy: boolean
  readonly l2miss: boolean
  readonly l3miss: boolean
  readonly external: boolean
  readonly ttl: number
}

const switches = ['learning', 'proxy', 'l2miss', 'l3miss', 'external'] as const

function address(text: string | undefined, path: string, four: string, six: string): Body {
  if (text === undefined) return {}
  const parsed = parseAddress(text, path)
  return { [parsed.family === 2 ? four : six]: parsed.text }
}

export const vxlan: Kind<VxlanSpec, VxlanInfo> = {
  names: ['id', 'remote', 'local', 'port', 'sourcePorts', 'ttl', 'tos', ...switches],
  data: (spec, path) => {
    const data: Record<string, number | undefined> = {
      id: integer(spec.id, `${path}.id`, 0, 0xffffff),
      port: integer(spec.port ?? ianaPort, `${path}.port`, 1, 65535),
      ttl: spec.ttl === undefined ? undefined : integer(spec.ttl, `${path}.ttl`, 0, 255),
      tos: spec.tos === undefined ? undefined : integer(spec.tos, `${path}.tos`, 0, 255),
    }
    for (const name of switches) {
      const on = spec[name]
      if (on === undefined) continue
      if (typeof on !== 'boolean') throw invalidType(`${path}.${name}`, 'a boolean', on)
      data[name] = on ? 1 : 0
    }
    const ports = spec.sourcePorts
    return {
      ...data,
      ...address(spec.remote, `${path}.remote`, 'group', 'group6'),
      ...address(spec.local, `${path}.local`, 'local', 'local6'),
      ...(ports && {
        sourcePorts: {
          low: integer(ports.low, `${path}.sourcePorts.low`, 0, 65535),
          high: integer(ports.high, `${path}.sourcePorts.high`, 0, 65535),
        },
      }),
    }
  },
  read: (data) => {
    const remote = optionalText(data['group']) ?? optionalText(data['group6'])
    const local = optionalText(data['local']) ?? optionalText(data['local6'])
    return {
      id: number(data['id']),
      port: number(data['port']),
      ttl: number(data['ttl']),
      learning: number(data['learning']) !== 0,
      proxy: number(data['proxy']) !== 0,
      l2miss: number(data['l2miss']) !== 0,
      l3miss: number(data['l3miss']) !== 0,
      external: number(data['external']) !== 0,
      ...(remote === undefined ? {} : { remote }),
      ...(local === undefined ? {} : { local }),
    }
  },
}
