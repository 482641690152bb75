import { changes, gives, nothing, type Row, refuses, shellRows } from '../cell.ts'

const row = shellRows('ip link add v0 type veth peer name v1')
const forwarding = 'net.ipv4.conf.v0.forwarding'

export const rows: readonly Row<void>[] = [
  row('Netns.getSysctl', ({ ns }) => ns.getSysctl(forwarding), {
    absent: ['no such device', 'ip link delete v0', refuses('ENOENT', '/proc/sys/net/ipv4/conf/v0/forwarding')],
    equal: ['the setting', 'echo 1 > /proc/sys/net/ipv4/conf/v0/forwarding', gives('1')],
    different: 'a value is read, whatever it is',
    half: 'a setting is whole',
  }),
  row('Netns.setSysctl', ({ ns }) => ns.setSysctl(forwarding, 1), {
    absent: ['no such device', 'ip link delete v0', refuses('ENOENT', '/proc/sys/net/ipv4/conf/v0/forwarding')],
    equal: ['the value', 'echo 1 > /proc/sys/net/ipv4/conf/v0/forwarding', nothing],
    different: [
      'another value',
      'echo 0 > /proc/sys/net/ipv4/conf/v0/forwarding',
      changes('~ sysctl ipv4/conf/v0/forwarding /value: "0" → "1"'),
    ],
    half: 'a setting is whole',
  }),
  row('Netns.getDeviceSettings', async ({ ns }) => (await ns.getDeviceSettings('v0')).ipv4?.forwarding, {
    absent: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
    equal: ['the device', 'echo 1 > /proc/sys/net/ipv4/conf/v0/forwarding', gives(true)],
    different: 'values are read, whatever they are',
    half: [
      'a device that lost its IPv6',
      'echo 1 > /proc/sys/net/ipv6/conf/v0/disable_ipv6; echo 1 > /proc/sys/net/ipv4/conf/v0/forwarding',
      gives(true),
    ],
  }),
  row('Netns.setDeviceSettings', ({ ns }) => ns.setDeviceSettings('v0', { ipv4: { rpFilter: 2, forwarding: true } }), {
    absent: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
    equal: [
      'the values',
      'echo 1 > /proc/sys/net/ipv4/conf/v0/forwarding; echo 2 > /proc/sys/net/ipv4/conf/v0/rp_filter',
      nothing,
    ],
    different: [
      'other values',
      'echo 0 > /proc/sys/net/ipv4/conf/v0/forwarding; echo 1 > /proc/sys/net/ipv4/conf/v0/rp_filter',
      changes('~ sysctl ipv4/conf/v0/forwarding /value: "0" → "1"', '~ sysctl ipv4/conf/v0/rp_filter /value: "1" → "2"'),
    ],
    half: [
      'one of the values',
      'echo 1 > /proc/sys/net/ipv4/conf/v0/forwarding; echo 1 > /proc/sys/net/ipv4/conf/v0/rp_filter',
      changes('~ sysctl ipv4/conf/v0/rp_filter /value: "1" → "2"'),
    ],
  }),
]
