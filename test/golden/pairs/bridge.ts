import { type Pair, pair } from '../pair.ts'

const filtering = 'ip link set br0 type bridge vlan_filtering 1'
const group = '239.1.1.1'

export const bridge: readonly Pair[] = [
  pair(
    'ip link set dev br0 type bridge stp_state 1 forward_delay 1000 hello_time 100 max_age 1200 ageing_time 100 priority 4096 group_fwd_mask 8 group_address 01:80:c2:00:00:0e',
    (here) =>
      here.setBridge('br0', {
        ...{ stp: true, forwardDelay: 10, helloTime: 1, maxAge: 12, ageingTime: 1, priority: 4096, groupForwardMask: 8 },
        groupAddress: '01:80:c2:00:00:0e',
      }),
  ),
  pair(
    'ip link set dev br0 type bridge vlan_filtering 1 vlan_protocol 802.1ad vlan_default_pvid 5 vlan_stats_enabled 1 vlan_stats_per_port 1',
    (here) =>
      here.setBridge('br0', {
        ...{ vlanFiltering: true, vlanProtocol: '802.1ad', vlanDefaultPvid: 5, vlanStats: true, vlanStatsPerPort: true },
      }),
  ),
  pair(
    'ip link set dev br0 type bridge mcast_snooping 1 mcast_router 2 mcast_query_use_ifaddr 1 mcast_querier 1 mcast_hash_max 512 mcast_last_member_count 3 mcast_startup_query_count 4 mcast_stats_enabled 1 mcast_igmp_version 3 mcast_mld_version 2',
    (here) =>
      here.setBridge('br0', {
        ...{ multicastSnooping: true, multicastRouter: 'permanent', multicastQueryUseIfaddr: true, multicastQuerier: true },
        ...{ multicastHashMax: 512, multicastLastMemberCount: 3, multicastStartupQueryCount: 4, multicastStats: true },
        ...{ igmpVersion: 3, mldVersion: 2 },
      }),
  ),
  pair(
    'ip link set dev br0 type bridge mcast_last_member_interval 100 mcast_membership_interval 200 mcast_querier_interval 300 mcast_query_interval 400 mcast_query_response_interval 500 mcast_startup_query_interval 600',
    (here) =>
      here.setBridge('br0', {
        ...{ multicastLastMemberInterval: 1, multicastMembershipInterval: 2, multicastQuerierInterval: 3 },
        ...{ multicastQueryInterval: 4, multicastQueryResponseInterval: 5, multicastStartupQueryInterval: 6 },
      }),
  ),
  pair(
    'ip link set dev br0 type bridge nf_call_iptables 1 nf_call_ip6tables 1 nf_call_arptables 1 no_linklocal_learn 1 mcast_vlan_snooping 0',
    (here) =>
      here.setBridge('br0', {
        ...{ nfCallIptables: true, nfCallIp6tables: true, nfCallArptables: true, noLinkLocalLearn: true },
        multicastVlanSnooping: false,
      }),
  ),
  pair(
    'bridge link set dev v0 hairpin on guard on root_block on fastleave on learning off flood off mcast_flood off bcast_flood off mcast_to_unicast on mcast_router 2 neigh_suppress on vlan_tunnel on isolated on locked on cost 77 priority 9 state 2 backup_port v1',
    (here) =>
      here.setBridgePort('v0', {
        ...{ hairpin: true, guard: true, rootBlock: true, fastLeave: true, learning: false, flood: false },
        ...{ multicastFlood: false, broadcastFlood: false, multicastToUnicast: true, multicastRouter: 'permanent' },
        ...{ neighborSuppress: true, vlanTunnel: true, isolated: true, locked: true, cost: 77, priority: 9 },
        ...{ state: 'learning', backupPort: 'v1' },
      }),
    { after: ['ip link set v1 master br0'] },
  ),
  pair('bridge vlan add dev v0 vid 3 pvid untagged', (here) => here.addBridgeVlans('v0', 3, { pvid: true, untagged: true }), {
    after: [filtering],
  }),
  pair('bridge vlan add dev v0 vid 4-6', (here) => here.addBridgeVlans('v0', { start: 4, end: 6 }), { after: [filtering] }),
  pair('bridge vlan add dev br0 vid 10 self', (here) => here.addBridgeVlans('br0', 10, { self: true }), { after: [filtering] }),
  pair('bridge vlan add dev v0 vid 10 self master', (here) => here.addBridgeVlans('v0', [10], { self: true, master: true }), {
    after: [filtering],
  }),
  pair('bridge vlan del dev v0 vid 4-6', (here) => here.deleteBridgeVlans('v0', { start: 4, end: 6 }), { after: [filtering] }),
  pair('bridge vlan set dev v0 vid 4-6 state 3', (here) =>
    here.setBridgeVlans('v0', { start: 4, end: 6 }, { state: 'forwarding' }),
  ),
  pair('bridge vlan set dev v0 vid 4 mcast_router 2', (here) => here.setBridgeVlans('v0', 4, { multicastRouter: 'permanent' })),
  pair('bridge -d vlan show', (here) => here.listBridgeVlans(), { theirs: { flags: 0 } }),
  pair(`bridge mdb add dev br0 port v0 grp ${group} permanent vid 5`, (here) =>
    here.addMdbEntry({ bridge: 'br0', port: 'v0', group, vlan: 5 }),
  ),
  pair(`bridge mdb add dev br0 port v0 grp ${group} src 10.0.0.1`, (here) =>
    here.addMdbEntry({ bridge: 'br0', port: 'v0', group, source: '10.0.0.1', permanent: false }),
  ),
  pair('bridge mdb add dev br0 port v0 grp 01:02:03:04:05:06 permanent', (here) =>
    here.addMdbEntry({ bridge: 'br0', port: 'v0', group: '01:02:03:04:05:06' }),
  ),
  pair('bridge mdb add dev br0 port br0 grp ff15::1 temp', (here) =>
    here.addMdbEntry({ bridge: 'br0', port: 'br0', group: 'ff15::1' }),
  ),
  pair(`bridge mdb del dev br0 port v0 grp ${group}`, (here) => here.deleteMdbEntry({ bridge: 'br0', port: 'v0', group })),
  pair('bridge mdb show', (here) => here.listMdb()),
]
