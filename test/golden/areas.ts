// The areas that are recorded, one file of pairs and one of recordings each.

import type { Pair } from './pair.ts'
import { address } from './pairs/address.ts'
import { bridge } from './pairs/bridge.ts'
import { fdb } from './pairs/fdb.ts'
import { filter } from './pairs/filter.ts'
import { kind } from './pairs/kind.ts'
import { link } from './pairs/link.ts'
import { neighbor } from './pairs/neighbor.ts'
import { netkit } from './pairs/netkit.ts'
import { nexthop } from './pairs/nexthop.ts'
import { nsid } from './pairs/nsid.ts'
import { qdisc } from './pairs/qdisc.ts'
import { route } from './pairs/route.ts'
import { rule } from './pairs/rule.ts'

/** What npm run record:golden records. */
export const areas: Readonly<Record<string, readonly Pair[]>> = {
  ...{ link, kind, bridge, address, route, rule, neighbor, fdb, nexthop, nsid, qdisc, filter },
}

/** What ip 6.1 cannot say: written by hand after the kernel's headers, in written/. */
export const written: Readonly<Record<string, readonly Pair[]>> = { netkit }
