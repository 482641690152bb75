import { changes, changesAndGives, gives, nothing, type Row, refuses, refusesAfter, shellRows } from '../cell.ts'

const row = shellRows('')
const withVeth = shellRows('ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up')
const pair = { name: 'v0', peer: { name: 'v1' } }

export const rows: readonly Row<void>[] = [
  row('Netns.createLink', ({ ns }) => ns.createLink({ kind: 'macvlan', name: 'm0', link: 'v0', mode: 'bridge' }), {
    absent: [
      'no m0',
      'ip link add v0 type veth peer name v1',
      changesAndGives({ name: 'm0', up: false, mtu: 1500, group: 0, kind: 'macvlan' }, '+ link m0'),
    ],
    equal: [
      'such an m0',
      'ip link add v0 type veth peer name v1; ip link add m0 link v0 type macvlan mode bridge',
      refuses('EEXIST', 'make the macvlan m0'),
    ],
    different: [
      'a bridge m0',
      'ip link add v0 type veth peer name v1; ip link add m0 type bridge',
      refuses('EEXIST', 'make the macvlan m0'),
    ],
    half: ['no device that it stands on', '', refuses('ENODEV', 'look for v0')],
  }),
  row('Netns.createBridge', ({ ns }) => ns.createBridge({ name: 'br0', up: true, addresses: ['10.0.0.1/24'] }), {
    absent: [
      'no br0',
      '',
      changesAndGives(
        { name: 'br0', up: true, mtu: 1500, group: 0, kind: 'bridge' },
        '+ link br0',
        '+ address br0 10.0.0.1/24',
        '+ route unicast 10.0.0.0/24 main 0',
      ),
    ],
    equal: [
      'such a bridge',
      'ip link add br0 type bridge; ip link set br0 up; ip address add 10.0.0.1/24 dev br0',
      refuses('EEXIST', 'make the bridge br0'),
    ],
    different: ['a veth br0', 'ip link add br0 type veth peer name v1', refuses('EEXIST', 'make the bridge br0')],
    half: ['the bridge, down and without the address', 'ip link add br0 type bridge', refuses('EEXIST', 'make the bridge br0')],
  }),
  row('Netns.createVethPair', ({ ns }) => ns.createVethPair(pair), {
    absent: [
      'neither',
      '',
      changesAndGives(
        [
          { name: 'v0', up: false, mtu: 1500, group: 0, kind: 'veth' },
          { name: 'v1', up: false, mtu: 1500, group: 0, kind: 'veth' },
        ],
        '+ link v1',
        '+ link v0',
      ),
    ],
    equal: ['the pair', 'ip link add v0 type veth peer name v1', refuses('EEXIST', 'make the veth pair v0 and v1')],
    different: ['a bridge v0', 'ip link add v0 type bridge', refuses('EEXIST', 'make the veth pair v0 and v1')],
    half: ['a bridge with the name of the peer', 'ip link add v1 type bridge', refuses('EEXIST', 'make the veth pair v0 and v1')],
  }),
  row('Netns.createTun', ({ ns }) => ns.createTun({ name: 'tap0', mode: 'tap', up: true }), {
    absent: ['no tap0', '', changesAndGives({ name: 'tap0', up: true, mtu: 1500, group: 0, kind: 'tun' }, '+ link tap0')],
    equal: [
      'such a tap0',
      'ip tuntap add tap0 mode tap; ip link set tap0 up',
      refuses('EBUSY', 'make the tap device tap0 (TUNSETIFF): the name is taken'),
    ],
    different: [
      'a tun device tap0',
      'ip tuntap add tap0 mode tun',
      refuses('EBUSY', 'make the tap device tap0 (TUNSETIFF): the name is taken'),
    ],
    half: [
      'tap0, down',
      'ip tuntap add tap0 mode tap',
      refuses('EBUSY', 'make the tap device tap0 (TUNSETIFF): the name is taken'),
    ],
  }),
  row('Netns.openTun', async (world) => void world.keep(await world.ns.openTun({ name: 'tap0', mode: 'tap', up: true })), {
    absent: ['no tap0', '', changes('+ link tap0')],
    equal: [
      'such a tap0',
      'ip tuntap add tap0 mode tap; ip link set tap0 up',
      refuses('EBUSY', 'make the tap device tap0 (TUNSETIFF): the name is taken'),
    ],
    different: [
      'a tun device tap0',
      'ip tuntap add tap0 mode tun',
      refuses('EBUSY', 'make the tap device tap0 (TUNSETIFF): the name is taken'),
    ],
    half: [
      'tap0, down',
      'ip tuntap add tap0 mode tap',
      refuses('EBUSY', 'make the tap device tap0 (TUNSETIFF): the name is taken'),
    ],
  }),
  row('Netns.attachTun', async (world) => void world.keep(await world.ns.attachTun('tap0')), {
    absent: ['no tap0', '', refuses('ENODEV', 'look for tap0')],
    equal: ['tap0, and nobody has it', 'ip tuntap add tap0 mode tap', nothing],
    different: [
      'a bridge tap0',
      'ip link add tap0 type bridge',
      refuses('EINVAL', 'attach to tap0 (TUNSETIFF): no tun or tap device, or made anew meanwhile'),
    ],
    half: 'a device is there or is not',
  }),
  row('Netns.getLink', ({ ns }) => ns.getLink('v0'), {
    absent: ['no v0', '', refuses('ENODEV', 'look for v0')],
    equal: ['v0', 'ip link add v0 type veth peer name v1', gives({ name: 'v0', up: false, mtu: 1500, group: 0, kind: 'veth' })],
    different: [
      'a device with that alternative name',
      'ip link add br0 type bridge; ip link property add dev br0 altname v0',
      gives({ name: 'br0', up: false, mtu: 1500, group: 0, kind: 'bridge' }),
    ],
    half: 'a device is there or is not',
  }),
  row('Netns.listLinks', ({ ns }) => ns.listLinks({ kind: 'bridge' }), {
    absent: ['no bridge', '', gives([])],
    equal: ['a bridge', 'ip link add br0 type bridge', gives([{ name: 'br0', up: false, mtu: 1500, group: 0, kind: 'bridge' }])],
    different: ['a veth pair', 'ip link add v0 type veth peer name v1', gives([])],
    half: [
      'a bridge, and a veth pair',
      'ip link add br0 type bridge; ip link add v0 type veth peer name v1',
      gives([{ name: 'br0', up: false, mtu: 1500, group: 0, kind: 'bridge' }]),
    ],
  }),
  row('Netns.setLink', ({ ns }) => ns.setLink('v0', { mtu: 1400, alias: 'x', addAltnames: ['other'] }), {
    absent: ['no v0', '', refuses('ENODEV', 'look for v0')],
    equal: [
      'v0 as it is asked for',
      'ip link add v0 type veth peer name v1; ip link set v0 mtu 1400 alias x; ip link property add dev v0 altname other',
      refuses('EEXIST', 'add the alternative names other'),
    ],
    different: [
      'v0 with other values',
      'ip link add v0 mtu 1300 type veth peer name v1; ip link set v0 alias y',
      changesAndGives(
        { name: 'v0', up: false, mtu: 1400, group: 0, kind: 'veth', alias: 'x' },
        '~ link v0 /mtu: 1300 → 1400',
        '~ link v0 /ifalias: "y" → "x"',
        '~ link v0 /altnames: undefined → ["other"]',
      ),
    ],
    half: [
      'another device with the alternative name',
      'ip link add v0 type veth peer name v1; ip link property add dev v1 altname other',
      // The changes before it stay.
      refusesAfter(
        ['~ link v0 /mtu: 1500 → 1400', '~ link v0 /ifalias: undefined → "x"'],
        'EEXIST',
        'add the alternative names other',
      ),
    ],
  }),
  row('Netns.deleteLink', ({ ns }) => ns.deleteLink('v0'), {
    absent: ['no v0', '', refuses('ENODEV', 'delete v0')],
    equal: ['v0', 'ip link add v0 type veth peer name v1', changes('- link v1', '- link v0')],
    different: [
      'a device with that alternative name',
      'ip link add br0 type bridge; ip link property add dev br0 altname v0',
      changes('- link br0'),
    ],
    half: [
      'v0 with a port',
      'ip link add v0 type bridge; ip link add x0 type veth peer name x1; ip link set x0 master v0',
      changes(
        '- link v0',
        '~ link x0 /master: "v0" → undefined',
        '~ link x0 /promiscuity: 1 → 0',
        '~ link x0 /allmulti: 1 → 0',
        '~ link x0 /linkinfo/info_slave_kind: "bridge" → undefined',
        /^~ link x0 \/linkinfo\/info_slave_data: .* → undefined$/,
        /^- fdb x0 /,
      ),
    ],
  }),
  row('Netns.deleteLinks', ({ ns }) => ns.deleteLinks(['v0', 'br0']), {
    absent: ['neither', '', refuses('ENODEV', 'look for v0')],
    equal: [
      'both',
      'ip link add v0 type veth peer name v1; ip link add br0 type bridge',
      changes('- link v1', '- link v0', '- link br0'),
    ],
    different: [
      'two names of one device',
      'ip link add v0 type bridge; ip link property add dev v0 altname br0',
      changes('- link v0'),
    ],
    half: ['one of them', 'ip link add v0 type veth peer name v1', refuses('ENODEV', 'look for br0')],
  }),
  withVeth('Netns.waitForLink', ({ ns }) => ns.waitForLink('v0', { operstate: 'up', timeout: 200 }), {
    absent: [
      'no v0',
      'ip link delete v0',
      refuses('ERR_NETLINK_TIMEOUT', 'the link v0 in the state up: not within 200 ms; there was none'),
    ],
    equal: ['v0, with a carrier', '', gives({ name: 'v0', up: true, mtu: 1500, group: 0, kind: 'veth' })],
    different: [
      'v0, without a carrier',
      'ip link set v1 down',
      refuses(
        'ERR_NETLINK_TIMEOUT',
        'the link v0 in the state up: not within 200 ms; last seen: {',
        '"operstate":"lowerlayerdown"',
      ),
    ],
    half: [
      'v0, down',
      'ip link set v0 down',
      refuses('ERR_NETLINK_TIMEOUT', 'the link v0 in the state up: not within 200 ms; last seen: {', '"operstate":"down"'),
    ],
  }),
]
