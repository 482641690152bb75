import { makeDevice, populate, type Subject } from '../population.ts'
import { median } from '../statistics.ts'
import { trialsOf, type Workload } from './workload.ts'

const list = (subject: Subject, count: number): Workload => ({
  title: `list ${count} ${subject}`,
  unit: 'ms',
  trials: trialsOf(['floor', 'netlink-ct', 'shell'], async (contender, name) => {
    await makeDevice()
    await populate(subject, count)
    return median((await contender.list?.(subject, name === 'shell' ? 5 : 20)) ?? []) / 1000
  }),
  targets: [],
})

export const listLinks: Workload = list('links', 1000)
export const listRoutes: Workload = list('routes', 10_000)
export const listAddresses: Workload = list('addresses', 10_000)
