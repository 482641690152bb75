import { type Circumstances, type Pair, pair } from '../pair.ts'

/** ip names a state, at which the kernel does not look. */
const deletion = { ours: { state: 0 }, theirs: { state: 128 } }

/** ip leaves the family to the table's name. */
const tableFamily = (family: number): Circumstances => ({ ours: { family }, theirs: { family: 0 } })

export const neighbor: readonly Pair[] = [
  pair('ip neighbor add 172.18.0.9 lladdr 02:00:00:00:00:09 dev br0', (here) =>
    here.addNeighbor({ address: '172.18.0.9', mac: '02:00:00:00:00:09', link: 'br0' }),
  ),
  ...(['reachable', 'stale', 'noarp', 'permanent'] as const).map((state) =>
    pair(`ip neighbor replace 172.18.0.9 lladdr 02:00:00:00:00:09 dev br0 nud ${state}`, (here) =>
      here.replaceNeighbor({ address: '172.18.0.9', mac: '02:00:00:00:00:09', link: 'br0', state }),
    ),
  ),
  pair('ip neighbor add fd00::9 lladdr 02:00:00:00:00:09 router dev br0', (here) =>
    here.addNeighbor({ address: 'fd00::9', mac: '02:00:00:00:00:09', router: true, link: 'br0' }),
  ),
  pair('ip neighbor add proxy 172.18.0.7 dev br0', (here) =>
    here.addNeighbor({ address: '172.18.0.7', proxy: true, link: 'br0' }),
  ),
  pair('ip neighbor delete 172.18.0.9 dev br0', (here) => here.deleteNeighbor({ address: '172.18.0.9', link: 'br0' }), {
    ...deletion,
    after: ['ip neighbor add 172.18.0.9 lladdr 02:00:00:00:00:09 dev br0'],
  }),
  pair(
    'ip neighbor delete proxy fd00::7 dev br0',
    (here) => here.deleteNeighbor({ address: 'fd00::7', proxy: true, link: 'br0' }),
    { ...deletion, after: ['ip neighbor add proxy fd00::7 dev br0'] },
  ),
  pair('ip -4 neighbor show dev br0', (here) => here.listNeighbors({ family: 'inet', link: 'br0' })),
  pair('ip neighbor add 172.18.0.9 dev br0 managed protocol 42', (here) =>
    here.addNeighbor({ address: '172.18.0.9', link: 'br0', managed: true, protocol: 42 }),
  ),
  pair(
    'ip ntable change name arp_cache thresh1 100 thresh2 200 thresh3 300 gc_int 60000',
    (here) => here.setNeighborTable('inet', { gcThresh1: 100, gcThresh2: 200, gcThresh3: 300, gcInterval: 60_000 }),
    tableFamily(2),
  ),
  pair(
    'ip ntable change name ndisc_cache dev br0 base_reachable 20000 retrans 2000 gc_stale 30000 delay_probe 4000 queue 50 app_probes 1 ' +
      'ucast_probes 2 mcast_probes 5 anycast_delay 500 proxy_delay 700 proxy_queue 32 locktime 100',
    (here) =>
      here.setNeighborTable('inet6', {
        link: 'br0',
        parameters: {
          ...{ baseReachable: 20_000, retrans: 2000, gcStale: 30_000, delayProbe: 4000, queue: 50, appProbes: 1, ucastProbes: 2 },
          ...{ mcastProbes: 5, anycastDelay: 500, proxyDelay: 700, proxyQueue: 32, locktime: 100 },
        },
      }),
    tableFamily(10),
  ),
  pair('ip ntable show', (here) => here.listNeighborTables()),
]
