// Brings the firewall, and the bridges, to what the devices remember of policies. Whoever changes policies writes them down first and
// does this then; so does whoever finds it undone.

import { kernel, NetlinkError, TornDumpError } from '../errors.ts'
import { type NamespaceHandle, native } from '../native.ts'
import { Netns } from '../netns/netns.ts'
import { networksSets } from '../network/firewall/index.ts'
import { enableForwarding } from '../network/host/forwarding.ts'
import { endElements, placeOf, presentElements } from '../network/state/elements.ts'
import { removeOrphans } from '../network/state/remove-orphans.ts'
import { restoreFirewall } from '../network/state/restore.ts'
import type { Survey } from '../network/state/survey.ts'
import { isOurs, tableBody } from '../network/state/table.ts'
import { hideFromFirewall, keepsView, lacksView, requireView, showFirewall } from './bridge.ts'
import { changeOf, look, type Seen } from './change.ts'
import { opensNetwork } from './firewall.ts'
import { isPolicySet } from './sets.ts'

/** Others may change policies as fast as they are read. */
const mostAttempts = 64

const isCode = (error: unknown, ...codes: string[]): boolean => error instanceof NetlinkError && codes.includes(error.code)

const networksOf = ({ networks }: Survey): Survey['networks'] extends ReadonlyMap<string, infer N> ? N[] : never => [
  ...networks.values(),
]

/** Of networks with `icc: false` in which an allow may be. */
async function setIsolation(host: Netns, seen: Survey, isolated: boolean): Promise<void> {
  for (const { network, ends } of networksOf(seen)) {
    if (network.driver !== 'bridge' || network.icc || opensNetwork(seen.policies, network.name) === isolated) continue
    for (const { link } of ends.filter((end) => end.link.port?.isolated === !isolated)) {
      await host.setBridgePort(link.index, { isolated }).catch((error: unknown) => {
        // It went since.
        if (!isCode(error, 'ENODEV', 'ENOTSUP')) throw error
      })
    }
  }
}

/** An internal network needs none by itself. */
async function forwardOpened(host: Netns, { networks, policies }: Survey): Promise<void> {
  for (const { network } of networks.values()) {
    if (network.forwards || !opensNetwork(policies, network.name)) continue
    for (const subnet of network.subnets) await enableForwarding(host, subnet.includes(':') ? 10 : 2)
  }
}

async function setView(host: Netns, { networks, policies }: Survey): Promise<void> {
  for (const { network, link } of networks.values()) {
    if (lacksView(network, link, policies)) {
      await requireView(host)
      await showFirewall(host, link)
    } else if (keepsView(network, link, policies)) await hideFromFirewall(host, link)
  }
}

/** What a container that died left in a set, or who raced with its detach. */
async function removeStrangers(host: Netns, { survey: seen, elements }: Seen): Promise<void> {
  const ends = networksOf(seen).flatMap((one) => one.ends)
  const wanted = new Set(ends.flatMap((end) => endElements(end, seen.policies)).map(({ set, body }) => placeOf(set, body)))
  const strangers = [...presentElements(elements)].filter(
    ([place, { set, owner }]) => isPolicySet(set) && owner !== '' && !wanted.has(place),
  )
  const owners = new Set(strangers.map(([, { owner }]) => owner))
  if (owners.size > 0) await removeOrphans(host, (owner) => owners.has(owner))
}

/** Whether all that is to be done to the firewall is done. */
async function change(handle: NamespaceHandle, host: Netns, seen: Seen): Promise<boolean> {
  if (seen.survey.networks.size === 0) return true
  const body = await tableBody(handle, 'inet')
  if (body === undefined || !isOurs(body) || !seen.elements.has(networksSets.inet)) {
    await restoreFirewall(host)
    return false
  }
  const { messages, isSettled } = changeOf(seen)
  if (messages.length > 0) await kernel(native.transact(handle, messages))
  return isSettled
}

/**
 * Resolves when the firewall goes by the policies that the devices remember, for all containers that there are. Others may change
 * policies, attach and detach at the same time.
 */
export async function syncPolicies(host: Netns): Promise<void> {
  const handle = Netns.handleOf(host)
  for (let attempt = 0; ; attempt++) {
    const seen = await look(handle, host)
    if (attempt === 0) {
      await forwardOpened(host, seen.survey)
      // What the bridge is to keep apart it does before the firewall stops to, and lets go of after the firewall began to.
      await setIsolation(host, seen.survey, true)
    }
    try {
      // Until the policies stood before the look: who is attached after it knows them, and who was before it has been seen.
      if (!(await change(handle, host, seen))) continue
      await setView(host, seen.survey)
      await setIsolation(host, seen.survey, false)
      await removeStrangers(host, seen)
      return
    } catch (error) {
      const isBeaten = error instanceof TornDumpError || isCode(error, 'ENOENT', 'EEXIST', 'ERESTART')
      if (!isBeaten || attempt >= mostAttempts) throw error
    }
  }
}
