// Policies made, listed and removed at run time.

import { kernel, NetlinkError } from '../errors.ts'
import { send, sweep } from '../exchange.ts'
import { fields, invalidValue } from '../invalid.ts'
import { objectName } from '../names.ts'
import { type Message, type NamespaceHandle, native } from '../native.ts'
import { Netns } from '../netns/netns.ts'
import { NetworkError } from '../network/errors.ts'
import { networkAltname, networkLabelOf } from '../network/label.ts'
import { type HostOptions, hostOf } from '../network/list.ts'
import { requireProtocols } from '../network/port/publish.ts'
import { rolledBack } from '../roll-back.ts'
import * as c from '../rtnetlink/constants.ts'
import type { Link } from '../rtnetlink/link/link.ts'
import { requireView } from './bridge.ts'
import { endOpened } from './end.ts'
import type { Policy, PolicyRule } from './policy.ts'
import { networkNameOf, readPolicies } from './read.ts'
import { concerns } from './select.ts'
import {
  type AllowSpec,
  checkPolicy,
  checkRule,
  type DenySpec,
  type IsolateSpec,
  longestName,
  type PolicySpec,
  portRange,
} from './spec.ts'
import { syncPolicies } from './sync.ts'
import { altnamesOf, changeAltnames, claimOf, digestOf, policiesOn, policyAltnames, policyText } from './text.ts'

const isCode = (error: unknown, code: string): boolean => error instanceof NetlinkError && error.code === code

/** The device of a network that policies can be about. NETWORK_NOT_FOUND, POLICY_UNSUPPORTED. */
async function deviceOf(host: Netns, network: string): Promise<Link> {
  const device = await host.getLink(networkAltname(network)).catch((error: unknown) => {
    if (isCode(error, 'ENODEV'))
      throw new NetworkError('NETWORK_NOT_FOUND', `the host has no network '${network}'`, { cause: error })
    throw error
  })
  if (networkNameOf(device) === network) return device
  if (networkLabelOf(device)?.lan !== undefined) {
    const why = `the network '${network}' is on a wire: no packet of it passes the host's firewall`
    throw new NetworkError('POLICY_UNSUPPORTED', why)
  }
  throw new NetworkError('NETWORK_NOT_FOUND', `the device ${device.name} does not tell what network '${network}' is`)
}

/** The device that remembers a policy of that name, whatever it says. */
async function holderOf(host: Netns, name: string): Promise<Link | undefined> {
  try {
    return await host.getLink(claimOf(name))
  } catch (error) {
    if (isCode(error, 'ENODEV')) return undefined
    throw error
  }
}

const textOn = (link: Link, name: string): string | undefined => {
  const policy = policiesOn(link, '').policies.find((one) => one.name === name)
  return policy && policyText(policy)
}

const addNames = ({ index }: Link, altnames: readonly string[]): Message[] =>
  altnames.length === 0
    ? []
    : [
        {
          type: 'RTM_NEWLINKPROP',
          flags: c.NLM_F_CREATE | c.NLM_F_EXCL | c.NLM_F_APPEND,
          body: { index, altnames: [...altnames] },
          step: 'remember the policy',
        },
      ]

const dropNames = ({ index }: Link, altnames: readonly string[]): Message[] =>
  altnames.length === 0
    ? []
    : [{ type: 'RTM_DELLINKPROP', flags: 0, body: { index, altnames: [...altnames] }, step: 'forget a policy' }]

/** What the devices remember of one policy, before and after a change of it. */
interface Writing {
  /** That the change is not finished. */
  readonly record: ChangeRecord
  /** Of the policy as it was: what may be let through still. */
  readonly opened: readonly PolicyRule[]
  undo(): Promise<void>
}

/** Whoever finds it does what is left to do. */
interface ChangeRecord {
  readonly names: readonly string[]
  readonly link: Link
}

/** As many of them as are there. */
const forget = (handle: NamespaceHandle, link: Link, names: readonly string[]): Promise<void> =>
  sweep(
    handle,
    names.flatMap((name) => dropNames(link, [name])),
    ['EINVAL', 'ENOENT', 'ENODEV'],
  )

