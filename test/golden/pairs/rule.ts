import { type Circumstances, type Pair, pair } from '../pair.ts'

/** This library names the table in its attribute, also where the header has room for it. */
const table = (number: number): Circumstances => ({ ours: { table: number } })

export const rule: readonly Pair[] = [
  pair(
    'ip rule add from 10.0.0.0/8 table 100 priority 1000',
    (here) => here.addRule({ from: '10.0.0.0/8', table: 100, priority: 1000 }),
    table(100),
  ),
  pair('ip rule add to 10.0.0.1 table 1000', (here) => here.addRule({ to: '10.0.0.1', table: 1000 })),
  pair(
    'ip rule add iif v0 oif v1 fwmark 0x10/0xff table 100',
    (here) => here.addRule({ iif: 'v0', oif: 'v1', mark: 0x10, mask: 0xff, table: 100 }),
    table(100),
  ),
  pair('ip rule add not fwmark 5 table 100', (here) => here.addRule({ not: true, mark: 5, table: 100 }), table(100)),
  pair(
    'ip rule add ipproto tcp sport 1000-2000 dport 80 uidrange 0-99 table 100',
    (here) =>
      here.addRule({
        ...{ ipProtocol: 6, sourcePorts: { start: 1000, end: 2000 }, destinationPorts: { start: 80, end: 80 } },
        ...{ uids: { start: 0, end: 99 }, table: 100 },
      }),
    table(100),
  ),
  ...(['blackhole', 'unreachable', 'prohibit'] as const).map((action) =>
    pair(`ip rule add from 10.0.0.1 ${action}`, (here) => here.addRule({ from: '10.0.0.1', action })),
  ),
  pair('ip rule add priority 100 goto 32766', (here) => here.addRule({ priority: 100, action: 'goto', goto: 32766 })),
  pair('ip rule add priority 100 nop', (here) => here.addRule({ priority: 100, action: 'nop' })),
  pair(
    'ip rule add table main suppress_prefixlength 0 suppress_ifgroup 7',
    (here) => here.addRule({ table: 'main', suppressPrefixLength: 0, suppressGroup: 7 }),
    table(254),
  ),
  pair('ip rule add l3mdev', (here) => here.addRule({ l3mdev: true })),
  pair('ip -6 rule add from 2001:db8::/32 table 100', (here) => here.addRule({ from: '2001:db8::/32', table: 100 }), table(100)),
  pair('ip rule delete from 10.0.0.0/8 table 100', (here) => here.deleteRule({ from: '10.0.0.0/8', table: 100 }), {
    ...table(100),
    after: ['ip rule add from 10.0.0.0/8 table 100'],
  }),
  pair('ip rule delete priority 1000', (here) => here.deleteRule({ priority: 1000 }), {
    after: ['ip rule add priority 1000 table 100'],
  }),
  pair('ip -6 rule show', (here) => here.listRules({ family: 'inet6' })),
  pair('ip rule add tos 0x10 tun_id 7 table 1000 realms 1/2 protocol 42', (here) =>
    here.addRule({ tos: 0x10, tunnelId: 7, table: 1000, realm: { from: 1, to: 2 }, protocol: 42 }),
  ),
]
