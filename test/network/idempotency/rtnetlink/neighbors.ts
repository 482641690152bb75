import { changes, changesAndGives, gives, nothing, type Row, refuses, shellRows } from '../cell.ts'

const row = shellRows(
  'ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up; ip address add 10.0.0.1/24 dev v0',
)
const mac = '02:00:00:00:00:09'
const spec = { address: '10.0.0.9', link: 'v0', mac }
const has = `ip neigh add 10.0.0.9 lladdr ${mac} dev v0`

export const rows: readonly Row<void>[] = [
  row('Netns.addNeighbor', ({ ns }) => ns.addNeighbor(spec), {
    absent: ['no neighbor', '', changes('+ neighbor v0 10.0.0.9')],
    equal: ['the neighbor', has, refuses('EEXIST', 'add the neighbor 10.0.0.9 on v0')],
    different: [
      'the neighbor with another MAC',
      'ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:08 dev v0',
      refuses('EEXIST', 'add the neighbor 10.0.0.9 on v0'),
    ],
    half: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
  }),
  row('Netns.replaceNeighbor', ({ ns }) => ns.replaceNeighbor(spec), {
    absent: ['no neighbor', '', changes('+ neighbor v0 10.0.0.9')],
    equal: ['the neighbor', has, nothing],
    different: [
      'the neighbor with another MAC',
      'ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:08 dev v0',
      changes('~ neighbor v0 10.0.0.9 /lladdr: "02:00:00:00:00:08" → "02:00:00:00:00:09"'),
    ],
    half: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
  }),
  row('Netns.deleteNeighbor', ({ ns }) => ns.deleteNeighbor({ address: '10.0.0.9', link: 'v0' }), {
    absent: ['no neighbor', '', refuses('ENOENT', 'delete the neighbor 10.0.0.9 on v0')],
    equal: ['the neighbor', has, changes('- neighbor v0 10.0.0.9')],
    different: [
      'the neighbor on another device',
      `ip neigh add 10.0.0.9 lladdr ${mac} dev v1`,
      refuses('ENOENT', 'delete the neighbor 10.0.0.9 on v0'),
    ],
    half: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
  }),
  row('Netns.listNeighbors', ({ ns }) => ns.listNeighbors({ link: 'v0', family: 'inet' }), {
    absent: ['no neighbor', '', gives([])],
    equal: ['a neighbor', has, gives([{ address: '10.0.0.9', state: 'permanent', mac: '02:00:00:00:00:09' }])],
    different: ['a neighbor on another device', `ip neigh add 10.0.0.9 lladdr ${mac} dev v1`, gives([])],
    half: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
  }),
  row('Netns.flushNeighbors', ({ ns }) => ns.flushNeighbors({ link: 'v0', states: ['permanent'] }), {
    absent: ['no neighbor', '', gives([])],
    equal: [
      'a neighbor',
      has,
      changesAndGives([{ address: '10.0.0.9', state: 'permanent', mac: '02:00:00:00:00:09' }], '- neighbor v0 10.0.0.9'),
    ],
    different: ['a neighbor on another device', `ip neigh add 10.0.0.9 lladdr ${mac} dev v1`, gives([])],
    half: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
  }),
  row('Netns.waitForNeighbor', ({ ns }) => ns.waitForNeighbor('10.0.0.9', { link: 'v0', timeout: 200 }), {
    absent: [
      'no neighbor',
      '',
      refuses(
        'ERR_NETLINK_TIMEOUT',
        'the neighbor 10.0.0.9 on v0 reachable or permanent or noarp: not within 200 ms; there was none',
      ),
    ],
    equal: ['the neighbor', has, gives({ address: '10.0.0.9', state: 'permanent', mac: '02:00:00:00:00:09' })],
    different: [
      'a neighbor on another device',
      `ip neigh add 10.0.0.9 lladdr ${mac} dev v1`,
      refuses(
        'ERR_NETLINK_TIMEOUT',
        'the neighbor 10.0.0.9 on v0 reachable or permanent or noarp: not within 200 ms; there was none',
      ),
    ],
    half: [
      'no such device',
      'ip link delete v0',
      refuses(
        'ERR_NETLINK_TIMEOUT',
        'the neighbor 10.0.0.9 on v0 reachable or permanent or noarp: not within 200 ms; there was none',
      ),
    ],
  }),
  row('Netns.listNeighborTables', async ({ ns }) => (await ns.listNeighborTables()).map(({ name }) => name), {
    absent: 'the tables are the kernel’s own',
    equal: ['the tables', '', gives(['arp_cache', 'ndisc_cache'])],
    different: 'the tables are the kernel’s own',
    half: 'the tables are the kernel’s own',
  }),
  row('Netns.setNeighborTable', ({ ns }) => ns.setNeighborTable('inet', { link: 'v0', parameters: { appProbes: 3 } }), {
    absent: ['no such device', 'ip link delete v0', refuses('ENODEV', 'look for v0')],
    equal: ['the value', 'ip ntable change name arp_cache dev v0 app_probes 3', nothing],
    different: ['another value', '', changes('~ ntable arp_cache v0 /app_probes: 0 → 3')],
    half: 'a parameter is whole',
  }),
  row('Netns.addFdbEntry', ({ ns }) => ns.addFdbEntry({ mac, link: 'v0' }), {
    absent: ['no entry', 'ip link add br0 type bridge; ip link set v0 master br0', changes('+ fdb v0 02:00:00:00:00:09')],
    equal: [
      'the entry',
      `ip link add br0 type bridge; ip link set v0 master br0; bridge fdb add ${mac} dev v0 master static`,
      refuses('EEXIST', 'add the forwarding entry 02:00:00:00:00:09 on v0'),
    ],
    different: [
      'the entry on another port',
      `ip link add br0 type bridge; ip link set v0 master br0; ip link set v1 master br0; bridge fdb add ${mac} dev v1 master static`,
      refuses('EEXIST', 'add the forwarding entry 02:00:00:00:00:09 on v0'),
    ],
    half: ['no port of a bridge', '', refuses('ENOTSUP', 'add the forwarding entry 02:00:00:00:00:09 on v0')],
  }),
  row('Netns.replaceFdbEntry', ({ ns }) => ns.replaceFdbEntry({ mac, link: 'v0' }), {
    absent: ['no entry', 'ip link add br0 type bridge; ip link set v0 master br0', changes('+ fdb v0 02:00:00:00:00:09')],
    equal: [
      'the entry',
      `ip link add br0 type bridge; ip link set v0 master br0; bridge fdb add ${mac} dev v0 master static`,
      nothing,
    ],
    different: [
      'the entry on another port',
      `ip link add br0 type bridge; ip link set v0 master br0; ip link set v1 master br0; bridge fdb add ${mac} dev v1 master static`,
      changes('- fdb v1 02:00:00:00:00:09', '+ fdb v0 02:00:00:00:00:09'),
    ],
    half: ['no port of a bridge', '', refuses('ENOTSUP', 'replace the forwarding entry 02:00:00:00:00:09 on v0')],
  }),
  row('Netns.deleteFdbEntry', ({ ns }) => ns.deleteFdbEntry({ mac, link: 'v0' }), {
    absent: [
      'no entry',
      'ip link add br0 type bridge; ip link set v0 master br0',
      refuses('ENOENT', 'delete the forwarding entry 02:00:00:00:00:09 on v0'),
    ],
    equal: [
      'the entry',
      `ip link add br0 type bridge; ip link set v0 master br0; bridge fdb add ${mac} dev v0 master static`,
      changes('- fdb v0 02:00:00:00:00:09'),
    ],
    different: [
      'the entry on another port',
      `ip link add br0 type bridge; ip link set v0 master br0; ip link set v1 master br0; bridge fdb add ${mac} dev v1 master static`,
      refuses('ENOENT', 'delete the forwarding entry 02:00:00:00:00:09 on v0'),
    ],
    half: ['no port of a bridge', '', refuses('ENOTSUP', 'delete the forwarding entry 02:00:00:00:00:09 on v0')],
  }),
  row('Netns.appendFdbEntry', ({ ns }) => ns.appendFdbEntry({ mac: '00:00:00:00:00:00', link: 'x0', remote: '192.0.2.2' }), {
    absent: ['no other end', 'ip link add x0 type vxlan id 7 dstport 4789', changes('+ fdb x0 00:00:00:00:00:00 192.0.2.2')],
    equal: [
      'the other end',
      'ip link add x0 type vxlan id 7 dstport 4789; bridge fdb append 00:00:00:00:00:00 dev x0 dst 192.0.2.2',
      nothing,
    ],
    different: [
      'another other end',
      'ip link add x0 type vxlan id 7 dstport 4789; bridge fdb append 00:00:00:00:00:00 dev x0 dst 192.0.2.3',
      changes('+ fdb x0 00:00:00:00:00:00 192.0.2.2'),
    ],
    half: ['no such device', '', refuses('ENODEV', 'look for x0')],
  }),
  row('Netns.flushFdb', ({ ns }) => ns.flushFdb('br0', { state: 'static' }), {
    absent: ['no entry', 'ip link add br0 type bridge; ip link set v0 master br0', nothing],
    equal: [
      'an entry',
      `ip link add br0 type bridge; ip link set v0 master br0; bridge fdb add ${mac} dev v0 master static`,
      changes('- fdb v0 02:00:00:00:00:09'),
    ],
    different: [
      'an entry of another bridge',
      `ip link add br0 type bridge; ip link add br1 type bridge; ip link set v0 master br1; bridge fdb add ${mac} dev v0 master static`,
      nothing,
    ],
    half: ['no such bridge', '', refuses('ENODEV', 'look for br0')],
  }),
  row('Netns.listFdb', async ({ ns }) => (await ns.listFdb({ master: 'br0' })).filter(({ state }) => state === 'static'), {
    absent: ['no entry', 'ip link add br0 type bridge; ip link set v0 master br0', gives([])],
    equal: [
      'an entry',
      `ip link add br0 type bridge; ip link set v0 master br0; bridge fdb add ${mac} dev v0 master static`,
      gives([{ mac: '02:00:00:00:00:09', state: 'static' }]),
    ],
    different: [
      'an entry of another bridge',
      `ip link add br0 type bridge; ip link add br1 type bridge; ip link set v0 master br1; bridge fdb add ${mac} dev v0 master static`,
      gives([]),
    ],
    half: ['no such bridge', '', refuses('ENODEV', 'look for br0')],
  }),
]
