import { any, type Pair, pair } from '../pair.ts'

const ingress = ['tc qdisc add dev v1 clsact']
const htb = ['tc qdisc add dev v1 root handle 1: htb']

/** tc rounds the times in its table of rates to microseconds. */
const tables = { options: { actions: [{ options: { rateTable: any } }] } }

export const filter: readonly Pair[] = [
  pair(
    'tc filter add dev v1 parent 1: protocol ip prio 5 u32 match ip dst 10.0.0.0/8 match ip dport 80 0xffff flowid 1:10',
    (here) =>
      here.addFilter('v1', {
        ...{ kind: 'u32', parent: '1:', protocol: 'ip', priority: 5, classId: '1:10' },
        match: [{ ip: { destination: '10.0.0.0/8', destinationPort: 80 } }],
      }),
    { after: htb },
  ),
  pair(
    'tc filter add dev v1 parent 1: protocol ipv6 prio 5 u32 match ip6 src 2001:db8::/48 match u32 0x00060000 0x00ff0000 at 4 flowid 1:10',
    (here) =>
      here.addFilter('v1', {
        ...{ kind: 'u32', parent: '1:', protocol: 'ipv6', priority: 5, classId: '1:10' },
        match: [{ ip6: { source: '2001:db8::/48' } }, { u32: { value: 0x60000, mask: 0xff0000, at: 4 } }],
      }),
    { after: htb },
  ),
  pair(
    'tc filter add dev v1 ingress protocol all prio 1 u32 match u32 0 0 action mirred egress redirect dev i0',
    (here) =>
      here.addFilter('v1', {
        ...{ kind: 'u32', parent: 'ingress', priority: 1 },
        actions: [{ kind: 'mirred', action: 'redirect', dev: 'i0' }],
      }),
    { after: ingress },
  ),
  pair(
    'tc filter add dev v1 egress protocol all prio 1 u32 match u32 0 0 action mirred ingress mirror dev i0',
    (here) =>
      here.addFilter('v1', {
        ...{ kind: 'u32', parent: 'egress', priority: 1 },
        actions: [{ kind: 'mirred', action: 'mirror', direction: 'ingress', dev: 'i0' }],
      }),
    { after: ingress },
  ),
  pair(
    'tc filter add dev v1 ingress protocol ip prio 2 matchall action police rate 8mbit burst 32k mtu 2000 conform-exceed drop/pipe',
    (here) =>
      here.addFilter('v1', {
        ...{ kind: 'matchall', parent: 'ingress', protocol: 'ip', priority: 2 },
        actions: [{ kind: 'police', rate: '8mbit', burst: '32kb', mtu: 2000, conform: 'pipe' }],
      }),
    { after: ingress, ours: tables, theirs: tables },
  ),
  pair(
    'tc filter replace dev v1 ingress protocol ip prio 2 handle 0x1 matchall classid 1:10 action continue',
    (here) =>
      here.replaceFilter('v1', {
        ...{ kind: 'matchall', parent: 'ingress', protocol: 'ip', priority: 2, handle: 1, classId: '1:10' },
        actions: [{ kind: 'gact', action: 'continue' }],
      }),
    { after: ingress },
  ),
  pair(
    'tc filter add dev v1 ingress protocol ip prio 4 flower dst_mac 02:00:00:00:00:01 src_mac 02:00:00:00:00:02 src_ip 10.0.0.0/8 ' +
      'dst_ip 10.1.0.1 ip_proto tcp dst_port 80 src_port 1000 indev v0 classid 1:1 action drop',
    (here) =>
      here.addFilter('v1', {
        ...{ kind: 'flower', parent: 'ingress', priority: 4, protocol: 'ip', classId: '1:1', indev: 'v0' },
        ...{ destinationMac: '02:00:00:00:00:01', sourceMac: '02:00:00:00:00:02', source: '10.0.0.0/8' },
        ...{ destination: '10.1.0.1', ipProtocol: 'tcp', sourcePort: 1000, destinationPort: 80 },
        actions: [{ kind: 'gact', action: 'drop' }],
      }),
    { after: ingress, theirs: { options: { flags: 0 } } },
  ),
  pair(
    'tc filter add dev v1 ingress protocol 802.1q prio 4 flower vlan_id 100 vlan_prio 3 vlan_ethtype ipv6 dst_ip 2001:db8::/32 ' +
      'ip_proto udp dst_port 53 action pass action mirred egress mirror dev i0',
    (here) =>
      here.addFilter('v1', {
        ...{ kind: 'flower', parent: 'ingress', priority: 4, protocol: '802.1q', vlanId: 100, vlanPriority: 3 },
        ...{ vlanProtocol: 'ipv6', destination: '2001:db8::/32', ipProtocol: 'udp', destinationPort: 53 },
        actions: [
          { kind: 'gact', action: 'pass' },
          { kind: 'mirred', action: 'mirror', dev: 'i0' },
        ],
      }),
    { after: ingress, theirs: { options: { flags: 0 } } },
  ),
  pair(
    'tc filter del dev v1 ingress protocol all prio 1',
    (here) => here.deleteFilter('v1', { parent: 'ingress', priority: 1, protocol: 'all' }),
    { after: [...ingress, 'tc filter add dev v1 ingress protocol all prio 1 u32 match u32 0 0'] },
  ),
  pair(
    'tc filter del dev v1 ingress protocol all prio 1 handle 800::800 u32',
    (here) => here.deleteFilter('v1', { parent: 'ingress', priority: 1, protocol: 'all', handle: '800::800', kind: 'u32' }),
    { after: [...ingress, 'tc filter add dev v1 ingress protocol all prio 1 u32 match u32 0 0'] },
  ),
  pair('tc filter show dev v1 ingress', (here) => here.listFilters('v1', { parent: 'ingress' })),
]
