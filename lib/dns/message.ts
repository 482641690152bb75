// The wire format (RFC 1035, RFC 6891): what a client asks, and answers to it. Records are written, and what stands behind the question is
// read, by dns-packet. The question itself is kept as it came, so that an answer repeats it byte for byte, in whatever case and letters.

import * as codec from 'dns-packet'

export const rcodes = { ok: 0, malformed: 1, failed: 2, absent: 3, unsupported: 4, refused: 5, badVersion: 16 } as const
export type Rcode = (typeof rcodes)[keyof typeof rcodes]

/** Of questions; numbers of RFC 1035 and its successors. */
export const types = { A: 1, SOA: 6, PTR: 12, AAAA: 28, IXFR: 251, AXFR: 252, ANY: 255 } as const
export const classes = { IN: 1, CH: 3 } as const

const headerLength = 12
const response = 0x8000
const opcodeMask = 0x7800
const authoritative = 0x0400
const truncated = 0x0200
const recursionDesired = 0x0100
const recursionAvailable = 0x0080
const authenticData = 0x0020
const checkingDisabled = 0x0010
const rcodeMask = 0x000f
const dnssecOk = 0x8000

/** What surely passes without fragments (DNS flag day 2020), and what is told to others that we take. */
export const largestUdp = 1232
/** Of clients that do not say what they take. */
const plainUdp = 512

export interface Edns {
  readonly size: number
  readonly dnssec: boolean
}

export interface Query {
  readonly message: Buffer
  readonly flags: number
  /** In lower case, without the dot at its end; a dot within a label is written `\.`, so that it is nobody's name. */
  readonly name: string
  readonly type: number
  readonly class: number
  /** Where the question ends. */
  readonly end: number
  readonly edns: Edns | undefined
}

/** What is answered without a look at any name. */
export interface Refusal {
  readonly message: Buffer
  readonly rcode: Rcode
}

/** The question at its place: one, without pointers. */
function readQuestion(message: Buffer): Pick<Query, 'name' | 'type' | 'class' | 'end'> | undefined {
  const labels: string[] = []
  let at = headerLength
  for (;;) {
    const length = message[at]
    if (length === undefined || length > 63 || at - headerLength + length > 254) return undefined
    at++
    if (length === 0) break
    labels.push(message.toString('latin1', at, at + length).replaceAll('.', '\\.'))
    at += length
  }
  if (at + 4 > message.length) return undefined
  const name = labels.join('.').toLowerCase()
  return { name, type: message.readUInt16BE(at), class: message.readUInt16BE(at + 2), end: at + 4 }
}

/**
 * Reads what a client sent; undefined for what deserves no answer: scraps, and answers, which would otherwise be answered by us, and so on.
 */
export function readQuery(message: Buffer): Query | Refusal | undefined {
  if (message.length < headerLength) return undefined
  const flags = message.readUInt16BE(2)
  if ((flags & response) !== 0) return undefined
  if ((flags & opcodeMask) !== 0) return { message, rcode: rcodes.unsupported }
  const malformed = { message, rcode: rcodes.malformed }
  const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map((at) => message.readUInt16BE(at)) as [
    number,
    number,
    number,
    number,
  ]
  // Before dns-packet makes room for as many as the message claims to have.
  if (questions !== 1 || answers !== 0 || authorities > 1 || additionals > 2) return malformed
  const question = readQuestion(message)
  if (question === undefined) return malformed
  if (additionals === 0 && authorities === 0)
    return question.end === message.length ? { message, flags, ...question, edns: undefined } : malformed
  const options = readOptions(message)
  if (options === undefined) return malformed
  const [option] = options
  if (option !== undefined && option.ednsVersion !== 0) return { message, rcode: rcodes.badVersion }
  return { message, flags, ...question, edns: option && { size: option.udpPayloadSize, dnssec: option.flag_do } }
}

