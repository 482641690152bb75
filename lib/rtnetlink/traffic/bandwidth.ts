// Limits on what a device sends and receives, in one call.
//
// What a device sends waits in a token bucket at its root. What it receives cannot wait there: it is redirected to an ifb device of
// its own, waits in a token bucket at that one's root, and goes on from there as if nothing had happened. The alternative, a police
// action, would drop whatever does not fit at once, on which TCP gets far less than the limit; and not every kernel has it.

import { kernel, NetlinkError } from '../../errors.ts'
import { send } from '../../exchange.ts'
import { fields, invalidType, outOfRange } from '../../invalid.ts'
import { type Body, type Message, type NamespaceHandle, native, type Outcome } from '../../native.ts'
import { rolledBack } from '../../roll-back.ts'
import * as c from '../constants.ts'
import { getLink, getLinkMessage, type Link, type LinkRef, linkFrom, refBody } from '../link/link.ts'
import { filterBody, listFilters } from './filter.ts'
import { createIfb, ifbName, isIfbOf } from './ifb.ts'
import type { TbfInfo, TbfSpec } from './qdisc/tbf.ts'
import { deleteQdiscMessage, getQdiscMessage, type Qdisc, qdiscBody, qdiscFrom } from './qdisc.ts'
import { type Duration, type Rate, rateOf, type Size, sizeOf } from './units.ts'

export interface BandwidthLimit {
  readonly rate: Rate
  /** How much may pass at once, no less than the MTU. @defaultValue 10 ms of the rate, and at least 32 KiB */
  readonly burst?: Size
  /** How long a packet may wait before others are dropped instead. @defaultValue '50ms' */
  readonly latency?: Duration
}

/** As the device sees it: for the host's end of a container's veth, `egress` is what the container downloads. */
export interface BandwidthSpec {
  /** A rate alone is a limit with everything else at its default. Absent: no limit. */
  readonly egress?: BandwidthLimit | Rate
  readonly ingress?: BandwidthLimit | Rate
}

/** Rates in bits a second, bursts in bytes, latencies in milliseconds. */
export interface Bandwidth {
  readonly egress?: { readonly rate: number; readonly burst: number; readonly latency: number }
  readonly ingress?: { readonly rate: number; readonly burst: number; readonly latency: number }
}

/** Both directions, complete. */
interface Wanted {
  readonly egress: TbfSpec | undefined
  readonly ingress: TbfSpec | undefined
}

interface State {
  readonly link: Link
  readonly root: Qdisc | undefined
  /** The ingress or clsact of the device. */
  readonly hook: Qdisc | undefined
  /** The device that carries what this one receives. */
  readonly ifb: Link | undefined
  readonly ifbRoot: Qdisc | undefined
  /** Whether what comes in is sent to `ifb`. */
  readonly redirected: boolean
  /** Whether the hook has filters of others. */
  readonly shared: boolean
}

/** After all others: whoever has filters of their own on the hook, keeps them. */
const priority = 0xffff

const ethernetHeader = 14

/** Checked before any system call; the burst once more when the MTU is known. */
function limitSpec(limit: BandwidthLimit | Rate | undefined, path: string, mtu: number): TbfSpec | undefined {
  if (limit === undefined) return undefined
  const spec: BandwidthLimit = typeof limit === 'object' && limit !== null ? limit : { rate: limit }
  fields(spec, path, ['rate', 'burst', 'latency'])
  const rate = rateOf(spec.rate, `${path}.rate`)
  const smallest = mtu + ethernetHeader
  const burst =
    spec.burst === undefined
      ? Math.min(Math.max(Math.ceil(rate / 100), 32 * 1024, smallest), 0xffffffff)
      : sizeOf(spec.burst, `${path}.burst`)
  // A packet that is larger than the bucket would never pass.
  if (burst < smallest) throw outOfRange(`${path}.burst`, smallest, 0xffffffff, spec.burst)
  return { rate: rate * 8, burst, latency: spec.latency ?? '50ms' }
}

