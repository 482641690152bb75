// A device of every kind.

import { any, type Pair, pair } from '../pair.ts'

export const kind: readonly Pair[] = [
  pair('ip link add x0 type dummy', (here) => here.createLink({ kind: 'dummy', name: 'x0' })),
  pair('ip link add x0 index 99 type ifb', (here) => here.createLink({ kind: 'ifb', name: 'x0', index: 99 })),
  pair('ip link add x0 numtxqueues 4 numrxqueues 2 type ifb', (here) =>
    here.createLink({ kind: 'ifb', name: 'x0', txQueues: 4, rxQueues: 2 }),
  ),
  pair('ip link add x0 type wireguard', (here) => here.createLink({ kind: 'wireguard', name: 'x0' })),
  pair('ip link add x0 type nlmon', (here) => here.createLink({ kind: 'other', name: 'x0', type: 'nlmon' })),
  pair('ip link add x0 type gtp role ggsn hsize 1024 restart_count 5', (here) =>
    here.createLink({
      ...{ kind: 'other', name: 'x0', type: 'gtp' },
      data: Uint8Array.of(5, 0, 5, 0, 1, 0, 0, 0, 8, 0, 4, 0, 0, 0, 0, 0, 8, 0, 3, 0, 0, 4, 0, 0, 5, 0, 6, 0, 5, 0, 0, 0),
    }),
  ),
  pair('ip link add x0 mtu 1400 type veth peer name eth0 netns ct', (here, ct) =>
    here.createVethPair({ name: 'x0', mtu: 1400, peer: { name: 'eth0', netns: ct } }),
  ),
  pair(
    'ip link add x0 address 02:00:00:00:00:02 txqueuelen 500 type veth peer name x1 mtu 1300 address 02:00:00:00:00:03 netns ct',
    (here, ct) =>
      here.createVethPair({
        ...{ name: 'x0', mac: '02:00:00:00:00:02', txqlen: 500 },
        peer: { name: 'x1', mtu: 1300, mac: '02:00:00:00:00:03', netns: ct },
      }),
  ),
  pair('ip link add x0 master br0 group 7 type veth peer name x1 netns ct', (here, ct) =>
    here.createVethPair({ name: 'x0', master: 'br0', group: 7, peer: { name: 'x1', netns: ct } }),
  ),
  pair('ip link add x0 type bridge', (here) => here.createLink({ kind: 'bridge', name: 'x0' }), {
    ours: { info: { data: any } },
  }),
  pair(
    'ip link add x0 address 02:00:00:00:00:01 mtu 1400 type bridge stp_state 0 forward_delay 200 hello_time 300 max_age 2500 mcast_snooping 0 ' +
      'ageing_time 30000 priority 4096 vlan_filtering 1',
    (here) =>
      here.createBridge({
        ...{ name: 'x0', mac: '02:00:00:00:00:01', mtu: 1400, stp: false, forwardDelay: 2, helloTime: 3, maxAge: 25 },
        ...{ multicastSnooping: false, ageingTime: 300, priority: 4096, vlanFiltering: true },
      }),
  ),
  pair('ip link add link v0 name x0 type vlan id 100', (here) =>
    here.createLink({ kind: 'vlan', name: 'x0', link: 'v0', id: 100 }),
  ),
  pair('ip link add link v0 name x0 type vlan protocol 802.1ad id 4094', (here) =>
    here.createLink({ kind: 'vlan', name: 'x0', link: 'v0', id: 4094, protocol: '802.1ad' }),
  ),
  ...(['private', 'vepa', 'bridge', 'source'] as const).map((mode) =>
    pair(`ip link add link v1 name x0 type macvlan mode ${mode}`, (here) =>
      here.createLink({ kind: 'macvlan', name: 'x0', link: 'v1', mode }),
    ),
  ),
  pair('ip link add link v1 name x0 type macvlan mode passthru bcqueuelen 500', (here) =>
    here.createLink({ kind: 'macvlan', name: 'x0', link: 'v1', mode: 'passthru', broadcastQueue: 500 }),
  ),
  pair('ip link add link v1 name x0 type macvlan mode passthru nopromisc', (here) =>
    here.createLink({ kind: 'macvlan', name: 'x0', link: 'v1', mode: 'passthru', promiscuous: false }),
  ),
  pair('ip link add link v1 name x0 type macvtap mode bridge', (here) =>
    here.createLink({ kind: 'macvtap', name: 'x0', link: 'v1', mode: 'bridge' }),
  ),
  ...(['l2', 'l3', 'l3s'] as const).map((mode) =>
    pair(`ip link add link v0 name x0 type ipvlan mode ${mode} bridge`, (here) =>
      here.createLink({ kind: 'ipvlan', name: 'x0', link: 'v0', mode, isolation: 'bridge' }),
    ),
  ),
  pair('ip link add link v0 name x0 netns ct type ipvtap mode l2 vepa', (here, ct) =>
    here.createLink({ kind: 'ipvtap', name: 'x0', link: 'v0', netns: ct, mode: 'l2', isolation: 'vepa' }),
  ),
  pair('ip link add link v0 name x0 type ipvlan mode l2 private', (here) =>
    here.createLink({ kind: 'ipvlan', name: 'x0', link: 'v0', mode: 'l2', isolation: 'private' }),
  ),
  pair('ip link add x0 type vxlan id 42 dstport 4789', (here) => here.createLink({ kind: 'vxlan', name: 'x0', id: 42 }), {
    theirs: { info: { data: { learning: 1 } } },
  }),
  pair(
    'ip link add x0 type vxlan id 42 remote 192.0.2.1 local 192.0.2.2 dstport 8472 srcport 1000 2000 ttl 64 tos 0x10 nolearning proxy l2miss l3miss',
    (here) =>
      here.createLink({
        ...{ kind: 'vxlan', name: 'x0', id: 42, remote: '192.0.2.1', local: '192.0.2.2', port: 8472, ttl: 64, tos: 16 },
        ...{ sourcePorts: { low: 1000, high: 2000 }, learning: false, proxy: true, l2miss: true, l3miss: true },
      }),
  ),
  pair('ip link add x0 type vxlan id 42 remote 2001:db8::1 local 2001:db8::2 dstport 4789 learning', (here) =>
    here.createLink({ kind: 'vxlan', name: 'x0', id: 42, remote: '2001:db8::1', local: '2001:db8::2', learning: true }),
  ),
  pair(
    'ip link add x0 type vxlan external dstport 4789',
    (here) => here.createLink({ kind: 'vxlan', name: 'x0', id: 0, external: true }),
    { ours: { info: { data: { id: 0 } } }, theirs: { info: { data: { learning: 0 } } } },
  ),
  pair('ip link add x0 type vrf table 1000', (here) => here.createLink({ kind: 'vrf', name: 'x0', table: 1000 })),
]
