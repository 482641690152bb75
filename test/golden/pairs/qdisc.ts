// Queueing disciplines and classes.

import { any, type Pair, pair } from '../pair.ts'

/** tc sends tables of times that the kernel has not used since it knows the link layer. */
const table = { rateTable: any }

export const qdisc: readonly Pair[] = [
  pair(
    'tc qdisc replace dev v1 root handle 1: tbf rate 8mbit burst 32kb latency 50ms',
    (here) => here.replaceQdisc('v1', { kind: 'tbf', handle: '1:', rate: '8mbit', burst: '32kb', latency: '50ms' }),
    { theirs: { options: table } },
  ),
  pair(
    'tc qdisc replace dev v1 root handle 1: tbf rate 8mbit burst 32kb limit 100kb peakrate 16mbit mtu 2000',
    (here) =>
      here.replaceQdisc('v1', {
        ...{ kind: 'tbf', handle: '1:', rate: '8mbit', burst: '32kb', limit: '100kb', peakRate: '16mbit', mtu: 2000 },
      }),
    { theirs: { options: { ...table, peakRateTable: any } } },
  ),
  pair(
    'tc qdisc replace dev v1 root handle 1: tbf rate 40gbit burst 1mb limit 2mb',
    (here) => here.replaceQdisc('v1', { kind: 'tbf', handle: '1:', rate: '40gbit', burst: '1mb', limit: '2mb' }),
    // tc drops fractions of a microsecond from the burst: 209 µs are 3265 ticks.
    { theirs: { options: { ...table, parameters: { buffer: any } } }, ours: { options: { parameters: { buffer: any } } } },
  ),
  pair('tc qdisc add dev v1 root handle 1: htb default 10 r2q 5 direct_qlen 100', (here) =>
    here.addQdisc('v1', { kind: 'htb', handle: '1:', default: '1:10', rateToQuantum: 5, directQueueLength: 100 }),
  ),
  pair('tc qdisc add dev v1 root handle 1: htb', (here) => here.addQdisc('v1', { kind: 'htb', handle: '1:' })),
  pair(
    'tc qdisc add dev v1 root handle 1: fq_codel limit 1000 target 5ms interval 100ms quantum 1514 flows 512 ecn memory_limit 4mb ' +
      'ce_threshold 1ms drop_batch 16',
    (here) =>
      here.addQdisc('v1', {
        ...{ kind: 'fq_codel', handle: '1:', limit: 1000, target: '5ms', interval: '100ms', quantum: 1514, flows: 512 },
        ...{ ecn: true, memoryLimit: '4mb', ceThreshold: '1ms', dropBatchSize: 16 },
      }),
  ),
  pair('tc qdisc add dev v1 root fq_codel noecn', (here) => here.addQdisc('v1', { kind: 'fq_codel', ecn: false })),
  pair(
    'tc qdisc add dev v1 root handle 1: netem limit 1000 delay 100ms 10ms 25% loss 1% 20% duplicate 2% reorder 25% 50% gap 5 corrupt 0.1% rate 1mbit',
    (here) =>
      here.addQdisc('v1', {
        ...{ kind: 'netem', handle: '1:', limit: 1000, delay: '100ms', jitter: '10ms', delayCorrelation: '25%' },
        ...{ loss: '1%', lossCorrelation: '20%', duplicate: '2%', reorder: '25%', reorderCorrelation: '50%', gap: 5 },
        ...{ corrupt: '0.1%', rate: '1mbit' },
      }),
  ),
  pair('tc qdisc add dev v1 root netem delay 10ms loss 5% ecn', (here) =>
    here.addQdisc('v1', { kind: 'netem', delay: '10ms', loss: '5%', ecn: true }),
  ),
  pair('tc qdisc add dev v1 root handle 1: pfifo limit 100', (here) =>
    here.addQdisc('v1', { kind: 'pfifo', handle: '1:', limit: 100 }),
  ),
  pair('tc qdisc add dev v1 root bfifo limit 64kb', (here) => here.addQdisc('v1', { kind: 'bfifo', limit: '64kb' })),
  pair('tc qdisc replace dev v1 root pfifo_fast', (here) => here.replaceQdisc('v1', { kind: 'pfifo_fast' })),
  pair('tc qdisc replace dev v1 root noqueue', (here) => here.replaceQdisc('v1', { kind: 'noqueue' })),
  pair('tc qdisc replace dev v1 root handle 1: mq', (here) => here.replaceQdisc('v1', { kind: 'mq', handle: '1:' })),
  pair('tc qdisc add dev v1 ingress', (here) => here.addQdisc('v1', { kind: 'ingress' })),
  pair('tc qdisc add dev v1 clsact', (here) => here.addQdisc('v1', { kind: 'clsact' })),
  pair('tc qdisc add dev v1 root handle 1: prio', (here) =>
    here.addQdisc('v1', {
      ...{ kind: 'other', type: 'prio', handle: '1:' },
      options: Uint8Array.of(3, 0, 0, 0, 1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 4, 0, 2, 0),
    }),
  ),
  pair('tc qdisc delete dev v1 root', (here) => here.deleteQdisc('v1', 'root'), { after: ['tc qdisc add dev v1 root pfifo'] }),
  pair('tc qdisc delete dev v1 ingress', (here) => here.deleteQdisc('v1', 'ingress'), { after: ['tc qdisc add dev v1 ingress'] }),
  pair('tc qdisc delete dev v1 clsact', (here) => here.deleteQdisc('v1', 'clsact'), { after: ['tc qdisc add dev v1 clsact'] }),
  pair('tc qdisc show', (here) => here.listQdiscs()),
  pair(
    'tc class add dev v1 parent 1: classid 1:10 htb rate 1mbit ceil 2mbit burst 15kb cburst 20kb prio 2 quantum 2000',
    (here) =>
      here.addClass('v1', {
        ...{ kind: 'htb', parent: '1:', classId: '1:10', rate: '1mbit', ceil: '2mbit', burst: '15kb', ceilBurst: '20kb' },
        ...{ priority: 2, quantum: 2000 },
      }),
    { after: ['tc qdisc add dev v1 root handle 1: htb'], theirs: { options: { ...table, ceilTable: any } } },
  ),
  pair(
    'tc class replace dev v1 parent 1:1 classid 1:11 htb rate 40gbit',
    (here) => here.replaceClass('v1', { kind: 'htb', parent: '1:1', classId: '1:11', rate: '40gbit' }),
    {
      after: ['tc qdisc add dev v1 root handle 1: htb', 'tc class add dev v1 parent 1: classid 1:1 htb rate 40gbit'],
      // A burst of less than a microsecond is nothing to tc.
      theirs: { options: { ...table, ceilTable: any, parameters: { buffer: 0, ceilBuffer: 0 } } },
      ours: { options: { parameters: { buffer: any, ceilBuffer: any } } },
    },
  ),
  pair('tc class delete dev v1 classid 1:10', (here) => here.deleteClass('v1', '1:10'), {
    after: ['tc qdisc add dev v1 root handle 1: htb', 'tc class add dev v1 parent 1: classid 1:10 htb rate 1mbit'],
  }),
  pair('tc class show dev v1 parent 1:', (here) => here.listClasses('v1', { qdisc: '1:' })),
]
