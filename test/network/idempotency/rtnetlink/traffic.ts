import { changes, changesAndGives, gives, nothing, type Row, refuses, shellRows } from '../cell.ts'

const row = shellRows('ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up')
const tbf = { kind: 'tbf', rate: '8mbit', burst: '32kb', latency: '50ms' } as const
const hasTbf = 'tc qdisc add dev v0 root handle 8001: tbf rate 8mbit burst 32kb latency 50ms'
const htb = 'tc qdisc add dev v0 root handle 1: htb'
const hasClass = `${htb}; tc class add dev v0 parent 1: classid 1:10 htb rate 5mbit`
const cls = { kind: 'htb', parent: '1:', classId: '1:10', rate: '5mbit' } as const
const filter = {
  kind: 'u32',
  parent: '1:',
  priority: 5,
  protocol: 'ip',
  match: [{ ip: { destination: '10.0.0.0/8' } }],
  classId: '1:10',
} as const
const hasFilter = `${hasClass}; tc filter add dev v0 parent 1: protocol ip prio 5 u32 match ip dst 10.0.0.0/8 classid 1:10`
const limits = { egress: '10mbit', ingress: '1mbit' } as const
// What setBandwidth would have made for a device that had the index 99.
const leftover = 'ip link add ifb-99 address 6e:63:74:00:00:63 type ifb'

