// A network on a wire in the lab, and what the outside tools say of it.

import * as assert from 'uvu/assert'
import {
  type AttachSpec,
  createNetwork,
  type Endpoint,
  type LanNetwork,
  type MacvlanNetworkSpec,
  openNetwork,
} from '../../../lib/index.ts'
import { type Failure, failureOf } from '../../support/failure.ts'
import { json, type KernelState, kernelState, type NetnsRef, ping } from '../../support/lab.ts'
import { changes } from './changes.ts'
import { attachElsewhere } from './processes.ts'
import { until } from './until.ts'

export const inside = (endpoint: Endpoint): { path: string } => ({ path: endpoint.netns?.path ?? 'closed' })
export const address = (endpoint: Endpoint, at = 0): string => endpoint.addresses[at]?.split('/')[0] ?? ''

export const subnets = ['192.0.2.0/24']
/** The neighbor on the LAN plays its router. */
export const spec: MacvlanNetworkSpec = { name: 'wire', driver: 'macvlan', parent: 'lan0', subnets, gateways: ['192.0.2.9'] }

/** A network for `body`, after which the kernel is as it was before. */
export async function withNetwork(
  options: Partial<MacvlanNetworkSpec>,
  body: (network: LanNetwork) => Promise<void>,
): Promise<void> {
  const before = await kernelState()
  try {
    const network = await createNetwork({ ...spec, ...options })
    await body(network)
    await network.delete({ force: true })
  } catch (error) {
    // One failure is enough.
    await (await openNetwork('wire').catch(() => undefined))?.delete({ force: true })
    throw error
  }
  await asBefore(before)
}

/** The devices of a killed process go in the kernel's own time. */
export async function asBefore(before: KernelState): Promise<void> {
  let left: string[] = []
  const same = async (): Promise<boolean> => {
    left = changes(before, await kernelState())
    return left.length === 0
  }
  await until('the kernel is as before the network', same).catch(() => assert.equal(left, []))
}

type Shown = string | { readonly elem: { readonly val: string; readonly comment?: string } }

/** What nft says is leased: `192.0.2.1 comment web`. */
export async function leasesShown(
  set: 'endpoints' | 'addresses4' | 'addresses6' | 'holders' | 'words' = 'addresses4',
): Promise<string[]> {
  const { nftables } = await json<{ nftables: { set?: { elem?: Shown[] } }[] }>('nft', [
    ...['list', 'set', 'inet', 'netlink-ct/wire', set],
  ])
  const elements = nftables.flatMap(({ set: shown }) => shown?.elem ?? [])
  return elements.map((one) => (typeof one === 'string' ? one : `${one.elem.val} comment ${one.elem.comment}`)).sort()
}

export async function leavesNothing(call: () => Promise<unknown>, where?: NetnsRef): Promise<Failure> {
  const before = [await kernelState(), where && (await kernelState(where))]
  const failure = await failureOf(call)
  assert.equal(changes(before, [await kernelState(), where && (await kernelState(where))]), [], String(failure))
  return failure
}

export const namespacesKnown = async (): Promise<number> => (await json<unknown[]>('ip', ['netns', 'list-id'])).length

/** A process that attached these and was killed, when the kernel has ended its namespaces. */
export async function dead(...specs: readonly AttachSpec[]): Promise<void> {
  const before = await namespacesKnown()
  const other = await attachElsewhere('wire', ...specs)
  await other.kill()
  await until('their namespaces are gone', async () => (await namespacesKnown()) === before)
}

/** As attach, when the device that a dead container had is gone, too. */
export async function attachSoon(network: LanNetwork, wanted: AttachSpec): Promise<Endpoint> {
  let endpoint: Endpoint | undefined
  await until('the address is free', async () => {
    endpoint = await network.attach(wanted).catch((error: Failure) => {
      if (error.code === 'ADDRESS_IN_USE' || error.code === 'SUBNET_FULL') return undefined
      throw error
    })
    return endpoint !== undefined
  })
  return endpoint as Endpoint
}

export const reaches = async (from: NetnsRef | undefined, to: string): Promise<boolean> => ping(to, { netns: from })
