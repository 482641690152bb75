// Sends attacks and says who heard each.

import type { Attack, Situation } from './attacks.ts'

let count = 0

/** Where each of them arrived, a line each. */
export async function launch({ world }: Situation, attacks: readonly Attack[]): Promise<string[]> {
  const marked = attacks.map((attack) => ({ ...attack, mark: `${attack.frame.kind}-${++count}` }))
  await world.settled()
  for (const { from, frame, mark } of marked) await world.wire(from).send({ ...frame, mark })
  // What should arrive may take longer on a slow machine than what shows that everything has.
  const awaited = marked.flatMap(({ heard, mark }) =>
    (heard === '.' ? [] : heard.split(', ')).filter((who) => who !== 'host').map((who) => ({ who, mark })),
  )
  await Promise.allSettled(
    awaited.map(({ who, mark }) => world.wire(who.replace('!', '')).until(who.endsWith('!') ? `${mark}!` : mark)),
  )
  for (let round = 0; round < 2; round++) await world.settled()
  return marked.map(({ name, mark }) => `${name}: ${world.whoHeard(mark)}`)
}
