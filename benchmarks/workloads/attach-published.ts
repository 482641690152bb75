import { median } from '../statistics.ts'
import { fewerForShell, trialsOf, type Workload } from './workload.ts'

export const attachPublished: Workload = {
  title: 'attach a container with one published port, one after another (100)',
  unit: 'µs',
  trials: trialsOf(['floor', 'netlink-ct', 'shell'], async (contender, name) => {
    return median((await contender.churn({ containers: fewerForShell(name, 100), ports: true })).attach)
  }),
  targets: [],
}
