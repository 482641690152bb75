// Brings the firewall, and the bridges, to what the devices remember of policies. Whoever changes policies writes them down first and
// does this then; so does whoever finds it undone.

import { kernel, NetlinkError, TornDumpError } from '../errors.ts'
import { sweep } from '../exchange.ts'
import { type NamespaceHandle, native } from '../native.ts'
import { Netns } from '../netns/netns.ts'
import { networksSets } from '../network/firewall/index.ts'
import { enableForwarding } from '../network/host/forwarding.ts'
import { leavingEnds, placeOf, policedElements, presentElements } from '../network/state/elements.ts'
import { removeOrphans } from '../network/state/remove-orphans.ts'
import { restoreFirewall } from '../network/state/restore.ts'
import type { Survey } from '../network/state/survey.ts'
import { isOurs, tableBody } from '../network/state/table.ts'
import type { Link } from '../rtnetlink/link/link.ts'
import { hideFromFirewall, keepsView, lacksView, requireView, showFirewall } from './bridge.ts'
import { changeOf, look, type Seen } from './change.ts'
import { endOpened } from './end.ts'
import { opensNetwork } from './firewall.ts'
import { isPolicySet, isSubnetSet, memberSets } from './sets.ts'
import { isOfPolicy, type Unfinished, unfinishedOn } from './text.ts'

/** Others may change policies as fast as they are read. */
const mostAttempts = 64
/** They may do so for as long as they like, and whoever waits for a policy waits no longer for that. */
const fewRestarts = 4

const isCode = (error: unknown, ...codes: string[]): boolean => error instanceof NetlinkError && codes.includes(error.code)

const networksOf = ({ networks }: Survey): Survey['networks'] extends ReadonlyMap<string, infer N> ? N[] : never => [
  ...networks.values(),
]

/** Of networks with `icc: false` in which an allow may be. Whether something changed. */
async function setIsolation(host: Netns, seen: Survey, isolated: boolean): Promise<boolean> {
  let hasChanged = false
  for (const { network, ends } of networksOf(seen)) {
    if (network.driver !== 'bridge' || network.icc || opensNetwork(seen.policies, network.name) === isolated) continue
    for (const { link } of ends.filter((end) => end.link.port?.isolated === !isolated)) {
      hasChanged = true
      await host.setBridgePort(link.index, { isolated }).catch((error: unknown) => {
        // It went since.
        if (!isCode(error, 'ENODEV', 'ENOTSUP')) throw error
      })
    }
  }
  return hasChanged
}

/** An internal network needs none by itself. */
async function forwardOpened(host: Netns, { networks, policies }: Survey): Promise<void> {
  for (const { network } of networks.values()) {
    if (network.forwards || !opensNetwork(policies, network.name)) continue
    for (const subnet of network.subnets) await enableForwarding(host, subnet.includes(':') ? 10 : 2)
  }
}

/** Whether something changed. */
async function setView(host: Netns, { networks, policies }: Survey): Promise<boolean> {
  let hasChanged = false
  for (const { network, link } of networks.values()) {
    const lacks = lacksView(network, link, policies)
    if (!lacks && !keepsView(network, link, policies)) continue
    hasChanged = true
    if (lacks) {
      await requireView(host)
      await showFirewall(host, link)
    } else await hideFromFirewall(host, link)
  }
  return hasChanged
}

/** What a container that died left in a set, or who raced with its detach. While others change the ruleset without pause it stays, for `gc`. */
async function removeStrangers(host: Netns, { survey: seen, elements }: Seen): Promise<void> {
  const read = seen.policies.filter((policy) => memberSets(policy).some((set) => elements.has(set)))
  if (read.length === 0) return
  const ends = [...networksOf(seen).flatMap((one) => one.ends), ...leavingEnds(seen)]
  const wanted = new Set(ends.flatMap((end) => policedElements(end, read)).map(({ set, body }) => placeOf(set, body)))
  const strangers = [...presentElements(elements)].filter(
    ([place, { set, owner }]) => isPolicySet(set) && owner !== '' && !wanted.has(place),
  )
  const owners = new Set(strangers.map(([, { owner }]) => owner))
  if (owners.size === 0) return
  try {
    await removeOrphans(host, (owner) => owners.has(owner), fewRestarts)
  } catch (error) {
    // It harms nobody: whoever gets the address takes it out.
    if (!(error instanceof TornDumpError || isCode(error, 'ERESTART'))) throw error
  }
}

/** What of a device a look goes by: who it is, whether it leaves, and what it remembers of policies. */
function stampOf({ index, name, alias = '', group, altnames }: Link): string {
  const own = altnames.filter((altname) => altname.startsWith('netlink-ct/') && (isOfPolicy(altname) || !altname.includes('=')))
  return [index, name, alias, group, ...own].join(' ')
}

