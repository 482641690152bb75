import { changes, gives, nothing, type Row, shellRows } from '../cell.ts'

const row = shellRows('ip link set lo up')
const flow = (port: number): string =>
  `conntrack -I -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 4000 --dport ${port} --state ESTABLISHED -t 600 >/dev/null 2>&1`
const filter = { protocol: 'tcp', original: { destinationPort: 80 } } as const

export const rows: readonly Row<void>[] = [
  row('Conntrack.list', ({ ns }) => ns.conntrack.list(filter), {
    absent: ['no connection', '', gives([])],
    equal: ['the connection', flow(80), gives([{ original: { destinationPort: 80 }, state: 'established' }])],
    different: ['another connection', flow(81), gives([])],
    half: [
      'the connection and another',
      `${flow(80)}; ${flow(81)}`,
      gives([{ original: { destinationPort: 80 }, state: 'established' }]),
    ],
  }),
  row('Conntrack.delete', ({ ns }) => ns.conntrack.delete(filter), {
    absent: ['no connection', '', nothing],
    equal: ['the connection', flow(80), changes('- flow 10.0.0.1 4000 10.0.0.2 80')],
    different: ['another connection', flow(81), nothing],
    half: ['the connection and another', `${flow(80)}; ${flow(81)}`, changes('- flow 10.0.0.1 4000 10.0.0.2 80')],
  }),
  row('Conntrack.flush', ({ ns }) => ns.conntrack.flush({ family: 'inet' }), {
    absent: ['no connection', '', nothing],
    equal: ['a connection', flow(80), changes('- flow 10.0.0.1 4000 10.0.0.2 80')],
    different: [
      'a connection of the other family',
      'conntrack -I -p tcp -s fd00::1 -d fd00::2 --sport 4000 --dport 80 --state ESTABLISHED -t 600 >/dev/null 2>&1',
      nothing,
    ],
    half: [
      'two connections',
      `${flow(80)}; ${flow(81)}`,
      changes('- flow 10.0.0.1 4000 10.0.0.2 80', '- flow 10.0.0.1 4000 10.0.0.2 81'),
    ],
  }),
]
