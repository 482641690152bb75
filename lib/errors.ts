// The kernel's refusals as errors in Node's own shape, with what netlink adds.

import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import type { AttributePolicy, KernelRefusal } from './native.ts'
import { rightsHint } from './rights.ts'

// In neither of Node's two tables.
const unnamed: Readonly<Record<number, readonly [string, string]>> = {
  54: ['EXFULL', 'exchange full'],
  55: ['ENOANO', 'no anode'],
  85: ['ERESTART', 'interrupted, to be started again'],
  117: ['EUCLEAN', 'structure needs cleaning'],
  524: ['ENOTSUPP', 'operation is not supported'],
}

function nameOf(errno: number): readonly [code: string, text: string] {
  const known = getSystemErrorMap().get(-errno) ?? unnamed[errno]
  if (known !== undefined) return known
  const code = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `E${errno}`
  return [code, 'the kernel refused']
}

function between(from: number | bigint | undefined, to: number | bigint | undefined): string | undefined {
  if (from !== undefined && to !== undefined) return from === to ? `${from}` : `${from} to ${to}`
  if (from !== undefined) return `at least ${from}`
  return to === undefined ? undefined : `at most ${to}`
}

/** Whether these are the limits of the type itself. */
function isWholeRange({ type, min, max }: AttributePolicy): boolean {
  const [, sign, bits] = /^([us])(8|16|32|64)$/.exec(type) ?? []
  if (bits === undefined || min === undefined || max === undefined) return false
  const half = 1n << (BigInt(bits) - 1n)
  const [from, to] = sign === 'u' ? [0n, 2n * half - 1n] : [-half, half - 1n]
  return BigInt(min) === from && BigInt(max) === to
}

/** `a u32, 193 to 4294967295`, `a string of at most 15 bytes`. */
function policyWords(policy: AttributePolicy): string {
  const { type, min, max, minLength, maxLength, mask } = policy
  const length = between(minLength, maxLength)
  if (type === 'bytes' && length !== undefined) return `${length} bytes`
  const range = isWholeRange(policy) ? undefined : between(min, max)
  return [
    type === 'bytes' ? type : `a ${type}`,
    length === undefined ? '' : ` of ${length} bytes`,
    range === undefined ? '' : `, ${range}`,
    mask === undefined ? '' : ` of the bits 0x${mask.toString(16)}`,
  ].join('')
}

function describe(refusal: KernelRefusal, code: string, text: string): string {
  const { syscall, step, extack, note, attribute, policy, missing } = refusal
  let message = [`${code}: ${text}, ${syscall}`, step, extack, note].filter((part) => part !== undefined).join(': ')
  if (attribute !== undefined)
    message += policy === undefined ? ` (${attribute})` : ` (${attribute} takes ${policyWords(policy)})`
  if (missing !== undefined) message += `: missing attribute ${missing}`
  const hint = rightsHint(code, refusal)
  return hint === undefined ? message : `${message}; ${hint}`
}

const brand = Symbol.for('netlink-ct.NetlinkError')

/**
 * The kernel said no.
 *
 * `message` reads like Node's own system errors and goes on with what only netlink tells:
 * `ERANGE: result too large, RTM_NEWLINK: make the link br0: integer out of range (IFLA_GSO_MAX_SIZE takes a u32, 193 to 4294967295)`.
 */
export class NetlinkError extends Error {
  override readonly name: string = 'NetlinkError'
  /** `EEXIST`, as in errno(3). */
  readonly code: string
  /** Negative, as in Node's system errors: -17. */
  readonly errno: number
  /** The message type or system call that was refused: `RTM_NEWLINK`, `NFT_MSG_NEWSETELEM`, `setns`. */
  readonly syscall: string
  /** What it was a part of, in words; absent for a lone message. */
  declare readonly operation?: string
  /** The kernel's own text (NLMSGERR_ATTR_MSG); absent when it gave none. */
  declare readonly extack?: string
  /**
   * The attribute that the kernel points at (NLMSGERR_ATTR_OFFS), as a path of its names:
   * `IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_BR_PRIORITY`; absent when it points at none.
   */
  declare readonly attribute?: string
  /** What that attribute takes (NLMSGERR_ATTR_POLICY); absent when the kernel refused it for another reason. */
  declare readonly policy?: AttributePolicy
  /** The attribute that should have been there (NLMSGERR_ATTR_MISS_TYPE), as a path too; absent when none is missing. */
  declare readonly missing?: string
  /** Position of the message in its submission. */
  declare readonly index?: number
  readonly #refusal: KernelRefusal

  constructor(refusal: KernelRefusal) {
    const [code, text] = nameOf(refusal.errno)
    super(describe(refusal, code, text))
    this.#refusal = refusal
    this.code = code
    this.errno = -refusal.errno
    this.syscall = refusal.syscall
    if (refusal.step !== undefined) this.operation = refusal.step
    if (refusal.extack !== undefined) this.extack = refusal.extack
    if (refusal.attribute !== undefined) this.attribute = refusal.attribute
    if (refusal.policy !== undefined) this.policy = refusal.policy
    if (refusal.missing !== undefined) this.missing = refusal.missing
    if (refusal.index !== undefined) this.index = refusal.index
    Object.defineProperty(this, brand, { value: true })
  }

  /** @internal The same refusal at another position. */
  static at(error: NetlinkError, index: number): NetlinkError {
    return new NetlinkError({ ...error.#refusal, index })
  }

  /** True for the errors of another copy of this package as well. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value
  }
}

/**
 * What was listed changed during each of the readings, of which there are five at least and as many as 200 ms allow (NLM_F_DUMP_INTR).
 * `data` is what the last one gave: objects of different moments, of which some may be missing.
 */
export class TornDumpError extends Error {
  override readonly name: string = 'TornDumpError'
  readonly code: string = 'ERR_NETLINK_TORN_DUMP'
  readonly data: readonly unknown[]
  readonly readings: number

  constructor(what: string, data: readonly unknown[], readings: number) {
    super(`${what} changed during each of ${readings} readings; the last, torn result is in \`data\``)
    this.data = data
    this.readings = readings
  }
}

/** What was waited for did not come in time; `last` is what was there at the end, undefined for nothing. */
export class WaitTimeoutError extends Error {
  override readonly name: string = 'WaitTimeoutError'
  readonly code: string = 'ERR_NETLINK_TIMEOUT'
  readonly last: unknown

  constructor(what: string, milliseconds: number, last: unknown) {
    super(
      `${what}: not within ${milliseconds} ms; ${last === undefined ? 'there was none' : `last seen: ${JSON.stringify(last)}`}`,
    )
    this.last = last
  }
}

/** Whether that is what a native call threw or rejected with. */
export function isRefusal(value: unknown): value is KernelRefusal {
  return typeof value === 'object' && value !== null && 'syscall' in value && !(value instanceof Error)
}

/** What a native call threw or rejected with, as an error whose stack is the caller's. */
export function toError(failure: unknown): unknown {
  return isRefusal(failure) ? new NetlinkError(failure) : failure
}

/** Awaits a native call; its refusal becomes a NetlinkError here, so that the stack shows who asked. */
export async function kernel<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (failure) {
    throw toError(failure)
  }
}

/** The first refusal among the outcomes of a submission: later ones are often its cascade. */
export function firstRefusal(outcomes: readonly { readonly error?: KernelRefusal }[]): KernelRefusal | undefined {
  return outcomes.find((outcome) => outcome.error !== undefined)?.error
}
