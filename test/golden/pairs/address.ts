import { type Pair, pair } from '../pair.ts'

export const address: readonly Pair[] = [
  pair('ip address add 10.0.0.1/24 brd + dev v1', (here) => here.addAddress('v1', '10.0.0.1/24')),
  pair('ip address add 10.0.0.1/24 dev v1', (here) => here.addAddress('v1', '10.0.0.1/24', { broadcast: false })),
  pair('ip address add 10.0.0.1/24 broadcast 10.0.0.9 dev v1', (here) =>
    here.addAddress('v1', '10.0.0.1/24', { broadcast: '10.0.0.9' }),
  ),
  pair('ip address add 10.0.0.1 peer 10.0.0.2/32 dev v1 scope link label v1:1', (here) =>
    here.addAddress('v1', '10.0.0.1/32', { peer: '10.0.0.2', scope: 'link', label: 'v1:1' }),
  ),
  pair('ip address add 127.0.0.2/8 dev lo', (here) => here.addAddress('lo', '127.0.0.2/8', { broadcast: false })),
  pair('ip address add 10.0.0.1/24 dev v1 metric 50 noprefixroute', (here) =>
    here.addAddress('v1', '10.0.0.1/24', { broadcast: false, metric: 50, noprefixroute: true }),
  ),
  pair('ip address add 2001:db8::1/64 dev v1', (here) => here.addAddress('v1', '2001:db8::1/64')),
  pair('ip address add 2001:db8::1/64 dev v1 nodad', (here) => here.addAddress('v1', '2001:db8::1/64', { nodad: true }), {
    // The header has room for the first eight.
    ours: { flags: 2, headerFlags: 0 },
    theirs: { headerFlags: 2 },
  }),
  pair('ip address add 2001:db8::1/128 peer 2001:db8::2/128 dev v1', (here) =>
    here.addAddress('v1', '2001:db8::1/128', { peer: '2001:db8::2' }),
  ),
  pair('ip address delete 172.18.0.1/16 dev br0', (here) => here.deleteAddress('br0', '172.18.0.1/16')),
  pair('ip address delete fd00::1/64 dev br0', (here) => here.deleteAddress('br0', 'fd00::1/64')),
  pair(
    'ip address delete 10.0.0.1 peer 10.0.0.2/32 dev v1',
    (here) => here.deleteAddress('v1', '10.0.0.1/32', { peer: '10.0.0.2' }),
    { after: ['ip address add 10.0.0.1 peer 10.0.0.2/32 dev v1'] },
  ),
  pair('ip -4 address show dev br0', (here) => here.listAddresses({ family: 'inet', link: 'br0' })),
  pair('ip address replace 2001:db8::1/64 dev v1 valid_lft 300 preferred_lft 200 mngtmpaddr', (here) =>
    here.replaceAddress('v1', '2001:db8::1/64', { validLifetime: 300, preferredLifetime: 200, mngtmpaddr: true }),
  ),
  pair(
    'ip address add 2001:db8::1/64 dev v1 home optimistic',
    (here) => here.addAddress('v1', '2001:db8::1/64', { home: true, optimistic: true }),
    { ours: { flags: 0x14, headerFlags: 0 }, theirs: { headerFlags: 0x14 } },
  ),
]
