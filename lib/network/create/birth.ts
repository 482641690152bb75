// The device that a network is known by. It says what network it is from its first moment on: name, alias and alternative name are set in
// the submission that makes it, so that a process that dies leaves all of it or nothing.

import { randomInt } from 'node:crypto'
import { firstRefusal, kernel, NetlinkError } from '../../errors.ts'
import { native } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import { type BridgeSpec, randomMac } from '../../rtnetlink/bridge/create.ts'
import * as c from '../../rtnetlink/constants.ts'
import { linkCreation } from '../../rtnetlink/link/create.ts'
import { type Link, linkFrom } from '../../rtnetlink/link/link.ts'
import { getLinkMessage, privateIndexes } from '../../rtnetlink/link/ref.ts'
import { formatNetworkLabel, type NetworkLabel, networkAltname } from '../label.ts'
import { findLinks } from '../port/publish.ts'

/** That nobody has: what follows the creation goes by it, also when the name was taken. */
async function freeIndex(host: Netns): Promise<number> {
  for (;;) {
    const index = randomInt(...privateIndexes)
    const [taken] = await findLinks(host, [index])
    if (taken === undefined) return index
  }
}

/** A bridge that is down. EEXIST when its name, or the network's, is taken. On any error nothing is left of it. */
export async function bearBridge(host: Netns, label: NetworkLabel, spec: Omit<BridgeSpec, 'up' | 'addresses'>): Promise<Link> {
  const alias = formatNetworkLabel(label)
  const altname = networkAltname(label.name)
  const index = await freeIndex(host)
  // Flooding costs less than keeping track for every port that comes and goes; IPv4 multicast reaches every container either way.
  const bridge = { kind: 'bridge', mac: randomMac(), multicastSnooping: false, ...spec, index } as const
  const outcomes = await kernel(
    native.submit(Netns.handleOf(host), [
      ...linkCreation(bridge).build(() => 0),
      { type: 'RTM_SETLINK', flags: 0, body: { index, alias }, step: "write the network's alias" },
      {
        type: 'RTM_NEWLINKPROP',
        flags: c.NLM_F_CREATE | c.NLM_F_EXCL | c.NLM_F_APPEND,
        body: { index, altnames: [altname] },
        step: `claim the name ${altname}`,
      },
      getLinkMessage(index, 'link'),
    ]),
  )
  const refusal = firstRefusal(outcomes)
  if (refusal === undefined) return linkFrom(outcomes.at(-1)?.replies[0] ?? {})
  const isMade = outcomes[0]?.error === undefined
  if (isMade) await host.deleteLink(index)
  throw new NetlinkError(refusal)
}
