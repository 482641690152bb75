// IPv4 forwarding of the host: turned on for the first network that needs it, put back when the last one goes. What it was before
// is remembered in the alias of every network's bridge.

import type { Netns } from '../netns/netns.ts'
import { parseNetworkLabel } from './label.ts'

const key = 'net.ipv4.ip_forward'

async function labels(host: Netns) {
  const bridges = await host.listLinks({ kind: 'bridge' })
  return bridges.map((bridge) => parseNetworkLabel(bridge.alias)).filter((label) => label !== undefined)
}

/** Whether the host forwarded before the first network: asked in this order, so that two processes agree (see enableForwarding). */
export async function forwardingBefore(host: Netns): Promise<boolean> {
  if ((await host.getSysctl(key)) === '0') return false
  return (await labels(host)).every((label) => label.forwardingBefore)
}

/** After the bridge's alias says what it was: whoever sees forwarding on sees the reason too. */
export async function enableForwarding(host: Netns): Promise<void> {
  if ((await host.getSysctl(key)) === '0') await host.setSysctl(key, 1)
}

/** After the bridge is gone. */
export async function restoreForwarding(host: Netns, before: boolean): Promise<void> {
  if (!before && (await labels(host)).length === 0) await host.setSysctl(key, 0)
}
