// Making a bridge.

import { randomBytes } from 'node:crypto'
import { fields, integer, invalidType } from '../invalid.ts'
import { interfaceName, macAddress } from '../names.ts'
import type { Message, NamespaceHandle } from '../native.ts'
import { addressMessage } from './address.ts'
import { type BridgeOptions, bridgeData, bridgeOptionNames } from './bridge-options.ts'
import * as c from './constants.ts'
import { send } from './exchange.ts'
import { checkAlias, deleteLink, getLinkMessage, type Link, linkFrom, mtuOf } from './link.ts'
import { rolledBack } from './roll-back.ts'

export interface BridgeSpec extends Partial<BridgeOptions> {
  readonly name: string
  /** @defaultValue a random one, set at creation: a bridge without one of its own takes its ports' lowest, and changes it with them */
  readonly mac?: string
  readonly mtu?: number
  /** @defaultValue false */
  readonly up?: boolean
  /** `172.18.0.1/16`, … */
  readonly addresses?: readonly string[]
  readonly group?: number
  readonly alias?: string
}

/** A locally administered unicast address. */
export function randomMac(): string {
  const bytes = randomBytes(6)
  bytes[0] = ((bytes[0] ?? 0) & 0xfe) | 0x02
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':')
}

const own = ['name', 'mac', 'mtu', 'up', 'addresses', 'group', 'alias'] as const

/** EEXIST when the name is taken. On any error nothing is left of the bridge. */
export async function createBridge(handle: NamespaceHandle, spec: BridgeSpec): Promise<Link> {
  fields(spec, 'bridge', [...own, ...bridgeOptionNames])
  const { name, mac, mtu, up, addresses, group, alias, ...options } = spec
  interfaceName(name, 'bridge.name')
  if (up !== undefined && typeof up !== 'boolean') throw invalidType('bridge.up', 'a boolean', up)
  if (addresses !== undefined && !Array.isArray(addresses)) throw invalidType('bridge.addresses', 'an array', addresses)
  const create: Message = {
    type: 'RTM_NEWLINK',
    flags: c.NLM_F_CREATE | c.NLM_F_EXCL,
    step: `make the bridge ${name}`,
    body: {
      name,
      mac: mac === undefined ? randomMac() : macAddress(mac, 'bridge.mac'),
      mtu: mtu === undefined ? undefined : mtuOf(mtu, 'bridge.mtu'),
      group: group === undefined ? undefined : integer(group, 'bridge.group', 0, 0xffffffff),
      info: { kind: 'bridge', data: bridgeData(options, 'bridge') },
    },
  }
  if (alias !== undefined) checkAlias(alias, 'bridge.alias')
  const complete = (index: number): Message[] => [
    ...(alias === undefined ? [] : [{ type: 'RTM_SETLINK', flags: 0, body: { index, alias } }]),
    ...(addresses ?? []).map((address, at) => addressMessage(index, address, {}, `bridge.addresses[${at}]`)),
    ...(up ? [{ type: 'RTM_SETLINK', flags: 0, body: { index, flags: c.IFF_UP, change: c.IFF_UP } }] : []),
    getLinkMessage(index, 'bridge'),
  ]
  complete(1) // every argument is checked before the first message
  const outcomes = await send(handle, [create, getLinkMessage(name, 'bridge.name')])
  const made = linkFrom(outcomes[1]?.replies[0] ?? {})
  return rolledBack(
    async () => linkFrom((await send(handle, complete(made.index))).at(-1)?.replies[0] ?? {}),
    () => deleteLink(handle, made),
  )
}
