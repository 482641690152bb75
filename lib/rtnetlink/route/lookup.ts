// Which route the kernel would take: ip-route(8), `get`.

import { parseAddress } from '../../cidr.ts'
import { send } from '../../exchange.ts'
import { fields, integer, invalidValue } from '../../invalid.ts'
import type { NamespaceHandle } from '../../native.ts'
import * as c from '../constants.ts'
import { indexOf, type LinkRef } from '../link/ref.ts'
import { type Route, routeFrom } from './route.ts'
import { tosOf } from './spec.ts'

/** For the true table in an IPv4 answer; that of IPv6 has it, and the flag is refused. */
const RTM_F_LOOKUP_TABLE = 0x1000
const RTM_F_FIB_MATCH = 0x2000

export interface LookupOptions {
  /** Source address. */
  readonly from?: string
  /** As if the packet had come in by this device. */
  readonly iif?: LinkRef
  readonly oif?: LinkRef
  readonly mark?: number
  /** IPv4. */
  readonly tos?: number
  /** IPv6 (Linux 6.14). */
  readonly flowLabel?: number
  readonly uid?: number
  readonly ipProtocol?: number
  readonly sourcePort?: number
  readonly destinationPort?: number
  /** The entry of the table that matches, in place of the route made from it. @defaultValue false */
  readonly fibmatch?: boolean
}

const names = [
  'from',
  'iif',
  'oif',
  'mark',
  'tos',
  'flowLabel',
  'uid',
  'ipProtocol',
  'sourcePort',
  'destinationPort',
  'fibmatch',
] as const

/** ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL: what a packet would meet. */
export async function lookupRoute(handle: NamespaceHandle, address: string, options: LookupOptions = {}): Promise<Route> {
  fields(options, 'options', names)
  const to = parseAddress(address, 'address')
  const from = options.from === undefined ? undefined : parseAddress(options.from, 'options.from')
  if (from !== undefined && from.family !== to.family)
    throw invalidValue('options.from', 'must be of the same family as the address', options.from)
  const optional = (value: unknown, path: string, highest: number): number | undefined =>
    value === undefined ? undefined : integer(value, path, 0, highest)
  if (options.flowLabel !== undefined && to.family !== c.AF_INET6)
    throw invalidValue('options.flowLabel', 'is for IPv6', options.flowLabel)
  const bits = to.family === c.AF_INET ? 32 : 128
  const checked = {
    tos: options.tos === undefined ? 0 : tosOf(options.tos, to.family, 'options.tos'),
    flowLabel: optional(options.flowLabel, 'options.flowLabel', 0xfffff),
    mark: optional(options.mark, 'options.mark', 0xffffffff),
    uid: optional(options.uid, 'options.uid', 0xffffffff),
    ipProtocol: optional(options.ipProtocol, 'options.ipProtocol', 255),
    sourcePort: optional(options.sourcePort, 'options.sourcePort', 65535),
    destinationPort: optional(options.destinationPort, 'options.destinationPort', 65535),
  }
  const body = {
    family: to.family,
    toLength: bits,
    fromLength: from === undefined ? 0 : bits,
    flags: options.fibmatch === true ? RTM_F_FIB_MATCH : to.family === c.AF_INET ? RTM_F_LOOKUP_TABLE : 0,
    to: to.text,
    from: from?.text,
    iif: options.iif === undefined ? undefined : await indexOf(handle, options.iif, 'options.iif'),
    oif: options.oif === undefined ? undefined : await indexOf(handle, options.oif, 'options.oif'),
    ...checked,
  }
  const [outcome] = await send(handle, [{ type: 'RTM_GETROUTE', flags: 0, body, step: `look up the route to ${to.text}` }])
  return routeFrom(outcome?.replies[0] ?? {})
}
