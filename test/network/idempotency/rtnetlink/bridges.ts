import { changes, changesAndGives, gives, nothing, type Row, refuses, shellRows } from '../cell.ts'

const base =
  'ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up; ip link add br0 type bridge; ip link set br0 up'
const row = shellRows(base)
const port = 'ip link set v0 master br0'
const entry = { bridge: 'br0', port: 'v0', group: '239.1.1.1' }
const key = entry
const snooping = `${port}; ip link set br0 type bridge mcast_snooping 1`
const has = `${snooping}; bridge mdb add dev br0 port v0 grp 239.1.1.1 permanent`

export const rows: readonly Row<void>[] = [
  row('Netns.setBridge', ({ ns }) => ns.setBridge('br0', { multicastSnooping: false, ageingTime: 100 }), {
    absent: ['no br0', 'ip link delete br0', refuses('ENODEV', 'look for br0')],
    equal: [
      'the options',
      'ip link set br0 type bridge mcast_snooping 0 ageing_time 10000',
      gives({ name: 'br0', up: true, mtu: 1500, group: 0, kind: 'bridge' }),
    ],
    different: [
      'other options',
      '',
      changesAndGives(
        { name: 'br0', up: true, mtu: 1500, group: 0, kind: 'bridge' },
        '~ link br0 /linkinfo/info_data/ageing_time: 30000 → 10000',
        '~ link br0 /linkinfo/info_data/mcast_snooping: 1 → 0',
      ),
    ],
    half: [
      'a device that is no bridge',
      'ip link delete br0; ip link add br0 type veth peer name v2',
      refuses('ENOTSUP', 'change the options of the bridge br0'),
    ],
  }),
  row('Netns.setBridgePort', ({ ns }) => ns.setBridgePort('v0', { isolated: true }), {
    absent: ['no v0', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
    equal: [
      'the option',
      `${port}; bridge link set dev v0 isolated on`,
      gives({
        name: 'v0',
        up: true,
        mtu: 1500,
        group: 0,
        kind: 'veth',
        port: { state: 'forwarding', isolated: true, priority: 32 },
      }),
    ],
    different: [
      'another value',
      port,
      changesAndGives(
        {
          name: 'v0',
          up: true,
          mtu: 1500,
          group: 0,
          kind: 'veth',
          port: { state: 'forwarding', isolated: true, priority: 32 },
        },
        '~ link v0 /linkinfo/info_slave_data/isolated: false → true',
      ),
    ],
    half: ['a device that is no port', '', refuses('ENOTSUP', 'change the options of the port v0')],
  }),
  row('Netns.addMdbEntry', ({ ns }) => ns.addMdbEntry(entry), {
    absent: ['no entry', snooping, changes('+ mdb v0 239.1.1.1')],
    equal: [
      'the entry',
      has,
      refuses('EEXIST', 'add the multicast group 239.1.1.1 on v0: bridge: (*, G) group is already joined by port'),
    ],
    different: [
      'the group on another port',
      `${snooping}; ip link set v1 master br0; bridge mdb add dev br0 port v1 grp 239.1.1.1 permanent`,
      changes('+ mdb v0 239.1.1.1'),
    ],
    half: [
      'no port of the bridge',
      '',
      refuses('EINVAL', 'add the multicast group 239.1.1.1 on v0: bridge: Net device is not a bridge port'),
    ],
  }),
  row('Netns.replaceMdbEntry', ({ ns }) => ns.replaceMdbEntry(entry), {
    absent: ['no entry', snooping, changes('+ mdb v0 239.1.1.1')],
    equal: ['the entry', has, nothing],
    different: [
      'the entry, to age',
      has.replace('permanent', 'temp'),
      changes('~ mdb v0 239.1.1.1 /state: "temp" → "permanent"'),
    ],
    half: [
      'no port of the bridge',
      '',
      refuses('EINVAL', 'replace the multicast group 239.1.1.1 on v0: bridge: Net device is not a bridge port'),
    ],
  }),
  row('Netns.deleteMdbEntry', ({ ns }) => ns.deleteMdbEntry(key), {
    absent: ['no entry', snooping, refuses('EINVAL', 'delete the multicast group 239.1.1.1 on v0')],
    equal: ['the entry', has, changes('- mdb v0 239.1.1.1')],
    different: [
      'another group',
      has.replace('239.1.1.1', '239.1.1.2'),
      refuses('EINVAL', 'delete the multicast group 239.1.1.1 on v0'),
    ],
    half: [
      'no port of the bridge',
      '',
      refuses('EINVAL', 'delete the multicast group 239.1.1.1 on v0: bridge: Net device is not a bridge port'),
    ],
  }),
  row('Netns.flushMdb', ({ ns }) => ns.flushMdb('br0', { permanent: true }), {
    absent: ['no entry', snooping, nothing],
    equal: ['an entry', has, changes('- mdb v0 239.1.1.1')],
    different: ['an entry that ages', has.replace('permanent', 'temp'), nothing],
    half: ['no such bridge', 'ip link delete br0', refuses('ENODEV', 'look for br0')],
  }),
  row('Netns.listMdb', async ({ ns }) => (await ns.listMdb({ bridge: 'br0' })).filter(({ group }) => group.startsWith('239.')), {
    absent: ['no entry', snooping, gives([])],
    equal: ['an entry', has, gives([{ port: 3, group: '239.1.1.1', permanent: true }])],
    different: [
      'an entry of another bridge',
      `ip link add br1 type bridge; ip link set br1 up; ip link set v0 master br1; bridge mdb add dev br1 port v0 grp 239.1.1.1 permanent`,
      gives([]),
    ],
    half: ['no such bridge', 'ip link delete br0', refuses('ENODEV', 'look for br0')],
  }),
]
