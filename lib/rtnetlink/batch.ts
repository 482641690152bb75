// Many operations in one submission, each with its own outcome.

import { randomInt } from 'node:crypto'
import { throwIfAborted } from '../abort.ts'
import { kernelWarning, type NetlinkWarning } from '../diagnostics/warning.ts'
import { kernel, NetlinkError } from '../errors.ts'
import { sweep } from '../exchange.ts'
import { type Message, type NamespaceHandle, native } from '../native.ts'
import * as address from './address.ts'
import * as mdb from './bridge/mdb.ts'
import type { BridgeOptions } from './bridge/options.ts'
import { portChange } from './bridge/port.ts'
import type { BridgePortOptions } from './bridge/port-options.ts'
import { bridgeChange } from './bridge/set.ts'
import * as vlan from './bridge/vlan.ts'
import { type LinkSpec, linkCreation } from './link/create.ts'
import * as link from './link/link.ts'
import { getLinkMessage, type LinkRef, privateIndexes } from './link/ref.ts'
import * as fdb from './neighbor/fdb.ts'
import * as neighbor from './neighbor/neighbor.ts'
import * as neighborTable from './neighbor/table.ts'
import { check, type Operation } from './operation.ts'
import * as nexthop from './route/nexthop.ts'
import * as route from './route/route.ts'
import * as rule from './route/rule.ts'
import type { RouteSpec } from './route/spec.ts'

/** What became of one item. `warnings`: what the kernel said though it did it, where it said anything. `skipped`: an earlier item of the batch that makes its device failed, and there is no such device. */
export type ItemResult =
  | { readonly status: 'done'; readonly warnings?: readonly NetlinkWarning[] }
  | { readonly status: 'failed'; readonly error: NetlinkError }
  | { readonly status: 'skipped'; readonly because: number }

export interface BatchResult {
  /** In the order of the calls. */
  readonly items: readonly ItemResult[]
  /** Whether all were done. */
  readonly ok: boolean
  /** The first failure; its `index` is the item's. */
  readonly error?: NetlinkError
}

interface Item {
  readonly operation: Operation
  /** The device that it makes, with its index; `chosen` by the caller. */
  readonly makes?: { readonly name: string; readonly index: number; readonly chosen: boolean }
}

/** 0 for a name. */
const indexIn = (ref: LinkRef): number => (typeof ref === 'object' ? ref.index : typeof ref === 'number' ? ref : 0)

/**
 * Collects operations for `Netns.batch`. Arguments are checked when an item is added. A device that an item makes can be named by
 * later ones: they are sent with the index that was chosen for it, so that when its creation fails they reach no other device that
 * happens to have the name.
 */
export class Batch {
  readonly #items: Item[] = []
  readonly #made = new Map<string, number>()