export const rows: readonly Row<void>[] = [
  row('Netns.addQdisc', ({ ns }) => ns.addQdisc('v0', tbf), {
    absent: ['no qdisc', '', changes('~ link v0 /qdisc: "noqueue" → "tbf"', '+ qdisc v0 tbf')],
    equal: ['the qdisc', hasTbf, refuses('EEXIST', 'add the queueing discipline tbf of v0: Exclusivity flag on, cannot modify')],
    different: [
      'another qdisc at its place',
      htb,
      changes('~ link v0 /qdisc: "htb" → "tbf"', '- qdisc v0 htb', '+ qdisc v0 tbf'),
    ],
    half: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
  }),
  row('Netns.replaceQdisc', ({ ns }) => ns.replaceQdisc('v0', tbf), {
    absent: ['no qdisc', '', changes('~ link v0 /qdisc: "noqueue" → "tbf"', '+ qdisc v0 tbf')],
    equal: ['the qdisc', hasTbf, nothing],
    different: [
      'the qdisc with another rate',
      hasTbf.replace('8mbit', '4mbit'),
      changes('~ qdisc v0 tbf /options/rate: 500000 → 1000000'),
    ],
    half: [
      'a qdisc of another kind at its place',
      htb,
      changes('~ link v0 /qdisc: "htb" → "tbf"', '- qdisc v0 htb', '+ qdisc v0 tbf'),
    ],
  }),
  row('Netns.deleteQdisc', ({ ns }) => ns.deleteQdisc('v0', 'root'), {
    absent: [
      'no qdisc',
      '',
      refuses('ENOENT', 'delete the queueing discipline of v0 at root: Cannot delete qdisc with handle of zero'),
    ],
    equal: ['a qdisc', hasTbf, changes('~ link v0 /qdisc: "tbf" → "noqueue"', '- qdisc v0 tbf')],
    different: [
      'a qdisc at another place',
      'tc qdisc add dev v0 ingress',
      refuses('ENOENT', 'delete the queueing discipline of v0 at root: Cannot delete qdisc with handle of zero'),
    ],
    half: [
      'a qdisc with a class and a filter',
      hasFilter,
      changes('~ link v0 /qdisc: "htb" → "noqueue"', '- qdisc v0 htb', '- class v0 1:10', '- filter v0 ip 5'),
    ],
  }),
  row('Netns.listQdiscs', async ({ ns }) => (await ns.listQdiscs({ link: 'v0' })).filter(({ kind }) => kind !== 'noqueue'), {
    absent: ['no qdisc', '', gives([])],
    equal: ['a qdisc', hasTbf, gives([{ parent: 'root', kind: 'tbf', rate: 8000000 }])],
    different: ['a qdisc of another device', hasTbf.replace('v0', 'v1'), gives([])],
    half: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
  }),
  row('Netns.addClass', ({ ns }) => ns.addClass('v0', cls), {
    absent: ['no class', htb, changes('+ class v0 1:10')],
    equal: ['the class', hasClass, refuses('EEXIST', 'add the class 1:10 of v0')],
    different: ['the class with another rate', hasClass.replace('5mbit', '4mbit'), refuses('EEXIST', 'add the class 1:10 of v0')],
    half: ['no qdisc to hold it', '', refuses('ENOENT', 'add the class 1:10 of v0')],
  }),
  row('Netns.replaceClass', ({ ns }) => ns.replaceClass('v0', cls), {
    absent: ['no class', htb, changes('+ class v0 1:10')],
    equal: ['the class', hasClass, nothing],
    different: [
      'the class with another rate',
      hasClass.replace('5mbit', '4mbit'),
      changes(
        '~ class v0 1:10 /settings: "root prio 0 rate 4Mbit ceil 4Mbit burst 1600b cburst 1600b " → "root prio 0 rate 5Mbit ceil 5Mbit burst 1600b cburst 1600b "',
      ),
    ],
    half: ['no qdisc to hold it', '', refuses('ENOENT', 'replace the class 1:10 of v0')],
  }),
  row('Netns.deleteClass', ({ ns }) => ns.deleteClass('v0', '1:10'), {
    absent: ['no class', htb, refuses('ENOENT', 'delete the class 1:10 of v0')],
    equal: ['the class', hasClass, changes('- class v0 1:10')],
    different: ['another class', hasClass.replace('1:10', '1:20'), refuses('ENOENT', 'delete the class 1:10 of v0')],
    half: [
      'the class, and a class below it',
      `${hasClass}; tc class add dev v0 parent 1:10 classid 1:11 htb rate 1mbit`,
      refuses('EBUSY', 'delete the class 1:10 of v0: HTB class in use'),
    ],
  }),
  row('Netns.listClasses', ({ ns }) => ns.listClasses('v0'), {
    absent: ['no class', htb, gives([])],
    equal: ['a class', hasClass, gives([{ parent: 'root', classId: '1:10', kind: 'htb', rate: 5000000, priority: 0 }])],
    different: ['a class of another device', hasClass.replaceAll('v0', 'v1'), gives([])],
    half: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
  }),
  row('Netns.addFilter', ({ ns }) => ns.addFilter('v0', filter), {
    absent: ['no filter', hasClass, changes('+ filter v0 ip 5')],
    equal: ['the filter', hasFilter, changes('+ filter v0 ip 5 #2')],
    different: [
      'a filter of this priority that matches something else',
      hasFilter.replace('10.0.0.0', '11.0.0.0'),
      changes('+ filter v0 ip 5 #2'),
    ],
    half: ['no qdisc to hold it', '', refuses('EINVAL', "add the u32 filter of v0 at 1:: Parent Qdisc doesn't exists")],
  }),
  row('Netns.replaceFilter', ({ ns }) => ns.replaceFilter('v0', { ...filter, handle: '800::800' }), {
    absent: ['no filter', hasClass, changes('+ filter v0 ip 5')],
    equal: ['the filter', hasFilter, nothing],
    different: [
      'the filter, to another class',
      hasFilter.replace('/8 classid 1:10', '/8 classid 1:20'),
      changes('~ filter v0 ip 5 /options/flowid: "1:20" → "1:10"'),
    ],
    half: ['no qdisc to hold it', '', refuses('EINVAL', "replace the u32 filter of v0 at 1:: Parent Qdisc doesn't exists")],
  }),
  row('Netns.deleteFilter', ({ ns }) => ns.deleteFilter('v0', { parent: '1:', priority: 5, protocol: 'ip' }), {
    absent: ['no filter', hasClass, refuses('ENOENT', 'delete the filters of v0 at 1:: Cannot find specified filter chain')],
    equal: ['the filter', hasFilter, changes('- filter v0 ip 5')],
    different: [
      'a filter of another priority',
      hasFilter.replace('prio 5', 'prio 6'),
      refuses('ENOENT', 'delete the filters of v0 at 1:: Filter with specified priority/protocol not found'),
    ],
    half: ['no qdisc to hold it', '', refuses('EINVAL', "delete the filters of v0 at 1:: Parent Qdisc doesn't exists")],
  }),
  row('Netns.listFilters', ({ ns }) => ns.listFilters('v0', { parent: '1:' }), {
    absent: ['no filter', hasClass, gives([])],
    equal: ['a filter', hasFilter, gives([{ parent: '1:', priority: 5, classId: '1:10', kind: 'u32' }])],
    different: ['a filter of another device', hasFilter.replaceAll('v0', 'v1'), gives([])],
    half: ['no qdisc to hold it', '', gives([])],
  }),
  row('Netns.setBandwidth', ({ ns }) => ns.setBandwidth('v0', limits), {
    absent: [
      'no limit',
      '',
      changes(
        '~ link v0 /qdisc: "noqueue" → "tbf"',
        '+ link ifb-3',
        '+ qdisc v0 tbf',
        '+ qdisc v0 ingress',
        '+ filter v0 all 65535',
      ),
    ],
    equal: [
      'the limit of what it sends',
      'tc qdisc add dev v0 root tbf rate 10mbit burst 64kb latency 50ms',
      changes('~ qdisc v0 tbf /options/burst: 65535 → 32767', '+ link ifb-3', '+ qdisc v0 ingress', '+ filter v0 all 65535'),
    ],
    different: [
      'a qdisc that somebody else made',
      htb,
      refuses('ERR_INVALID_STATE', "v0 has a queueing discipline htb 1: of somebody else's at its root: delete it first"),
    ],
    half: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
  }),
  row('Netns.getBandwidth', ({ ns }) => ns.getBandwidth('v0'), {
    absent: ['no limit', '', gives({})],
    equal: ['a limit', hasTbf, gives({ egress: { rate: 8000000 } })],
    different: ['a qdisc that somebody else made', htb, gives({})],
    half: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
  }),
  row('Netns.pruneBandwidth', ({ ns }) => ns.pruneBandwidth(), {
    absent: ['no limit', '', gives([])],
    equal: ['what is left of a limit', leftover, changesAndGives(['ifb-99'], '- link ifb-99')],
    different: ['a device of such a name that somebody else made', 'ip link add ifb-99 type ifb', gives([])],
    half: ['what is left of a limit, renamed', `${leftover}; ip link set ifb-99 name other`, gives([])],
  }),
]
