// What of the firewall is not as the devices say it should be for policies, and the one transaction that makes it so.

import type { Body, Message, NamespaceHandle } from '../native.ts'
import type { Netns } from '../netns/netns.ts'
import { compiledTable, networksSets, tableName } from '../network/firewall/index.ts'
import { comparable } from '../network/state/comparable.ts'
import {
  addition,
  difference,
  leavingEnds,
  networkElements,
  placeOf,
  policedElements,
  presentElements,
  removal,
  type Wanted,
} from '../network/state/elements.ts'
import { policiesSeen, type Survey, survey } from '../network/state/survey.ts'
import { dumped, nameOf, readSet, ruleShape } from '../network/state/table.ts'
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL } from '../nftables/message.ts'
import { isOfPolicies, isPolicyChain, type PolicyPart, versionSet } from './firewall.ts'
import { isPolicySet, memberSets } from './sets.ts'

const { family, name: table } = tableName
const step = 'change the policies in the firewall'

export interface Seen {
  readonly survey: Survey
  readonly part: PolicyPart
  /** The sets of policies that are there. */
  readonly sets: ReadonlySet<string>
  /** Of those that were read, and of the networks. */
  readonly elements: ReadonlyMap<string, readonly Body[]>
  readonly chains: readonly string[]
  readonly rules: readonly Body[]
}

/** Which sets may have other elements than their names, and those of the other policies, say. */
export type Doubt = (set: string, seen: Survey) => boolean

export async function look(handle: NamespaceHandle, host: Netns, isInDoubt: Doubt): Promise<Seen> {
  const dump = (type: string): Promise<readonly Body[]> => dumped(handle, 'inet', { type, flags: 0, body: { family, table } })
  const all = (await dump('NFT_MSG_GETSET')).map(nameOf).filter((set) => isOfPolicies(set) || set === networksSets.inet)
  const elements = new Map<string, readonly Body[]>()
  // The version before all else: who changes something afterwards has replaced it by the time of the transaction.
  if (all.includes(versionSet)) elements.set(versionSet, await readSet(handle, versionSet))
  const found = await survey(host)
  const asked = all.filter((set) => set !== versionSet && (!isPolicySet(set) || isInDoubt(set, found)))
  await Promise.all(asked.map(async (set) => elements.set(set, await readSet(handle, set))))
  const [chains = [], rules = []] = await Promise.all(['NFT_MSG_GETCHAIN', 'NFT_MSG_GETRULE'].map(dump))
  return { survey: found, part: policiesSeen(found), sets: new Set(all), elements, chains: chains.map(nameOf), rules }
}

const message = (type: string, body: Body, flags = 0): Message => ({ type, flags, body: { family, table, ...body }, step })
const added = (type: string, body: Body, flags = 0): Message => ({ type, flags: NLM_F_CREATE | flags, body, step })

/** What the policies want, as messages that add it. */
class Plan {
  readonly sets: readonly Body[]
  readonly chains: readonly Body[]
  readonly #rules: readonly Body[]
  readonly #fills: ReadonlyMap<string, Body>

  constructor(part: PolicyPart) {
    const { messages } = compiledTable('inet', part)
    const bodies = (type: string): Body[] => messages.filter((one) => one.type === type).map(({ body }) => body as Body)
    this.sets = bodies('NFT_MSG_NEWSET').filter((body) => isOfPolicies(nameOf(body)))
    this.chains = bodies('NFT_MSG_NEWCHAIN').filter((body) => isPolicyChain(nameOf(body)) || nameOf(body) === 'forward')
    this.#rules = bodies('NFT_MSG_NEWRULE')
    this.#fills = new Map(bodies('NFT_MSG_NEWSETELEM').map((body) => [String(body['set']), body]))
  }

  rulesOf(chain: string): readonly Body[] {
    return this.#rules.filter((body) => body['chain'] === chain)
  }

  fill(set: string): Body | undefined {
    return this.#fills.get(set)
  }

