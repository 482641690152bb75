// A container's place in the world, in the words of `docker run --network`.

import type { Netns } from '../netns/netns.ts'
import type { AttachedEndpoint } from '../network/attach/endpoint.ts'
import type { AttachSpec } from '../network/attach/spec.ts'
import type { Network } from '../network/network.ts'

export interface ContainerSpec extends AttachSpec {
  /**
   * - `'host'`: the host's own network; nothing is made.
   * - `'none'`: a namespace with nothing but its loopback.
   * - `'container:web'`: the namespace of another container; nothing is made.
   * - `'bridge'`: the default network, which is made when it is not there.
   * - any other name, or a Network: that one.
   *
   * The options of `Network.attach` go with the last two; of the others `'none'` takes `netns`.
   * @defaultValue 'bridge'
   */
  readonly network?: 'host' | 'none' | 'bridge' | `container:${string}` | (string & {}) | Network
  /** The namespace that plays the host. @defaultValue the one where this process lives */
  readonly host?: Netns
}

interface Placed {
  readonly name: string
  /** Where the container's processes are to run: `netns.spawn`. */
  readonly netns: Netns
}

/** What became of it, by the mode. */
export type ContainerPlace =
  | (Placed & { readonly mode: 'host' })
  | (Placed & { readonly mode: 'none' })
  | (Placed & { readonly mode: 'container' /** Whose namespace it is. */; readonly container: string })
  | (Placed & { readonly mode: 'network'; readonly network: Network; readonly endpoint: AttachedEndpoint })

/**
 * A container that has its network. `detach()`, or the end of an `await using`, takes back what was made for it: the endpoint, and a
 * namespace that was made or opened; twice is no error.
 */
export type Container = ContainerPlace & AsyncDisposable & { detach(): Promise<void> }

export function container(place: ContainerPlace, end: () => Promise<void>): Container {
  let ending: Promise<void> | undefined
  const detach = (): Promise<void> => {
    ending ??= end().catch((error: unknown) => {
      // Another try may do better.
      ending = undefined
      throw error
    })
    return ending
  }
  return { ...place, detach, [Symbol.asyncDispose]: detach }
}
