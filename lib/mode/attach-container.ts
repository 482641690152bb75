// The network modes of `docker run`.

import { signalOf } from '../abort.ts'
import { fields, invalidType, invalidValue } from '../invalid.ts'
import { objectName } from '../names.ts'
import { type Netns, netnsOption } from '../netns/netns.ts'
import { createNetns, givenNetns, host as ownHost } from '../netns/registry.ts'
import { attachNames } from '../network/attach/spec.ts'
import { createNetwork, openNetwork } from '../network/create/create.ts'
import { findNetwork } from '../network/find.ts'
import { isNetwork } from '../network/known.ts'
import type { Network } from '../network/network.ts'
import { rolledBack } from '../roll-back.ts'
import { type Container, type ContainerSpec, container } from './container.ts'
import { namespaceOf, rememberNamespace } from './namespace-of.ts'

/** Docker's default network, by its name. */
const defaultNetwork = 'bridge'
const sharing = 'container:'

/** What goes with a network only, in the mode that was asked for. */
function refuseOthers(spec: ContainerSpec, mode: string, known: readonly string[]): void {
  for (const [option, value] of Object.entries(spec)) {
    if (value === undefined || ['name', 'network', 'host', 'signal', ...known].includes(option)) continue
    throw invalidValue(option, `makes no sense with network '${mode}': nothing is attached to a network`, value)
  }
}

async function alone(name: string, spec: ContainerSpec): Promise<Container> {
  refuseOthers(spec, 'none', ['netns'])
  const given = await givenNetns(spec.netns, 'netns')
  const netns = given?.netns ?? (await createNetns())
  const isOurs = given === undefined || given.opened
  await rolledBack(
    () => netns.setLink(1, { up: true }),
    async () => (isOurs ? netns.close() : undefined),
  )
  const forget = rememberNamespace(name, netns)
  return container({ mode: 'none', name, netns }, async () => {
    forget()
    if (isOurs) await netns.close()
  })
}

async function shared(name: string, other: string, spec: ContainerSpec, host: Netns): Promise<Container> {
  refuseOthers(spec, `${sharing}${other}`, [])
  const netns = await namespaceOf(host, other)
  return container({ mode: 'container', name, netns, container: other }, () => netns.close())
}

/** The default network is made by whoever needs it first, and is nobody's to delete. */
async function networkOf(name: string, host: Netns): Promise<Network> {
  if (name !== defaultNetwork) return openNetwork(name, { host })
  return (await findNetwork(host, name)) ?? createNetwork({ name, host })
}

async function attached(network: Network, { network: _, host: __, ...spec }: ContainerSpec): Promise<Container> {
  const endpoint = await network.attach(spec)
  const { name, netns } = endpoint
  const forget = rememberNamespace(name, netns)
  return container({ mode: 'network', name, netns, network, endpoint }, async () => {
    forget()
    await endpoint.detach()
  })
}

/**
 * Gives a container its network as `docker run --network` does; see {@link ContainerSpec.network} for the modes, docs/modes.md for a
 * table of what each gives. All or nothing: when it rejects, nothing was made, but for the default network, which others may be using
 * already.
 *
 * Rejects with NETWORK_NOT_FOUND for a name that is no network's; CONTAINER_NOT_FOUND when no endpoint or container of this process has
 * the name, or its namespace can be reached neither by a name under /run/netns nor through a process; CONTAINER_AMBIGUOUS; and with what
 * `Network.attach` rejects with. An option that makes no sense in the mode is a TypeError (ERR_INVALID_ARG_VALUE).
 */
export async function attachContainer(spec: ContainerSpec): Promise<Container> {
  const given = fields(spec, 'container', [...attachNames, 'network', 'host'])
  const name = objectName(given['name'], 'name')
  signalOf(spec, 'container')
  const host = spec.host === undefined ? ownHost : netnsOption(spec.host, 'host')
  const { network = defaultNetwork } = spec
  if (isNetwork(network)) {
    if (spec.host !== undefined && spec.host !== network.host)
      throw invalidValue('host', `is not the one that the network '${network.name}' is on: leave it out`, spec.host)
    return attached(network, spec)
  }
  if (typeof network !== 'string')
    throw invalidType('network', "'host', 'none', 'bridge', 'container:NAME', a network's name or a Network", network)
  if (network === 'host') {
    refuseOthers(spec, network, [])
    return container({ mode: 'host', name, netns: host }, async () => {})
  }
  if (network === 'none') return alone(name, spec)
  if (network.startsWith(sharing)) {
    const other = objectName(network.slice(sharing.length), 'network, behind container:,')
    return shared(name, other, spec, host)
  }
  return attached(await networkOf(network, host), spec)
}
