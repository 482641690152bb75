import { median } from '../statistics.ts'
import { trialsOf, type Workload } from './workload.ts'

export const attachAtOnce: Workload = {
  title: 'attach a container, 64 in flight',
  unit: 'µs',
  trials: trialsOf(['floor', 'netlink-ct', 'shell'], async (contender, name) => {
    return median((await contender.churn({ containers: name === 'shell' ? 64 : 256, attach: 64 })).attach)
  }),
  targets: [{ times: 1.15, of: 'floor' }],
}
