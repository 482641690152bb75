// Waiting until the kernel has what is wanted: its news is watched, nothing is asked again and again.

import type { Abortable } from '../abort.ts'
import { parseAddress, parseCidr } from '../cidr.ts'
import { WaitTimeoutError } from '../errors.ts'
import { fields, integer, invalidType, oneOf } from '../invalid.ts'
import type { AddressInfo } from './address.ts'
import type { Link, LinkRef, OperState } from './link/link.ts'
import { refBody } from './link/ref.ts'
import { type Neighbor, type NeighborState, neighborStates } from './neighbor/neighbor.ts'
import type { NetEvent } from './watch/event.ts'
import type { Watch, WatchOptions } from './watch/watch.ts'

export interface WaitOptions extends Abortable {
  /** Milliseconds; Infinity for as long as it takes. @defaultValue 30000 */
  readonly timeout?: number
}

export interface LinkCondition extends WaitOptions {
  readonly up?: boolean
  readonly carrier?: boolean
  readonly operstate?: OperState
}

export interface AddressCondition extends WaitOptions {
  /** Whether duplicate address detection must be over; a duplicate is then an error. @defaultValue true */
  readonly ready?: boolean
}

/** Any address of these. */
export interface AddressKind {
  readonly family?: 'inet' | 'inet6'
  readonly scope?: 'global' | 'link' | 'host' | 'site'
}

export interface NeighborCondition extends WaitOptions {
  readonly link?: LinkRef
  /** One of these. @defaultValue the states that need no asking: reachable, permanent, noarp */
  readonly state?: NeighborState | readonly NeighborState[]
}

type Watching = (options: WatchOptions) => Watch

const waitNames = ['timeout', 'signal'] as const

function timeoutOf(options: WaitOptions): number {
  if (options.timeout === Number.POSITIVE_INFINITY) return options.timeout
  return integer(options.timeout ?? 30_000, 'options.timeout', 0, 0x7fffffff)
}

/**
 * Follows the objects of one watch until `settled` gives a result. `settled` sees every change, and the moment when all is told; what it
 * returns with `last` is what a timeout reports.
 */
async function follow<T>(
  watching: Watching,
  what: string,
  subjects: WatchOptions,
  options: WaitOptions,
  settled: (event: NetEvent) => { readonly result?: T; readonly last?: unknown } | undefined,
): Promise<T> {
  const timeout = timeoutOf(options)
  const watch = watching({ ...subjects, signal: options.signal })
  let last: unknown
  let late = false
  const timer = Number.isFinite(timeout)
    ? setTimeout(() => {
        late = true
        void watch.return()
      }, timeout)
    : undefined
  try {
    for await (const event of watch) {
      const seen = settled(event)
      if (seen?.result !== undefined) return seen.result
      if (seen !== undefined && 'last' in seen) last = seen.last
    }
  } finally {
    clearTimeout(timer)
  }
  if (late) throw new WaitTimeoutError(what, timeout, last)
  throw Object.assign(new Error(`the network namespace went while waiting for ${what}`), { code: 'ERR_INVALID_STATE' })
}

const nameOf = (ref: LinkRef): string => (typeof ref === 'object' ? `#${ref.index}` : typeof ref === 'number' ? `#${ref}` : ref)

const isLink = (link: Link, ref: LinkRef): boolean => {
  if (typeof ref === 'string') return link.name === ref || link.altnames.includes(ref)
  return link.index === (typeof ref === 'object' ? ref.index : ref)
}

/** Resolves to the device, once there is one of that name or index that is as wanted. */
export async function waitForLink(watching: Watching, ref: LinkRef, condition: LinkCondition = {}): Promise<Link> {
  refBody(ref, 'link')
  fields(condition, 'options', ['up', 'carrier', 'operstate', ...waitNames])
  for (const name of ['up', 'carrier'] as const) {
    if (condition[name] !== undefined && typeof condition[name] !== 'boolean')
      throw invalidType(`options.${name}`, 'a boolean', condition[name])
  }
  const words = [
    ...(condition.up === undefined ? [] : [condition.up ? 'up' : 'down']),
    ...(condition.carrier === undefined ? [] : [condition.carrier ? 'with a carrier' : 'without a carrier']),
    ...(condition.operstate === undefined ? [] : [`in the state ${condition.operstate}`]),
  ]
  const isWanted = (link: Link): boolean =>
    (condition.up ?? link.up) === link.up &&
    (condition.carrier ?? link.carrier) === link.carrier &&
    (condition.operstate ?? link.operstate) === link.operstate
  return follow(watching, `the link ${[nameOf(ref), ...words].join(' ')}`, { links: true }, condition, (event) => {
    if (event.type !== 'link') return undefined
    const wasIt = isLink(event.previous ?? event.link, ref)
    if (event.action === 'delete' || !isLink(event.link, ref)) return wasIt ? { last: undefined } : undefined
    return isWanted(event.link) ? { result: event.link } : { last: event.link }
  })
}

