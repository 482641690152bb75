// Where the commands of the pairs run: names and indexes that are the same every time.

import type { Body } from '../../lib/native.ts'

/** The namespaces: `here` runs the commands, `ct` is the other one that they name. */
export const names = ['here', 'ct'] as const

export const world: readonly string[] = [
  'ip link set lo up',
  'ip link add br0 index 10 address 02:00:00:00:00:10 type bridge',
  'ip link add v0 index 11 address 02:00:00:00:00:11 type veth peer name v1 index 12 address 02:00:00:00:00:12',
  'ip link add i0 index 13 address 02:00:00:00:00:13 type ifb',
  'ip link add vx0 index 14 address 02:00:00:00:00:14 type vxlan id 5 dstport 4789',
  'ip link set br0 up',
  'ip link set v1 up',
  'ip link set v0 master br0 up',
  'ip address add 172.18.0.1/16 dev br0',
  'ip address add fd00::1/64 dev br0 nodad',
]

/** What the library is told when it looks a device up. */
export const devices: Readonly<Record<string, Body>> = {
  lo: { index: 1 },
  br0: { index: 10 },
  v0: { index: 11, master: 10 },
  v1: { index: 12 },
  i0: { index: 13 },
  vx0: { index: 14 },
}
