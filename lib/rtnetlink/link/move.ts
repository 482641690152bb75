// Moving a device to another namespace, with its new name and all other changes in the same message.

import { randomInt } from 'node:crypto'
import { constants } from 'node:os'
import { kernel, NetlinkError } from '../../errors.ts'
import { optionalText, send } from '../../exchange.ts'
import { fields, invalidValue } from '../../invalid.ts'
import { type Body, type Message, type NamespaceHandle, native } from '../../native.ts'
import { rolledBack } from '../../roll-back.ts'
import * as c from '../constants.ts'
import { changeBody, type Link, type LinkChanges, linkFrom, moveNames, nameMessages, setLink } from './link.ts'
import { getLinkMessage, indexOf, type LinkRef, privateIndexes, refBody } from './ref.ts'
import { optional } from './settings.ts'

/** The changes are made where the device goes: `master` is a device there. */
export interface LinkMove<Place> extends LinkChanges {
  /** Where it goes. Its addresses, its routes and its master do not go with it, and it is down unless `up` is among the changes. */
  readonly netns: Place
  /** EBUSY when it is taken there. @defaultValue the one that it has, or another when that is taken there */
  readonly newIndex?: number
}

const { EEXIST, ENODEV } = constants.errno

const move = (index: number, to: NamespaceHandle, body: Body, step: string): Message => ({
  type: 'RTM_SETLINK',
  flags: 0,
  body: { index, netnsFd: native.describe(to).fd, ...body },
  step,
})

const look = async (handle: NamespaceHandle, ref: LinkRef): Promise<Body | undefined> => {
  const [outcome] = await kernel(native.submit(handle, [getLinkMessage(ref, 'link')]))
  if (outcome?.error !== undefined && outcome.error.errno !== ENODEV) throw new NetlinkError(outcome.error)
  return outcome?.replies[0]
}

/**
 * The kernel moves first and renames then: a name that is taken would leave the device there under its old one. So the name is looked
 * for before, and a device whose changes are refused after it has moved is moved back.
 */
export async function moveLink(
  here: NamespaceHandle,
  there: NamespaceHandle,
  ref: LinkRef,
  changes: LinkMove<unknown>,
): Promise<Link> {
  fields(changes, 'changes', moveNames)
  refBody(ref, 'link')
  const { netns: _, newIndex, ...rest } = changes
  optional(newIndex, 'changes.newIndex', 1, 0x7fffffff)
  if (native.describe(here).inode === native.describe(there).inode) {
    if (newIndex !== undefined) throw invalidValue('changes.newIndex', 'is for another namespace than its own', newIndex)
    return setLink(here, ref, rest)
  }
  const body = changeBody(rest, 'changes')
  nameMessages(1, rest)
  if (rest.master !== undefined && rest.master !== null) refBody(rest.master, 'changes.master')

  const [outcome] = await send(here, [getLinkMessage(ref, 'link')])
  const before = linkFrom(outcome?.replies[0] ?? {})
  const name = rest.name ?? before.name
  const step = `move ${before.name}`
  if (name !== before.name && (await look(there, name)) !== undefined)
    throw new NetlinkError({ errno: EEXIST, syscall: 'RTM_SETLINK', step, attribute: 'IFLA_IFNAME' })
  const master = rest.master ? { master: await indexOf(there, rest.master, 'changes.master') } : {}

  const comeBack = async (index: number): Promise<void> => {
    if ((await look(here, before.index)) !== undefined) return // it never left
    const found = optionalText((await look(there, index))?.['name'])
    if (found !== before.name && found !== name) return // deleted by somebody else
    const up = before.up ? { flags: c.IFF_UP, change: c.IFF_UP } : {}
    const former = { name: before.name, newIndex: before.index, master: before.master, ...up }
    await send(there, [move(index, here, former, `move ${before.name} back`)])
  }
  const attempt = (index: number): Promise<Link> =>
    rolledBack(
      async () => {
        await send(here, [move(before.index, there, { newIndex: index, ...body, ...master }, step)])
        const outcomes = await send(there, [...nameMessages(index, rest), getLinkMessage(index, 'link')])
        return linkFrom(outcomes.at(-1)?.replies[0] ?? {})
      },
      () => comeBack(index),
    )
  try {
    return await attempt(newIndex ?? before.index)
  } catch (error) {
    const isTaken = error instanceof NetlinkError && error.code === 'EBUSY'
    if (newIndex !== undefined || !isTaken) throw error
    return attempt(randomInt(...privateIndexes))
  }
}
