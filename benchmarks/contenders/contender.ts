// What is measured: ways to give a container its network, each doing the same work by its own means.

import type { Subject } from '../population.ts'
import { floor } from './floor.ts'
import { library } from './library.ts'
import { shell } from './shell.ts'

/** A network on a bridge with a gateway; containers in new namespaces, with an IPv4 address and a default route. */
export interface Churn {
  readonly containers: number
  /** How many are attached at a time; one unless said. */
  readonly attach?: number
  /** Each with one published TCP port. */
  readonly ports?: boolean
  /** How many are detached at a time; absent: they stay. */
  readonly detach?: number
}

/** Microseconds per container: one lap for each group of containers that were handled at a time. */
export interface Laps {
  readonly attach: readonly number[]
  readonly detach: readonly number[]
}

export interface Contender {
  churn(churn: Churn): Promise<Laps>
  /** Publishes ports one after another, and says how long each took. */
  publish?(ports: number): Promise<readonly number[]>
  /** Asks for a link by its name, and says how long each answer took. */
  getLink?(times: number): Promise<readonly number[]>
  /** Lists all that there is of a subject, in the main table and in IPv4, and says how long each listing took. */
  list?(subject: Subject, times: number): Promise<readonly number[]>
  /** Adds routes, all in one go or one after another, and says how long all of them took. */
  addRoutes?(routes: number, how: 'batch' | 'singly'): Promise<number>
}

export type ContenderName = 'floor' | 'netlink-ct' | 'shell'

export const contenders: Readonly<Record<ContenderName, Contender>> = { floor, 'netlink-ct': library, shell }
