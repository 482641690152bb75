// All rows, and what has none.

import type { Row } from './cell.ts'
import { rows as conntrack } from './conntrack/rows.ts'
import { rows as endpoints } from './networks/endpoint.ts'
import { rows as networks } from './networks/network.ts'
import { rows as nftables } from './nftables/rows.ts'
import { rows as addresses } from './rtnetlink/addresses.ts'
import { rows as bridges } from './rtnetlink/bridges.ts'
import { rows as links } from './rtnetlink/links.ts'
import { rows as namespaces } from './rtnetlink/namespaces.ts'
import { rows as neighbors } from './rtnetlink/neighbors.ts'
import { rows as routes } from './rtnetlink/routes.ts'
import { rows as settings } from './rtnetlink/settings.ts'
import { rows as traffic } from './rtnetlink/traffic.ts'
import { rows as vlans } from './rtnetlink/vlans.ts'

export const tables: readonly (readonly Row[])[] = [
  namespaces,
  links,
  addresses,
  routes,
  neighbors,
  bridges,
  vlans,
  traffic,
  settings,
  nftables,
  conntrack,
  networks,
  endpoints,
]

/** Public for other files of the library, and marked so. */
export const internal: readonly string[] = [
  'Network.isLease',
  'Network.endpointOn',
  'Network.detachEndpoint',
  'Network.changePorts',
  'Network.firewalled',
  'Network.checkAttach',
  'Network.moveDns',
  'LanNetwork.namespaceNumber',
  'LanNetwork.removeUnleased',
  'LanNetwork.restoreLeases',
  'Conntrack.forget',
]

/** What makes and finds nothing that could be there already, and where its outcomes are tried. */
export const notStates: Readonly<Record<string, string>> = {
  'Netns.spawn': 'a process is a new one always: netns/spawn',
  'Netns.listen': 'a socket is a new one always: netns/sockets',
  'Netns.connect': 'a socket is a new one always: netns/sockets',
  'Netns.bindUdp': 'a socket is a new one always: netns/sockets',
  'Netns.close': 'twice is no error: netns/close',
  'Network.toJSON': 'tells what the object holds: network/list',
  'Endpoint.toJSON': 'tells what the object holds: network/attach',
  explain: 'does what it is given: diagnostics/explain',
  diffSnapshots: 'asks no kernel: diagnostics/explain',
  stats: 'counts what this process holds: diagnostics',
  attachContainer: 'its states are those of createNetwork and Network.attach: mode/modes',
  allow: 'what is there already is a policy: policy/state',
  deny: 'what is there already is a policy: policy/state',
  isolate: 'what is there already is a policy: policy/state',
  applyPolicy: 'what is there already is a policy: policy/state',
  deletePolicy: 'what is there already is a policy: policy/state',
  listPolicies: 'what is there already is a policy: policy/state',
  policyFromKubernetes: 'changes nothing: policy/kubernetes',
  serveDns: 'what is there already is a resolver: dns/life',
  containerFiles: 'changes nothing: dns/files',
}
