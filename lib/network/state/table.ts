// Our table as the kernel has it, beside the one that this library makes.

import { constants } from 'node:os'
import { firstRefusal, kernel, NetlinkError } from '../../errors.ts'
import { optionalText, read } from '../../exchange.ts'
import { type Body, type Message, type NamespaceHandle, native } from '../../native.ts'
import { readComment } from '../../nftables/userdata.ts'
import { isOfPolicies, noPolicies, type PolicyPart } from '../../policy/firewall.ts'
import { compiledTable, listElements, TABLE_COMMENT, tableName } from '../firewall/index.ts'
import { comparable } from './comparable.ts'
import { type Finding, finding } from './finding.ts'

const { ENOENT } = constants.errno

export interface SeenTable {
  /** What differs in the table's own parts, without elements. */
  readonly findings: readonly Finding[]
  /** The elements of each of our sets. */
  readonly elements: ReadonlyMap<string, readonly Body[]>
}

const { family, name: table } = tableName
const verdicts = 0xffffff00

const bodiesOf = (type: string, policies: PolicyPart): readonly Body[] =>
  compiledTable(policies)
    .messages.filter((message) => message.type === type)
    .map(({ body }) => body as Body)

/** What makes a set: the rest of what the kernel tells follows from it. */
function setShape({ flags, keyType, keyLen, dataType, dataLen }: Body): string {
  return comparable({ flags, keyType, keyLen, dataType, dataLen: dataType === verdicts ? undefined : dataLen })
}

const chainShape = ({ type, hook, policy }: Body): string => comparable({ type, hook, policy })
export const ruleShape = ({ expressions }: Body): string => comparable(expressions)
export const nameOf = (body: Body): string => optionalText(body, 'name') ?? ''

/** Nothing when the table, or the set, is not there. */
export async function dumped(handle: NamespaceHandle, message: Message): Promise<readonly Body[]> {
  try {
    const { objects } = await read(handle, message, (body) => body)
    return objects.filter((body) => body['table'] === table && body['family'] === family)
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === -ENOENT) return []
    throw error
  }
}

/** undefined when there is no table of our name. */
export async function tableBody(handle: NamespaceHandle): Promise<Body | undefined> {
  const outcomes = await kernel(native.submit(handle, [{ type: 'NFT_MSG_GETTABLE', flags: 0, body: { family, name: table } }]))
  const refusal = firstRefusal(outcomes)
  if (refusal !== undefined && refusal.errno !== ENOENT) throw new NetlinkError(refusal)
  return outcomes[0]?.replies[0]
}

export async function generationOf(handle: NamespaceHandle): Promise<number> {
  const outcomes = await kernel(native.submit(handle, [{ type: 'NFT_MSG_GETGEN', flags: 0, body: { family: 0 } }]))
  const refusal = firstRefusal(outcomes)
  if (refusal !== undefined) throw new NetlinkError(refusal)
  return Number(outcomes[0]?.replies[0]?.['id'])
}

export async function readSet(handle: NamespaceHandle, set: string): Promise<readonly Body[]> {
  const bodies = await dumped(handle, listElements(set) as Message)
  return bodies.flatMap(({ elements }) => (Array.isArray(elements) ? (elements as Body[]) : []))
}

/** Of the sets that the table always has, and of those of policies that there are. */
export async function readElements(handle: NamespaceHandle): Promise<Map<string, readonly Body[]>> {
  const own = bodiesOf('NFT_MSG_NEWSET', noPolicies).map(nameOf)
  const sets = await dumped(handle, { type: 'NFT_MSG_GETSET', flags: 0, body: { family, table } })
  const all = [...own, ...sets.map(nameOf).filter(isOfPolicies)]
  return new Map(await Promise.all(all.map(async (set) => [set, await readSet(handle, set)] as const)))
}

/** Sets and chains by their names: those that lack, those of another shape, and those that nobody asked for. */
function compareNamed(
  kind: 'set' | 'chain',
  wanted: readonly Body[],
  has: readonly Body[],
  shape: (body: Body) => string,
): Finding[] {
  const own = new Map(has.map((body) => [nameOf(body), body]))
  const findings = wanted.flatMap((body) => {
    const name = nameOf(body)
    const found = own.get(name)
    own.delete(name)
    if (found === undefined) return [finding(`${kind}-missing`, `the ${kind} ${name}`)]
    return shape(found) === shape(body) ? [] : [finding(`${kind}-different`, `the ${kind} ${name}`)]
  })
  return [...findings, ...Array.from(own.keys(), (name) => finding('table-different', `a ${kind} ${name} that is not ours`))]
}

function compareRules(chains: readonly string[], wanted: readonly Body[], has: readonly Body[]): Finding[] {
  const rulesOf = (bodies: readonly Body[], chain: string): string[] =>
    bodies.filter((body) => body['chain'] === chain).map(ruleShape)
  return chains.flatMap((chain) => {
    const [ours, theirs] = [rulesOf(wanted, chain), rulesOf(has, chain)]
    if (ours.join('\n') === theirs.join('\n')) return []
    return [finding('chain-different', `the rules of the chain ${chain}: ${theirs.length}, not our ${ours.length}`)]
  })
}

/** By its comment, which tells the version. */
export function isOurs({ userdata }: Body): boolean {
  return userdata instanceof Uint8Array && readComment(userdata) === TABLE_COMMENT
}

async function compareTable(handle: NamespaceHandle, policies: PolicyPart): Promise<Finding[]> {
  const body = await tableBody(handle)
  if (body === undefined) return [finding('table-missing', `the table inet ${table}`)]
  if (!isOurs(body))
    return [finding('table-foreign', `a table inet ${table} that this version of the library did not make`, {}, false)]
  const dump = (type: string): Promise<readonly Body[]> => dumped(handle, { type, flags: 0, body: { family, table } })
  const [sets, chains, rules] = await Promise.all(['NFT_MSG_GETSET', 'NFT_MSG_GETCHAIN', 'NFT_MSG_GETRULE'].map(dump))
  const ownChains = bodiesOf('NFT_MSG_NEWCHAIN', policies)
  const chainFindings = compareNamed('chain', ownChains, chains ?? [], chainShape)
  const isWhole = (one: Finding): boolean => !chainFindings.some(({ what }) => one.what.startsWith(`the rules of ${what}:`))
  return [
    // Dormant: the table is there and does nothing.
    ...(body['flags'] === 0 ? [] : [finding('table-different', `the flags of the table inet ${table}`)]),
    ...compareNamed('set', bodiesOf('NFT_MSG_NEWSET', policies), sets ?? [], setShape),
    ...chainFindings,
    ...compareRules(ownChains.map(nameOf), bodiesOf('NFT_MSG_NEWRULE', policies), rules ?? []).filter(isWhole),
  ]
}

export async function readTable(handle: NamespaceHandle, policies: PolicyPart): Promise<SeenTable> {
  const [findings, elements] = await Promise.all([compareTable(handle, policies), readElements(handle)])
  return { findings, elements }
}
