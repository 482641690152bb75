import type { Route } from '../../rtnetlink/route/route.ts'

/** The default route that the host goes out by: of IPv4 if there is one, and of the lowest metric. */
export function wayOut(routes: readonly Route[]): Route | undefined {
  const [way] = routes
    .filter((route) => route.to === 'default' && route.dev !== undefined)
    .sort((a, b) => a.family.localeCompare(b.family) || (a.metric ?? 0) - (b.metric ?? 0))
  return way
}
