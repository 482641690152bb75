// Whether the container of a lease lives: its namespace is there, and the leased device in it. A lease is made after its device and given
// back after it, so one without is nobody's, whoever crashed and when.
//
// The kernel is asked, from the host: it keeps a number for each namespace (see ip-netns(8), `list-id`) and forgets it as the
// namespace ends, and by that number it answers for devices there (IFLA_TARGET_NETNSID). So nothing is searched for under /proc, where not
// everybody sees everything.

import { constants } from 'node:os'
import { kernel, NetlinkError } from '../../errors.ts'
import { type KernelRefusal, type Message, native } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import * as c from '../../rtnetlink/constants.ts'
import { getLinkMessage, linkFrom } from '../../rtnetlink/link/link.ts'
import { ifbName, isIfbOf } from '../../rtnetlink/traffic/ifb.ts'
import type { Lease } from './lease-table.ts'

const { EINVAL, ENODEV } = constants.errno
/** Descriptions of devices that surely fit a receive buffer of the kernel's default size. */
const mostReplies = 32

/** The number that the host has for a namespace, given now if it has none. */
export async function nsidOf(host: Netns, netns: Netns): Promise<number> {
  const known = await host.getNsid(netns)
  if (known !== undefined) return known
  try {
    return await host.setNsid(netns)
  } catch (error) {
    const given = error instanceof NetlinkError && error.code === 'EEXIST' ? await host.getNsid(netns) : undefined
    if (given === undefined) throw error
    return given
  }
}

/** No namespace has that number, or no device there that index, which is random. */
const isGone = ({ errno }: KernelRefusal): boolean => errno === EINVAL || errno === ENODEV

type Device = Pick<Lease, 'nsid' | 'index'>

const about = (type: string, { nsid, index }: Device, step: string): Message => ({
  type,
  flags: 0,
  body: { index, targetNetnsid: nsid, ...(type === 'RTM_GETLINK' ? { extMask: c.RTEXT_FILTER_SKIP_STATS } : {}) },
  step,
})

/** Those whose containers are gone. In doubt, where the host may not look into a namespace, a container lives. */
export async function deadAmong(host: Netns, leases: readonly Lease[]): Promise<Lease[]> {
  const dead: Lease[] = []
  for (let at = 0; at < leases.length; at += mostReplies) {
    const asked = leases.slice(at, at + mostReplies)
    const questions = asked.map((lease) => about('RTM_GETLINK', lease, `look whether '${lease.name}' lives`))
    const outcomes = await kernel(native.submit(Netns.handleOf(host), questions))
    dead.push(...asked.filter((_, position) => outcomes[position]?.error !== undefined && isGone(outcomes[position].error)))
  }
  return dead
}

/**
 * With its addresses and routes, wherever it is, and with the device that carried what it received, if that was limited. What is gone
 * is no error.
 */
export async function deleteDevice(host: Netns, { nsid, index, words }: Pick<Lease, 'nsid' | 'index' | 'words'>): Promise<void> {
  const limiter = words.includes('limited') ? await limiterOf(host, { nsid, index }) : undefined
  const gone = [index, ...(limiter === undefined ? [] : [limiter])]
  const messages = gone.map((one) => about('RTM_DELLINK', { nsid, index: one }, "delete the container's device"))
  for (const { error } of await kernel(native.submit(Netns.handleOf(host), messages)))
    if (error !== undefined && !isGone(error)) throw new NetlinkError(error)
}

/** What setBandwidth made inside. */
async function limiterOf(host: Netns, { nsid, index }: Device): Promise<number | undefined> {
  const { body, ...question } = getLinkMessage(ifbName(index), 'link')
  const asked = { ...question, body: { ...body, targetNetnsid: nsid } }
  const [outcome] = await kernel(native.submit(Netns.handleOf(host), [asked]))
  if (outcome?.error !== undefined) {
    if (isGone(outcome.error)) return undefined
    throw new NetlinkError(outcome.error)
  }
  const link = linkFrom(outcome?.replies[0] ?? {})
  return isIfbOf(link, index) ? link.index : undefined
}

/** Nothing is seen in a namespace that ended since, or that the host may not look into. */
export function endedOrClosed(error: unknown): [] {
  if (error instanceof NetlinkError && ['EINVAL', 'EACCES', 'EPERM'].includes(error.code)) return []
  throw error
}
