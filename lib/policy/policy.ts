// Who may talk to whom, beyond what the options of networks say.

/**
 * Whether a label is what is asked for: a value, one of several, any (`true`), absent (`false`), or none of those: absent fits, too.
 */
export type LabelCondition = string | readonly string[] | boolean | { readonly not: string | readonly string[] }

/** All that is given must fit; `{}` are the containers of all networks. */
export interface ContainersPeer {
  /** Its containers, and with neither `container` nor `labels` every address of its subnets. */
  readonly network?: string
  /** By the name that it was attached with. */
  readonly container?: string
  /** Of the endpoint: `{ app: 'shop', tier: ['web', 'db'], canary: false, stage: { not: 'test' } }` */
  readonly labels?: Readonly<Record<string, LabelCondition>>
}

/** Whoever has such an address: a container, the host or anybody else. */
export interface CidrPeer {
  readonly cidr: string
  readonly except?: readonly string[]
}

/** `world`: no container's network and not the host. `host`: the host itself, by any of its addresses. `any`: everybody. */
export type Peer = 'world' | 'host' | 'any' | CidrPeer | ContainersPeer

/** What is written in short: `'lab'` a network, `'lab/web'` a container, `'192.0.2.0/24'` or `'192.0.2.9'`; a Network, an Endpoint. */
export type PeerSpec =
  | Peer
  | (string & {})
  | { readonly name: string; readonly subnets: readonly string[] }
  | { readonly name: string; readonly network: string; readonly hostIfname: string }

/**
 * A protocol, or ports of one where the connection ends: `'80'` and `'80/tcp'`, `'8000-8100/udp'`, `'tcp'`, `'icmp'` (of both
 * families). Of published ports it is the container's port, not the host's.
 */
export type PolicyPort = string

export type Direction = 'ingress' | 'egress'

interface Opening {
  readonly from: readonly Peer[]
  readonly to: readonly Peer[]
  /** Absent: all. */
  readonly ports?: readonly PolicyPort[]
}

/**
 * Lets connections through that networks would not, and that isolated containers need. `direction`: only as far as the receivers
 * (`ingress`) or the senders (`egress`) are isolated; absent: as far as both are.
 */
export interface AllowRule extends Opening {
  readonly action: 'allow'
  readonly direction?: Direction
}

/** Lets none through, whatever else allows it. */
export interface DenyRule extends Opening {
  readonly action: 'deny'
}

/** What is not allowed by a rule is refused: what these containers are sent (`ingress`), what they send (`egress`), or both. */
export interface IsolateRule {
  readonly action: 'isolate'
  readonly containers: readonly ContainersPeer[]
  readonly direction?: Direction
}

export type PolicyRule = AllowRule | DenyRule | IsolateRule

/** As the kernel remembers it. */
export interface Policy {
  /** Unique on its host. */
  readonly name: string
  /** Whose device remembers it, and with which it goes. */
  readonly network: string
  readonly rules: readonly PolicyRule[]
}

/** Those of a rule's two sides that choose containers. */
export function containersOf(rule: PolicyRule): readonly ContainersPeer[] {
  const peers = rule.action === 'isolate' ? rule.containers : [...rule.to, ...rule.from]
  return peers.filter(isContainers)
}

export const isContainers = (peer: Peer): peer is ContainersPeer => typeof peer === 'object' && !('cidr' in peer)

/** Every address of the network, and not single containers. */
export const isWholeNetwork = (peer: ContainersPeer): peer is ContainersPeer & { readonly network: string } =>
  peer.network !== undefined && peer.container === undefined && peer.labels === undefined
