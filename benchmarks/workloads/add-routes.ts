import { trialsOf, type Workload } from './workload.ts'

const routes = 1000

export const addRoutes: Workload = {
  title: `add ${routes} routes in one go: a batch, for the shell ip -batch`,
  unit: 'ms',
  trials: trialsOf(['floor', 'netlink-ct', 'shell'], async (contender) => {
    return ((await contender.addRoutes?.(routes, 'batch')) ?? Number.NaN) / 1000
  }),
  targets: [],
}

export const addRoutesSingly: Workload = {
  title: `add ${routes} routes one after another, for the shell by as many starts of ip`,
  unit: 'ms',
  trials: trialsOf(['floor', 'netlink-ct', 'shell'], async (contender, name) => {
    // A start of ip takes as long the tenth time as the thousandth.
    const added = name === 'shell' ? routes / 10 : routes
    return (((await contender.addRoutes?.(added, 'singly')) ?? Number.NaN) * (routes / added)) / 1000
  }),
  targets: [],
}