/**
 * The new, with a record of the change, before the old goes: a device that cannot remember more keeps what it has, and of both the new one
 * counts. The claim is what can be on one device only.
 */
async function write(host: Netns, policy: Policy): Promise<Writing> {
  const device = await deviceOf(host, policy.network)
  const holder = (await holderOf(host, policy.name)) ?? device
  const handle = Netns.handleOf(host)
  const claim = claimOf(policy.name)
  const isMoved = holder.index !== device.index
  const [own, old] = [altnamesOf(device, policy.name), altnamesOf(holder, policy.name)]
  const before = policiesOn(holder, networkNameOf(holder) ?? '').policies.find((one) => one.name === policy.name)
  const opened = before === undefined || policyText(before) === policyText(policy) ? [] : before.rules
  const record: ChangeRecord = { link: device, names: changeAltnames(opened) }
  const wanted = [...(isMoved ? [] : [claim]), ...policyAltnames(policy)]
  const added = [...wanted.filter((name) => !own.includes(name)), ...record.names]
  const dropped = old.filter((name) => isMoved || !wanted.includes(name))
  await send(handle, addNames(device, added)).catch(async (error: unknown) => {
    // Where somebody has the first of them, none of the others was added.
    if (!isCode(error, 'EEXIST')) await forget(handle, device, added)
    throw error
  })
  const move = isMoved ? addNames(device, [claim]) : []
  if (dropped.length > 0) {
    await send(handle, [...dropNames(holder, dropped), ...move]).catch(async (error: unknown) => {
      await forget(handle, device, record.names)
      throw error
    })
  }
  const fresh = added.filter((name) => !record.names.includes(name))
  return {
    record,
    opened,
    undo: async () => {
      const back = addNames(holder, dropped)
      if (isMoved) await send(handle, [...dropNames(device, [claim, ...fresh]), ...back])
      else await send(handle, [...back, ...dropNames(device, fresh)])
    },
  }
}

/** What follows upon what the devices remember. */
async function enforce(host: Netns, record: ChangeRecord, opened: readonly PolicyRule[]): Promise<void> {
  await syncPolicies(host, record.names)
  await endOpened(host, opened)
  await forget(Netns.handleOf(host), record.link, record.names)
}

/** Not of the protocol as a whole. */
const hasPortsOfSctp = ({ rules }: Policy): boolean =>
  rules
    .flatMap((rule) => (rule.action === 'isolate' ? [] : (rule.ports ?? [])))
    .map((port) => portRange(port, 'ports'))
    .some(({ protocol, first }) => protocol === 'sctp' && first !== undefined)

/** Remembers it, and resolves when it is in force. All or nothing. */
async function put(host: Netns, policy: Policy): Promise<Policy> {
  if (policy.rules.length > 0) await requireView(host)
  if (hasPortsOfSctp(policy)) await requireProtocols(host, [{ protocol: 'sctp' }], 'be told apart')
  const { record, opened, undo } = await write(host, policy)
  await rolledBack(
    () => enforce(host, record, opened),
    async () => {
      await undo()
      await enforce(host, record, policy.rules)
    },
  )
  return policy
}

const mostAttempts = 16

/** A policy of one rule. The same once more is no error; another one of that name is POLICY_EXISTS. */
async function putRule(spec: unknown, action: PolicyRule['action'], options: HostOptions): Promise<Policy> {
  const host = hostOf(options)
  const checked = checkRule(spec, action)
  const text = policyText(checked)
  const policy: Policy = { ...checked, name: checked.name ?? `${action}-${digestOf(text, 12)}` }
  for (let attempt = 0; ; attempt++) {
    const holder = await holderOf(host, policy.name)
    if (holder !== undefined) {
      if (textOn(holder, policy.name) !== text)
        throw new NetworkError('POLICY_EXISTS', `there is a policy '${policy.name}' that says something else`)
      await syncPolicies(host)
      return policy
    }
    try {
      return await put(host, policy)
    } catch (error) {
      // Somebody made one of that name at the same time.
      if (!(isCode(error, 'EEXIST') && (error as NetlinkError).syscall === 'RTM_NEWLINKPROP') || attempt >= mostAttempts)
        throw error
    }
  }
}