/** The OPT records, one at most, by dns-packet, which throws wherever lengths do not fit. */
function readOptions(message: Buffer): codec.OptAnswer[] | undefined {
  try {
    const { additionals = [] } = codec.decode(message)
    const options = additionals.filter((record) => record.type === 'OPT')
    return codec.decode.bytes === message.length && options.length <= 1 ? options : undefined
  } catch {
    return undefined
  }
}

/** A record as bytes: its owner, and the rest. */
export interface RecordBytes {
  /** undefined for the name that was asked for: a pointer to it. */
  readonly owner: Buffer | undefined
  readonly rest: Buffer
}

const pointer = Buffer.of(0xc0, headerLength)
const noBytes = Buffer.alloc(0)

function record(answer: codec.Answer, owner?: string): RecordBytes {
  // Behind the header stand the owner, a single zero for the root, and the rest.
  const rest = codec.encode({ answers: [{ ...answer, name: '.' }] }).subarray(headerLength + 1)
  return { owner: owner === undefined ? undefined : nameBytes(owner), rest }
}

function nameBytes(name: string): Buffer {
  const question = codec.encode({ questions: [{ type: 'A', name }] })
  return question.subarray(headerLength, question.length - 4)
}

export const addressRecord = (address: string, ttl: number): RecordBytes =>
  record({ type: address.includes(':') ? 'AAAA' : 'A', name: '.', ttl, data: address })

export const pointerRecord = (target: string, ttl: number): RecordBytes => record({ type: 'PTR', name: '.', ttl, data: target })

/** RFC 8482: instead of everything that there is. */
export const minimalRecord = (ttl: number): RecordBytes =>
  record({ type: 'HINFO', name: '.', ttl, data: { cpu: 'RFC8482', os: '' } })

export const textRecord = (text: string): RecordBytes => record({ type: 'TXT', class: 'CH', name: '.', ttl: 0, data: text })

/** The authority over `zone`; `ttl` is also how long it may be believed that something is not there (RFC 2308). */
export function authorityRecord(zone: string, ttl: number): RecordBytes {
  const numbers = { serial: 1, refresh: 3600, retry: 1200, expire: 604_800, minimum: ttl }
  return record({ type: 'SOA', name: '.', ttl, data: { mname: zone, rname: 'nobody.invalid', ...numbers } }, zone)
}

/** For a client with EDNS: what we take, and that we understood. */
function optRecord({ dnssec }: Pick<Edns, 'dnssec'>, extendedRcode = 0): Buffer {
  const flags = dnssec ? dnssecOk : 0
  const opt = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: largestUdp,
    extendedRcode,
    ednsVersion: 0,
    flags,
    flag_do: dnssec,
  } as const
  return codec.encode({ additionals: [{ ...opt, options: [] }] }).subarray(headerLength)
}

function header(
  message: Buffer,
  flags: number,
  counts: readonly [questions: number, answers: number, authorities: number, additionals: number],
): Buffer {
  const bytes = Buffer.alloc(headerLength)
  message.copy(bytes, 0, 0, 2)
  bytes.writeUInt16BE(flags, 2)
  for (const [at, count] of counts.entries()) bytes.writeUInt16BE(count, 4 + at * 2)
  return bytes
}

export interface Reply {
  readonly rcode: Rcode
  /** Whether others could be asked. */
  readonly recursive: boolean
  readonly answers?: readonly RecordBytes[]
  readonly authorities?: readonly RecordBytes[]
  /** Not for what somebody else should have known. */
  readonly authoritative?: boolean
}

const lengthOf = ({ owner, rest }: RecordBytes): number => (owner ?? pointer).length + rest.length

/** How many bytes a client takes by UDP. */
export const udpLimit = ({ edns }: Pick<Query, 'edns'>): number =>
  edns === undefined ? plainUdp : Math.min(Math.max(edns.size, plainUdp), largestUdp)

