// Putting back what somebody took away or changed.

import { signalOf, throwIfAborted } from '../../abort.ts'
import { NetlinkError } from '../../errors.ts'
import type { Netns } from '../../netns/netns.ts'
import { type HostOptions, hostOf } from '../list.ts'
import { flawsOf } from './check.ts'
import { type Finding, type Flaw, keyOf } from './finding.ts'
import { restoreFirewall } from './restore.ts'

export interface RepairReport {
  /** What was found and is as it should be now. */
  readonly repaired: readonly Finding[]
  /** What is not, because it cannot be, or because somebody takes it away again and again. */
  readonly remaining: readonly Finding[]
}

/** One repair may show the next flaw: an address that a device that was down could not have. */
const mostRounds = 8

/** The device went since. */
function unlessGone(error: unknown): void {
  if (!(error instanceof NetlinkError && ['ENODEV', 'ENOENT'].includes(error.code))) throw error
}

const isRepairable = ({ finding }: Flaw): boolean => finding.repairable

/** The firewall waits until the devices are what it is made from. */
async function mend(host: Netns, flaws: readonly Flaw[], signal: AbortSignal | undefined): Promise<void> {
  const mends = flaws.flatMap((flaw) => flaw.mend ?? [])
  for (const one of mends) {
    throwIfAborted(signal)
    await one().catch(unlessGone)
  }
  throwIfAborted(signal)
  if (mends.length === 0 && flaws.some(isRepairable)) await restoreFirewall(host)
}

interface Repairs {
  readonly isMeant?: (finding: Finding) => boolean
  readonly signal: AbortSignal | undefined
}

/** @internal */
export async function repairAll(host: Netns, { isMeant = () => true, signal }: Repairs): Promise<RepairReport> {
  const found = new Map<string, Finding>()
  for (let round = 0; ; round++) {
    const flaws = (await flawsOf(host, signal)).filter(({ finding }) => isMeant(finding))
    for (const { finding } of flaws) found.set(keyOf(finding), finding)
    if (round === mostRounds || !flaws.some(isRepairable)) {
      const left = new Set(flaws.map(({ finding }) => keyOf(finding)))
      const findings = [...found.values()]
      return {
        repaired: findings.filter((one) => !left.has(keyOf(one))),
        remaining: findings.filter((one) => left.has(keyOf(one))),
      }
    }
    await mend(host, flaws, signal)
  }
}

/**
 * Puts back what `check` finds, and looks again: devices up, in their groups and on their bridges, with their names, addresses, routes and
 * settings; then the firewall, in one transaction, from what the devices say. What is as it should be is not touched. What cannot be
 * repaired is in `remaining`: a bridge or a host end that was deleted takes what it was with it. Called off, it leaves
 * repaired what it has repaired.
 */
export async function repair(options: HostOptions = {}): Promise<RepairReport> {
  return repairAll(hostOf(options), { signal: signalOf(options, 'options') })
}