/**
 * Lets connections through from some to some, which the options of their networks would refuse: between networks, between containers of
 * one with `icc: false`, from the world, out of an internal network. No deny is outdone by it. Resolves when it is in force, for all
 * containers that there are and those to come.
 *
 * The host's, whoever asks: it stands until `deletePolicy`, or until the network is deleted that remembers it (the first that it names, in
 * `to` before `from`). NETWORK_NOT_FOUND when that one is not there; other names may come later. POLICY_EXISTS, POLICY_UNSUPPORTED
 * (without br_netfilter; networks on a wire), PROTOCOL_UNSUPPORTED (ports of SCTP, which the kernel does not track).
 */
export async function allow(spec: AllowSpec, options: HostOptions = {}): Promise<Policy> {
  return putRule(spec, 'allow', options)
}

/**
 * Lets no connection through from some to some, whatever allows it, and no further packet of those that there are: none that is sent
 * after this has resolved arrives. Connections that the others began to them, and answers to those, are not meant. Otherwise as `allow`.
 */
export async function deny(spec: DenySpec, options: HostOptions = {}): Promise<Policy> {
  return putRule(spec, 'deny', options)
}

/**
 * Refuses what containers are sent, what they send, or both, but for what is allowed: the default of a network when `containers` is
 * one. It does not come between containers and the host. Connections that there are end. Otherwise as `allow`.
 */
export async function isolate(spec: IsolateSpec, options: HostOptions = {}): Promise<Policy> {
  return putRule(spec, 'isolate', options)
}

/** A policy of several rules, in place of the one of that name if there is one. Atomic: no packet finds half of it. See `allow`. */
export async function applyPolicy(spec: PolicySpec, options: HostOptions = {}): Promise<Policy> {
  const host = hostOf(options)
  const policy = checkPolicy(spec)
  for (let attempt = 0; ; attempt++) {
    try {
      return await put(host, policy)
    } catch (error) {
      const isBeaten =
        error instanceof NetlinkError && ['EEXIST', 'EINVAL'].includes(error.code) && error.syscall.endsWith('LINKPROP')
      if (!isBeaten || attempt >= mostAttempts) throw error
    }
  }
}

/** The policies of a host, by name, whoever made them. One dump of the host's bridges, however many containers there are. */
export async function listPolicies(options: HostOptions & { readonly network?: string } = {}): Promise<Policy[]> {
  const host = hostOf(options, ['network'])
  const { network } = fields(options, 'options', ['host', 'network'])
  const policies = await readPolicies(host)
  if (network === undefined) return policies
  const name = objectName(network, 'options.network', 32)
  return policies.filter((policy) => concerns(policy, name))
}

/**
 * Removes a policy; one that is not there is no error. Connections that only it let through end. Resolves when it is in force no more.
 */
export async function deletePolicy(name: string, options: HostOptions = {}): Promise<void> {
  const host = hostOf(options)
  objectName(name, 'name', longestName)
  const holder = await holderOf(host, name)
  if (holder === undefined) return
  const network = networkNameOf(holder)
  if (network === undefined && policiesOn(holder, '').policies.length === 0 && altnamesOf(holder, name).length === 0)
    throw invalidValue('name', 'is the name of a device', name)
  const before = policiesOn(holder, network ?? '').policies.find((policy) => policy.name === name)
  const record: ChangeRecord = { link: holder, names: changeAltnames(before?.rules ?? []) }
  const messages = [...dropNames(holder, altnamesOf(holder, name)), ...addNames(holder, record.names)]
  for (const { error } of await kernel(native.submit(Netns.handleOf(host), messages))) {
    if (error === undefined) continue
    const refusal = new NetlinkError(error)
    // Somebody else was faster; or a device that is full has no room for the record.
    if (!isCode(refusal, 'EINVAL') && !isCode(refusal, 'ENODEV')) throw refusal
  }
  await enforce(host, record, before?.rules ?? [])
}
