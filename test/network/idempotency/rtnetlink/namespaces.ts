import { createNetns, deleteNetns, listNetns, openNetns } from '../../../../lib/index.ts'
import { changes, changesAndGives, gives, nothing, type Row, refuses, shellRows } from '../cell.ts'
import type { World } from '../world.ts'

const row = shellRows('')
const pair = 'ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up; ip link set lo up'
const numbered = (number: number): string => `ip netns set "$BOX" ${number}`

export const rows: readonly Row<void>[] = [
  row('Netns.getNsid', ({ ns, box }) => ns.getNsid(box), {
    absent: ['no number', '', nothing],
    equal: ['a number', numbered(7), gives(7)],
    different: 'a number is read, whatever it is',
    half: 'a number is there or is not',
  }),
  row('Netns.setNsid', ({ ns, box }) => ns.setNsid(box, 7), {
    absent: ['no number', '', changesAndGives(7, '+ nsid 7')],
    equal: [
      'the number',
      numbered(7),
      refuses('EEXIST', 'give the namespace an id: Peer netns already has a nsid assigned (NETNSA_FD)'),
    ],
    different: [
      'another number',
      numbered(8),
      refuses('EEXIST', 'give the namespace an id: Peer netns already has a nsid assigned (NETNSA_FD)'),
    ],
    half: [
      'another namespace with the number',
      'ip netns set "$HOST" 7',
      refuses('EEXIST', 'give the namespace an id: The specified nsid is already used (NETNSA_NSID)'),
    ],
  }),
  row('Netns.listNsids', ({ ns }) => ns.listNsids(), {
    absent: ['no number', '', gives([])],
    equal: ['a number', numbered(7), gives([7])],
    different: 'numbers are read, whatever they are',
    half: 'a number is there or is not',
  }),
  row(
    'Netns.batch',
    async ({ ns }) => {
      const { ok, items } = await ns.batch((batch) =>
        batch.createLink({ kind: 'bridge', name: 'br0' }).addAddress('br0', '10.0.0.1/24').addAddress('v0', '10.0.1.1/24'),
      )
      return { ok, codes: items.map((item) => (item.status === 'failed' ? item.error.code : 'done')) }
    },
    {
      absent: [
        'no br0',
        pair,
        changesAndGives(
          { ok: true, codes: ['done', 'done', 'done'] },
          '+ link br0',
          '+ address v0 10.0.1.1/24',
          '+ address br0 10.0.0.1/24',
          '+ route unicast 10.0.1.0/24 main 0',
        ),
      ],
      equal: [
        'all of it',
        `${pair}; ip link add br0 type bridge; ip address add 10.0.0.1/24 dev br0; ip address add 10.0.1.1/24 dev v0`,
        gives({ ok: false, codes: ['EEXIST', 'done', 'EEXIST'] }),
      ],
      different: [
        'a veth br0',
        `${pair}; ip link add br0 type veth peer name x0`,
        changesAndGives(
          { ok: false, codes: ['EEXIST', 'done', 'done'] },
          '+ address v0 10.0.1.1/24',
          '+ route unicast 10.0.1.0/24 main 0',
        ),
      ],
      half: [
        'the last address',
        `${pair}; ip address add 10.0.1.1/24 dev v0`,
        changesAndGives({ ok: false, codes: ['done', 'done', 'EEXIST'] }, '+ link br0', '+ address br0 10.0.0.1/24'),
      ],
    },
  ),
  row('Netns.watch', first, {
    absent: ['no device of the name', '', gives([])],
    equal: ['the device', 'ip link add br0 type bridge', gives(['br0'])],
    different: ['a device of another name', 'ip link add br1 type bridge', gives([])],
    half: 'a device is there or is not',
  }),
  row(
    'Netns.inspect',
    async ({ ns }) => {
      const { links, addresses, firewall } = await ns.inspect()
      return {
        links: links.map(({ name }) => name),
        addresses: addresses.map(({ address }) => address),
        tables: firewall?.length,
      }
    },
    {
      absent: ['nothing but the loopback', '', gives({ links: ['lo'], addresses: [], tables: 0 })],
      equal: [
        'a device, an address and a table',
        "ip link add br0 type bridge; ip address add 10.0.0.1/24 dev br0; nft 'table ip t { }'",
        gives({ links: ['lo', 'br0'], addresses: ['10.0.0.1/24'], tables: 1 }),
      ],
      different: 'all is told, whatever it is',
      half: 'all is told, whatever it is',
    },
  ),
  row('createNetns', async (world) => void world.keep(await createNetns(world.free)), {
    absent: ['no such name', '', changes('+ netns $NAME')],
    equal: ['the name', 'ip netns add "$NAME"', refuses('EEXIST', '/run/netns/')],
    different: ['a file of the name that is no namespace', 'touch /run/netns/"$NAME"', refuses('EEXIST', '/run/netns/')],
    half: [
      'the name of a namespace that is gone',
      'ip netns add "$NAME"; umount /run/netns/"$NAME"',
      refuses('EEXIST', '/run/netns/'),
    ],
  }),
  row('openNetns', async (world) => void world.keep(await openNetns(world.free)), {
    absent: ['no such name', '', refuses('ENOENT', '/run/netns/')],
    equal: ['the name', 'ip netns add "$NAME"', nothing],
    different: [
      'a file of the name that is no namespace',
      'touch /run/netns/"$NAME"',
      refuses('EINVAL', 'free: not a network namespace'),
    ],
    half: [
      'the name of a namespace that is gone',
      'ip netns add "$NAME"; umount /run/netns/"$NAME"',
      refuses('EINVAL', 'free: not a network namespace'),
    ],
  }),
  row('listNetns', async (world) => (await listNetns()).filter(({ name }) => name === world.free).length, {
    absent: ['no such name', '', gives(0)],
    equal: ['the name', 'ip netns add "$NAME"', gives(1)],
    different: ['another name of it', 'ip netns attach "$NAME" $$', gives(1)],
    half: ['the name of a namespace that is gone', 'ip netns add "$NAME"; umount /run/netns/"$NAME"', gives(1)],
  }),
  row('deleteNetns', (world) => deleteNetns(world.free), {
    absent: ['no such name', '', refuses('ENOENT', '/run/netns/')],
    equal: ['the name', 'ip netns add "$NAME"', changes('- netns $NAME')],
    different: ['a file of the name that is no namespace', 'touch /run/netns/"$NAME"', changes('- netns $NAME')],
    half: ['the name of a namespace that is gone', 'ip netns add "$NAME"; umount /run/netns/"$NAME"', changes('- netns $NAME')],
  }),
]

async function first({ ns }: World): Promise<string[]> {
  const names: string[] = []
  for await (const event of ns.watch({ links: true })) {
    if (event.type === 'synced') break
    if (event.type === 'link' && event.link.name === 'br0') names.push(event.link.name)
  }
  return names
}