function wantedOf(spec: BandwidthSpec | null, mtu: number): Wanted {
  if (spec === null) return { egress: undefined, ingress: undefined }
  if (spec === undefined) throw invalidType('bandwidth', 'an object or null', spec)
  fields(spec, 'bandwidth', ['egress', 'ingress'])
  const wanted = {
    egress: limitSpec(spec.egress, 'bandwidth.egress', mtu),
    ingress: limitSpec(spec.ingress, 'bandwidth.ingress', mtu),
  }
  for (const one of [wanted.egress, wanted.ingress]) if (one !== undefined) qdiscBody(1, { kind: 'tbf', ...one })
  return wanted
}

/** Refuses what setBandwidth would refuse for a device with this MTU. */
export function checkBandwidth(spec: BandwidthSpec, mtu: number): BandwidthSpec {
  wantedOf(spec, mtu)
  return spec
}

/** What an outcome found, or nothing when there is no such thing; any other refusal is thrown. */
function found(outcome: Outcome | undefined): Body | undefined {
  const { error, replies = [] } = outcome ?? {}
  if (error === undefined) return replies[0]
  const refusal = new NetlinkError(error)
  if (refusal.code === 'ENOENT' || refusal.code === 'ENODEV') return undefined
  throw refusal
}

async function look(handle: NamespaceHandle, messages: readonly Message[]): Promise<(Body | undefined)[]> {
  return (await kernel(native.submit(handle, messages))).map(found)
}

async function stateOf(handle: NamespaceHandle, link: Link): Promise<State> {
  const { index } = link
  const [root, hook, other] = await look(handle, [
    getQdiscMessage(index, 'root'),
    getQdiscMessage(index, 'ingress'),
    getLinkMessage(ifbName(index), 'link'),
  ])
  const candidate = other === undefined ? undefined : linkFrom(other)
  const ifb = candidate !== undefined && isIfbOf(candidate, index) ? candidate : undefined
  const ifbRoot = ifb === undefined ? undefined : (await look(handle, [getQdiscMessage(ifb.index, 'root')]))[0]
  const filters = hook === undefined ? [] : await listFilters(handle, index, { parent: 'ingress' })
  const ours = filters.filter(
    (filter) =>
      filter.priority === priority && filter.actions.some((action) => action.kind === 'mirred' && action.dev === ifb?.index),
  )
  return {
    link,
    root: root === undefined ? undefined : qdiscFrom(root),
    hook: hook === undefined ? undefined : qdiscFrom(hook),
    ifb,
    ifbRoot: ifbRoot === undefined ? undefined : qdiscFrom(ifbRoot),
    redirected: ifb !== undefined && ours.length > 0,
    shared: filters.length > ours.length,
  }
}

/** A queueing discipline that somebody made, and not this. */
function checkRoot({ root, link }: State): void {
  if (root === undefined || root.handle === '0:' || root.kind === 'tbf') return
  const kind = root.kind === 'other' ? root.type : root.kind
  throw Object.assign(
    new Error(`${link.name} has a queueing discipline ${kind} ${root.handle} of somebody else's at its root: delete it first`),
    { code: 'ERR_INVALID_STATE' },
  )
}

const replace = (index: number, spec: TbfSpec, step: string): Message => ({
  type: 'RTM_NEWQDISC',
  flags: c.NLM_F_CREATE | c.NLM_F_REPLACE,
  body: qdiscBody(index, { kind: 'tbf', ...spec }),
  step,
})

function egressMessages(state: State, spec: TbfSpec | undefined): Message[] {
  if (spec !== undefined) return [replace(state.link.index, spec, `limit what ${state.link.name} sends`)]
  return state.root?.kind === 'tbf' ? [deleteQdiscMessage(state.link, state.link.index, 'root')] : []
}