  elementsOf(set: string): readonly Body[] {
    return (this.#fills.get(set)?.['elements'] ?? []) as readonly Body[]
  }
}

/** The elements' places, in whatever order the kernel lists them. */
const placesOf = (set: string, bodies: readonly Body[]): string =>
  bodies
    .map((body) => placeOf(set, body))
    .sort()
    .join('\n')
const shapeOf = (rules: readonly Body[]): string => rules.map(ruleShape).join('\n')

/** What single containers lack in sets that are new or were read, and networks in theirs. */
function missingElements({ survey: seen, sets, elements }: Seen): Message[] {
  const { networks, policies } = seen
  const isMeant = (set: string): boolean => !sets.has(set) || elements.has(set)
  const meant = policies.filter((policy) => memberSets(policy).some(isMeant))
  const wanted = new Map<string, Wanted>()
  const ends = [...Array.from(networks.values()).flatMap((one) => one.ends), ...leavingEnds(seen)]
  const members = meant.length === 0 ? [] : ends.flatMap((end) => policedElements(end, meant)).filter(({ set }) => isMeant(set))
  const own = Array.from(networks.values()).flatMap((one) => networkElements(one, policies))
  for (const element of [...own.filter(({ set }) => set === networksSets.inet), ...members])
    wanted.set(placeOf(element.set, element.body), element)
  const { missing, different } = difference(wanted, presentElements(elements))
  return [...removal(different.map((one) => one.present)), ...addition([...missing, ...different.map((one) => one.wanted)])]
}

function setMessages({ part, sets, elements }: Seen, plan: Plan): Message[] {
  const fresh = plan.sets.map(nameOf).filter((set) => !sets.has(set) && set !== versionSet)
  const differs = (set: string): boolean => placesOf(set, elements.get(set) ?? []) !== placesOf(set, plan.elementsOf(set))
  const refilled = part.sets
    .filter(({ name, isOfContainers }) => name !== versionSet && isOfContainers !== true && elements.has(name))
    .map(({ name }) => name)
    .filter(differs)
  return [
    ...plan.sets.filter((body) => fresh.includes(nameOf(body))).map((body) => added('NFT_MSG_NEWSET', body)),
    ...refilled.map((set) => message('NFT_MSG_DELSETELEM', { set })),
    ...[...fresh, ...refilled]
      .flatMap((set): readonly Body[] => {
        const body = plan.fill(set)
        return body === undefined ? [] : [body]
      })
      .map((body) => added('NFT_MSG_NEWSETELEM', body)),
  ]
}

/** Takes the version that was seen, which must still be there, and puts the next in its place. */
function guardOf({ elements }: Seen, plan: Plan): Message[] {
  const has = elements.get(versionSet)
  const keys = (has ?? []).flatMap(({ key }): Body[] => (key === undefined ? [] : [{ key }]))
  const out = keys.length === 0 ? [] : [message('NFT_MSG_DELSETELEM', { set: versionSet, elements: keys })]
  const fill = plan.fill(versionSet)
  if (fill === undefined) return has === undefined ? [] : [...out, message('NFT_MSG_DELSET', { name: versionSet })]
  const made = plan.sets.filter((body) => has === undefined && nameOf(body) === versionSet)
  return [...made.map((body) => added('NFT_MSG_NEWSET', body, NLM_F_EXCL)), ...out, added('NFT_MSG_NEWSETELEM', fill, NLM_F_EXCL)]
}

export interface Change {
  /**
   * One transaction, refused as a whole when somebody else changed policies since the look (ENOENT, EEXIST). Empty when the firewall is
   * as it should be. What is in it beside is for `gc`: nobody takes a container out of a set here, who may be another by now.
   */
  readonly messages: readonly Message[]
  /** Whether the policies were there already, so that at most containers lacked. */
  readonly isSettled: boolean
  /** Sets of single containers that it makes. */
  readonly made: readonly string[]
}

export function changeOf(seen: Seen): Change {
  const { sets, elements, chains, rules } = seen
  const plan = new Plan(seen.part)
  const changed = plan.chains.filter((body) => {
    const chain = nameOf(body)
    const has = rules.filter((rule) => rule['chain'] === chain)
    return !chains.includes(chain) || shapeOf(has) !== shapeOf(plan.rulesOf(chain))
  })
  const emptied = changed.map(nameOf).filter((chain) => chains.includes(chain))
  const gone = chains.filter((chain) => isPolicyChain(chain) && !plan.chains.some((body) => nameOf(body) === chain))
  const stale = [...sets].filter(
    (set) => set !== versionSet && isOfPolicies(set) && !plan.sets.some((body) => nameOf(body) === set),
  )
  const rest = missingElements(seen)
  const own = [
    ...[...emptied, ...gone].map((chain) => message('NFT_MSG_DELRULE', { chain })),
    ...gone.map((name) => message('NFT_MSG_DELCHAIN', { name })),
    ...stale.map((name) => message('NFT_MSG_DELSET', { name })),
    ...setMessages(seen, plan),
    ...changed.filter((body) => !chains.includes(nameOf(body))).map((body) => added('NFT_MSG_NEWCHAIN', body)),
    ...changed.flatMap((body) => plan.rulesOf(nameOf(body))).map((body) => added('NFT_MSG_NEWRULE', body, NLM_F_APPEND)),
  ]
  const version = (bodies: readonly Body[]): string => comparable(bodies.map(({ key }) => key))
  const isCurrent = version(elements.get(versionSet) ?? []) === version(plan.elementsOf(versionSet))
  const isSettled = own.length === 0 && isCurrent
  const messages = isSettled && rest.length === 0 ? [] : [...guardOf(seen, plan), ...own, ...rest]
  return { messages, isSettled, made: plan.sets.map(nameOf).filter((set) => isPolicySet(set) && !sets.has(set)) }
}