/** The answer to a query. What does not fit into `limit` is left out and the client told so (TC): as many whole answers as do are there. */
export function writeReply(query: Query, reply: Reply, limit: number): Buffer {
  const { rcode, recursive, answers = [], authorities = [] } = reply
  const opt = query.edns === undefined ? noBytes : optRecord(query.edns)
  let room = limit - query.end - opt.length
  const fitting: RecordBytes[] = []
  const all = [...answers, ...authorities]
  for (const one of all) {
    room -= lengthOf(one)
    if (room < 0) break
    fitting.push(one)
  }
  const flags =
    response |
    (query.flags & (recursionDesired | checkingDisabled)) |
    (reply.authoritative === false ? 0 : authoritative) |
    (fitting.length < all.length ? truncated : 0) |
    (recursive ? recursionAvailable : 0) |
    rcode
  const told = Math.min(answers.length, fitting.length)
  const counts = [1, told, fitting.length - told, opt.length > 0 ? 1 : 0] as const
  const records = fitting.flatMap(({ owner, rest }) => [owner ?? pointer, rest])
  return Buffer.concat([header(query.message, flags, counts), query.message.subarray(headerLength, query.end), ...records, opt])
}

/** The answer to what could not be read, which repeats nothing of it but the id. */
export function writeRefusal({ message, rcode }: Refusal): Buffer {
  const flags = response | (message.readUInt16BE(2) & (opcodeMask | recursionDesired)) | (rcode & rcodeMask)
  if (rcode <= rcodeMask) return header(message, flags, [0, 0, 0, 0])
  return Buffer.concat([header(message, flags, [0, 0, 0, 1]), optRecord({ dnssec: false }, rcode >> 4)])
}

/** The query as others are asked: the same question, flags and wish for DNSSEC, and nothing else that was between the client and us. */
export function writeForwarded({ message, flags, end, edns }: Query, id: number): Buffer {
  const opt = edns === undefined ? noBytes : optRecord(edns)
  const kept = flags & (recursionDesired | authenticData | checkingDisabled)
  const asked = Buffer.concat([
    header(message, kept, [1, 0, 0, opt.length > 0 ? 1 : 0]),
    message.subarray(headerLength, end),
    opt,
  ])
  asked.writeUInt16BE(id)
  return asked
}

/** A question by its bytes, in one case. */
const questionText = (message: Buffer, end: number): string => message.toString('latin1', headerLength, end).toLowerCase()

/** Whether a message is the answer to what {@link writeForwarded} wrote. */
export function isAnswerTo(asked: Buffer, { end }: Pick<Query, 'end'>, answer: Buffer): boolean {
  return (
    answer.length >= headerLength &&
    answer.readUInt16BE() === asked.readUInt16BE() &&
    (answer.readUInt16BE(2) & (response | opcodeMask)) === response &&
    // Somebody who did not understand the question may leave it out.
    (answer.readUInt16BE(4) === 1
      ? answer.length >= end && questionText(answer, end) === questionText(asked, end)
      : answer.readUInt16BE(4) === 0 && rcodeOf(answer) !== rcodes.ok && rcodeOf(answer) !== rcodes.absent)
  )
}

export const isTruncated = (answer: Buffer): boolean => (answer.readUInt16BE(2) & truncated) !== 0
export const rcodeOf = (answer: Buffer): number => answer.readUInt16BE(2) & rcodeMask

/** Somebody else's answer for our client: with the id and the letters that it asked with. */
export function relay({ message, end }: Query, answer: Buffer): Buffer {
  const relayed = Buffer.from(answer)
  message.copy(relayed, 0, 0, 2)
  if (relayed.readUInt16BE(4) === 1) message.copy(relayed, headerLength, headerLength, end)
  return relayed
}

/** Nothing of an answer but that it is too long. */
export function cut({ message, end, edns }: Query, answer: Buffer): Buffer {
  const opt = edns === undefined ? noBytes : optRecord(edns)
  const flags = answer.readUInt16BE(2) | truncated
  return Buffer.concat([header(message, flags, [1, 0, 0, opt.length > 0 ? 1 : 0]), message.subarray(headerLength, end), opt])
}

/** A question of our own: `name` in a class. */
export function writeQuestion(name: string, type: 'TXT', className: 'CH', id: number): Buffer {
  return codec.encode({ type: 'query', id, questions: [{ name, type, class: className }] })
}
