// Realms of IPv4 routing, the classes of the `route` filter of tc(8); see ip-route(8).

import { fields, integer } from '../../invalid.ts'

/** Of the destination, or of the source and the destination. */
export type Realm = number | { readonly from: number; readonly to: number }

export function realmNumber(realm: Realm, path: string): number {
  if (typeof realm !== 'object') return integer(realm, path, 1, 0xffff)
  fields(realm, path, ['from', 'to'])
  return integer(realm.from, `${path}.from`, 0, 0xffff) * 0x10000 + integer(realm.to, `${path}.to`, 0, 0xffff)
}

export function realmFrom(number: number | undefined): Realm | undefined {
  if (!number) return undefined
  const from = number >>> 16
  const to = number & 0xffff
  return from === 0 ? to : { from, to }
}
