// A routing domain of its own; see ip-link(8), `type vrf`.

import { number } from '../../../exchange.ts'
import { integer } from '../../../invalid.ts'
import type { Kind } from './kind.ts'

export interface VrfSpec {
  /** Its routing table. */
  readonly table: number
}

export const vrf: Kind<VrfSpec, VrfSpec> = {
  names: ['table'],
  data: ({ table }, path) => ({ table: integer(table, `${path}.table`, 1, 0xffffffff) }),
  read: (data) => ({ table: number(data['table']) }),
}
