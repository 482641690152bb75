// In the order of the table. Their names are what `npm run bench -- NAME…` takes.

import { addRoutes, addRoutesSingly } from './add-routes.ts'
import { attach } from './attach.ts'
import { attachAtOnce } from './attach-at-once.ts'
import { attachPublished } from './attach-published.ts'
import { detach } from './detach.ts'
import { detachAtOnce } from './detach-at-once.ts'
import { eventLoop } from './event-loop.ts'
import { eventLoopListing } from './event-loop-listing.ts'
import { getLink } from './get-link.ts'
import { listAddresses, listLinks, listRoutes } from './list.ts'
import { tenThousandthPort, thousandthPort } from './nth-port.ts'
import { policies } from './policies.ts'
import { publish } from './publish.ts'
import { scaleBridge, scalePtp } from './scale.ts'
import { thousandthContainer } from './thousandth-container.ts'
import type { TableWorkload, Workload } from './workload.ts'

export const workloads: Readonly<Record<string, Workload | TableWorkload>> = {
  attach,
  'attach-at-once': attachAtOnce,
  'attach-published': attachPublished,
  detach,
  'detach-at-once': detachAtOnce,
  'thousandth-container': thousandthContainer,
  publish,
  'thousandth-port': thousandthPort,
  'ten-thousandth-port': tenThousandthPort,
  'get-link': getLink,
  'list-links': listLinks,
  'list-routes': listRoutes,
  'list-addresses': listAddresses,
  'add-routes': addRoutes,
  'add-routes-singly': addRoutesSingly,
  'event-loop': eventLoop,
  'event-loop-listing': eventLoopListing,
  'scale-bridge': scaleBridge,
  'scale-ptp': scalePtp,
  policies,
}
