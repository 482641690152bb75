// A scenario: a lab for it, and after it the kernel as it was before.

import type { AttachedEndpoint } from '../../../lib/index.ts'
import { asBefore } from '../../network/support/lan.ts'
import { sweep } from '../../network/support/sweep.ts'
import { createLab, curl, kernelState, type Lab, type NetnsRef, readSysctl, writeSysctl } from '../../support/lab.ts'

const forwarding = 'net.ipv4.ip_forward'

/** On a host that does not forward. Whatever `body` makes it has to take away. */
export async function inLab(body: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await createLab()
  const forwarded = await readSysctl(forwarding)
  try {
    await writeSysctl(forwarding, 0)
    const before = await kernelState()
    await body(lab)
    await asBefore(before)
  } catch (error) {
    await sweep() // one failure is enough
    throw error
  } finally {
    await writeSysctl(forwarding, forwarded)
    await lab[Symbol.asyncDispose]()
  }
}

/** `'172.18.0.2'` */
export const addressOf = ({ addresses }: AttachedEndpoint): string => addresses[0]?.split('/')[0] ?? ''

/** Who answers by HTTP; undefined when nobody does. What should fail is not waited for long. */
export async function answers(url: string, from?: NetnsRef, within = 5000): Promise<string | undefined> {
  return (await curl(url, { netns: from, within })).answer?.server
}

/** How long nobody is waited for. */
export const silence = 800

const bridgeNetfilter = ['net.bridge.bridge-nf-call-iptables', 'net.bridge.bridge-nf-call-ip6tables']

/** Whether packets between the ports of a bridge pass the firewall, during `body`. */
export async function withBridgeNetfilter(setting: 0 | 1, body: () => Promise<void>): Promise<void> {
  const before = await Promise.all(bridgeNetfilter.map((key) => readSysctl(key)))
  const set = (values: readonly (string | number)[]): Promise<unknown> =>
    Promise.all(bridgeNetfilter.map((key, at) => writeSysctl(key, values[at] ?? '')))
  await set([setting, setting])
  await body().finally(() => set(before))
}
