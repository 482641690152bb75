// The connections that a namespace tracks: what NAT and stateful rules go by.

import { constants } from 'node:os'
import { signalOf, throwIfAborted } from '../abort.ts'
import { kernel, NetlinkError } from '../errors.ts'
import { dump } from '../exchange.ts'
import { fields, invalidValue } from '../invalid.ts'
import { type Body, type NamespaceHandle, native } from '../native.ts'
import { bodyOf, type FlowFilter, isEmpty, type Question, questions } from './filter.ts'
import { type Flow, flowFrom } from './flow.ts'

const { ENOENT } = constants.errno
/** Of nfgenmsg. With 0 a deletion without a tuple takes both families, whatever it says. */
const heedFamily = 1
/** In one submission. */
const mostMessages = 128

/** Runs an operation in the namespace. */
type Use = <T>(operation: (handle: NamespaceHandle) => Promise<T>) => Promise<T>

/** `netns.conntrack`: the tracked connections of one namespace; see conntrack(8), linux/netfilter/nfnetlink_conntrack.h. */
export class Conntrack {
  readonly #use: Use

  /** @internal use Netns.conntrack */
  constructor(use: Use) {
    this.#use = use
  }

  /**
   * The connections that match: `list({ protocol: 'tcp', original: { destinationPort: 8080 } })`. The kernel compares, but for IPv6
   * addresses, which it gets wrong. With neither a family nor an address, a filter for a protocol or ports is asked once for each family.
   */
  async list(filter: FlowFilter = {}): Promise<Flow[]> {
    const asked = questions(filter)
    const signal = signalOf(filter, 'filter')
    return this.#use(async (handle) => (await Promise.all(asked.map((question) => find(handle, question, signal)))).flat())
  }

  /**
   * Forgets the connections that match: later packets of theirs are new ones, to be judged and translated anew. None that matches is
   * no error. One message for each family; those of an IPv6 address are listed and deleted one by one; a signal that is
   * aborted meanwhile spares the rest. An empty filter is refused: `flush()` says so. Needs Linux 6.11.
   */
  async delete(filter: FlowFilter): Promise<void> {
    const asked = questions(filter)
    if (isEmpty(filter)) throw invalidValue('filter', 'must name something: flush() forgets all connections', filter)
    const signal = signalOf(filter, 'filter')
    await this.#use(async (handle) => {
      for (const question of asked) {
        const bodies = question.matches === undefined ? [question.body] : (await find(handle, question, signal)).map(bodyOf)
        await remove(handle, bodies, 'forget connections', signal)
      }
    })
  }

  /** @internal exactly these, by their numbers; those that are gone already are no error */
  async forget(flows: readonly Flow[]): Promise<void> {
    await this.#use((handle) => remove(handle, flows.map(bodyOf), 'forget connections'))
  }

  /** Forgets all connections, or all of a family. */
  async flush(options: { readonly family?: 'inet' | 'inet6' } = {}): Promise<void> {
    fields(options, 'options', ['family'])
    const bodies = questions(options).map(({ body }) => body)
    await this.#use((handle) => remove(handle, bodies, 'forget all connections'))
  }
}

async function find(handle: NamespaceHandle, { body, matches }: Question, signal: AbortSignal | undefined): Promise<Flow[]> {
  const flows = await dump(handle, 'IPCTNL_MSG_CT_GET', body, 'the connections', flowFrom, { signal })
  return matches === undefined ? flows : flows.filter(matches)
}

/** What is gone already is no error. */
async function remove(handle: NamespaceHandle, bodies: readonly Body[], step: string, signal?: AbortSignal): Promise<void> {
  for (let at = 0; at < bodies.length; at += mostMessages) {
    throwIfAborted(signal)
    const messages = bodies
      .slice(at, at + mostMessages)
      .map((body) => ({ type: 'IPCTNL_MSG_CT_DELETE', flags: 0, body: { version: heedFamily, ...body }, step }))
    for (const { error } of await kernel(native.submit(handle, messages))) {
      if (error !== undefined && error.errno !== ENOENT) throw new NetlinkError(error)
    }
  }
}
