// The options of a bridge and of its ports, in JavaScript's units: seconds and booleans.

import { integer, invalidType, outOfRange } from '../invalid.ts'
import type { Body } from '../native.ts'
import { number } from './exchange.ts'

/** Times are in seconds, with hundredths (the kernel counts USER_HZ). */
export interface BridgeOptions {
  readonly stp: boolean
  readonly forwardDelay: number
  readonly helloTime: number
  readonly maxAge: number
  /** How long a learned MAC address is kept. */
  readonly ageingTime: number
  readonly priority: number
  readonly vlanFiltering: boolean
  readonly multicastSnooping: boolean
}

/** A port of a bridge; see bridge(8), `bridge link set`. */
export interface BridgePort {
  readonly state: 'disabled' | 'listening' | 'learning' | 'forwarding' | 'blocking'
  readonly hairpin: boolean
  readonly isolated: boolean
  readonly learning: boolean
  readonly flood: boolean
  readonly cost: number
}

const portStates = ['disabled', 'listening', 'learning', 'forwarding', 'blocking'] as const
const times = ['forwardDelay', 'helloTime', 'maxAge', 'ageingTime'] as const
const switches = ['stp', 'vlanFiltering', 'multicastSnooping'] as const
export const bridgeOptionNames: readonly (keyof BridgeOptions)[] = [...times, ...switches, 'priority']

const wire = { stp: 'stpState' } as const

export function bridgeOptionsFrom(data: Body): BridgeOptions {
  return {
    stp: number(data, 'stpState') !== 0,
    forwardDelay: number(data, 'forwardDelay') / 100,
    helloTime: number(data, 'helloTime') / 100,
    maxAge: number(data, 'maxAge') / 100,
    ageingTime: number(data, 'ageingTime') / 100,
    priority: number(data, 'priority'),
    vlanFiltering: number(data, 'vlanFiltering') !== 0,
    multicastSnooping: number(data, 'multicastSnooping') !== 0,
  }
}

export function bridgePortFrom(data: Body): BridgePort {
  return {
    state: portStates[number(data, 'state')] ?? 'disabled',
    hairpin: number(data, 'hairpin') !== 0,
    isolated: number(data, 'isolated') !== 0,
    learning: number(data, 'learning') !== 0,
    flood: number(data, 'flood') !== 0,
    cost: number(data, 'cost'),
  }
}

/** IFLA_INFO_DATA for the options that are there. */
export function bridgeData(options: Partial<BridgeOptions>, path: string): Body {
  const data: Record<string, number> = {}
  for (const name of times) {
    const seconds = options[name]
    if (seconds === undefined) continue
    if (typeof seconds !== 'number') throw invalidType(`${path}.${name}`, 'a number of seconds', seconds)
    if (!(seconds >= 0 && seconds <= 42_949_672)) throw outOfRange(`${path}.${name}`, 0, 42_949_672, seconds)
    data[name] = Math.round(seconds * 100)
  }
  for (const name of switches) {
    const on = options[name]
    if (on === undefined) continue
    if (typeof on !== 'boolean') throw invalidType(`${path}.${name}`, 'a boolean', on)
    data[name === 'stp' ? wire.stp : name] = on ? 1 : 0
  }
  if (options.priority !== undefined) data['priority'] = integer(options.priority, `${path}.priority`, 0, 65535)
  return data
}
