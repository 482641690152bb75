// What the kernel tells, of a namespace that has something of everything: recorded for the decoders. Nothing is compared with them but
// themselves, decoded and encoded again (native/test/golden_test.cc).

export interface Replies {
  /** Commands that make what is told of. */
  readonly after: readonly string[]
  readonly commands: readonly string[]
  /** What the commands say is recorded, too. @defaultValue false */
  readonly requests?: boolean
}

export const replies: Readonly<Record<string, Replies>> = {
  'told-of-links': {
    after: [
      'ip netns set ct 7',
      'ip link add link v1 name mv0 index 20 address 02:00:00:00:00:20 type macvlan mode bridge',
      'ip link add x0 index 21 address 02:00:00:00:00:21 type veth peer name eth0 index 21 address 02:00:00:00:00:22 netns ct',
      'ip tuntap add name tun0 mode tun user 7 multi_queue',
      'ip tuntap add name tap0 mode tap',
      'ip link set tap0 address 02:00:00:00:00:23',
      'ip link set x0 alias hello',
      'ip link property add dev x0 altname a-rather-long-alternative altname other',
    ],
    commands: ['ip -d link show', 'bridge -d link show', 'ip -s link show dev br0'],
  },
  'told-of-multicast': {
    after: [
      'bridge mdb add dev br0 port v0 grp 239.1.1.1 permanent',
      'bridge mdb add dev br0 port v0 grp 239.1.1.2 src 10.0.0.1 temp',
      'bridge mdb add dev br0 port v0 grp ff15::1',
      'bridge mdb add dev br0 port v0 grp 01:02:03:04:05:06 permanent',
    ],
    commands: ['bridge -d mdb show'],
  },
  'told-of-routing': {
    after: [
      'ip address add 10.0.0.1 peer 10.0.0.2/32 dev v1 label v1:1',
      'ip nexthop add id 1 via 172.18.0.9 dev br0',
      'ip nexthop add id 2 via fd00::9 dev br0',
      'ip nexthop add id 3 group 1',
      'ip nexthop add id 4 blackhole',
      'ip route add 10.1.0.0/16 via 172.18.0.9 metric 100 mtu 1300',
      'ip route add 10.2.0.0/16 nexthop via 172.18.0.8 dev br0 weight 2 nexthop via inet6 fd00::9 dev br0',
      'ip route add 10.3.0.0/16 nhid 3',
      'ip route add 10.4.0.0/16 via inet6 fd00::9 dev br0 table 1000',
      'ip route add blackhole 10.9.0.0/16',
      'ip -6 route add 2001:db8::/32 via fd00::9 pref high',
      'ip -6 route add 2001:db8:1::/48 dev br0 expires 1000',
      'ip rule add from 10.0.0.0/8 iif v0 fwmark 1/0xff ipproto tcp dport 80 uidrange 0-9 table 1000',
      'ip -6 rule add not from 2001:db8::/32 goto 32766',
      'ip neighbor add 172.18.0.9 lladdr 02:00:00:00:00:09 dev br0',
      'ip neighbor add fd00::9 lladdr 02:00:00:00:00:09 router dev br0',
      'ip neighbor add proxy 172.18.0.7 dev br0',
      'bridge fdb add 02:00:00:00:00:09 dev v0 master static sticky',
      'bridge fdb add 02:00:00:00:00:09 dev vx0 dst 192.0.2.1 port 8472 vni 7',
      'ip netns set ct 7',
    ],
    commands: [
      'ip -d address show',
      'ip -d route show table all',
      'ip -6 -d route show table all',
      'ip route get 172.18.0.9',
      'ip route get fibmatch 10.1.0.1',
      'ip rule show',
      'ip -6 rule show',
      'ip -s neighbor show',
      'ip neighbor show proxy',
      'bridge -d fdb show',
      'ip -d nexthop show',
      'ip netns list-id',
      'ip ntable show',
    ],
  },
  'told-of-traffic': {
    after: [
      'tc qdisc add dev v1 root handle 1: htb default 10',
      'tc class add dev v1 parent 1: classid 1:10 htb rate 1mbit ceil 2mbit',
      'tc class add dev v1 parent 1: classid 1:11 htb rate 40gbit',
      'tc qdisc add dev v1 parent 1:10 handle 10: pfifo limit 100',
      'tc qdisc add dev v1 parent 1:11 handle 11: tbf rate 8mbit burst 32kb limit 100kb peakrate 16mbit mtu 2000',
      'tc qdisc add dev i0 root handle 1: bfifo',
      'tc qdisc add dev v1 clsact',
      'tc filter add dev v1 parent 1: protocol ip prio 5 u32 match ip dst 10.0.0.0/8 match ip dport 80 0xffff flowid 1:10',
      'tc filter add dev v1 ingress protocol all prio 1 u32 match u32 0 0 action mirred egress redirect dev i0',
    ],
    commands: [
      'tc -s -d qdisc show',
      'tc -s -d class show dev v1',
      'tc -s -d filter show dev v1 parent 1:',
      'tc -s -d filter show dev v1 ingress',
    ],
  },
  firewall: {
    after: [],
    commands: [
      'nft -f test/nftables/ruleset.nft',
      'nft add counter inet netlink-ct golden',
      'nft list ruleset',
      'nft delete table inet netlink-ct',
      'conntrack -I -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80 --state ESTABLISHED -t 100 -m 5',
      'conntrack -I -p udp -s fd00::1 -d fd00::2 --sport 1000 --dport 53 -t 100',
      'conntrack -L',
      'conntrack -L -f ipv6',
      'conntrack -D -p udp --dport 53 -f ipv6',
    ],
    requests: true,
  },
}
