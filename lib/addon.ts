// The addon as it is: what its functions take and give is packed; see packed.ts.

import type { Mutable } from './mutable.ts'
import type {
  Attached,
  DumpResult,
  Found,
  KernelRefusal,
  KernelWarning,
  NamespaceHandle,
  Native,
  Outcome,
  Tell,
} from './native.ts'
import { Packer, Unpacker } from './packed.ts'

type Packed = Uint8Array

/** Positions and what is at them: `[0, refusal, 7, refusal]`. */
type At<T> = readonly (number | T)[]

interface PackedOutcomes {
  readonly count: number
  readonly refusals: At<KernelRefusal>
  readonly warnings: At<KernelWarning>
  readonly replies: Packed | undefined
}

/** How an operation ended whose messages were transcribed. */
interface Told<T> {
  readonly sent: Packed
  readonly value?: T
  readonly error?: KernelRefusal
}

type Changed = 'submit' | 'transact' | 'dump' | 'takeObjects' | 'attach' | 'detach' | 'changePorts' | 'socket' | 'openTun'

export interface Addon extends Omit<Native, Changed | 'watch' | 'take' | 'encoded' | 'decoded'> {
  fieldNames(): readonly string[]
  submit(handle: NamespaceHandle, messages: Packed): Promise<PackedOutcomes>
  transact(handle: NamespaceHandle, messages: Packed, generation?: number): Promise<PackedOutcomes>
  /** A list of one message. */
  dump(handle: NamespaceHandle, messages: Packed): Promise<DumpResult>
  takeObjects(found: Found, count: number): Packed
  attach(host: NamespaceHandle, inside: NamespaceHandle | undefined, plan: Packed): ReturnType<Native['attach']>
  attach(host: NamespaceHandle, inside: NamespaceHandle | undefined, plan: Packed, transcribed: true): Promise<Told<Attached>>
  detach(host: NamespaceHandle, plan: Packed): Promise<void>
  detach(host: NamespaceHandle, plan: Packed, transcribed: true): Promise<Told<void>>
  changePorts(host: NamespaceHandle, change: Packed): Promise<void>
  changePorts(host: NamespaceHandle, change: Packed, transcribed: true): Promise<Told<void>>
  socket(handle: NamespaceHandle, request: Packed): ReturnType<Native['socket']>
  openTun(handle: NamespaceHandle, request: Packed): ReturnType<Native['openTun']>
  watch(handle: NamespaceHandle, options: Packed, wake: () => void): ReturnType<Native['watch']>
  take(watcher: number): { readonly news: Packed; readonly lost: boolean; readonly error?: KernelRefusal }
  encoded(message: Packed): Uint8Array | undefined
  decoded(type: string, bytes: Uint8Array): Packed
}

/** The addon with plain values in and out. */
export function unpacking(addon: Addon): Native {
  const names = addon.fieldNames()
  const packer = new Packer(names)
  const unpacker = new Unpacker(names)
  const unpacked = <T>(bytes: Packed): T => unpacker.unpack(bytes) as T

  /** What each of the messages has come to. */
  function outcomesOf({ count, refusals, warnings, replies }: PackedOutcomes): Outcome[] {
    const outcomes = Array.from({ length: count }, (): Mutable<Outcome> & { readonly replies: unknown[] } => ({ replies: [] }))
    const at = (position: unknown) => outcomes[position as number] as (typeof outcomes)[number]
    for (let next = 0; next < refusals.length; next += 2) at(refusals[next]).error = refusals[next + 1] as KernelRefusal
    for (let next = 0; next < warnings.length; next += 2) at(warnings[next]).warning = warnings[next + 1] as KernelWarning
    const answers = replies === undefined ? [] : unpacked<readonly unknown[]>(replies)
    for (let next = 0; next < answers.length; next += 2) at(answers[next]).replies.push(answers[next + 1])
    return outcomes as Outcome[]
  }

  async function told<T>(tell: Tell, ended: Promise<Told<T>>): Promise<T> {
    const { sent, value, error } = await ended
    tell(unpacked(sent))
    // As the addon rejects: plain data, of which the caller makes an Error with its stack.
    return error === undefined ? (value as T) : Promise.reject(error)
  }

  return {
    ...addon,
    submit: async (handle, messages) => outcomesOf(await addon.submit(handle, packer.pack(messages))),
    transact: async (handle, messages, generation) => outcomesOf(await addon.transact(handle, packer.pack(messages), generation)),
    dump: (handle, message) => addon.dump(handle, packer.pack([message])),
    takeObjects: (found, count) => unpacked(addon.takeObjects(found, count)),
    attach: (host, inside, plan, tell) => {
      const bytes = packer.pack(plan)
      return tell === undefined ? addon.attach(host, inside, bytes) : told(tell, addon.attach(host, inside, bytes, true))
    },
    detach: (host, plan, tell) => {
      const bytes = packer.pack(plan)
      return tell === undefined ? addon.detach(host, bytes) : told(tell, addon.detach(host, bytes, true))
    },
    changePorts: (host, change, tell) => {
      const bytes = packer.pack(change)
      return tell === undefined ? addon.changePorts(host, bytes) : told(tell, addon.changePorts(host, bytes, true))
    },
    socket: (handle, request) => addon.socket(handle, packer.pack(request)),
    openTun: (handle, request) => addon.openTun(handle, packer.pack(request)),
    watch: (handle, options, wake) => addon.watch(handle, packer.pack(options), wake),
    take: (watcher) => {
      const { news, ...rest } = addon.take(watcher)
      return { news: unpacked(news), ...rest }
    },
    encoded: (message) => addon.encoded(packer.pack(message)),
    decoded: (type, bytes) => unpacked(addon.decoded(type, bytes)),
  }
}
