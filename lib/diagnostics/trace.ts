// The library at work, seen from outside: channels of node:diagnostics_channel for its requests, NODE_DEBUG for its messages. Everything
// that goes to the kernel passes here, and costs nothing more while nobody looks.

import { type Channel, channel } from 'node:diagnostics_channel'
import { debuglog } from 'node:util'
import { NetlinkError, toError } from '../errors.ts'
import type { Body, DumpResult, Found, Message, NamespaceHandle, Native, Outcome, Taken, Tell, Transcribed } from '../native.ts'
import { isRecorded, recorded, type Sent } from './record.ts'
import { isWarned, kernelWarning, type NetlinkWarning, warn } from './warning.ts'
import { bodyWords, bytesWords, messageWords, settingWords } from './words.ts'

/**
 * What the channels `netlink-ct:request:start`, `netlink-ct:request:error` and `netlink-ct:request:end` are told: the same object for all
 * three, so that a WeakMap or a property of one's own joins them.
 */
export interface RequestInfo {
  /** `submit`, `dump`, `transact` for messages; `create`, `open`, `setSysctl`, `attach`, … */
  readonly operation: string
  /** Inode of the namespace it acts in; absent where there is none yet. */
  readonly netns?: bigint
  /** Their types, in order: `RTM_NEWLINK`. Of `attach`, `detach` and `changePorts` known in `end`. */
  messages: readonly string[]
  /** What they are for, where that was said. */
  steps: readonly string[]
  /** Milliseconds, in `end`. */
  duration?: number
  /** In `error` and `end`: what was thrown, or the first refusal among several messages. */
  error?: unknown
}

const start: Channel = channel('netlink-ct:request:start')
const end: Channel = channel('netlink-ct:request:end')
const failed: Channel = channel('netlink-ct:request:error')
const words = debuglog('netlink-ct')
const bytes = debuglog('netlink-ct-bytes')

const isWatched = (): boolean =>
  isRecorded() ||
  start.hasSubscribers ||
  end.hasSubscribers ||
  failed.hasSubscribers ||
  isWarned() ||
  words.enabled ||
  bytes.enabled

interface Description {
  readonly handle?: NamespaceHandle | undefined
  readonly messages?: readonly Message[]
  /** What is no message; absent: the name of the operation. */
  readonly words?: string
  /** Sends messages that it alone knows. */
  readonly isComposed?: boolean
}

function firstError(result: unknown): unknown {
  if (!Array.isArray(result)) return undefined
  const refused = (result as readonly Partial<Outcome>[]).find((outcome) => outcome?.error !== undefined)?.error
  return refused === undefined ? undefined : new NetlinkError(refused)
}

/** The kernel's warnings in the result of `submit`, `transact` or `dump`. */
function warningsOf(result: unknown, messages: readonly Message[], netns: bigint | undefined): NetlinkWarning[] {
  const several = Array.isArray(result) ? (result as readonly Partial<Outcome>[]) : [result as Partial<Outcome> | undefined]
  return several.flatMap((outcome, at) => {
    const message = messages[at]
    if (outcome?.warning === undefined || message === undefined) return []
    return kernelWarning(outcome.warning, message.step ?? message.type, netns)
  })
}

