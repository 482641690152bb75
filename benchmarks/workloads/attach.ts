import { median } from '../statistics.ts'
import { fewerForShell, trialsOf, type Workload } from './workload.ts'

export const attach: Workload = {
  title: 'attach a container, one after another (100)',
  unit: 'µs',
  trials: trialsOf(['floor', 'netlink-ct', 'shell'], async (contender, name) => {
    return median((await contender.churn({ containers: fewerForShell(name, 100) })).attach)
  }),
  targets: [
    { times: 1.15, of: 'floor' },
    { faster: 25, than: 'shell' },
  ],
}
