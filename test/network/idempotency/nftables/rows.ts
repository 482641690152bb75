import type { Nft } from '../../../../lib/index.ts'
import { changes, changesAndGives, gives, nothing, type Row, refuses, shellRows } from '../cell.ts'

const row = shellRows('')
const table = { family: 'inet', name: 't' } as const
const chain = { family: 'inet', table: 't', name: 'c' } as const
const set = { family: 'inet', table: 't', name: 's', type: 'ipv4_addr' } as const
const add: Nft.Command[] = [{ add: { table } }, { add: { chain } }, { add: { set: { ...set, elem: ['10.0.0.1'] } } }]
const has = "nft 'table inet t { chain c { }; set s { type ipv4_addr; elements = { 10.0.0.1 }; }; }'"
const less = "nft 'table inet t { chain c { }; }'"
const other = "nft 'table inet t { chain c { }; set s { type inet_service; }; }'"

export const rows: readonly Row<void>[] = [
  {
    ...row('Nftables.apply', ({ ns }) => ns.nftables.apply(add, { handles: false }), {
      absent: ['no table', '', changesAndGives({}, '+ table inet t', '+ element s 10.0.0.1')],
      equal: ['the table, its chain, its set and the element', has, gives({})],
      different: ['a set of another type', other, refuses('EEXIST', 'commands[2].add.set (NFTA_SET_NAME)')],
      half: ['the table without the set', less, changesAndGives({}, '+ set inet t s', '+ element s 10.0.0.1')],
    }),
    variant: 'add',
  },
  {
    ...row('Nftables.apply', ({ ns }) => ns.nftables.apply([{ create: { table } }, { create: { chain } }], { handles: false }), {
      absent: ['no table', '', changesAndGives({}, '+ table inet t')],
      equal: ['the table and its chain', less, refuses('EEXIST', 'commands[0].create.table (NFTA_TABLE_NAME)')],
      different: ['a table of another family', "nft 'table ip t { chain c { }; }'", changesAndGives({}, '+ table inet t')],
      half: [
        'the table without the chain',
        "nft 'table inet t { }'",
        refuses('EEXIST', 'commands[0].create.table (NFTA_TABLE_NAME)'),
      ],
    }),
    variant: 'create',
  },
  {
    ...row('Nftables.apply', ({ ns }) => ns.nftables.apply([{ delete: { set } as never }], { handles: false }), {
      absent: ['no table', '', refuses('ENOENT', 'commands[0].delete.set (NFTA_SET_TABLE)')],
      equal: ['the set', has, changesAndGives({}, '- set inet t s', '- element s 10.0.0.1')],
      different: ['a set of another type', other, changesAndGives({}, '- set inet t s')],
      half: ['the table without the set', less, refuses('ENOENT', 'commands[0].delete.set (NFTA_SET_NAME)')],
    }),
    variant: 'delete',
  },
  {
    ...row(
      'Nftables.apply',
      ({ ns }) =>
        ns.nftables.apply([{ destroy: { element: { family: 'inet', table: 't', name: 's', elem: ['10.0.0.1'] } } }], {
          handles: false,
        }),
      {
        absent: ['no table', '', refuses('ENOENT', ' (NFTA_SET_TABLE)')],
        equal: ['the element', has, changesAndGives({}, '- element s 10.0.0.1')],
        different: ['another element', has.replace('10.0.0.1', '10.0.0.2'), gives({})],
        half: [
          'the table without the set',
          less,
          refuses(
            'ERR_INVALID_ARG_VALUE',
            `commands[0].destroy.element.name needs the types of set 's' of table inet t: declare it in the same commands, got "s"`,
          ),
        ],
      },
    ),
    variant: 'destroy',
  },
  row('Nftables.list', ({ ns }) => ns.nftables.list({ table: 't', kind: 'set' }), {
    absent: ['no table', '', gives([])],
    equal: ['the set', has, gives([{ set: { name: 's', table: 't', elem: ['10.0.0.1'] } }])],
    different: ['a set of another table', has.replace('inet t', 'inet u'), gives([])],
    half: ['the table without the set', less, gives([])],
  }),
  row('Nftables.flush', ({ ns }) => ns.nftables.flush({ family: 'inet', table: 't' }), {
    absent: ['no table', '', nothing],
    equal: ['the table', has, changes('- table inet t', '- element s 10.0.0.1')],
    different: ['a table of another family', has.replace('inet t', 'ip t'), nothing],
    half: ['the table, empty', "nft 'table inet t { }'", changes('- table inet t')],
  }),
]
