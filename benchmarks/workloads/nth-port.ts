import { growth } from '../statistics.ts'
import { trialsOf, type Workload } from './workload.ts'

const nthPort = (ports: number): Workload => ({
  title: `the ${ports}th published port, against the first`,
  unit: '×',
  trials: trialsOf(['floor', 'netlink-ct'], async (contender) => growth((await contender.publish?.(ports)) ?? [], 20)),
  targets: [{ atMost: 1.5 }],
})

export const thousandthPort: Workload = nthPort(1000)
export const tenThousandthPort: Workload = nthPort(10_000)
