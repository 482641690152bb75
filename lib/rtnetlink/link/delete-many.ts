// Deleting many devices at once: the kernel waits for its readers once for all of them, and not once for each.

import { randomInt } from 'node:crypto'
import { constants } from 'node:os'
import { firstRefusal, kernel, NetlinkError } from '../../errors.ts'
import { send } from '../../exchange.ts'
import { fields, integer, invalidType } from '../../invalid.ts'
import { type Message, type NamespaceHandle, native } from '../../native.ts'
import { rolledBack } from '../../roll-back.ts'
import { type Link, linkFrom } from './link.ts'
import { getLinkMessage, type LinkRef, refBody } from './ref.ts'

/** Those that are listed, or all of a group. */
export type LinksToDelete = readonly LinkRef[] | { readonly group: number }

const { ENODEV } = constants.errno

/** Groups of this half are chosen at random. */
const doomedGroup = (): number => 0x80000000 + randomInt(0x80000000)

const groupDeletion = (group: number, step: string): Message => ({ type: 'RTM_DELLINK', flags: 0, body: { group }, step })

const intoGroup = (index: number, group: number): Message => ({
  type: 'RTM_SETLINK',
  flags: 0,
  body: { index, group },
  step: 'put the link into the group to delete',
})

/** What is gone already, with its peer or by somebody else, is no error. */
async function sendToLiving(handle: NamespaceHandle, messages: readonly Message[]): Promise<void> {
  const outcomes = await kernel(native.submit(handle, messages))
  const refusal = firstRefusal(outcomes.filter(({ error }) => error?.errno !== ENODEV))
  if (refusal !== undefined) throw new NetlinkError(refusal)
}

async function deleteGroup(handle: NamespaceHandle, filter: { readonly group: number }): Promise<void> {
  fields(filter, 'filter', ['group'])
  // Group 0 is where every device is that nobody put elsewhere.
  const group = integer(filter.group, 'filter.group', 1, 0xffffffff)
  await sendToLiving(handle, [groupDeletion(group, `delete the links of group ${group}`)])
}

export async function deleteLinks(handle: NamespaceHandle, which: LinksToDelete): Promise<void> {
  if (typeof which !== 'object' || which === null) throw invalidType('links', 'a list of devices, or { group }', which)
  if (!Array.isArray(which)) return deleteGroup(handle, which as { readonly group: number })
  const questions = which.map((ref: LinkRef, at) => {
    refBody(ref, `links[${at}]`)
    return getLinkMessage(ref, `links[${at}]`)
  })
  if (questions.length === 0) return
  const links: Link[] = (await send(handle, questions)).map(({ replies }) => linkFrom(replies[0] ?? {}))
  const group = doomedGroup()
  await rolledBack(
    () => sendToLiving(handle, [...links.map(({ index }) => intoGroup(index, group)), groupDeletion(group, 'delete the links')]),
    // The kernel deletes all of a group or, when one cannot be deleted, none.
    () =>
      sendToLiving(
        handle,
        links.map((link) => ({ ...intoGroup(link.index, link.group), step: 'put the link back into its group' })),
      ),
  )
}