  #add(operation: Operation, makes?: Item['makes']): this {
    check(operation)
    const bound = this.#bound(operation)
    this.#items.push(makes === undefined ? { operation: bound } : { operation: bound, makes })
    if (makes !== undefined) this.#made.set(makes.name, makes.index)
    return this
  }

  /** With the indexes of the devices that earlier items make, and not those that later ones do. */
  #bound(operation: Operation): Operation {
    if (this.#made.size === 0) return operation
    const { devices, build } = operation
    const made = new Map<LinkRef, number>()
    for (const { ref } of devices) {
      const index = typeof ref === 'string' ? this.#made.get(ref) : undefined
      if (index !== undefined) made.set(ref, index)
    }
    return {
      devices: devices.map(({ ref, path }) => ({ ref: made.get(ref) ?? ref, path })),
      build: (resolve) => build((ref) => resolve(made.get(ref) ?? ref)),
    }
  }

  createLink(spec: LinkSpec<never>): this {
    const index = spec.index ?? randomInt(...privateIndexes)
    return this.#add(linkCreation({ ...spec, index }), { name: spec.name, index, chosen: spec.index !== undefined })
  }

  setLink(ref: LinkRef, changes: link.LinkChanges): this {
    return this.#add(link.linkChange(ref, changes))
  }

  deleteLink(ref: LinkRef): this {
    // The kernel would resolve the name by itself, and after a failed creation find somebody else's device.
    const made = typeof ref === 'string' ? this.#made.get(ref) : undefined
    if (made === undefined) return this.#add(link.linkDeletion(ref))
    return this.#add({ ...link.linkDeletion(made), devices: [{ ref: made, path: 'link' }] })
  }

  addAddress(ref: LinkRef, cidr: string, options: address.AddressOptions = {}): this {
    return this.#add(address.addressChange('add', ref, cidr, options))
  }

  replaceAddress(ref: LinkRef, cidr: string, options: address.AddressOptions = {}): this {
    return this.#add(address.addressChange('replace', ref, cidr, options))
  }

  deleteAddress(ref: LinkRef, cidr: string, options: Pick<address.AddressOptions, 'peer'> = {}): this {
    return this.#add(address.addressDeletion(ref, cidr, options))
  }

  addRoute(spec: RouteSpec): this {
    return this.#add(route.routeChange('add', spec))
  }

  replaceRoute(spec: RouteSpec): this {
    return this.#add(route.routeChange('replace', spec))
  }

  appendRoute(spec: RouteSpec): this {
    return this.#add(route.routeChange('append', spec))
  }

  changeRoute(spec: RouteSpec): this {
    return this.#add(route.routeChange('change', spec))
  }

  deleteRoute(spec: RouteSpec): this {
    return this.#add(route.routeDeletion(spec))
  }

  addRule(spec: rule.RuleSpec): this {
    return this.#add(rule.ruleAddition(spec))
  }

  deleteRule(spec: rule.RuleSpec): this {
    return this.#add(rule.ruleDeletion(spec))
  }

  addNeighbor(spec: neighbor.NeighborSpec): this {
    return this.#add(neighbor.neighborChange('add', spec))
  }

  replaceNeighbor(spec: neighbor.NeighborSpec): this {
    return this.#add(neighbor.neighborChange('replace', spec))
  }

  deleteNeighbor(key: neighbor.NeighborKey): this {
    return this.#add(neighbor.neighborDeletion(key))
  }

  setNeighborTable(family: 'inet' | 'inet6', changes: neighborTable.NeighborTableChanges): this {
    return this.#add(neighborTable.neighborTableChange(family, changes))
  }

  addFdbEntry(spec: fdb.FdbSpec): this {
    return this.#add(fdb.fdbChange('add', spec))
  }

  replaceFdbEntry(spec: fdb.FdbSpec): this {
    return this.#add(fdb.fdbChange('replace', spec))
  }

  appendFdbEntry(spec: fdb.FdbSpec): this {
    return this.#add(fdb.fdbChange('append', spec))
  }

  deleteFdbEntry(key: fdb.FdbKey): this {
    return this.#add(fdb.fdbChange('delete', key))
  }

  setBridge(ref: LinkRef, options: BridgeOptions): this {
    return this.#add(bridgeChange(ref, options))
  }

  setBridgePort(ref: LinkRef, options: BridgePortOptions): this {
    return this.#add(portChange(ref, options))
  }

  addBridgeVlans(ref: LinkRef, vlans: vlan.VlanIds, options: vlan.BridgeVlanOptions = {}): this {
    return this.#add(vlan.vlanAddition(ref, vlans, options))
  }

  setBridgeVlans(ref: LinkRef, vlans: vlan.VlanIds, settings: vlan.BridgeVlanSettings): this {
    return this.#add(vlan.vlanChange(ref, vlans, settings))
  }

  deleteBridgeVlans(ref: LinkRef, vlans: vlan.VlanIds, options: vlan.BridgeVlanPlace = {}): this {
    return this.#add(vlan.vlanDeletion(ref, vlans, options))
  }

  addMdbEntry(spec: mdb.MdbSpec): this {
    return this.#add(mdb.mdbChange('add', spec))
  }

  replaceMdbEntry(spec: mdb.MdbSpec): this {
    return this.#add(mdb.mdbChange('replace', spec))
  }

  deleteMdbEntry(key: mdb.MdbKey): this {
    return this.#add(mdb.mdbDeletion(key))
  }

  flushMdb(bridge: LinkRef, filter: mdb.MdbFlush = {}): this {
    return this.#add(mdb.mdbFlush(bridge, filter))
  }

  addNexthop(spec: nexthop.NexthopSpec): this {
    return this.#add(nexthop.nexthopChange('add', spec))
  }

  replaceNexthop(spec: nexthop.NexthopSpec): this {
    return this.#add(nexthop.nexthopChange('replace', spec))
  }

  deleteNexthop(id: number): this {
    return this.#add(nexthop.nexthopDeletion(id))
  }

  /** @internal */
  static async run(handle: NamespaceHandle, batch: Batch, signal?: AbortSignal): Promise<BatchResult> {
    return batch.#run(handle, signal)
  }

  async #run(handle: NamespaceHandle, signal: AbortSignal | undefined): Promise<BatchResult> {
    const known = await this.#lookUp(handle)
    throwIfAborted(signal)
    const failed = new Map<number, NetlinkError>()
    const warned = new Map<number, NetlinkWarning[]>()
    const begun = new Set<number>() // the items whose first message was done
    const waiting: { readonly owner: number; readonly message: Message; readonly isFirst: boolean }[] = []

    const submit = async (): Promise<void> => {
      const sent = waiting.splice(0)
      const messages = sent.map(({ message }) => message)
      for (const [at, { error, warning }] of (await kernel(native.submit(handle, messages))).entries()) {
        const { owner, message, isFirst } = sent[at] as (typeof sent)[number]
        if (warning !== undefined)
          warned.set(owner, [...(warned.get(owner) ?? []), kernelWarning(warning, message.step ?? message.type)])
        if (error === undefined && isFirst) begun.add(owner)
        if (error !== undefined && !failed.has(owner)) failed.set(owner, new NetlinkError({ ...error, index: owner }))
      }
    }

    const lost = new Set<number>() // chosen indexes of devices that were not made: they may be other devices'
    for (const [at, { operation, makes }] of this.#items.entries()) {
      const isLost = operation.devices.some(({ ref }) => lost.has(indexIn(ref)))
      const missing = operation.devices.find(({ ref }) => known(ref) instanceof NetlinkError)
      if (missing !== undefined) failed.set(at, NetlinkError.at(known(missing.ref) as NetlinkError, at))
      if (!isLost && missing === undefined) {
        for (const [position, message] of operation.build((ref) => known(ref) as number).entries()) {
          if (position > 0 && makes?.chosen && !begun.has(at)) break
          waiting.push({ owner: at, message, isFirst: position === 0 })
          if (position === 0 && makes?.chosen) await submit()
        }
      }
      if (makes?.chosen && !begun.has(at)) lost.add(makes.index)
    }
    await submit()
    const halves = this.#items.flatMap(({ makes }, at) => (makes && failed.has(at) && begun.has(at) ? [makes] : []))
    await sweep(
      handle,
      halves.map(({ name, index }) => ({ type: 'RTM_DELLINK', flags: 0, body: { index }, step: `take back the link ${name}` })),
      ['ENODEV'],
    )
    return this.#result(failed, warned)
  }

  /** The indexes of all devices named by name, asked for in one submission. A device that is not there is its items' error. */
  async #lookUp(handle: NamespaceHandle): Promise<(ref: LinkRef) => number | NetlinkError> {
    const names = new Set<string>()
    for (const { operation } of this.#items) {
      for (const { ref } of operation.devices) if (typeof ref === 'string') names.add(ref)
    }
    const asked = [...names]
    const outcomes =
      asked.length === 0
        ? []
        : await kernel(
            native.submit(
              handle,
              asked.map((name) => getLinkMessage(name, 'link')),
            ),
          )
    const found = new Map<string, number | NetlinkError>()
    for (const [at, name] of asked.entries()) {
      const { error, replies } = outcomes[at] as (typeof outcomes)[number]
      found.set(name, error === undefined ? Number(replies[0]?.['index']) : new NetlinkError(error))
    }
    return (ref) => {
      if (typeof ref === 'string') return found.get(ref) as number | NetlinkError
      return typeof ref === 'number' ? ref : ref.index
    }
  }

  #result(failed: ReadonlyMap<number, NetlinkError>, warned: ReadonlyMap<number, readonly NetlinkWarning[]>): BatchResult {
    const results: ItemResult[] = []
    const notMade = new Map<number, number>() // index of a device that was not made → the item that should have
    for (const [at, { operation, makes }] of this.#items.entries()) {
      const cause = notMade.size === 0 ? undefined : operation.devices.find(({ ref }) => notMade.has(indexIn(ref)))
      const because = cause && notMade.get(indexIn(cause.ref))
      const error = failed.get(at)
      const warnings = warned.get(at)
      if (because !== undefined) results.push({ status: 'skipped', because })
      else if (error !== undefined) results.push({ status: 'failed', error })
      else results.push(warnings === undefined ? { status: 'done' } : { status: 'done', warnings })
      if (makes !== undefined && results[at]?.status !== 'done') notMade.set(makes.index, at)
    }
    const first = results.find((result) => result.status === 'failed')
    const ok = results.every((result) => result.status === 'done')
    return first === undefined ? { items: results, ok } : { items: results, ok, error: first.error }
  }
}
