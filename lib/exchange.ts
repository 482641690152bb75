// Sending netlink messages and reading dumps, for the verbs of every family.

import { throwIfAborted } from './abort.ts'
import { firstRefusal, kernel, NetlinkError, TornDumpError } from './errors.ts'
import { type Body, type Field, type Message, type NamespaceHandle, native, type Outcome } from './native.ts'
import { Pace } from './pace.ts'

/** Sends one submission; the first refusal is thrown. */
export async function send(handle: NamespaceHandle, messages: readonly Message[]): Promise<readonly Outcome[]> {
  const outcomes = await kernel(native.submit(handle, messages))
  const refusal = firstRefusal(outcomes)
  if (refusal !== undefined) throw new NetlinkError(refusal)
  return outcomes
}

/** Sends deletions in one submission. What is gone already, as one of `gone` says, is no error; the first other refusal is thrown. */
export async function sweep(handle: NamespaceHandle, messages: readonly Message[], gone: readonly string[]): Promise<void> {
  if (messages.length === 0) return
  for (const { error } of await kernel(native.submit(handle, messages))) {
    if (error === undefined) continue
    const refusal = new NetlinkError(error)
    if (!gone.includes(refusal.code)) throw refusal
  }
}

/** Objects between two looks at the clock. */
const handful = 16

export interface Reading<T> {
  readonly objects: T[]
  readonly torn: boolean
  readonly readings: number
}

/** Asks for everything that matches. The objects are made little by little, and the event loop turns in between. */
export async function read<T>(
  handle: NamespaceHandle,
  message: Message,
  decode: (body: Body) => T,
  signal?: AbortSignal,
): Promise<Reading<T>> {
  throwIfAborted(signal)
  const { found, torn, readings } = await kernel(native.dump(handle, message))
  throwIfAborted(signal)
  const objects: T[] = []
  const pace = new Pace()
  for (;;) {
    const bodies = native.takeObjects(found, handful)
    for (const body of bodies) objects.push(decode(body))
    if (bodies.length < handful) return { objects, torn, readings }
    if (pace.isTired) {
      await pace.rest()
      throwIfAborted(signal)
    }
  }
}

/** Everything that matches; a torn dump is an error that carries what there was. */
export async function dump<T>(
  handle: NamespaceHandle,
  type: string,
  body: Body,
  what: string,
  decode: (object: Body) => T,
  { want = [], signal }: { readonly want?: readonly string[]; readonly signal?: AbortSignal | undefined } = {},
): Promise<T[]> {
  const { objects, torn, readings } = await read(handle, { type, flags: 0, body, want }, decode, signal)
  if (torn) throw new TornDumpError(what, objects, readings)
  return objects
}

/** Members of a decoded body, with the types that the schema gives them. Read where they are named: the engine remembers each place. */
export const number = (member: Field): number => (typeof member === 'number' ? member : 0)
export const optionalNumber = (member: Field): number | undefined => (typeof member === 'number' ? member : undefined)
export const optionalText = (member: Field): string | undefined => (typeof member === 'string' ? member : undefined)
export const nested = (member: Field): Body | undefined =>
  typeof member === 'object' && !Array.isArray(member) && !(member instanceof Uint8Array) ? (member as Body) : undefined

/** An object without its undefined members, as exactOptionalPropertyTypes wants it. By a loop: a listing does it 10 000 times. */
export function present<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const kept: Record<string, unknown> = {}
  for (const name in object) if (object[name] !== undefined) kept[name] = object[name]
  return kept as { [K in keyof T]: Exclude<T[K], undefined> }
}
