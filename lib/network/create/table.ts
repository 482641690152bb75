// The firewall table in the kernel: made with the first network, gone with the last.

import { firstRefusal, kernel, NetlinkError } from '../../errors.ts'
import { read } from '../../exchange.ts'
import { type Message, type NamespaceHandle, native } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import { NetworkError } from '../errors.ts'
import {
  compiledTable,
  type FirewalledNetwork,
  familyNumber,
  listElements,
  networkAdded,
  networkRemoved,
  networksSets,
  resolverMoved,
  TABLE_NAME,
  type TableFamily,
  tablesFor,
} from '../firewall/index.ts'
import { tableBody } from '../state/table.ts'

const AF_UNSPEC = 0
const mostRestarts = 16

const asMessages = (messages: readonly unknown[], step: string): Message[] =>
  (messages as readonly Message[]).map((message) => ({ ...message, step }))

const isCode = (error: unknown, code: string): boolean => error instanceof NetlinkError && error.code === code

/** Makes the network known to the firewall; a table with it, where there is none yet. Atomic. Whether it made one. */
export async function addToTable(host: Netns, network: FirewalledNetwork): Promise<boolean> {
  const handle = Netns.handleOf(host)
  const added = asMessages(networkAdded(network, { exclusive: true }), `let the network '${network.name}' into the firewall`)
  for (let attempt = 0; ; attempt++) {
    try {
      await kernel(native.transact(handle, added))
      return false
    } catch (error) {
      // Its sets have other keys: another version's.
      if (isCode(error, 'EINVAL') && (error as NetlinkError).syscall === 'NFT_MSG_NEWSETELEM') throw tableInUse(network, error)
      // ENOENT: no table yet. EEXIST with the table in the batch: another process made it in between, and the first way works now.
      if (!isCode(error, 'ENOENT')) throw error
    }
    const missing: Message[] = []
    for (const table of tablesFor(network)) {
      if ((await tableBody(handle, table)) === undefined)
        missing.push(...asMessages(compiledTable(table).messages, 'make the firewall table'))
    }
    try {
      await kernel(native.transact(handle, [...missing, ...added]))
      return missing.length > 0
    } catch (error) {
      const isLate = isCode(error, 'EEXIST') && (error as NetlinkError).syscall === 'NFT_MSG_NEWTABLE'
      // A table that lost its sets, if none is missing.
      if (!isLate && !isCode(error, 'ENOENT')) throw error
      if (attempt >= mostRestarts) throw tableInUse(network, error)
    }
  }
}

/** Leads who asks for names to another port of the gateways. A table that is gone is restored with all that is in it by others. */
export async function moveResolver(host: Netns, network: FirewalledNetwork, port: number): Promise<void> {
  const messages = asMessages(resolverMoved(network, port), `lead to the resolver of '${network.name}'`)
  try {
    await kernel(native.transact(Netns.handleOf(host), messages))
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error
  }
}

function tableInUse(network: FirewalledNetwork, cause: unknown): NetworkError {
  const names = tablesFor(network).map((table) => `table ${table} ${TABLE_NAME}`)
  const which = `the host has a ${names.join(' or a ')} that this library did not make, or another version of it, or that lost its sets`
  return new NetworkError('TABLE_IN_USE', `${which}: nft delete ${names[0]}`, { cause })
}

async function generation(handle: NamespaceHandle): Promise<number> {
  const outcomes = await kernel(native.submit(handle, [{ type: 'NFT_MSG_GETGEN', flags: 0, body: { family: AF_UNSPEC } }]))
  const refusal = firstRefusal(outcomes)
  if (refusal !== undefined) throw new NetlinkError(refusal)
  return Number(outcomes[0]?.replies[0]?.['id'])
}

async function networksInTable(handle: NamespaceHandle, table: TableFamily): Promise<number> {
  const { objects } = await read(handle, listElements(networksSets[table]) as Message, ({ elements }) => elements)
  return objects.reduce<number>((sum, elements) => sum + (Array.isArray(elements) ? elements.length : 0), 0)
}

/** The network's elements go; with the last network of a table that goes, too. A table that is gone already is no error. */
export async function removeFromTable(host: Netns, network: FirewalledNetwork): Promise<void> {
  // One of the same name that was lost may have asked who sends.
  for (const table of ['bridge', 'inet'] as const) await removeFrom(Netns.handleOf(host), network, table)
}

async function removeFrom(handle: NamespaceHandle, network: FirewalledNetwork, table: TableFamily): Promise<void> {
  const step = `take the network '${network.name}' out of the firewall`
  const removed = asMessages(networkRemoved(network, table), step)
  const body = { family: familyNumber(networksSets[table]), name: TABLE_NAME }
  for (let attempt = 0; ; attempt++) {
    try {
      await kernel(native.transact(handle, removed))
      // Only if nobody adds a network between the look and the deletion: the batch is bound to the generation that was looked at.
      const seen = await generation(handle)
      if ((await networksInTable(handle, table)) > 0) return
      await kernel(native.transact(handle, asMessages([{ type: 'NFT_MSG_DELTABLE', flags: 0, body }], step), seen))
      return
    } catch (error) {
      if (isCode(error, 'ENOENT')) return
      if (!isCode(error, 'ERESTART') || attempt >= mostRestarts) throw error
    }
  }
}