/** Whether the devices are those that were seen. */
function isAsSeen(seen: readonly Link[], now: readonly Link[]): boolean {
  const before = new Set(seen.map(stampOf))
  return now.length === seen.length && now.every((link) => before.has(stampOf(link)))
}

/** Of changes that are not finished, other than the one of whoever asks. */
const othersOf = ({ networks }: Survey, own: readonly string[]): { readonly link: Link; readonly change: Unfinished }[] =>
  Array.from(networks.values()).flatMap(({ link }) =>
    unfinishedOn(link)
      .filter(({ names }) => !names.some((name) => own.includes(name)))
      .map((change) => ({ link, change })),
  )

/** What is left to do of changes that were found before the firewall was brought to what the devices say. */
async function finishOthers(host: Netns, seen: Survey, own: readonly string[]): Promise<void> {
  for (const { link, change } of othersOf(seen, own)) {
    await endOpened(host, change.opened)
    const messages = change.names.map((altname) => ({
      type: 'RTM_DELLINKPROP',
      flags: 0,
      body: { index: link.index, altnames: [altname] },
      step: 'forget a change of policies',
    }))
    // Or its maker did so.
    await sweep(Netns.handleOf(host), messages, ['EINVAL', 'ENOENT', 'ENODEV'])
  }
}

class Sync {
  readonly #host: Netns
  readonly #handle: NamespaceHandle
  readonly #own: readonly string[] | undefined
  /** Sets that somebody may lack in who was attached meanwhile. */
  readonly #made = new Set<string>()

  constructor(host: Netns, own: readonly string[] | undefined) {
    this.#host = host
    this.#handle = Netns.handleOf(host)
    this.#own = own
  }

  /**
   * The names of sets say what is in them, and who attaches or detaches keeps those of containers. In doubt are those that follow networks,
   * those made here, and all where somebody's change may have stopped half way, or nobody's change is the reason to look.
   */
  #look(): Promise<Seen> {
    const own = this.#own
    const isInDoubt = (set: string, seen: Survey): boolean =>
      own === undefined || isSubnetSet(set) || this.#made.has(set) || othersOf(seen, own).length > 0
    return look(this.#handle, this.#host, isInDoubt)
  }

  /**
   * Whether nobody can lack in it who was attached since the look: the firewall went by the policies before, or nothing changed that
   * single containers are part of. undefined where the table had to be made anew.
   */
  async #change(seen: Seen): Promise<boolean | undefined> {
    if (seen.survey.networks.size === 0) return true
    const body = await tableBody(this.#handle, 'inet')
    if (body === undefined || !isOurs(body) || !seen.elements.has(networksSets.inet)) {
      await restoreFirewall(this.#host)
      return undefined
    }
    const { messages, isSettled, made } = changeOf(seen)
    for (const set of made) this.#made.add(set)
    if (messages.length > 0) await kernel(native.transact(this.#handle, messages))
    return (
      isSettled ||
      (this.#made.size === 0 && !networksOf(seen.survey).some(({ network }) => network.driver === 'bridge' && !network.icc))
    )
  }

  /** Whether there is nothing more to look for. */
  async attempt(): Promise<boolean> {
    const host = this.#host
    const seen = await this.#look()
    await forwardOpened(host, seen.survey)
    // What the bridge is to keep apart it does before the firewall stops to, and lets go of after the firewall began to.
    await setIsolation(host, seen.survey, true)
    const isWhole = await this.#change(seen)
    if (isWhole === undefined) return false
    const hasShown = await setView(host, seen.survey)
    const hasOpened = await setIsolation(host, seen.survey, false)
    // Who is attached after the policies stood knows them, and who was before the look has been seen. Else: nobody came or went since. What
    // was taken off a bridge another change of policies may need by now.
    const isDone = (isWhole && !hasShown && !hasOpened) || isAsSeen(seen.survey.links, await host.listLinks())
    if (!isDone) return false
    await removeStrangers(host, seen)
    await finishOthers(host, seen.survey, this.#own ?? [])
    return true
  }
}

/**
 * Resolves when the firewall goes by the policies that the devices remember, for all containers that there are. Others may change
 * policies, attach and detach at the same time. `own`: the record of the one change that is the reason, where nothing else is in doubt.
 */
export async function syncPolicies(host: Netns, own?: readonly string[]): Promise<void> {
  const sync = new Sync(host, own)
  for (let attempt = 0; ; attempt++) {
    try {
      if (await sync.attempt()) return
    } catch (error) {
      const isBeaten = error instanceof TornDumpError || isCode(error, 'ENOENT', 'EEXIST', 'ERESTART')
      if (!isBeaten || attempt >= mostAttempts) throw error
    }
  }
}
