// Statements that read no register: verdicts, counters, limits, logs, rejections, queues.

import type { Body } from '../../../native.ts'
import { NFT_OBJECT_COUNTER } from '../../compile/statement/counter.ts'
import { NFT_LIMIT_F_INV, NFT_LIMIT_PKTS, seconds } from '../../compile/statement/limit.ts'
import { levels } from '../../compile/statement/log.ts'
import { queueFlags } from '../../compile/statement/queue.ts'
import { ICMP_UNREACH, ICMPX_UNREACH, icmpCodes, icmpv6Codes, icmpxCodes, TCP_RST } from '../../compile/statement/reject.ts'
import type { Limit, Log, Queue } from '../../schema.ts'
import { count, nested, number, optionalNumber, optionalText, present } from '../body.ts'
import type { Need } from '../knowledge.ts'
import type { Reader } from '../reader.ts'
import { Inexpressible } from '../registers.ts'
import { formatVerdict } from '../verdict.ts'

export function verdict(reader: Reader, data: Body): void {
  const statement = formatVerdict(nested(nested(data['data'])?.['verdict']) ?? {})
  if (statement === undefined) throw new Inexpressible()
  reader.push(statement)
}

export function counter(reader: Reader, data: Body): void {
  reader.push({ counter: { packets: count(data['packets']), bytes: count(data['bytes']) } })
}

export function objref(reader: Reader, data: Body): void {
  const name = optionalText(data['name'])
  if (number(data['type']) !== NFT_OBJECT_COUNTER || name === undefined) throw new Inexpressible()
  reader.push({ counter: name })
}

export function notrack(reader: Reader): void {
  reader.push({ notrack: null })
}

type ByteUnit = NonNullable<Limit['burst_unit']>

/** The largest unit that it is a multiple of, as nft prints it. */
function inUnits(bytes: number): [number: number, unit: ByteUnit] {
  const units: readonly ByteUnit[] = ['bytes', 'kbytes', 'mbytes']
  let number = bytes
  let unit = 0
  for (; unit < 2 && number > 0 && number % 1024 === 0; unit++) number /= 1024
  return [number, units[unit] ?? 'bytes']
}

export function limit(reader: Reader, data: Body): void {
  const period = count(data['unit'])
  const per = (Object.keys(seconds) as Limit['per'][]).find((word) => seconds[word] === period)
  const flags = number(data['flags'])
  if (per === undefined || (flags & ~NFT_LIMIT_F_INV) !== 0) throw new Inexpressible()
  const inv = flags === NFT_LIMIT_F_INV ? { inv: true } : {}
  const [given, burst] = [count(data['rate']), number(data['burst'])]
  if (number(data['type']) === NFT_LIMIT_PKTS) {
    reader.push({ limit: { rate: given, burst, per, ...inv } })
    return
  }
  const [rate, rate_unit] = inUnits(given)
  const [size, burst_unit] = inUnits(burst)
  reader.push({ limit: { rate, burst: size, per, ...inv, rate_unit, burst_unit } })
}

/** What the kernel takes if none is given, and nft does not show. */
const DEFAULT_LEVEL = levels.indexOf('warn')

export function log(reader: Reader, data: Body): void {
  const level = optionalNumber(data['level'])
  if (number(data['flags']) !== 0) throw new Inexpressible()
  const value: Log = present({
    prefix: optionalText(data['prefix']),
    group: optionalNumber(data['group']),
    snaplen: number(data['snaplen']) || undefined,
    'queue-threshold': number(data['qthreshold']) || undefined,
    level: level === undefined || level === DEFAULT_LEVEL ? undefined : levels[level],
  })
  reader.push({ log: Object.keys(value).length === 0 ? null : value })
}

export function reject(reader: Reader, data: Body): void {
  const { network, transport } = reader.known
  const code = number(data['icmpCode'])
  const wordOf = (codes: Readonly<Record<string, number>>): string | number =>
    Object.keys(codes).find((word) => codes[word] === code) ?? code
  switch (number(data['type'])) {
    case TCP_RST:
      // The compiler would match on TCP, which is already there or was never meant.
      if (transport !== 6) throw new Inexpressible()
      reader.push({ reject: { type: 'tcp reset' } })
      return
    case ICMPX_UNREACH:
      reader.push({ reject: { type: 'icmpx', expr: wordOf(icmpxCodes) } })
      return
    case ICMP_UNREACH: {
      if (network === undefined) throw new Inexpressible()
      const needs: Need[] = [{ layer: 'network', value: network }]
      const isV4 = network === 'ip'
      reader.push({ reject: { type: isV4 ? 'icmp' : 'icmpv6', expr: wordOf(isV4 ? icmpCodes : icmpv6Codes) } }, needs)
      return
    }
    default:
      throw new Inexpressible()
  }
}

export function queue(reader: Reader, data: Body): void {
  const first = number(data['num'])
  const total = number(data['total'])
  const bits = number(data['flags'])
  const order = ['bypass', 'fanout'] as const
  const flags = order.filter((flag) => (bits & queueFlags[flag]) !== 0)
  if (optionalNumber(data['sregQnum']) !== undefined || bits > 3) throw new Inexpressible()
  const value: Queue = present({
    num: total > 1 ? { range: [first, first + total - 1] as const } : first,
    flags: flags.length > 1 ? flags : flags[0],
  })
  reader.push({ queue: value })
}
