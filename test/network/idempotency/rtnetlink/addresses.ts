import { changes, changesAndGives, gives, nothing, type Row, refuses, shellRows } from '../cell.ts'

const row = shellRows('ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up')
const cidr = '10.0.0.1/24'

export const rows: readonly Row<void>[] = [
  row('Netns.addAddress', ({ ns }) => ns.addAddress('v0', cidr), {
    absent: ['no address', '', changes('+ address v0 10.0.0.1/24', '+ route unicast 10.0.0.0/24 main 0')],
    equal: [
      'the address',
      'ip address add 10.0.0.1/24 dev v0',
      refuses('EEXIST', 'add the address 10.0.0.1/24 on v0: ipv4: Address already assigned'),
    ],
    different: [
      'the address with a metric',
      'ip address add 10.0.0.1/24 dev v0 metric 7',
      refuses('EEXIST', 'add the address 10.0.0.1/24 on v0: ipv4: Address already assigned'),
    ],
    half: [
      'the address with another prefix',
      'ip address add 10.0.0.1/16 dev v0',
      changes('+ address v0 10.0.0.1/24', '+ route unicast 10.0.0.0/24 main 0'),
    ],
  }),
  row('Netns.replaceAddress', ({ ns }) => ns.replaceAddress('v0', cidr), {
    absent: ['no address', '', changes('+ address v0 10.0.0.1/24', '+ route unicast 10.0.0.0/24 main 0')],
    equal: ['the address', 'ip address add 10.0.0.1/24 dev v0', nothing],
    different: [
      'the address with a lifetime and a metric',
      'ip address add 10.0.0.1/24 dev v0 valid_lft 999 preferred_lft 99 metric 7',
      changes(
        '~ address v0 10.0.0.1/24 /metric: 7 → undefined',
        '~ address v0 10.0.0.1/24 /dynamic: true → undefined',
        '- route unicast 10.0.0.0/24 main 7',
        '+ route unicast 10.0.0.0/24 main 0',
      ),
    ],
    half: [
      'the address with another prefix',
      'ip address add 10.0.0.1/16 dev v0',
      changes('+ address v0 10.0.0.1/24', '+ route unicast 10.0.0.0/24 main 0'),
    ],
  }),
  row('Netns.deleteAddress', ({ ns }) => ns.deleteAddress('v0', cidr), {
    absent: ['no address', '', refuses('EADDRNOTAVAIL', 'delete the address 10.0.0.1/24 on v0: ipv4: Address not found')],
    equal: [
      'the address',
      'ip address add 10.0.0.1/24 dev v0',
      changes('- address v0 10.0.0.1/24', '- route unicast 10.0.0.0/24 main 0'),
    ],
    different: [
      'the address on another device',
      'ip address add 10.0.0.1/24 dev v1',
      refuses('EADDRNOTAVAIL', 'delete the address 10.0.0.1/24 on v0: ipv4: Address not found'),
    ],
    half: [
      'the address with another prefix',
      'ip address add 10.0.0.1/16 dev v0',
      refuses('EADDRNOTAVAIL', 'delete the address 10.0.0.1/24 on v0: ipv4: Address not found'),
    ],
  }),
  row('Netns.listAddresses', ({ ns }) => ns.listAddresses({ link: 'v0', family: 'inet' }), {
    absent: ['no address', '', gives([])],
    equal: ['an address', 'ip address add 10.0.0.1/24 dev v0', gives([{ address: '10.0.0.1/24' }])],
    different: ['an address of another device', 'ip address add 10.0.0.1/24 dev v1', gives([])],
    half: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
  }),
  row('Netns.flushAddresses', ({ ns }) => ns.flushAddresses({ link: 'v0', family: 'inet' }), {
    absent: ['no address', '', gives([])],
    equal: [
      'an address',
      'ip address add 10.0.0.1/24 dev v0',
      changesAndGives([{ address: '10.0.0.1/24' }], '- address v0 10.0.0.1/24', '- route unicast 10.0.0.0/24 main 0'),
    ],
    different: ['an address of another device', 'ip address add 10.0.0.1/24 dev v1', gives([])],
    half: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
  }),
  row('Netns.waitForAddress', ({ ns }) => ns.waitForAddress('v0', '10.0.0.1', { timeout: 200 }), {
    absent: ['no address', '', refuses('ERR_NETLINK_TIMEOUT', 'the address 10.0.0.1 of v0: not within 200 ms; there was none')],
    equal: ['the address', 'ip address add 10.0.0.1/24 dev v0', gives({ address: '10.0.0.1/24' })],
    different: [
      'the address on another device',
      'ip address add 10.0.0.1/24 dev v1',
      refuses('ERR_NETLINK_TIMEOUT', 'the address 10.0.0.1 of v0: not within 200 ms; there was none'),
    ],
    half: [
      'no such device',
      'ip link delete v0',
      refuses('ERR_NETLINK_TIMEOUT', 'the address 10.0.0.1 of v0: not within 200 ms; there was none'),
    ],
  }),
]
