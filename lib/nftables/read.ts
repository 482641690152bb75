// The ruleset of a namespace as the kernel dumps it, all of one generation.

import { constants } from 'node:os'
import { firstRefusal, kernel, NetlinkError } from '../errors.ts'
import { read } from '../exchange.ts'
import { type Body, type Message, type NamespaceHandle, native } from '../native.ts'
import type { Dumps } from './decompile/ruleset.ts'
import { families } from './message.ts'
import type { Family } from './schema.ts'

const { ENOENT } = constants.errno
const mostAttempts = 5
const AF_UNSPEC = 0

export interface Wanted {
  readonly family?: Family | undefined
  readonly table?: string | undefined
  readonly chains: boolean
  readonly objects: boolean
  readonly sets: boolean
  readonly rules: boolean
}

/** The number of the last change to the ruleset. */
export async function generation(handle: NamespaceHandle): Promise<number> {
  const outcomes = await kernel(native.submit(handle, [{ type: 'NFT_MSG_GETGEN', flags: 0, body: { family: AF_UNSPEC } }]))
  const refusal = firstRefusal(outcomes)
  if (refusal !== undefined) throw new NetlinkError(refusal)
  return Number(outcomes[0]?.replies[0]?.['id'])
}

export interface Ruleset {
  readonly dumps: Dumps
  readonly torn: boolean
  readonly readings: number
}

/** Read again while the ruleset changes under it, five times at most: `torn` is then true, and the dumps may not fit each other. */
export async function readRuleset(handle: NamespaceHandle, wanted: Wanted, signal?: AbortSignal): Promise<Ruleset> {
  for (let attempt = 1; ; attempt++) {
    const before = await generation(handle)
    const { dumps, torn } = await readOnce((message) => read(handle, message, (object) => object, signal), wanted)
    const changed = torn || (await generation(handle)) !== before
    if (!changed || attempt === mostAttempts) return { dumps, torn: changed, readings: attempt }
  }
}

type Dumped = { readonly objects: readonly Body[]; readonly torn: boolean }

type Dump = (message: Message) => Promise<Dumped>

const nothing: Dumped = { objects: [], torn: false }

async function readOnce(dump: Dump, wanted: Wanted): Promise<{ dumps: Dumps; torn: boolean }> {
  const family = wanted.family === undefined ? AF_UNSPEC : families[wanted.family]
  const all = (type: string): Promise<Dumped> => dump({ type, flags: 0, body: { family } })
  const isWanted =
    (key: string) =>
    (body: Body): boolean =>
      wanted.table === undefined || body[key] === wanted.table
  const [tables, chains, objects, sets, rules] = await Promise.all([
    all('NFT_MSG_GETTABLE'),
    wanted.chains || wanted.rules ? all('NFT_MSG_GETCHAIN') : nothing,
    wanted.objects ? all('NFT_MSG_GETOBJ') : nothing,
    wanted.sets || wanted.rules ? all('NFT_MSG_GETSET') : nothing,
    wanted.rules ? all('NFT_MSG_GETRULE') : nothing,
  ])
  const filled = await Promise.all(sets.objects.filter(isWanted('table')).map((set) => fill(dump, set)))
  return {
    dumps: {
      tables: tables.objects.filter(isWanted('name')),
      chains: chains.objects,
      objects: objects.objects,
      sets: filled,
      rules: rules.objects,
    },
    torn: [tables, chains, objects, sets, rules, ...filled].some(({ torn }) => torn),
  }
}

interface Filled {
  readonly set: Body
  readonly elements: readonly Body[]
  readonly torn: boolean
}

async function fill(dump: Dump, set: Body): Promise<Filled> {
  const { family, table, name } = set
  try {
    const { objects, torn } = await dump({ type: 'NFT_MSG_GETSETELEM', flags: 0, body: { family, table, set: name } })
    const elements = objects.flatMap((part) => (Array.isArray(part['elements']) ? (part['elements'] as readonly Body[]) : []))
    return { set, elements, torn }
  } catch (error) {
    // It went while the others were read.
    if (error instanceof NetlinkError && error.errno === -ENOENT) return { set, elements: [], torn: true }
    throw error
  }
}
