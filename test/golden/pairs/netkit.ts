// ip knows netkit since 6.7.

import { type Pair, pair } from '../pair.ts'

export const netkit: readonly Pair[] = [
  pair('ip link add x0 type netkit mode l2 blackhole peer forward', (here) =>
    here.createLink({ kind: 'netkit', name: 'x0', mode: 'l2', policy: 'blackhole', peerPolicy: 'pass' }),
  ),
]