/** Resolves to the address, once the device has it and it can be used. */
export async function waitForAddress(
  watching: Watching,
  ref: LinkRef,
  wanted: string | AddressKind,
  condition: AddressCondition = {},
): Promise<AddressInfo> {
  refBody(ref, 'link')
  fields(condition, 'options', ['ready', ...waitNames])
  const isWanted = addressTest(wanted)
  const ready = condition.ready ?? true
  const what = `the address ${typeof wanted === 'string' ? wanted : JSON.stringify(wanted)} of ${nameOf(ref)}`
  // Addresses name their device by index only, and may be told before it.
  let index: number | undefined
  const known = new Map<string, AddressInfo>()
  const look = (): { readonly result?: AddressInfo; readonly last?: unknown } => {
    const found = [...known.values()].filter((address) => address.link === index && isWanted(address))
    const duplicate = found.find(({ flags }) => flags.includes('dadfailed'))
    if (ready && duplicate !== undefined && found.length === 1)
      throw Object.assign(new Error(`${what} is another host's as well: ${duplicate.address}`), { code: 'EADDRINUSE' })
    const result = found.find(({ flags }) => !ready || !(flags.includes('tentative') || flags.includes('dadfailed')))
    return result === undefined ? { last: found[0] } : { result }
  }
  return follow(watching, what, { links: true, addresses: true }, condition, (event) => {
    if (event.type === 'link' && event.action !== 'delete') {
      if (isLink(event.link, ref)) index = event.link.index
      else if (index === event.link.index) index = undefined
    } else if (event.type === 'address') {
      if (event.action === 'delete') known.delete(event.key)
      else known.set(event.key, event.address)
    } else return undefined
    return look()
  })
}

function addressTest(wanted: string | AddressKind): (address: AddressInfo) => boolean {
  if (typeof wanted === 'string') {
    if (wanted.includes('/')) {
      const { text, prefixLength } = parseCidr(wanted, 'address')
      return ({ address }) => address === `${text}/${prefixLength}`
    }
    const { text } = parseAddress(wanted, 'address')
    return ({ address }) => address.startsWith(`${text}/`)
  }
  fields(wanted, 'address', ['family', 'scope'])
  return ({ family, scope }) => (wanted.family ?? family) === family && (wanted.scope ?? scope) === scope
}

/** Resolves to the entry, once the neighbor answers. It asks nobody: something must send to the neighbor. */
export async function waitForNeighbor(watching: Watching, address: string, condition: NeighborCondition = {}): Promise<Neighbor> {
  const { text } = parseAddress(address, 'address')
  fields(condition, 'options', ['link', 'state', ...waitNames])
  if (condition.link !== undefined) refBody(condition.link, 'options.link')
  const given = condition.state ?? ['reachable', 'permanent', 'noarp']
  const states = (typeof given === 'string' ? [given] : [...given]).map((state) =>
    oneOf(state, 'options.state', Object.keys(neighborStates) as NeighborState[]),
  )
  const { link: ref } = condition
  const on = new Set<number>()
  const known = new Map<string, Neighbor>()
  const look = (): { readonly result?: Neighbor; readonly last?: unknown } => {
    const found = [...known.values()].filter(({ link }) => ref === undefined || on.has(link))
    const result = found.find(({ state }) => (states as readonly string[]).includes(state))
    return result === undefined ? { last: found[0] } : { result }
  }
  const what = `the neighbor ${text}${ref === undefined ? '' : ` on ${nameOf(ref)}`} ${states.join(' or ')}`
  return follow(watching, what, { neighbors: true, links: ref !== undefined }, condition, (event) => {
    if (event.type === 'link' && ref !== undefined) {
      if (event.action !== 'delete' && isLink(event.link, ref)) on.add(event.link.index)
      else on.delete(event.link.index)
    } else if (event.type === 'neighbor' && event.neighbor.address === text) {
      if (event.action === 'delete') known.delete(event.key)
      else known.set(event.key, event.neighbor)
    } else return undefined
    return look()
  })
}
