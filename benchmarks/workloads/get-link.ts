import { median } from '../statistics.ts'
import { trialsOf, type Workload } from './workload.ts'

export const getLink: Workload = {
  title: 'ask for a link by its name, and wait for the answer',
  unit: 'µs',
  trials: trialsOf(['floor', 'netlink-ct', 'shell'], async (contender, name) => {
    return median((await contender.getLink?.(name === 'shell' ? 100 : 2000)) ?? [])
  }),
  targets: [],
}
