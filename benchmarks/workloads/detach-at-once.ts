import { median } from '../statistics.ts'
import { trialsOf, type Workload } from './workload.ts'

export const detachAtOnce: Workload = {
  title: 'detach a container, 64 at a time',
  unit: 'ms',
  trials: trialsOf(['floor', 'netlink-ct', 'shell'], async (contender) => {
    return median((await contender.churn({ containers: 64, detach: 64 })).detach) / 1000
  }),
  targets: [{ atMost: 1.5 }],
}
