// Policies made, listed and removed at run time.

import { NetlinkError } from '../errors.ts'
import { send } from '../exchange.ts'
import { fields, invalidValue } from '../invalid.ts'
import { objectName } from '../names.ts'
import type { Message } from '../native.ts'
import { Netns } from '../netns/netns.ts'
import { NetworkError } from '../network/errors.ts'
import { networkAltname, networkLabelOf } from '../network/label.ts'
import { type HostOptions, hostOf } from '../network/list.ts'
import { rolledBack } from '../roll-back.ts'
import * as c from '../rtnetlink/constants.ts'
import type { Link } from '../rtnetlink/link/link.ts'
import { requireView } from './bridge.ts'
import { endOpened } from './end.ts'
import type { Policy, PolicyRule } from './policy.ts'
import { networkNameOf, readPolicies } from './read.ts'
import { concerns } from './select.ts'
import { type AllowSpec, checkPolicy, checkRule, type DenySpec, type IsolateSpec, longestName, type PolicySpec } from './spec.ts'
import { syncPolicies } from './sync.ts'
import { altnamesOf, claimOf, digestOf, policiesOn, policyAltnames, policyText } from './text.ts'

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
  readonly isNew: boolean
  /** Where it was on another device, or said something else. */
  readonly before: Policy | undefined
  undo(): Promise<void>
}

/** In one submission, so that nothing comes between the old and the new. */
async function write(host: Netns, policy: Policy): Promise<Writing> {
  const device = await deviceOf(host, policy.network)
  const holder = await holderOf(host, policy.name)
  const old = holder === undefined ? [] : altnamesOf(holder, policy.name)
  const fresh = policyAltnames(policy)
  const handle = Netns.handleOf(host)
  if (holder === undefined) {
    const names = [claimOf(policy.name), ...fresh]
    await send(handle, addNames(device, names))
    return { isNew: true, before: undefined, undo: async () => void (await send(handle, dropNames(device, names))) }
  }
  const name = networkNameOf(holder) ?? ''
  const before = policiesOn(holder, name).policies.find((one) => one.name === policy.name)
  if (holder.index === device.index) {
    const kept = old.filter((one) => one === claimOf(policy.name) || fresh.includes(one))
    const [added, dropped] = [fresh.filter((one) => !kept.includes(one)), old.filter((one) => !kept.includes(one))]
    await send(handle, [...addNames(device, added), ...dropNames(device, dropped)])
    return {
      isNew: false,
      before,
      undo: async () => void (await send(handle, [...addNames(device, dropped), ...dropNames(device, added)])),
    }
  }
  const names = [claimOf(policy.name), ...fresh]
  await send(handle, [...dropNames(holder, old), ...addNames(device, names)])
  return {
    isNew: false,
    before,
    undo: async () => void (await send(handle, [...dropNames(device, names), ...addNames(holder, old)])),
  }
}

/** Remembers it, and resolves when it is in force. All or nothing. */
async function put(host: Netns, policy: Policy): Promise<Policy> {
  if (policy.rules.length > 0) await requireView(host)
  const { before, undo } = await write(host, policy)
  await rolledBack(
    () => syncPolicies(host),
    async () => {
      await undo()
      await syncPolicies(host)
    },
  )
  if (before !== undefined) await endOpened(host, before)
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
 * (without br_netfilter; networks on a wire).
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
  await send(Netns.handleOf(host), dropNames(holder, altnamesOf(holder, name))).catch((error: unknown) => {
    // Somebody else was faster.
    if (!isCode(error, 'EINVAL') && !isCode(error, 'ENODEV')) throw error
  })
  await syncPolicies(host)
  if (before !== undefined) await endOpened(host, before)
}
