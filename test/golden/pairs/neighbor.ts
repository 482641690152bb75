import { type Pair, pair } from '../pair.ts'

/** ip names a state, at which the kernel does not look. */
const deletion = { ours: { state: 0 }, theirs: { state: 128 } }

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
]
