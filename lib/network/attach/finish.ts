// What an attach does when the link stands, for those who asked for it, and how it is all taken back.

import { throwIfAborted } from '../../abort.ts'
import { kernel, NetlinkError } from '../../errors.ts'
import { send } from '../../exchange.ts'
import { type Attached, type DetachPlan, type Message, native } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import { type BandwidthSpec, setBandwidth } from '../../rtnetlink/traffic/bandwidth.ts'
import { ifbName, isIfbOf } from '../../rtnetlink/traffic/ifb.ts'
import { findLinks } from '../port/publish.ts'
import type { Endpoint } from './endpoint.ts'
import { isRefusal, type PlanRoute, type PlanSysctls, routeSpec } from './inside.ts'
import type { CheckedAttach } from './spec.ts'

/** BR_STATE_FORWARDING. */
const forwarding = 3

export const hasFinish = ({ bandwidth, announce }: CheckedAttach): boolean => bandwidth !== undefined || announce

/** With which the kernel announces by itself what comes up or is given another MAC. */
export function announceSysctls(ifname: string, ipv6: boolean): PlanSysctls {
  const setting = (path: string) => ({ path, value: '1', ofDevice: true })
  return [setting(`ipv4/conf/${ifname}/arp_notify`), ...(ipv6 ? [setting(`ipv6/conf/${ifname}/ndisc_notify`)] : [])]
}

interface Finish {
  readonly checked: CheckedAttach
  readonly endpoint: Endpoint
  /** Of the device inside. */
  readonly index: number
  readonly signal: AbortSignal | undefined
}

/**
 * A bridge forwards what a port hears as soon as its work queue has noticed the carrier, which may be too late for what the kernel says
 * when the link comes up. So the carrier is waited for, the port is told to forward, and the device is given the MAC that it has: that is announced, too.
 */
async function announce(host: Netns, inside: Netns, { endpoint, index, signal }: Finish): Promise<void> {
  const { hostIndex, isBridgePort, mac } = endpoint
  if (isBridgePort) {
    // Before that a port takes no state: ENETDOWN.
    await host.waitForLink(hostIndex, { operstate: 'up', signal })
    const info = { portKind: 'bridge', portData: { state: forwarding } }
    const step = 'let the bridge forward what the port hears'
    await send(Netns.handleOf(host), [{ type: 'RTM_NEWLINK', flags: 0, body: { index: hostIndex, info }, step }])
  }
  const message: Message = { type: 'RTM_SETLINK', flags: 0, body: { index, mac }, step: 'announce the address' }
  await send(Netns.handleOf(inside), [message])
}

/** The host end sends what the container receives. */
const seenFromHost = ({ egress, ingress }: BandwidthSpec): BandwidthSpec => ({
  ...(ingress === undefined ? {} : { egress: ingress }),
  ...(egress === undefined ? {} : { ingress: egress }),
})

/** At the host end, where there is one: the container cannot lift it there. */
async function limit(
  host: Netns,
  inside: Netns,
  { hostIndex }: Endpoint,
  index: number,
  bandwidth: BandwidthSpec,
): Promise<void> {
  if (hostIndex === 0) return setBandwidth(Netns.handleOf(inside), index, bandwidth)
  return setBandwidth(Netns.handleOf(host), hostIndex, seenFromHost(bandwidth))
}

/** The limits come last: setBandwidth takes back what it did, and nothing has to be taken back after it. */
export async function finish(host: Netns, inside: Netns, attach: Finish): Promise<void> {
  const { checked, endpoint, index, signal } = attach
  throwIfAborted(signal)
  // On a wire the device comes up with its addresses, and with a carrier: that is announced.
  if (checked.announce && endpoint.hostIndex !== 0) await announce(host, inside, attach)
  throwIfAborted(signal)
  if (checked.bandwidth !== undefined) await limit(host, inside, endpoint, index, checked.bandwidth)
}

/** What an attach leaves inside that does not go with the device. */
export interface Traces extends Pick<Attached, 'sysctlsBefore' | 'loopbackWasDown'> {
  readonly routes: readonly PlanRoute[]
}

/** Makes a namespace that was there before what it was. */
export async function eraseTraces(inside: Netns, { sysctlsBefore, loopbackWasDown, routes }: Traces): Promise<void> {
  await forgetRefusals(inside, routes)
  for (const { path, value } of sysctlsBefore.toReversed()) await inside.setSysctl(`net/${path}`, value)
  if (loopbackWasDown) await inside.setLink(1, { up: false })
}

/** Takes an attach back, in a namespace that was there before also what does not go with the device. */
export async function takeBack(
  host: Netns,
  plan: DetachPlan,
  { attached, inside, routes }: { readonly attached: Attached; readonly inside: Netns; readonly routes: readonly PlanRoute[] },
): Promise<void> {
  await kernel(native.detach(Netns.handleOf(host), plan))
  await eraseTraces(inside, { ...attached, routes })
}

/** Routes that are no device's. In a namespace that is closed, or where somebody deleted them, there is nothing to do. */
export async function forgetRefusals(inside: Netns, routes: readonly PlanRoute[]): Promise<void> {
  for (const route of routes.filter(isRefusal)) {
    if (inside.closed) return
    await inside.deleteRoute(routeSpec(route, 0)).catch((error: unknown) => {
      if (!(error instanceof NetlinkError && error.code === 'ESRCH')) throw error
    })
  }
}

/** The devices that carry what limited containers send. */
export async function limitersOf(host: Netns, endpoints: readonly Endpoint[]): Promise<number[]> {
  const limited = endpoints.filter(({ label }) => label.limited === true)
  if (limited.length === 0) return []
  const links = await findLinks(
    host,
    limited.map(({ hostIndex }) => ifbName(hostIndex)),
  )
  return links.flatMap((link, at) => (link !== undefined && isIfbOf(link, limited[at]?.hostIndex ?? 0) ? [link.index] : []))
}
