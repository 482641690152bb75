// Telling networks from other objects without their class, whose module needs most others.

import type { Network } from './network.ts'

const networks = new WeakSet<object>()

export function know(network: Network): void {
  networks.add(network)
}

export const isNetwork = (value: unknown): value is Network => typeof value === 'object' && value !== null && networks.has(value)
