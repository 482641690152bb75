import { growth } from '../statistics.ts'
import { trialsOf, type Workload } from './workload.ts'

// A bridge takes 1023 ports.
export const thousandthContainer: Workload = {
  title: 'the 1000th container of a network, against the first',
  unit: '×',
  trials: trialsOf(['floor', 'netlink-ct'], async (contender) => {
    return growth((await contender.churn({ containers: 1000 })).attach, 20)
  }),
  targets: [{ atMost: 1.5 }],
}
