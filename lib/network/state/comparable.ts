// What was asked of nf_tables and what it says it has, in a form that is equal when they mean the same.

type Row = Readonly<Record<string, unknown>>

/** What the kernel adds for itself, and what only the request's own transaction knows. */
const passing = new Set([
  'family',
  'version',
  'resourceId',
  'table',
  'handle',
  'position',
  'use',
  'id',
  'setId',
  'counters',
  'desc',
])

const isNothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === 0 ||
  value === '' ||
  value === false ||
  (typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array) && Object.keys(value).length === 0)

/** The kernel tells the end of a range also where it begins, and that there are addresses or ports to translate to. */
function withoutEchoes(row: Row): Row {
  if (!('addrMin' in row || 'protoMin' in row)) return row
  const { addrMax, protoMax, flags, ...rest } = row
  return {
    ...rest,
    addrMax: addrMax === row['addrMin'] ? undefined : addrMax,
    protoMax: protoMax === row['protoMin'] ? undefined : protoMax,
    // NF_NAT_RANGE_MAP_IPS, NF_NAT_RANGE_PROTO_SPECIFIED
    flags: typeof flags === 'number' ? flags & ~3 : flags,
  }
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value === 'bigint') return `${value}`
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(withoutEchoes(value as Row))
    .filter(([field]) => !passing.has(field))
    .map(([field, one]) => [field, plain(one)] as const)
    .filter(([, one]) => !isNothing(one))
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

export const comparable = (value: unknown): string => JSON.stringify(plain(value))
