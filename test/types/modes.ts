// Network modes. Compiled, never run.

import { type AttachedEndpoint, attachContainer, type Container, type Netns, type Network, openNetwork } from '../../lib/index.ts'
import { expectType } from './expect.ts'

export async function modes(): Promise<void> {
  const web = await attachContainer({ name: 'web', publish: ['8080:80'] })
  expectType<Container>()(web)
  expectType<Netns>()(web.netns)
  if (web.mode === 'network') expectType<AttachedEndpoint>()(web.endpoint)
  if (web.mode === 'network') expectType<Network>()(web.network)
  if (web.mode === 'container') expectType<string>()(web.container)
  // @ts-expect-error not in every mode
  web.endpoint
  await attachContainer({ name: 'side', network: 'container:web' })
  await attachContainer({ name: 'db', network: await openNetwork('backend') })
  // @ts-expect-error a container has a name
  await attachContainer({ network: 'host' })
  // @ts-expect-error a network, its name, or a mode
  await attachContainer({ name: 'web', network: 7 })
}
