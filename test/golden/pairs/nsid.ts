import { type Pair, pair } from '../pair.ts'

export const nsid: readonly Pair[] = [
  pair('ip netns set ct 7', (here, ct) => here.setNsid(ct, 7)),
  pair('ip netns set ct auto', (here, ct) => here.setNsid(ct)),
  pair('ip netns list-id', (here) => here.listNsids()),
]
