// Devices as such: changed, renamed, moved, deleted, looked at. How each kind is made is in kind.ts.

import { any, type Pair, pair } from '../pair.ts'

export const link: readonly Pair[] = [
  pair('ip link set dev v0 up', (here) => here.setLink('v0', { up: true })),
  pair('ip link set dev v0 down', (here) => here.setLink('v0', { up: false })),
  pair('ip link set dev v1 master br0', (here) => here.setLink('v1', { master: 'br0' })),
  pair('ip link set dev v0 nomaster', (here) => here.setLink('v0', { master: null })),
  pair('ip link set dev v0 mtu 1400', (here) => here.setLink('v0', { mtu: 1400 })),
  pair('ip link set dev v0 txqueuelen 500', (here) => here.setLink('v0', { txqlen: 500 })),
  pair('ip link set dev v0 address 02:00:00:00:00:ff', (here) => here.setLink('v0', { mac: '02:00:00:00:00:ff' })),
  pair('ip link set dev v0 group 7', (here) => here.setLink('v0', { group: 7 })),
  pair('ip link set dev v0 name v9', (here) => here.setLink('v0', { name: 'v9' })),
  pair('ip link set dev v0 alias hello', (here) => here.setLink('v0', { alias: 'hello' })),
  pair('ip link set dev v0 up mtu 1300 address 02:00:00:00:00:ff', (here) =>
    here.setLink('v0', { up: true, mtu: 1300, mac: '02:00:00:00:00:ff' }),
  ),
  pair('ip link property add dev v0 altname a-rather-long-alternative altname other', (here) =>
    here.setLink('v0', { addAltnames: ['a-rather-long-alternative', 'other'] }),
  ),
  pair('ip link property del dev v0 altname other', (here) => here.setLink('v0', { deleteAltnames: ['other'] }), {
    after: ['ip link property add dev v0 altname other'],
  }),
  pair('ip link show dev i0', (here) => here.getLink('i0'), {
    // AF_PACKET; and what the answer may leave out.
    ours: { family: 0, extMask: any },
    theirs: { family: 17, extMask: any },
  }),
  pair('ip link delete dev v0', (here) => here.deleteLink(11)),
  pair('ip link set dev v1 netns ct name eth0', (here, ct) => here.setLink('v1', { netns: ct, name: 'eth0' }), {
    // It keeps its index where that is free.
    ours: { newIndex: any },
  }),
  pair('ip link set dev v0 addrgenmode none', (here) => here.setLink('v0', { addressGeneration: 'none' })),
  pair('ip link set dev v0 gso_max_size 4000 gso_max_segs 100', (here) =>
    here.setLink('v0', { gsoMaxSize: 4000, gsoMaxSegments: 100 }),
  ),
  pair('ip link set dev v0 mode dormant', (here) => here.setLink('v0', { linkMode: 'dormant' })),
  pair('ip link delete group 7', (here) => here.deleteLinks({ group: 7 }), { after: ['ip link set dev i0 group 7'] }),
]
