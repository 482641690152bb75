// Our table as the kernel has it, beside the one that this library makes.

import { constants } from 'node:os'
import { firstRefusal, kernel, NetlinkError } from '../../errors.ts'
import { optionalText, read } from '../../exchange.ts'
import { type Body, type Message, type NamespaceHandle, native } from '../../native.ts'
import { readComment } from '../../nftables/userdata.ts'
import { isOfPolicies, noPolicies, type PolicyPart } from '../../policy/firewall.ts'
import {
  compiledTable,
  familyNumber,
  listElements,
  networksSets,
  TABLE_COMMENT,
  TABLE_NAME,
  type TableFamily,
  tableOf,
} from '../firewall/index.ts'
import { comparable } from './comparable.ts'
import { type Finding, finding } from './finding.ts'

const { ENOENT } = constants.errno

/** Of one table what differs in its own parts, without elements. */
export interface SeenTable {
  readonly table: TableFamily
  readonly findings: readonly Finding[]
}

export interface SeenTables {
  readonly tables: readonly SeenTable[]
  /** The elements of each of our sets. */
  readonly elements: ReadonlyMap<string, readonly Body[]>
}

const verdicts = 0xffffff00
const tables: readonly TableFamily[] = ['inet', 'bridge']

/** The number of its family. */
const numberOf = (table: TableFamily): number => familyNumber(networksSets[table])

const bodiesOf = (table: TableFamily, type: string, policies: PolicyPart = noPolicies): readonly Body[] =>
  compiledTable(table, table === 'inet' ? policies : noPolicies)
    .messages.filter((message) => message.type === type)
    .map(({ body }) => body as Body)

/** What makes a set: the rest of what the kernel tells follows from it. */
function setShape({ flags, keyType, keyLen, dataType, dataLen }: Body): string {
  return comparable({ flags, keyType, keyLen, dataType, dataLen: dataType === verdicts ? undefined : dataLen })
}

const chainShape = ({ type, hook, policy }: Body): string => comparable({ type, hook, policy })
export const ruleShape = ({ expressions }: Body): string => comparable(expressions)
export const nameOf = (body: Body): string => optionalText(body['name']) ?? ''

/** Those of one table, or of all. */
export const ourSets = (only: readonly TableFamily[] = tables): string[] =>
  only.flatMap((table) => bodiesOf(table, 'NFT_MSG_NEWSET').map(nameOf))

/** Nothing when the table, or the set, is not there. */
export async function dumped(handle: NamespaceHandle, table: TableFamily, message: Message): Promise<readonly Body[]> {
  try {
    const { objects } = await read(handle, message, (body) => body)
    return objects.filter((body) => body['table'] === TABLE_NAME && body['family'] === numberOf(table))
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === -ENOENT) return []
    throw error
  }
}

/** undefined when there is no table of our name. */
export async function tableBody(handle: NamespaceHandle, table: TableFamily): Promise<Body | undefined> {
  const body = { family: numberOf(table), name: TABLE_NAME }
  const outcomes = await kernel(native.submit(handle, [{ type: 'NFT_MSG_GETTABLE', flags: 0, body }]))
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
  const bodies = await dumped(handle, tableOf(set), listElements(set) as Message)
  return bodies.flatMap(({ elements }) => (Array.isArray(elements) ? (elements as Body[]) : []))
}

/** Of the sets that the table always has, and of those of policies that there are. */
export async function readElements(handle: NamespaceHandle): Promise<Map<string, readonly Body[]>> {
  // Most hosts have no network that asks who sends.
  const isThere = (await tableBody(handle, 'bridge')) !== undefined
  const own = ourSets(isThere ? tables : ['inet'])
  const place = { family: numberOf('inet'), table: TABLE_NAME }
  const all = await dumped(handle, 'inet', { type: 'NFT_MSG_GETSET', flags: 0, body: place })
  const sets = [...own, ...all.map(nameOf).filter(isOfPolicies)]
  return new Map(await Promise.all(sets.map(async (set) => [set, await readSet(handle, set)] as const)))
}

