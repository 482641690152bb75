// Traffic control. Compiled, never run.

import type { Bandwidth, Filter, Netns, Qdisc, TrafficClass } from '../../lib/index.ts'
import { expectType } from './expect.ts'

export async function traffic(ns: Netns): Promise<void> {
  await ns.setBandwidth('eth0', { egress: '10mbit', ingress: { rate: '1gbit', burst: '64kb' } })
  await ns.setBandwidth('eth0', null)
  // @ts-expect-error no such direction
  await ns.setBandwidth('eth0', { upload: '10mbit' })
  // @ts-expect-error a limit needs a rate
  await ns.setBandwidth('eth0', { egress: { burst: '64kb' } })
  // @ts-expect-error no device
  expectType<Bandwidth>()(await ns.getBandwidth())
  // @ts-expect-error it takes nothing
  expectType<string[]>()(await ns.pruneBandwidth('eth0'))

  await ns.addQdisc('eth0', { kind: 'htb', parent: 'root', handle: '1:' })
  // @ts-expect-error no such kind
  await ns.addQdisc('eth0', { kind: 'cbq', parent: 'root' })
  // @ts-expect-error an option of another kind
  await ns.replaceQdisc('eth0', { kind: 'pfifo', parent: 'root', flows: 5 })
  // @ts-expect-error no place
  await ns.deleteQdisc('eth0')
  // @ts-expect-error no such filter
  const [qdisc] = await ns.listQdiscs({ kind: 'htb' })
  expectType<Qdisc | undefined>()(qdisc)
  // @ts-expect-error results do not change
  if (qdisc) qdisc.handle = '2:'

  await ns.addClass('eth0', { kind: 'htb', parent: '1:', classId: '1:10', rate: '10mbit' })
  // @ts-expect-error no rate
  await ns.addClass('eth0', { kind: 'htb', parent: '1:', classId: '1:10' })
  // @ts-expect-error no class of its own
  await ns.replaceClass('eth0', { kind: 'htb', parent: '1:', rate: '10mbit' })
  // @ts-expect-error a number for a string
  await ns.deleteClass('eth0', 10)
  // @ts-expect-error no such filter
  const [trafficClass] = await ns.listClasses('eth0', { parent: '1:' })
  expectType<TrafficClass | undefined>()(trafficClass)
  if (trafficClass?.kind === 'htb') expectType<number>()(trafficClass.rate)
  // @ts-expect-error only an htb class is known to have a rate
  trafficClass?.rate

  await ns.addFilter('eth0', { kind: 'matchall', parent: 'ingress', actions: [] })
  // @ts-expect-error no such kind
  await ns.addFilter('eth0', { kind: 'bpf', parent: 'ingress' })
  // @ts-expect-error no place
  await ns.replaceFilter('eth0', { kind: 'matchall' })
  // @ts-expect-error no such kind
  await ns.deleteFilter('eth0', { parent: 'ingress', kind: 'bpf' })
  // @ts-expect-error no place
  expectType<Filter[]>()(await ns.listFilters('eth0'))
}
