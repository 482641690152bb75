import { type Pair, pair } from '../pair.ts'

export const nexthop: readonly Pair[] = [
  pair('ip nexthop add id 1 via 172.18.0.9 dev br0 protocol static', (here) =>
    here.addNexthop({ id: 1, via: '172.18.0.9', dev: 'br0' }),
  ),
  pair('ip nexthop replace id 1 via fd00::9 dev br0 protocol static', (here) =>
    here.replaceNexthop({ id: 1, via: 'fd00::9', dev: 'br0' }),
  ),
  pair('ip nexthop add id 1 via 10.9.9.9 dev br0 onlink protocol static', (here) =>
    here.addNexthop({ id: 1, via: '10.9.9.9', dev: 'br0', onlink: true }),
  ),
  pair('ip nexthop add id 1 dev br0 protocol static', (here) => here.addNexthop({ id: 1, dev: 'br0' })),
  pair('ip -6 nexthop add id 1 dev br0 protocol static', (here) => here.addNexthop({ id: 1, dev: 'br0', family: 'inet6' })),
  pair('ip nexthop add id 1 blackhole protocol static', (here) => here.addNexthop({ id: 1, blackhole: true })),
  pair(
    'ip nexthop add id 3 group 1,2/2,256 protocol static',
    (here) =>
      here.addNexthop({
        id: 3,
        group: [
          { id: 1, weight: 2 },
          { id: 2, weight: 256 },
        ],
      }),
    { after: ['ip nexthop add id 1 via 172.18.0.8 dev br0', 'ip nexthop add id 2 via 172.18.0.9 dev br0'] },
  ),
  pair('ip nexthop delete id 1', (here) => here.deleteNexthop(1), { after: ['ip nexthop add id 1 dev br0'] }),
  pair('ip nexthop show dev br0', (here) => here.listNexthops({ dev: 'br0' })),
]
