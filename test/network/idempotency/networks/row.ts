// A row for one driver: the states are here the same for all, what comes of them stands in outcomes.

import { type Cell, type Column, columns, type Outcome, type Row } from '../cell.ts'
import type { World } from '../world.ts'
import { bridge } from './outcomes/bridge.ts'
import { macvlan } from './outcomes/macvlan.ts'
import { ptp } from './outcomes/ptp.ts'
import type { TestedDriver } from './states.ts'

/** By verb, and by what is given. */
export type Outcomes = Readonly<Record<string, Readonly<Record<string, Outcome>>>>

const outcomes: Readonly<Record<TestedDriver, Outcomes>> = { bridge, ptp, macvlan }

export type Given<T> = Omit<Cell<T>, 'outcome'>

export const state = <T>(given: string, prepare: (world: World) => Promise<T>, call?: Cell<T>['call']): Given<T> => ({
  given,
  prepare,
  ...(call === undefined ? {} : { call }),
})

export function rowOf(driver: TestedDriver) {
  return <T>(
    verb: string,
    call: Row<T>['call'],
    cells: Readonly<Record<Column, Given<T> | readonly Given<T>[] | string>>,
  ): Row<T> => ({
    verb,
    variant: driver,
    lacks: undefined,
    // The kernel numbers a namespace when it is looked at.
    ignores: /^[+-] nsid /,
    call,
    cells: Object.fromEntries(
      columns.map((column) => {
        const given = cells[column]
        if (typeof given === 'string') return [column, given]
        const list = 'given' in given ? [given] : given
        return [column, list.map((one): Cell<T> => ({ ...one, outcome: expected(driver, verb, one.given) }))]
      }),
    ) as Row<T>['cells'],
  })
}

function expected(driver: TestedDriver, verb: string, given: string): Outcome {
  const outcome = outcomes[driver][verb]?.[given]
  if (outcome === undefined) throw new Error(`no outcome of ${verb} with the driver ${driver} where there is ${given}`)
  return outcome
}
