// Bridges whose packets the firewall must see for policies: an option of each bridge, whatever the setting for all of them is. A mark
// remembers that it was turned on for policies, so that it is turned off with the last one.

import { NetlinkError } from '../errors.ts'
import { send } from '../exchange.ts'
import type { Message } from '../native.ts'
import { Netns } from '../netns/netns.ts'
import { NetworkError } from '../network/errors.ts'
import type { Network } from '../network/network.ts'
import * as c from '../rtnetlink/constants.ts'
import type { Link } from '../rtnetlink/link/link.ts'
import type { Policy } from './policy.ts'
import { concerns } from './select.ts'
import { policyNames } from './text.ts'

type Facts = Pick<Network, 'name' | 'driver'>

const markOf = ({ index }: Link): string => `netlink-ct/nf_call=1/${index}`

const showsFirewall = ({ bridge }: Link): boolean => bridge?.nfCallIptables === true && bridge.nfCallIp6tables === true

const needsView = ({ name, driver }: Facts, policies: readonly Policy[]): boolean =>
  driver === 'bridge' && policies.some((policy) => concerns(policy, name))

/** Whether the bridge lacks what policies need. */
export const lacksView = (network: Facts, link: Link, policies: readonly Policy[]): boolean =>
  needsView(network, policies) && !showsFirewall(link)

/** Whether the bridge has it still, and no policy needs it. */
export const keepsView = (network: Facts, link: Link, policies: readonly Policy[]): boolean =>
  !needsView(network, policies) && link.altnames.includes(markOf(link))

const option = ({ index }: Link, on: 0 | 1): Message => ({
  type: 'RTM_NEWLINK',
  flags: 0,
  body: { index, info: { kind: 'bridge', data: { nfCallIptables: on, nfCallIp6tables: on } } },
  step: 'show the firewall what the bridge forwards',
})

/** The mark first: who finds the option on knows why. */
export async function showFirewall(host: Netns, link: Link): Promise<void> {
  const body = { index: link.index, altnames: [markOf(link)] }
  const isMarked = link.altnames.includes(markOf(link))
  const flags = c.NLM_F_CREATE | c.NLM_F_EXCL | c.NLM_F_APPEND
  await send(Netns.handleOf(host), [...(isMarked ? [] : [{ type: 'RTM_NEWLINKPROP', flags, body }]), option(link, 1)])
}

export async function hideFromFirewall(host: Netns, link: Link): Promise<void> {
  const body = { index: link.index, altnames: [markOf(link)] }
  await send(Netns.handleOf(host), [option(link, 0), { type: 'RTM_DELLINKPROP', flags: 0, body }])
}

/** Of a bridge that outlives its network: what it remembers of policies, and the option. */
export async function forgetPolicies(host: Netns, index: number): Promise<void> {
  try {
    const link = await host.getLink(index)
    const names = policyNames(link)
    if (names.length > 0) await host.setLink(index, { deleteAltnames: names })
    if (link.altnames.includes(markOf(link))) await hideFromFirewall(host, link)
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === 'ENODEV')) throw error
  }
}

/** POLICY_UNSUPPORTED where the kernel shows nobody what bridges forward. */
export async function requireView(host: Netns): Promise<void> {
  try {
    await host.getSysctl('net.bridge.bridge-nf-call-iptables')
  } catch (cause) {
    const why = 'policies between containers of a bridge need br_netfilter, which the kernel lacks: modprobe br_netfilter'
    throw new NetworkError('POLICY_UNSUPPORTED', why, { cause })
  }
}
