// The ruleset of a namespace in the words of libnftables-json(5).

import { type Abortable, signalOf } from '../abort.ts'
import { TornDumpError } from '../errors.ts'
import { fields, invalidType, name, oneOf, words } from '../invalid.ts'
import type { NamespaceHandle } from '../native.ts'
import { apply } from './apply.ts'
import { family } from './compile/object/place.ts'
import { decompileRuleset } from './decompile/ruleset.ts'
import { readRuleset } from './read.ts'
import type { Command, Family, Listed } from './schema.ts'

/** Runs an operation in the namespace. */
type Use = <T>(operation: (handle: NamespaceHandle) => Promise<T>) => Promise<T>

type KeyOf<T> = T extends unknown ? keyof T : never
export type ListedKind = KeyOf<Listed>
const kinds: readonly ListedKind[] = ['table', 'chain', 'rule', 'set', 'map', 'counter', 'object']

/** All that is given must hold. */
export interface RulesetFilter extends Abortable {
  readonly family?: Family
  /** Its name; of every family that has one, unless `family` is given. */
  readonly table?: string
  /** One kind of object, or several. */
  readonly kind?: ListedKind | readonly ListedKind[]
}

export interface ApplyOptions extends Abortable {
  /**
   * Whether to ask the kernel for the handles of what is made. It sends them all at once: without CAP_NET_ADMIN in the initial user
   * namespace a transaction of hundreds of rules is refused with EMSGSIZE unless this is false.
   *
   * @defaultValue true
   */
  readonly handles?: boolean
}

export interface Applied {
  /**
   * For each command the handle of the table, chain, rule, set, map or counter that it made: what `delete` and `replace` name a rule
   * by. Undefined for commands that make none, where the object was there already, and with `handles: false`.
   */
  readonly handles: readonly (number | undefined)[]
}

/** `netns.nftables`: the packet filter of one namespace; see nft(8), libnftables-json(5), docs/nftables.md. */
export class Nftables {
  readonly #use: Use

  /** @internal use Netns.nftables */
  constructor(use: Use) {
    this.#use = use
  }

  /**
   * Applies commands as `nft -j -f` does: in order, all or none. `add` of what exists is no error (but of a set or chain that is
   * different it is), `create` is; `delete` of what is absent is an error, `destroy` is none (Linux 6.3), but for the elements of a set that is absent. Bare objects, as `list()` gives
   * them, are added.
   *
   * Throws a TypeError or RangeError that names the place (`commands[3].add.rule.expr[1].match.right`) before anything is changed. What the
   * kernel refuses rejects with a NetlinkError: `index` is the command, `operation` the place inside of it, down to the element or the
   * statement where the kernel points at one. One message for each object; sets that the commands speak of without declaring them are
   * looked up first, and the transaction is then bound to what was seen.
   */
  async apply(commands: readonly Command[], options: ApplyOptions = {}): Promise<Applied> {
    const { handles = true } = fields(options, 'options', ['handles', 'signal'])
    if (typeof handles !== 'boolean') throw invalidType('options.handles', 'a boolean', handles)
    const signal = signalOf(options, 'options')
    return this.#use(async (handle) => ({ handles: await apply(handle, commands, handles, signal) }))
  }

  /**
   * The ruleset: tables, and in each its chains, counters, sets and maps with their elements, rules, in nft's order. What the kernel has
   * and the vocabulary has no words for is kept: a statement `{ other }`, an object `{ object }`. Read again when the ruleset changes
   * meanwhile; a TornDumpError after five times.
   */
  async list(filter: RulesetFilter = {}): Promise<Listed[]> {
    const given = fields(filter, 'filter', ['family', 'table', 'kind', 'signal'])
    const only = given['kind'] === undefined ? kinds : words(given['kind'], 'filter.kind', kinds)
    const has = (...some: ListedKind[]): boolean => some.some((kind) => only.includes(kind))
    const signal = signalOf(filter, 'filter')
    const wanted = {
      family: given['family'] === undefined ? undefined : family(given['family'], 'filter.family').word,
      table: given['table'] === undefined ? undefined : name(given['table'], 'filter.table'),
      chains: has('chain'),
      objects: has('counter', 'object'),
      sets: has('set', 'map'),
      rules: has('rule'),
    }
    return this.#use(async (handle) => {
      const { dumps, torn, readings } = await readRuleset(handle, wanted, signal)
      const listed = decompileRuleset(dumps).filter((object) => only.some((kind) => kind in object))
      if (torn) throw new TornDumpError('the ruleset', listed, readings)
      return listed
    })
  }

  /**
   * Removes the ruleset; or the tables of a family; or one table, which then needs its family. A table that is absent is no error.
   * To empty a table, chain or set and keep it, apply `{ flush: … }`.
   */
  async flush(options: { readonly family?: Family; readonly table?: string } = {}): Promise<void> {
    const given = fields(options, 'options', ['family', 'table'])
    const families = ['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'] as const
    const word =
      given['family'] === undefined && given['table'] === undefined
        ? undefined
        : oneOf(given['family'], 'options.family', families)
    const table = given['table'] === undefined ? undefined : name(given['table'], 'options.table')
    const ruleset: Command = { flush: { ruleset: word === undefined ? null : { family: word } } }
    if (word === undefined || table === undefined) {
      await this.#use((handle) => apply(handle, [ruleset], false))
      return
    }
    // To add it first is what nft(8) recommends where `destroy` is too new: it makes the deletion right in either case.
    const place = { table: { family: word, name: table } }
    await this.#use((handle) => apply(handle, [{ add: place }, { delete: place }], false))
  }
}