export function traced(native: Native): Native {
  const place = (handle: NamespaceHandle | undefined): bigint | undefined =>
    handle === undefined ? undefined : native.describe(handle).inode

  /** Where the objects of a dump are from. */
  const places = new WeakMap<Found, string>()

  /** In words, and to whom it may concern. */
  function say(sent: Sent, raw: () => Uint8Array | undefined, record: Sent[] | undefined): void {
    record?.push(sent)
    const where = sent.netns === undefined ? '' : `netns ${sent.netns} `
    words('%s> %s%s', where, sent.words, sent.step === undefined ? '' : ` # ${sent.step}`)
    const all = bytes.enabled ? raw() : undefined
    if (all !== undefined) bytes('%s> %s, %d bytes\n%s', where, sent.type, all.length, bytesWords(all))
  }

  function sayRequest(operation: string, netns: bigint | undefined, { messages, words }: Description, record?: Sent[]): void {
    const place = netns === undefined ? {} : { netns }
    if (messages === undefined) say({ ...place, type: operation, words: words ?? operation }, () => undefined, record)
    for (const message of messages ?? []) {
      const { type, step } = message
      const sent = { ...place, type, words: messageWords(message), ...(step === undefined ? {} : { step }) }
      say(sent, () => native.encoded(message), record)
    }
  }

  function sayTranscribed({ netns, type, flags, bytes, step }: Transcribed, record?: Sent[]): void {
    if (type === '') {
      const setting = settingWords(step, Buffer.from(bytes).toString())
      say({ netns, type: 'setSysctl', words: setting }, () => undefined, record)
    } else {
      const sent = { netns, type, words: messageWords({ type, flags, body: native.decoded(type, bytes) }) }
      say(step === '' ? sent : { ...sent, step }, () => bytes, record)
    }
  }

  function printResult(info: RequestInfo, result: unknown): void {
    const where = info.netns === undefined ? '' : `netns ${info.netns} `
    if (info.operation === 'dump' && result !== undefined) places.set((result as DumpResult).found, where)
    const bodies = Array.isArray(result) ? (result as readonly Outcome[]).flatMap(({ replies }) => replies ?? []) : []
    for (const body of bodies) words('%s< %s', where, bodyWords(body))
    const how = info.error === undefined ? 'ok' : String(info.error)
    words('%s< %s: %s, %s ms', where, info.operation, how, info.duration?.toFixed(3))
  }

  async function observe<R>(operation: string, description: Description, call: (tell: Tell) => Promise<R>): Promise<R> {
    const { handle, messages = [], isComposed = false } = description
    const netns = place(handle)
    const record = recorded()
    const steps = messages.flatMap(({ step }) => step ?? [])
    const info: RequestInfo = {
      operation,
      ...(netns === undefined ? {} : { netns }),
      messages: messages.map(({ type }) => type),
      steps,
    }
    start.publish(info)
    const isSaid = record !== undefined || words.enabled || bytes.enabled
    if (isSaid && !isComposed) sayRequest(operation, netns, description, record)
    const tell: Tell = (sent) => {
      info.messages = sent.map(({ type }) => (type === '' ? 'setSysctl' : type))
      info.steps = sent.flatMap(({ type, step }) => (type === '' || step === '' ? [] : step))
      if (isSaid) for (const one of sent) sayTranscribed(one, record)
    }
    const began = performance.now()
    let result: R | undefined
    try {
      result = await call(tell)
      const refused = firstError(result)
      if (refused !== undefined) info.error = refused
      for (const warning of warningsOf(result, messages, netns)) {
        warn(warning)
        words('netns %s < warning: %s: %s', netns, warning.operation, warning.message)
      }
      return result
    } catch (failure) {
      info.error = toError(failure)
      throw failure
    } finally {
      info.duration = performance.now() - began
      if (info.error !== undefined) failed.publish(info)
      end.publish(info)
      if (words.enabled) printResult(info, result)
    }
  }

  const around =
    <A extends readonly unknown[], R>(
      operation: string,
      call: (...args: A) => Promise<R>,
      describe: (...args: A) => Description,
    ) =>
    (...args: A): Promise<R> =>
      isWatched() ? observe(operation, describe(...args), () => call(...args)) : call(...args)

  const inside = (handle: NamespaceHandle): Description => ({ handle })
  const composed = (handle: NamespaceHandle): Description => ({ handle, isComposed: true })
  const nowhere = (): Description => ({})
  const several = (handle: NamespaceHandle, messages: readonly Message[]): Description => ({ handle, messages })

  const takeObjects = (found: Found, count: number): readonly Body[] => {
    const bodies = native.takeObjects(found, count)
    for (const body of bodies) words('%s< %s', places.get(found) ?? '', bodyWords(body))
    return bodies
  }

  const take = (watcher: number): Taken => {
    const taken = native.take(watcher)
    for (const news of taken.news) {
      const from = news.nsid === undefined ? '' : ` netnsid ${news.nsid}`
      words('watch %d%s * %s', watcher, from, messageWords(news))
    }
    if (taken.lost) words('watch %d overrun', watcher)
    return taken
  }

  return {
    ...native,
    open: around('open', native.open, nowhere),
    create: around('create', native.create, nowhere),
    bind: around('bind', native.bind, inside),
    unbind: around('unbind', native.unbind, nowhere),
    getSysctl: around('getSysctl', native.getSysctl, (handle, path) => ({ handle, words: settingWords(path) })),
    setSysctl: around('setSysctl', native.setSysctl, (handle, path, to) => ({ handle, words: settingWords(path, to) })),
    socket: around('socket', native.socket, inside),
    openTun: around('openTun', native.openTun, inside),
    submit: around('submit', native.submit, several),
    transact: around('transact', native.transact, several),
    dump: around('dump', native.dump, (handle, message) => ({ handle, messages: [message] })),
    attach: (host, within, plan) =>
      isWatched()
        ? observe('attach', composed(host), (tell) => native.attach(host, within, plan, tell))
        : native.attach(host, within, plan),
    detach: (host, plan) =>
      isWatched() ? observe('detach', composed(host), (tell) => native.detach(host, plan, tell)) : native.detach(host, plan),
    changePorts: (host, change) =>
      isWatched()
        ? observe('changePorts', composed(host), (tell) => native.changePorts(host, change, tell))
        : native.changePorts(host, change),
    watch: around('watch', native.watch, inside),
    take: words.enabled ? take : native.take,
    takeObjects: words.enabled ? takeObjects : native.takeObjects,
  }
}
