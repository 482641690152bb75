// Commands, sent as one transaction; what the kernel refuses is named as the command that asked for it.

import { throwIfAborted } from '../abort.ts'
import { isRefusal, NetlinkError } from '../errors.ts'
import { read } from '../exchange.ts'
import { type Body, type KernelRefusal, type Message, type NamespaceHandle, native, type Outcome } from '../native.ts'
import { type Compiled, compile, compileOrAsk } from './compile/compile.ts'
import { type SetPlace, type SetShape, setKey } from './compile/transaction.ts'
import { isOpaque, knownSet } from './decompile/known-set.ts'
import { families } from './message.ts'
import { generation } from './read.ts'
import type { Command } from './schema.ts'

const NLM_F_ECHO = 0x8
const mostRestarts = 16

/** For each command the handle of what it made, if they are wanted. */
export async function apply(
  handle: NamespaceHandle,
  commands: readonly Command[],
  wantsHandles: boolean,
  signal?: AbortSignal,
): Promise<(number | undefined)[]> {
  for (let attempt = 0; ; attempt++) {
    const { compiled, seen } = await compileWith(handle, commands)
    throwIfAborted(signal)
    try {
      return handlesOf(compiled, await transact(handle, compiled, seen, wantsHandles), commands.length)
    } catch (error) {
      // The sets that were looked at may be others by now.
      if (!(error instanceof NetlinkError && error.code === 'ERESTART') || attempt >= mostRestarts) throw error
    }
  }
}

/** Nothing is asked unless the commands speak of sets that they do not declare; then the transaction is bound to that generation. */
async function compileWith(
  handle: NamespaceHandle,
  commands: readonly Command[],
): Promise<{ compiled: Compiled; seen: number | undefined }> {
  const first = compileOrAsk(commands, new Map())
  if ('messages' in first) return { compiled: first, seen: undefined }
  const seen = await generation(handle)
  const known = new Map<string, SetShape>()
  const asked = new Set<string>()
  for (let found = first; ; ) {
    const tables = tablesOf(found.unknown).filter(({ family, table }) => !asked.has(`${family} ${table}`))
    // What is still unknown does not exist, or has a type without a word here: where that matters the compiler says so.
    if (tables.length === 0) return { compiled: compile(commands, known), seen }
    for (const { family, table } of tables) {
      asked.add(`${family} ${table}`)
      for (const [key, shape] of await shapesOf(handle, { family, table })) known.set(key, shape)
    }
    const next = compileOrAsk(commands, known)
    if ('messages' in next) return { compiled: next, seen }
    found = next
  }
}

const tablesOf = (sets: readonly SetPlace[]): Pick<SetPlace, 'family' | 'table'>[] => [
  ...new Map(sets.map(({ family, table }) => [`${family} ${table}`, { family, table }])).values(),
]

async function shapesOf(
  handle: NamespaceHandle,
  { family, table }: Pick<SetPlace, 'family' | 'table'>,
): Promise<[string, SetShape][]> {
  const body: Body = { family: families[family], table }
  const { objects } = await read(
    handle,
    { type: 'NFT_MSG_GETSET', flags: 0, body, step: `look for the sets of table ${family} ${table}` },
    (object) => object,
  )
  return objects.flatMap((object): [string, SetShape][] => {
    const set = knownSet(object)
    if (set.table !== table || isOpaque(set.key) || set.objects !== undefined) return []
    if (set.data !== undefined && set.data !== 'verdict' && isOpaque(set.data)) return []
    return [[setKey(family, table, set.name), set]]
  })
}

/** What is made with a handle. */
const made: ReadonlySet<string> = new Set(['TABLE', 'CHAIN', 'RULE', 'SET', 'OBJ'].map((kind) => `NFT_MSG_NEW${kind}`))

async function transact(
  handle: NamespaceHandle,
  { messages, places }: Compiled,
  seen: number | undefined,
  wantsHandles: boolean,
): Promise<readonly Outcome[]> {
  const sent = messages.map((message, index): Message => {
    const flags = wantsHandles && made.has(message.type) ? message.flags | NLM_F_ECHO : message.flags
    return { ...message, body: message.body as Body, flags, step: places[index]?.path ?? '' }
  })
  try {
    return await native.transact(handle, sent, seen)
  } catch (failure) {
    throw isRefusal(failure) ? new NetlinkError(placed(failure, places)) : failure
  }
}

/** The position of the message becomes that of the command, and what it is for the place inside of it. */
function placed(refusal: KernelRefusal, places: Compiled['places']): KernelRefusal {
  const place = refusal.index === undefined ? undefined : places[refusal.index]
  if (place === undefined) return refusal
  const part = /^NFTA_(?:SET_ELEM_LIST_ELEMENTS|RULE_EXPRESSIONS)\[(\d+)\]/.exec(refusal.attribute ?? '')?.[1]
  const step = (part === undefined ? undefined : place.parts[Number(part)]) ?? place.path
  return { ...refusal, index: place.command, step }
}

function handlesOf({ messages, places }: Compiled, outcomes: readonly Outcome[], count: number): (number | undefined)[] {
  const handles = new Array<number | undefined>(count).fill(undefined)
  messages.forEach(({ type }, index) => {
    const handle = outcomes[index]?.replies[0]?.['handle']
    const command = places[index]?.command
    // Sets in place come before the rule that they stand in.
    if (made.has(type) && command !== undefined && typeof handle === 'bigint') handles[command] = Number(handle)
  })
  return handles
}
