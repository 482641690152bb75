import { type Abortable, signalOf } from '../abort.ts'
import { fields } from '../invalid.ts'
import { type Netns, netnsOption } from '../netns/netns.ts'
import { host as ownHost } from '../netns/registry.ts'
import { networkOn } from './find.ts'
import type { Network } from './network.ts'
import { type ExposedPort, portsOf } from './port/exposed.ts'

/** What the functions about all networks of a host take. */
export interface HostOptions extends Abortable {
  /** The namespace that plays the host. @defaultValue the one where this process lives */
  readonly host?: Netns
}

/** @internal */
export function hostOf(options: HostOptions, known: readonly string[] = []): Netns {
  fields(options, 'options', ['host', 'signal', ...known])
  return options.host === undefined ? ownHost : netnsOption(options.host, 'options.host')
}

/**
 * The networks of a host, by name, whoever made them. One dump of the host's bridges, however many containers there are. A network
 * that lost what it remembers is not among them: see `check`.
 */
export async function listNetworks(options: HostOptions = {}): Promise<Network[]> {
  const host = hostOf(options)
  const signal = signalOf(options, 'options')
  const bridges = await host.listLinks({ kind: 'bridge', signal })
  const networks = bridges.map((bridge) => networkOn(host, bridge)).filter((network) => network !== undefined)
  return networks.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * Every port of a host that leads to a container, and who gets there: what the firewall table does, whoever published it. What a
 * container that died has left, and leads nowhere, is left out. What other tables drop is not known here: see {@link diagnose}.
 */
export async function exposedPorts(options: HostOptions = {}): Promise<ExposedPort[]> {
  return portsOf(hostOf(options), { signal: signalOf(options, 'options') })
}
