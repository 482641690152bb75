// Who in this process is told of endpoints that come and go the moment they do, whichever Network object they come by. What happens in
// other processes the kernel tells, a little later.

import type { Netns } from '../../netns/netns.ts'
import type { Endpoint } from './endpoint.ts'

export interface Listener {
  /** It is attached, and attach about to say so. */
  attached(endpoint: Endpoint): void
  /** It is about to be detached. The function returned takes that back, should the kernel refuse. */
  detached(endpoint: Endpoint): () => void
  /** The network is about to be deleted. */
  deleted(): Promise<void>
}

const listeners = new Map<string, Set<Listener>>()

const keyOf = (host: Netns, network: string): string => `${host.inode} ${network}`

/** Until the function that it returns is called. */
export function listen(host: Netns, network: string, listener: Listener): () => void {
  const key = keyOf(host, network)
  const all = listeners.get(key) ?? new Set()
  listeners.set(key, all.add(listener))
  return () => {
    all.delete(listener)
    if (all.size === 0 && listeners.get(key) === all) listeners.delete(key)
  }
}

const listening = (host: Netns, network: string): Listener[] => {
  // Most processes have none.
  if (listeners.size === 0) return []
  return [...(listeners.get(keyOf(host, network)) ?? [])]
}

export function tellAttached(host: Netns, endpoint: Endpoint): void {
  for (const listener of listening(host, endpoint.network)) listener.attached(endpoint)
}

export function tellDetached(host: Netns, endpoint: Endpoint): () => void {
  const back = listening(host, endpoint.network).map((listener) => listener.detached(endpoint))
  return () => {
    for (const one of back) one()
  }
}

export async function tellDeleted(host: Netns, network: string): Promise<void> {
  await Promise.all(listening(host, network).map((listener) => listener.deleted()))
}
