import { median } from '../statistics.ts'
import { trialsOf, type Workload } from './workload.ts'

export const publish: Workload = {
  title: 'publish a port, one after another (1000)',
  unit: 'µs',
  trials: trialsOf(['floor', 'netlink-ct'], async (contender) => median((await contender.publish?.(1000)) ?? [])),
  targets: [],
}
