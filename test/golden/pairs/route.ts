import { type Circumstances, type Pair, pair } from '../pair.ts'

/** This library names the table in its attribute, also where the header has room for it. */
const main = { table: 254 }
/** ip writes the destination of a default route out. */
const everything6 = { to: '::' }

const four = (command: string, call: Pair['call'], { ours = {}, ...more }: Circumstances = {}): Pair =>
  pair(command, call, { ...more, ours: { ...main, ...ours } })

export const route: readonly Pair[] = [
  four('ip route add default via 172.18.0.9 proto static', (here) => here.addRoute({ to: 'default', via: '172.18.0.9' })),
  four('ip route add 10.1.0.0/16 dev br0 proto static', (here) => here.addRoute({ to: '10.1.0.0/16', dev: 'br0' })),
  four('ip route add 10.1.0.1 via 172.18.0.9 dev br0 proto static', (here) =>
    here.addRoute({ to: '10.1.0.1', via: '172.18.0.9', dev: 'br0' }),
  ),
  four('ip route replace 10.1.0.0/16 via 172.18.0.9 metric 100 mtu 1300 src 172.18.0.1 proto static', (here) =>
    here.replaceRoute({ to: '10.1.0.0/16', via: '172.18.0.9', metric: 100, mtu: 1300, source: '172.18.0.1' }),
  ),
  four(
    'ip route append 10.1.0.0/16 via 172.18.0.8 proto static',
    (here) => here.appendRoute({ to: '10.1.0.0/16', via: '172.18.0.8' }),
    {
      after: ['ip route add 10.1.0.0/16 via 172.18.0.9'],
    },
  ),
  four(
    'ip route change 10.1.0.0/16 via 172.18.0.8 proto static',
    (here) => here.changeRoute({ to: '10.1.0.0/16', via: '172.18.0.8' }),
    {
      after: ['ip route add 10.1.0.0/16 via 172.18.0.9'],
    },
  ),
  four('ip route add 169.254.0.0/16 via 169.254.1.1 dev br0 onlink proto static', (here) =>
    here.addRoute({ to: '169.254.0.0/16', via: '169.254.1.1', dev: 'br0', onlink: true }),
  ),
  pair('ip route add 10.2.0.0/16 dev br0 table 1000 proto static', (here) =>
    here.addRoute({ to: '10.2.0.0/16', dev: 'br0', table: 1000 }),
  ),
  pair(
    'ip route add 10.2.0.0/16 dev br0 table 100 proto static',
    (here) => here.addRoute({ to: '10.2.0.0/16', dev: 'br0', table: 100 }),
    {
      ours: { table: 100 },
    },
  ),
  ...(['blackhole', 'unreachable', 'prohibit', 'throw'] as const).map((type) =>
    four(`ip route add ${type} 10.9.0.0/16 proto static`, (here) => here.addRoute({ to: '10.9.0.0/16', type })),
  ),
  four('ip route add 10.9.0.0/16 dev br0 scope global proto 42', (here) =>
    here.addRoute({ to: '10.9.0.0/16', dev: 'br0', scope: 'global', protocol: 42 }),
  ),
  four('ip route add local 10.9.0.1 dev lo table main proto static', (here) =>
    here.addRoute({ to: '10.9.0.1', type: 'local', dev: 'lo' }),
  ),
  four(
    'ip route add 10.3.0.0/16 proto static nexthop via 172.18.0.8 dev br0 weight 2 nexthop via 172.18.0.9 dev br0 weight 256 onlink',
    (here) =>
      here.addRoute({
        to: '10.3.0.0/16',
        nexthops: [
          { via: '172.18.0.8', dev: 'br0', weight: 2 },
          { via: '172.18.0.9', dev: 'br0', weight: 256, onlink: true },
        ],
      }),
  ),
  four('ip route add 10.3.0.0/16 proto static nexthop via inet6 fd00::9 dev br0 nexthop dev br0', (here) =>
    here.addRoute({ to: '10.3.0.0/16', nexthops: [{ via: 'fd00::9', dev: 'br0' }, { dev: 'br0' }] }),
  ),
  four('ip route add 10.4.0.0/16 nhid 5 proto static', (here) => here.addRoute({ to: '10.4.0.0/16', nexthop: 5 }), {
    after: ['ip nexthop add id 5 via 172.18.0.9 dev br0'],
  }),
  four('ip route add 10.5.0.0/16 via inet6 fd00::9 dev br0 proto static', (here) =>
    here.addRoute({ to: '10.5.0.0/16', via: 'fd00::9', dev: 'br0' }),
  ),
  four(
    'ip -6 route add default via fd00::9 metric 7 proto static',
    (here) => here.addRoute({ to: 'default', via: 'fd00::9', metric: 7 }),
    {
      theirs: everything6,
    },
  ),
  four('ip -6 route add 2001:db8::/32 via fd00::9 pref high proto static', (here) =>
    here.addRoute({ to: '2001:db8::/32', via: 'fd00::9', preference: 'high' }),
  ),
  four('ip -6 route add 2001:db8::/32 dev br0 expires 300 proto static', (here) =>
    here.addRoute({ to: '2001:db8::/32', dev: 'br0', expires: 300 }),
  ),
  four(
    'ip -6 route append 2001:db8::/32 via fd00::8 proto static',
    (here) => here.appendRoute({ to: '2001:db8::/32', via: 'fd00::8' }),
    {
      after: ['ip -6 route add 2001:db8::/32 via fd00::9'],
    },
  ),
  four('ip -6 route add 2001:db8::/32 proto static nexthop via fd00::8 dev br0 nexthop via fd00::9 dev br0 weight 3', (here) =>
    here.addRoute({
      to: '2001:db8::/32',
      nexthops: [
        { via: 'fd00::8', dev: 'br0' },
        { via: 'fd00::9', dev: 'br0', weight: 3 },
      ],
    }),
  ),
  four('ip -6 route add unreachable 2001:db8::/32 proto static', (here) =>
    here.addRoute({ to: '2001:db8::/32', type: 'unreachable' }),
  ),
  four('ip route delete 10.1.0.0/16', (here) => here.deleteRoute({ to: '10.1.0.0/16' }), {
    after: ['ip route add 10.1.0.0/16 via 172.18.0.9'],
  }),
  four(
    'ip route delete 10.1.0.0/16 via 172.18.0.9 metric 5',
    (here) => here.deleteRoute({ to: '10.1.0.0/16', via: '172.18.0.9', metric: 5 }),
    {
      after: ['ip route add 10.1.0.0/16 via 172.18.0.9 metric 5'],
    },
  ),
  four('ip -6 route delete default via fd00::9', (here) => here.deleteRoute({ to: 'default', via: 'fd00::9' }), {
    after: ['ip -6 route add default via fd00::9'],
    // IPv6 routes have no scope.
    ours: { scope: 255 },
    theirs: { ...everything6, scope: 0 },
  }),
  pair('ip route get 172.18.0.9', (here) => here.lookupRoute('172.18.0.9')),
  pair('ip route get fibmatch 172.18.0.9', (here) => here.lookupRoute('172.18.0.9', { fibmatch: true }), {
    // RTM_F_LOOKUP_TABLE: an entry has its table anyway.
    ours: { flags: 0x2000 },
    theirs: { flags: 0x3000 },
  }),
  pair('ip route get 172.18.0.9 from 172.18.0.1 oif br0 mark 5 uid 7 ipproto tcp sport 1000 dport 80', (here) =>
    here.lookupRoute('172.18.0.9', {
      ...{ from: '172.18.0.1', oif: 'br0', mark: 5, uid: 7, ipProtocol: 6, sourcePort: 1000, destinationPort: 80 },
    }),
  ),
  pair('ip route get fd00::9 iif br0', (here) => here.lookupRoute('fd00::9', { iif: 'br0' })),
  four(
    'ip route add 10.1.0.0/16 via 172.18.0.9 proto static tos 0x10 realm 1/2 mtu lock 1300 advmss 1200 window 1000 rtt 100ms rttvar 50ms ssthresh 5 ' +
      'cwnd lock 6 reordering 7 hoplimit 64 initcwnd 8 initrwnd 9 features ecn rto_min 200ms quickack 1 congctl cubic fastopen_no_cookie 1',
    (here) =>
      here.addRoute({
        ...{ to: '10.1.0.0/16', via: '172.18.0.9', tos: 0x10, realm: { from: 1, to: 2 }, mtu: 1300, advmss: 1200, window: 1000 },
        ...{ rtt: 100, rttvar: 50, ssthresh: 5, cwnd: 6, reordering: 7, hopLimit: 64, initcwnd: 8, initrwnd: 9 },
        ...{ features: ['ecn'], rtoMin: 200, quickack: true, congctl: 'cubic', fastopenNoCookie: true, lock: ['mtu', 'cwnd'] },
      }),
  ),
]