/** Sets and chains by their names: those that lack, those of another shape, and those that nobody asked for. `where`: behind the names. */
function compareNamed(
  kind: 'set' | 'chain',
  where: string,
  wanted: readonly Body[],
  has: readonly Body[],
  shape: (body: Body) => string,
): Finding[] {
  const own = new Map(has.map((body) => [nameOf(body), body]))
  const findings = wanted.flatMap((body) => {
    const name = nameOf(body)
    const found = own.get(name)
    own.delete(name)
    if (found === undefined) return [finding(`${kind}-missing`, `the ${kind} ${name}${where}`)]
    return shape(found) === shape(body) ? [] : [finding(`${kind}-different`, `the ${kind} ${name}${where}`)]
  })
  return [
    ...findings,
    ...Array.from(own.keys(), (name) => finding('table-different', `a ${kind} ${name}${where} that is not ours`)),
  ]
}

function compareRules(where: string, chains: readonly string[], wanted: readonly Body[], has: readonly Body[]): Finding[] {
  const rulesOf = (bodies: readonly Body[], chain: string): string[] =>
    bodies.filter((body) => body['chain'] === chain).map(ruleShape)
  return chains.flatMap((chain) => {
    const [ours, theirs] = [rulesOf(wanted, chain), rulesOf(has, chain)]
    if (ours.join('\n') === theirs.join('\n')) return []
    return [finding('chain-different', `the rules of the chain ${chain}${where}: ${theirs.length}, not our ${ours.length}`)]
  })
}

/** By its comment, which tells the version. */
export function isOurs({ userdata }: Body): boolean {
  return userdata instanceof Uint8Array && readComment(userdata) === TABLE_COMMENT
}

async function compareTable(handle: NamespaceHandle, table: TableFamily, policies: PolicyPart): Promise<Finding[]> {
  const body = await tableBody(handle, table)
  const title = `table ${table} ${TABLE_NAME}`
  if (body === undefined) return [finding('table-missing', `the ${title}`)]
  if (!isOurs(body)) return [finding('table-foreign', `a ${title} that this version of the library did not make`, {}, false)]
  const place = { family: numberOf(table), table: TABLE_NAME }
  const dump = (type: string): Promise<readonly Body[]> => dumped(handle, table, { type, flags: 0, body: place })
  const [sets, chains, rules] = await Promise.all(['NFT_MSG_GETSET', 'NFT_MSG_GETCHAIN', 'NFT_MSG_GETRULE'].map(dump))
  const where = table === 'inet' ? '' : ` of the ${title}`
  const ours = bodiesOf(table, 'NFT_MSG_NEWCHAIN', policies)
  const chainFindings = compareNamed('chain', where, ours, chains ?? [], chainShape)
  const isWhole = (one: Finding): boolean => !chainFindings.some(({ what }) => one.what.startsWith(`the rules of ${what}:`))
  return [
    // Dormant: the table is there and does nothing.
    ...(body['flags'] === 0 ? [] : [finding('table-different', `the flags of the ${title}`)]),
    ...compareNamed('set', where, bodiesOf(table, 'NFT_MSG_NEWSET', policies), sets ?? [], setShape),
    ...chainFindings,
    ...compareRules(where, ours.map(nameOf), bodiesOf(table, 'NFT_MSG_NEWRULE', policies), rules ?? []).filter(isWhole),
  ]
}

/** Both tables, whether or not the host's networks need them, beside what policies make of them. */
export async function readTables(handle: NamespaceHandle, policies: PolicyPart): Promise<SeenTables> {
  const [compared, elements] = await Promise.all([
    Promise.all(tables.map(async (table) => ({ table, findings: await compareTable(handle, table, policies) }))),
    readElements(handle),
  ])
  return { tables: compared, elements }
}
