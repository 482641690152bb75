// Namespace ids: the numbers by which one namespace calls others, in events and as the place of a veth's other end; see
// ip-netns(8), `set` and `list-id`.

import { type Abortable, onlySignal } from '../abort.ts'
import { dump, number, send } from '../exchange.ts'
import { integer } from '../invalid.ts'
import { type NamespaceHandle, native } from '../native.ts'

const NETNSA_NSID_NOT_ASSIGNED = -1

/** The id that `handle` has for `other`; undefined when it has none. */
export async function getNsid(handle: NamespaceHandle, other: NamespaceHandle): Promise<number | undefined> {
  const body = { fd: native.describe(other).fd }
  const [outcome] = await send(handle, [{ type: 'RTM_GETNSID', flags: 0, body }])
  const nsid = number(outcome?.replies[0]?.['nsid'])
  return nsid === NETNSA_NSID_NOT_ASSIGNED ? undefined : nsid
}

/** Gives `other` an id in `handle`, the next free one unless `nsid` names it. EEXIST when it has one already, ENOSPC when the id is taken. */
export async function setNsid(handle: NamespaceHandle, other: NamespaceHandle, nsid?: number): Promise<number> {
  const wanted = nsid === undefined ? NETNSA_NSID_NOT_ASSIGNED : integer(nsid, 'nsid', 0, 0x7fffffff)
  const body = { nsid: wanted, fd: native.describe(other).fd }
  const outcomes = await send(handle, [
    { type: 'RTM_NEWNSID', flags: 0, body, step: 'give the namespace an id' },
    ...(nsid === undefined ? [{ type: 'RTM_GETNSID', flags: 0, body: { fd: body.fd } }] : []),
  ])
  return nsid ?? number(outcomes.at(-1)?.replies[0]?.['nsid'])
}

/** All ids that `handle` has given. */
export async function listNsids(handle: NamespaceHandle, options: Abortable = {}): Promise<number[]> {
  const signal = onlySignal(options)
  return dump(handle, 'RTM_GETNSID', {}, 'the namespace ids', (body) => number(body['nsid']), { signal })
}
