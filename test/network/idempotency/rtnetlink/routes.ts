import { changes, changesAndGives, gives, type Row, refuses, shellRows } from '../cell.ts'

const row = shellRows(
  'ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up; ip address add 10.0.0.1/24 dev v0',
)
const spec = { to: '192.0.2.0/24', via: '10.0.0.9', dev: 'v0' }
const has = 'ip route add 192.0.2.0/24 via 10.0.0.9 dev v0'
const other = 'ip route add 192.0.2.0/24 via 10.0.0.8 dev v0'
const metric = 'ip route add 192.0.2.0/24 via 10.0.0.9 dev v0 metric 7'
const rule = { priority: 100, from: '10.9.0.0/24', table: 100 }

export const rows: readonly Row<void>[] = [
  row('Netns.addRoute', ({ ns }) => ns.addRoute(spec), {
    absent: ['no such route', '', changes('+ route unicast 192.0.2.0/24 main 0')],
    equal: ['the route', has, refuses('EEXIST', 'add the route to 192.0.2.0/24')],
    different: ['the route through another gateway', other, refuses('EEXIST', 'add the route to 192.0.2.0/24')],
    half: [
      'a gateway that nobody reaches',
      'ip address flush dev v0',
      refuses('ENETUNREACH', 'add the route to 192.0.2.0/24: Nexthop has invalid gateway'),
    ],
  }),
  row('Netns.replaceRoute', ({ ns }) => ns.replaceRoute(spec), {
    absent: ['no such route', '', changes('+ route unicast 192.0.2.0/24 main 0')],
    equal: ['the route', has, changes('~ route unicast 192.0.2.0/24 main 0 /protocol: "boot" → "static"')],
    different: [
      'the route through another gateway',
      other,
      changes(
        '~ route unicast 192.0.2.0/24 main 0 /gateway: "10.0.0.8" → "10.0.0.9"',
        '~ route unicast 192.0.2.0/24 main 0 /protocol: "boot" → "static"',
      ),
    ],
    half: ['the route with another metric', metric, changes('+ route unicast 192.0.2.0/24 main 0')],
  }),
  row('Netns.appendRoute', ({ ns }) => ns.appendRoute(spec), {
    absent: ['no such route', '', changes('+ route unicast 192.0.2.0/24 main 0')],
    equal: ['the route', has, changes('+ route unicast 192.0.2.0/24 main 0 #2')],
    different: ['the route through another gateway', other, changes('+ route unicast 192.0.2.0/24 main 0 #2')],
    half: ['the route with another metric', metric, changes('+ route unicast 192.0.2.0/24 main 0')],
  }),
  row('Netns.changeRoute', ({ ns }) => ns.changeRoute(spec), {
    absent: ['no such route', '', refuses('ENOENT', 'change the route to 192.0.2.0/24')],
    equal: ['the route', has, changes('~ route unicast 192.0.2.0/24 main 0 /protocol: "boot" → "static"')],
    different: [
      'the route through another gateway',
      other,
      changes(
        '~ route unicast 192.0.2.0/24 main 0 /gateway: "10.0.0.8" → "10.0.0.9"',
        '~ route unicast 192.0.2.0/24 main 0 /protocol: "boot" → "static"',
      ),
    ],
    half: ['the route with another metric', metric, refuses('ENOENT', 'change the route to 192.0.2.0/24')],
  }),
  row('Netns.deleteRoute', ({ ns }) => ns.deleteRoute(spec), {
    absent: ['no such route', '', refuses('ESRCH', 'delete the route to 192.0.2.0/24')],
    equal: ['the route', has, changes('- route unicast 192.0.2.0/24 main 0')],
    different: ['the route through another gateway', other, refuses('ESRCH', 'delete the route to 192.0.2.0/24')],
    half: ['the route with a metric that was not named', metric, changes('- route unicast 192.0.2.0/24 main 7')],
  }),
  row('Netns.listRoutes', async ({ ns }) => (await ns.listRoutes({ dev: 'v0' })).filter(({ to }) => to === spec.to), {
    absent: ['no such route', '', gives([])],
    equal: ['the route', has, gives([{ to: '192.0.2.0/24', table: 254, via: '10.0.0.9' }])],
    different: ['the route in another table', `${has} table 100`, gives([])],
    half: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
  }),
  row('Netns.flushRoutes', ({ ns }) => ns.flushRoutes({ dev: 'v0', table: 100 }), {
    absent: ['no such route', '', gives([])],
    equal: [
      'a route',
      `${has} table 100`,
      changesAndGives([{ to: '192.0.2.0/24', table: 100, via: '10.0.0.9' }], '- route unicast 192.0.2.0/24 100 0'),
    ],
    different: ['a route in another table', has, gives([])],
    half: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
  }),
  row('Netns.lookupRoute', ({ ns }) => ns.lookupRoute('192.0.2.7'), {
    absent: ['no route', '', refuses('ENETUNREACH', 'look up the route to 192.0.2.7')],
    equal: ['a route', has, gives({ to: '192.0.2.7/32', table: 254, via: '10.0.0.9' })],
    different: [
      'a route that says no',
      'ip route add prohibit 192.0.2.0/24',
      refuses('EACCES', 'look up the route to 192.0.2.7'),
    ],
    half: [
      'a route through a device that is down',
      `${has}; ip link set v0 down`,
      refuses('ENETUNREACH', 'look up the route to 192.0.2.7'),
    ],
  }),
  row('Netns.addRule', ({ ns }) => ns.addRule(rule), {
    absent: ['no such rule', '', changes('+ rule 100')],
    equal: [
      'the rule',
      'ip rule add priority 100 from 10.9.0.0/24 table 100',
      refuses('EEXIST', 'add the rule 100: from 10.9.0.0/24 lookup 100'),
    ],
    different: [
      'a rule of this priority that selects something else',
      'ip rule add priority 100 from 10.8.0.0/24 table 100',
      changes('+ rule 100 #2'),
    ],
    half: [
      'a rule that selects the same, and by more',
      'ip rule add priority 100 from 10.9.0.0/24 fwmark 1 table 100',
      changes('+ rule 100 #2'),
    ],
  }),
  row('Netns.deleteRule', ({ ns }) => ns.deleteRule(rule), {
    absent: ['no such rule', '', refuses('ENOENT', 'delete the rule 100: from 10.9.0.0/24 lookup 100')],
    equal: ['the rule', 'ip rule add priority 100 from 10.9.0.0/24 table 100', changes('- rule 100')],
    different: [
      'a rule that selects something else',
      'ip rule add priority 100 from 10.8.0.0/24 table 100',
      refuses('ENOENT', 'delete the rule 100: from 10.9.0.0/24 lookup 100'),
    ],
    half: [
      'a rule that selects the same, and by more',
      'ip rule add priority 100 from 10.9.0.0/24 fwmark 1 table 100',
      changes('- rule 100'),
    ],
  }),
  row('Netns.listRules', async ({ ns }) => (await ns.listRules({ family: 'inet' })).filter(({ priority }) => priority === 100), {
    absent: ['no such rule', '', gives([])],
    equal: [
      'the rule',
      'ip rule add priority 100 from 10.9.0.0/24 table 100',
      gives([{ priority: 100, from: '10.9.0.0/24', to: 'all', table: 100 }]),
    ],
    different: ['a rule of the other family', 'ip -6 rule add priority 100 from fd00::/64 table 100', gives([])],
    half: [
      'a rule of a device that is gone',
      'ip rule add priority 100 iif v0 table 100; ip link delete v0',
      gives([{ priority: 100, from: 'all', to: 'all', table: 100 }]),
    ],
  }),
  row('Netns.addNexthop', ({ ns }) => ns.addNexthop({ id: 7, via: '10.0.0.9', dev: 'v0' }), {
    absent: ['no nexthop', '', changes('+ nexthop 7')],
    equal: ['the nexthop', 'ip nexthop add id 7 via 10.0.0.9 dev v0', refuses('EEXIST', 'add the nexthop 7')],
    different: ['another nexthop of this id', 'ip nexthop add id 7 via 10.0.0.8 dev v0', refuses('EEXIST', 'add the nexthop 7')],
    half: ['a device that is down', 'ip link set v0 down', refuses('ENETDOWN', 'add the nexthop 7: Nexthop device is not up')],
  }),
  row('Netns.replaceNexthop', ({ ns }) => ns.replaceNexthop({ id: 7, via: '10.0.0.9', dev: 'v0' }), {
    absent: ['no nexthop', '', changes('+ nexthop 7')],
    equal: ['the nexthop', 'ip nexthop add id 7 via 10.0.0.9 dev v0', changes('~ nexthop 7 /protocol: "unspec" → "static"')],
    different: [
      'another nexthop of this id',
      'ip nexthop add id 7 via 10.0.0.8 dev v0',
      changes('~ nexthop 7 /gateway: "10.0.0.8" → "10.0.0.9"', '~ nexthop 7 /protocol: "unspec" → "static"'),
    ],
    half: [
      'a device that is down',
      'ip link set v0 down',
      refuses('ENETDOWN', 'replace the nexthop 7: Nexthop device is not up'),
    ],
  }),
  row('Netns.deleteNexthop', ({ ns }) => ns.deleteNexthop(7), {
    absent: ['no nexthop', '', refuses('ENOENT', 'delete the nexthop 7')],
    equal: ['the nexthop', 'ip nexthop add id 7 via 10.0.0.9 dev v0', changes('- nexthop 7')],
    different: ['a nexthop of another id', 'ip nexthop add id 8 via 10.0.0.9 dev v0', refuses('ENOENT', 'delete the nexthop 7')],
    half: [
      'the nexthop, and a route by it',
      'ip nexthop add id 7 via 10.0.0.9 dev v0; ip route add 192.0.2.0/24 nhid 7',
      changes('- route unicast 192.0.2.0/24 main 0', '- nexthop 7'),
    ],
  }),
  row('Netns.listNexthops', ({ ns }) => ns.listNexthops({ dev: 'v0' }), {
    absent: ['no nexthop', '', gives([])],
    equal: ['a nexthop', 'ip nexthop add id 7 via 10.0.0.9 dev v0', gives([{ id: 7, via: '10.0.0.9' }])],
    different: ['a nexthop of another device', 'ip nexthop add id 7 dev v1', gives([])],
    half: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
  }),
]
