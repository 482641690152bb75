import { median } from '../statistics.ts'
import { fewerForShell, trialsOf, type Workload } from './workload.ts'

export const detach: Workload = {
  title: 'detach a container, one after another (20)',
  unit: 'ms',
  trials: trialsOf(['floor', 'netlink-ct', 'shell'], async (contender, name) => {
    return median((await contender.churn({ containers: fewerForShell(name, 20), detach: 1 })).detach) / 1000
  }),
  targets: [],
}
