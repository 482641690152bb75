// What a new device gets once it is there: the kernel takes none of it in the message that makes it.

import { invalidValue, list } from '../../invalid.ts'
import type { Body, Message } from '../../native.ts'
import { addressMessage } from '../address.ts'
import { type NewBridgePort, newPortMessages } from '../bridge/new-port.ts'
import * as c from '../constants.ts'
import type { ResolveLink } from '../operation.ts'
import { altname, type LinkRef } from './ref.ts'
import { type LinkSettings, laterBody, optionalBoolean } from './settings.ts'

/** What is common to all that make a device. */
export interface NewLink extends LinkSettings {
  readonly name: string
  /** The device, in its own namespace, that it becomes a port of. */
  readonly master?: LinkRef
  /** What it is as a port, when `master` is a bridge. */
  readonly bridgePort?: NewBridgePort
  readonly altnames?: readonly string[]
  /** `172.18.0.1/16`, … */
  readonly addresses?: readonly string[]
  /** @defaultValue false */
  readonly up?: boolean
}

/**
 * By its index, and in this order: addresses are made as `addressGeneration` says only if it comes before `up`. `more`: what the
 * message that made it did not take. `resolve`: the index of the port's backup.
 */
export function completion(
  spec: NewLink,
  index: number,
  path: string,
  more: Body = {},
  resolve: ResolveLink = () => 1,
): Message[] {
  if (spec.bridgePort !== undefined && spec.master === undefined)
    throw invalidValue(`${path}.bridgePort`, `needs ${path}.master, a bridge`, spec.bridgePort)
  const messages: Message[] = []
  const set = (body: Body, step: string): void => {
    if (Object.keys(body).length > 0) messages.push({ type: 'RTM_SETLINK', flags: 0, body: { index, ...body }, step })
  }
  const { up, ...settings } = spec
  optionalBoolean(up, `${path}.up`)
  set({ ...laterBody(settings, path), ...more }, `complete ${spec.name}`)
  messages.push(...newPortMessages({ index, name: spec.name }, spec.bridgePort, `${path}.bridgePort`, resolve))
  if (spec.altnames !== undefined) {
    const altnames = list(spec.altnames, `${path}.altnames`).map((name, at) => altname(name, `${path}.altnames[${at}]`))
    if (altnames.length > 0) messages.push(altnamesAddition(index, altnames))
  }
  for (const [at, address] of list(spec.addresses ?? [], `${path}.addresses`).entries())
    messages.push(addressMessage(index, address as string, {}, `${path}.addresses[${at}]`))
  if (up) set({ flags: c.IFF_UP, change: c.IFF_UP }, `set ${spec.name} up`)
  return messages
}

/** EEXIST when one is taken in the namespace. */
export const altnamesAddition = (index: number, altnames: readonly string[]): Message => ({
  type: 'RTM_NEWLINKPROP',
  flags: c.NLM_F_CREATE | c.NLM_F_EXCL | c.NLM_F_APPEND,
  body: { index, altnames },
  step: `add the alternative names ${altnames.join(', ')}`,
})
