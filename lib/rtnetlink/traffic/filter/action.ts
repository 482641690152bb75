// What a filter does with the packets that match: tc-mirred(8), tc-police(8), and the bare verdicts of gact.

import { nested, number, optionalNumber, optionalText } from '../../../exchange.ts'
import { fields, integer, invalidType, oneOf } from '../../../invalid.ts'
import type { Body, NamespaceHandle } from '../../../native.ts'
import { indexOf, type LinkRef, refBody } from '../../link/link.ts'
import { rateFields, rateFrom, rateTable, transmitSize, transmitTicks, wideRate } from '../psched.ts'
import { statisticsFrom, type TrafficStatistics } from '../statistics.ts'
import { type Rate, rateOf, type Size, sizeOf } from '../units.ts'

/** TC_ACT_*: `pipe` goes on with the next action, `continue` with the next filter. */
const verdicts = { continue: -1, pass: 0, reclassify: 1, drop: 2, pipe: 3, stolen: 4 } as const
export type TrafficVerdict = Exclude<keyof typeof verdicts, 'stolen'>
const verdictNames = Object.keys(verdicts).filter((name) => name !== 'stolen') as TrafficVerdict[]

const directions = {
  egress: { redirect: 1, mirror: 2 },
  ingress: { redirect: 3, mirror: 4 },
} as const
type Direction = keyof typeof directions

export interface MirredSpec {
  readonly kind: 'mirred'
  /** `redirect` takes the packet away, `mirror` sends a copy. */
  readonly action: 'redirect' | 'mirror'
  /** As if `dev` sent it, or as if `dev` had received it. @defaultValue 'egress' */
  readonly direction?: Direction
  readonly dev: LinkRef
}

export interface PoliceSpec {
  readonly kind: 'police'
  readonly rate: Rate
  readonly burst: Size
  /** The largest packet. @defaultValue 2047 bytes, as the kernel has it */
  readonly mtu?: Size
  /** What becomes of what is too fast. @defaultValue 'drop' */
  readonly exceed?: TrafficVerdict
  /** What becomes of the rest. @defaultValue 'pass' */
  readonly conform?: TrafficVerdict
}

export interface GactSpec {
  readonly kind: 'gact'
  readonly action: TrafficVerdict
}

export type ActionSpec = MirredSpec | PoliceSpec | GactSpec

export type Action = { readonly statistics?: TrafficStatistics } & (
  | {
      readonly kind: 'mirred'
      readonly action: 'redirect' | 'mirror'
      readonly direction: Direction
      /** Index of the device; 0 when it is gone. */
      readonly dev: number
    }
  | {
      readonly kind: 'police'
      readonly rate: number
      readonly burst: number
      readonly mtu?: number
      readonly exceed: string
      readonly conform: string
    }
  | { readonly kind: 'gact'; readonly action: string }
  | { readonly kind: 'other'; readonly type: string }
)

const verdictOf = (value: unknown, path: string): number => verdicts[oneOf(value, path, verdictNames)]
const verdictFrom = (number: number): string =>
  Object.entries(verdicts).find(([, value]) => value === number)?.[0] ?? String(number)

function mirredBody(spec: MirredSpec, path: string, dev: number): Body {
  fields(spec, path, ['kind', 'action', 'direction', 'dev'])
  const action = oneOf(spec.action, `${path}.action`, ['redirect', 'mirror'] as const)
  const direction = oneOf(spec.direction ?? 'egress', `${path}.direction`, ['egress', 'ingress'] as const)
  const after = action === 'redirect' ? verdicts.stolen : verdicts.pipe
  return { parameters: { action: after, direction: directions[direction][action], dev } }
}

function policeBody(spec: PoliceSpec, path: string): Body {
  fields(spec, path, ['kind', 'rate', 'burst', 'mtu', 'exceed', 'conform'])
  const rate = rateOf(spec.rate, `${path}.rate`)
  const burst = sizeOf(spec.burst, `${path}.burst`)
  return {
    parameters: {
      action: verdictOf(spec.exceed ?? 'drop', `${path}.exceed`),
      burst: transmitTicks(burst, rate),
      mtu: spec.mtu === undefined ? 0 : sizeOf(spec.mtu, `${path}.mtu`),
      ...rateFields('rate', rate),
    },
    rateTable: rateTable(rate),
    result: spec.conform === undefined ? undefined : verdictOf(spec.conform, `${path}.conform`),
    rate64: wideRate(rate),
  }
}

/** `devs` are the indexes that actionDevs found, in the same order. */
export function actionBodies(
  specs: readonly ActionSpec[] | undefined,
  path: string,
  devs: readonly number[],
): Body[] | undefined {
  if (specs === undefined) return undefined
  if (!Array.isArray(specs)) throw invalidType(path, 'an array', specs)
  // TCA_ACT_MAX_PRIO
  integer(specs.length, `the length of ${path}`, 1, 32)
  return specs.map((spec: ActionSpec, at): Body => {
    const where = `${path}[${at}]`
    if (typeof spec !== 'object' || spec === null) throw invalidType(where, 'an object', spec)
    oneOf(spec.kind, `${where}.kind`, ['mirred', 'police', 'gact'] as const)
    if (spec.kind === 'mirred') {
      refBody(spec.dev, `${where}.dev`)
      return { kind: 'mirred', options: mirredBody(spec, where, devs[at] ?? 1) }
    }
    if (spec.kind === 'police') return { kind: 'police', options: policeBody(spec, where) }
    fields(spec, where, ['kind', 'action'])
    return { kind: 'gact', options: { parameters: { action: verdictOf(spec.action, `${where}.action`) } } }
  })
}

/** The device of each action, 0 for one that has none. */
export const actionDevs = (handle: NamespaceHandle, specs: readonly ActionSpec[] | undefined, path: string): Promise<number[]> =>
  Promise.all(
    (specs ?? []).map(async (spec, at) => (spec.kind === 'mirred' ? indexOf(handle, spec.dev, `${path}[${at}].dev`) : 0)),
  )

export function actionFrom(body: Body): Action {
  const kind = optionalText(body['kind']) ?? ''
  const options = nested(body['options']) ?? {}
  const parameters = nested(options['parameters']) ?? {}
  const statistics = statisticsFrom(body)
  const common = statistics === undefined ? {} : { statistics }
  if (kind === 'mirred') {
    const direction = number(parameters['direction'])
    return {
      ...common,
      kind,
      action: direction % 2 === 1 ? 'redirect' : 'mirror',
      direction: direction <= directions.egress.mirror ? 'egress' : 'ingress',
      dev: number(parameters['dev']),
    }
  }
  if (kind === 'police') {
    const rate = rateFrom(parameters, 'rate', options['rate64'])
    const mtu = optionalNumber(parameters['mtu'])
    return {
      ...common,
      kind,
      rate: rate * 8,
      burst: transmitSize(number(parameters['burst']), rate, 'down'),
      exceed: verdictFrom(number(parameters['action'])),
      conform: verdictFrom(number(options['result'])),
      ...(mtu === undefined || mtu === 0 || mtu === 0xffffffff ? {} : { mtu }),
    }
  }
  if (kind === 'gact') return { ...common, kind, action: verdictFrom(number(parameters['action'])) }
  return { ...common, kind: 'other', type: kind }
}

export const actionsFrom = (options: Body): Action[] =>
  Array.isArray(options['actions']) ? (options['actions'] as Body[]).map(actionFrom) : []
