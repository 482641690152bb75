// The policies that there are, whoever made them: what the devices of networks remember.

import type { Netns } from '../netns/netns.ts'
import { networkAltname, networkLabelOf } from '../network/label.ts'
import type { Link } from '../rtnetlink/link/link.ts'
import type { Policy } from './policy.ts'
import { concerns } from './select.ts'
import { policiesOn } from './text.ts'

/** The network that a device stands for; undefined for one that is none's, or of a network that has no firewall. */
export function networkNameOf(link: Link): string | undefined {
  const label = networkLabelOf(link)
  const isIts = label !== undefined && label.lan === undefined && link.altnames.includes(networkAltname(label.name))
  return isIts ? label.name : undefined
}

/** By name. One dump of the host's bridges. */
export async function readPolicies(host: Netns): Promise<Policy[]> {
  const policies = (await host.listLinks({ kind: 'bridge' })).flatMap((link) => {
    const network = networkNameOf(link)
    return network === undefined ? [] : policiesOn(link, network).policies
  })
  return policies.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** What a Network knows of the policies about it; a change of them is noticed by the next attach. */
export class KnownPolicies {
  readonly #host: Netns
  readonly #network: string
  #policies: readonly Policy[] = []

  constructor(host: Netns, network: string) {
    this.#host = host
    this.#network = network
  }

  get policies(): readonly Policy[] {
    return this.#policies
  }

  async refresh(): Promise<void> {
    const all = await readPolicies(this.#host)
    this.#policies = all.filter((policy) => concerns(policy, this.#network))
  }
}
