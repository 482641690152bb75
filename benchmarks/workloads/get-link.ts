import { median } from '../statistics.ts'
import { trialsOf, type Workload } from './workload.ts'

export const getLink: Workload = {
  title: 'ask for a link by its name, and wait for the answer',
  unit: 'µs',
  trials: trialsOf(['floor', 'netlink-ct'], async (contender) => median((await contender.getLink?.(2000)) ?? [])),
  targets: [],
}