/** The bucket is there before anything is sent through it. */
async function limitIngress(handle: NamespaceHandle, state: State, spec: TbfSpec): Promise<void> {
  const { link } = state
  const ifb = state.ifb?.index ?? (await createIfb(handle, link))
  const messages: Message[] = [
    // For people: nothing here reads it.
    { type: 'RTM_SETLINK', flags: 0, body: { index: ifb, alias: `what ${link.name} receives` } },
    replace(ifb, spec, `limit what ${link.name} receives`),
  ]
  if (state.hook === undefined) {
    messages.push({
      type: 'RTM_NEWQDISC',
      flags: c.NLM_F_CREATE | c.NLM_F_EXCL,
      body: qdiscBody(link.index, { kind: 'ingress' }),
      step: `give ${link.name} a hook for what it receives`,
    })
  }
  if (!state.redirected) {
    const actions = [{ kind: 'mirred', action: 'redirect', dev: ifb } as const]
    messages.push({
      type: 'RTM_NEWTFILTER',
      flags: c.NLM_F_CREATE | c.NLM_F_EXCL,
      body: filterBody(link.index, { kind: 'u32', parent: 'ingress', priority, actions }, [ifb]),
      step: `send what ${link.name} receives to ${ifbName(link.index)}`,
    })
  }
  await send(handle, messages)
}

/** The other way round: nothing is sent to a device that is going. */
function unlimitIngressMessages(state: State): Message[] {
  const { link, ifb, hook } = state
  const messages: Message[] = []
  if (ifb === undefined) return messages
  if (hook?.kind === 'ingress' && !state.shared) messages.push(deleteQdiscMessage(link, link.index, 'ingress'))
  else if (state.redirected) {
    const { index, parent, info } = filterBody(link.index, { kind: 'u32', parent: 'ingress', priority }, [])
    messages.push({ type: 'RTM_DELTFILTER', flags: 0, body: { index, parent, info } })
  }
  messages.push({ type: 'RTM_DELLINK', flags: 0, body: { index: ifb.index }, step: `delete the device ${ifb.name}` })
  return messages
}

/** From whatever is there to what is wanted: after an error, the same with what there was takes it back. */
async function apply(handle: NamespaceHandle, state: State, wanted: Wanted): Promise<void> {
  const egress = egressMessages(state, wanted.egress)
  if (egress.length > 0) await send(handle, egress)
  if (wanted.ingress !== undefined) return limitIngress(handle, state, wanted.ingress)
  const ingress = unlimitIngressMessages(state)
  if (ingress.length > 0) await send(handle, ingress)
}

const asSpec = ({ rate, burst, limit }: TbfInfo): TbfSpec => ({ rate, burst, limit })

function currentOf({ root, ifbRoot, redirected }: State): { egress: TbfInfo | undefined; ingress: TbfInfo | undefined } {
  return {
    egress: root?.kind === 'tbf' ? root : undefined,
    ingress: redirected && ifbRoot?.kind === 'tbf' ? ifbRoot : undefined,
  }
}

/**
 * Makes the limits of a device what `spec` says, and no others; null removes both. ERR_INVALID_STATE when its root has a queueing
 * discipline that is not tbf and that somebody made. On an error the limits are what they were.
 *
 * The device that `ingress` takes is called `ifb-<index of the link>`. It goes with the limit, not with the link: remove the limit
 * before the link, or call pruneBandwidth after it.
 */
export async function setBandwidth(handle: NamespaceHandle, ref: LinkRef, spec: BandwidthSpec | null): Promise<void> {
  refBody(ref, 'link')
  wantedOf(spec, 0)
  const link = await getLink(handle, ref)
  const wanted = wantedOf(spec, link.mtu)
  const before = await stateOf(handle, link)
  if (wanted.egress !== undefined) checkRoot(before)
  const { egress, ingress } = currentOf(before)
  await rolledBack(
    () => apply(handle, before, wanted),
    async () =>
      apply(handle, await stateOf(handle, link), {
        egress: egress && asSpec(egress),
        ingress: ingress && asSpec(ingress),
      }),
  )
}

/** As the kernel has them, whoever set them: of `egress`, a tbf at the device's root; of `ingress`, what setBandwidth makes. */
export async function getBandwidth(handle: NamespaceHandle, ref: LinkRef): Promise<Bandwidth> {
  const { egress, ingress } = currentOf(await stateOf(handle, await getLink(handle, ref)))
  const shown = ({ rate, burst, latency }: TbfInfo): NonNullable<Bandwidth['egress']> => ({ rate, burst, latency })
  return {
    ...(egress === undefined ? {} : { egress: shown(egress) }),
    ...(ingress === undefined ? {} : { ingress: shown(ingress) }),
  }
}
