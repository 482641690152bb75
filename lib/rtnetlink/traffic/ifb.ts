// The devices that carry what limited devices receive, one each: made, told from others, and swept up.

import { NetlinkError } from '../../errors.ts'
import { send } from '../../exchange.ts'
import type { NamespaceHandle } from '../../native.ts'
import * as c from '../constants.ts'
import { deleteLink, getLinkMessage, type Link, linkFrom, listLinks } from '../link/link.ts'

/** With the index, and not the name: a device can be renamed, and an index in use is unique. At most 14 characters. */
export const ifbName = (index: number): string => `ifb-${index}`

/** The mark by which an ifb is known as made here: it is there from the first moment on, as an alias would not be. */
const ifbMac = (index: number): string =>
  ['6e', '63', '74', ...[16, 8, 0].map((shift) => ((index >> shift) & 0xff).toString(16).padStart(2, '0'))].join(':')

export const isIfbOf = ({ kind, mac }: Link, index: number): boolean => kind === 'ifb' && mac === ifbMac(index)

/** EEXIST when the name is taken. */
export async function createIfb(handle: NamespaceHandle, { index, name, mtu }: Link): Promise<number> {
  const ifb = ifbName(index)
  const outcomes = await send(handle, [
    {
      type: 'RTM_NEWLINK',
      flags: c.NLM_F_CREATE | c.NLM_F_EXCL,
      body: { name: ifb, mac: ifbMac(index), mtu, flags: c.IFF_UP, change: c.IFF_UP, info: { kind: 'ifb' } },
      step: `make the device ${ifb} for what ${name} receives`,
    },
    getLinkMessage(ifb, 'link'),
  ])
  return linkFrom(outcomes[1]?.replies[0] ?? {}).index
}

/**
 * Deletes the devices that setBandwidth made for links that are gone, such as the host ends of containers that ended. Resolves to
 * their names. A link that took over the index of one that is gone keeps the device: the next setBandwidth on it takes it, or null
 * removes it.
 */
export async function pruneBandwidth(handle: NamespaceHandle): Promise<string[]> {
  const present = new Set((await listLinks(handle)).map(({ index }) => index))
  const pruned: string[] = []
  for (const ifb of await listLinks(handle, { kind: 'ifb' })) {
    const index = Number(/^ifb-(\d+)$/.exec(ifb.name)?.[1] ?? 0)
    if (index === 0 || present.has(index) || !isIfbOf(ifb, index)) continue
    try {
      await deleteLink(handle, ifb)
      pruned.push(ifb.name)
    } catch (error) {
      // Somebody was faster.
      if (!(error instanceof NetlinkError && error.code === 'ENODEV')) throw error
    }
  }
  return pruned
}
