// What the outside tools say of a namespace, as facts with names of their own, and how two such states differ.

import { output } from '../../support/command.ts'
import { changes } from '../support/changes.ts'

type Row = Readonly<Record<string, unknown>>

/** By name: `address v0 10.0.0.1/24`; with all the rest that is told of it. */
export type Facts = ReadonlyMap<string, Row>

const script = `
printf 'link show\\naddress show\\nroute show table all\\nrule show\\nneigh show\\nneigh show proxy\\nnexthop show\\n' | ip -j -d -batch -
printf 'route show table all\\nrule show\\n' | ip -6 -j -d -batch -
bridge -j fdb
bridge -j -d mdb
bridge -j vlan
tc -j qdisc
ip -j ntable
nft -j list ruleset
tc qdisc | grep -qE 'htb|ingress' && for dev in $(ip -o link | sed 's/^[0-9]*: \\([^:@]*\\).*/\\1/'); do
  tc class show dev "$dev" | sed "s/^/class $dev /"
  for place in '' ingress; do
    tc -j filter show dev "$dev" $place 2>/dev/null | sed "s/^/filter $dev /"
  done
done
ip -j netns list-id | sed 's/^/nsids x /'
read -r flows < /proc/sys/net/netfilter/nf_conntrack_count
[ "$flows" = 0 ] || conntrack -L 2>/dev/null | sed 's/^.*src=\\([^ ]*\\) dst=\\([^ ]*\\) sport=\\([^ ]*\\) dport=\\([^ ]*\\) .*src=.*/flow \\1 \\3 \\2 \\4/'
[ "$flows" = 0 ] || conntrack -f ipv6 -L 2>/dev/null | sed 's/^.*src=\\([^ ]*\\) dst=\\([^ ]*\\) sport=\\([^ ]*\\) dport=\\([^ ]*\\) .*src=.*/flow \\1 \\3 \\2 \\4/'
cd /proc/sys/net && grep -s '' ipv4/ip_forward ipv4/conf/*/forwarding ipv4/conf/*/rp_filter ipv4/conf/*/route_localnet ipv4/conf/*/proxy_arp \\
  ipv6/conf/*/forwarding ipv6/conf/*/disable_ipv6 ipv6/conf/*/accept_ra ipv6/conf/*/accept_dad | sed 's/^/sysctl /; s/:/ /'
:`

const without = (row: Row, keys: RegExp): Row =>
  Object.fromEntries(
    Object.entries(row)
      .filter(([key]) => !keys.test(key))
      .map(([key, value]) => [key, isRow(value) ? without(value, keys) : value]),
  )
const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What changes by itself, and what IPv6 gives a device in its own time. */
const volatile =
  /^(operstate|flags|stats.*|.*timer|topology_change.*|state|tentative|.*life_time|ifindex|link_index|refcnt|direct_packets_stat|handle|leaf|pref)$/
const isItsOwn = (address: unknown): boolean => /^(fe80:|ff|multicast ff)/.test(String(address))
const flagsOf = (row: Row): string[] =>
  ((row['flags'] ?? []) as string[]).filter((flag) => !['LOWER_UP', 'NO-CARRIER', 'RUNNING', 'linkdown'].includes(flag))

type Named = readonly [name: string, row: Row]

function words(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const [[key, inner] = ['', undefined]] = Object.entries(value)
  if (key === 'concat') return (inner as unknown[]).map(words).join(' . ')
  if (key === 'elem') return words((inner as { val: unknown }).val)
  if (key === 'prefix') return `${(inner as Row)['addr']}/${(inner as Row)['len']}`
  return JSON.stringify(value)
}

const own: Readonly<Record<string, (row: Row) => readonly Named[]>> = {
  link: (row) => [[`link ${row['ifname']}`, { ...without(row, volatile), up: flagsOf(row).includes('UP'), flags: flagsOf(row) }]],
  address: (row) =>
    (row['addr_info'] as Row[])
      .filter(({ local }) => !isItsOwn(local))
      .map((one) => [`address ${row['ifname']} ${one['local']}/${one['prefixlen']}`, without(one, volatile)]),
  // Those of the table local follow from the addresses.
  route: (row) =>
    isItsOwn(row['dst']) || row['table'] === 'local'
      ? []
      : [
          [
            `route ${row['type']} ${row['dst']} ${row['table']} ${row['metric'] ?? 0}`,
            { ...without(row, volatile), flags: flagsOf(row) },
          ],
        ],
  rule: (row) => [[`rule ${row['priority']}`, row]],
  neighbor: (row) =>
    isItsOwn(row['dst']) || !(row['state'] as string[] | undefined)?.includes('PERMANENT')
      ? []
      : [[`neighbor ${row['dev']} ${row['dst']}`, row]],
  proxy: (row) => [[`proxy ${row['dev']} ${row['dst']}`, row]],
  nexthop: (row) => [[`nexthop ${row['id']}`, row]],
  fdb: (row) =>
    /^(33:33|01:00:5e)/.test(String(row['mac'])) || !['static', 'permanent'].includes(String(row['state']))
      ? []
      : [[`fdb ${row['ifname']} ${row['mac']}${row['dst'] === undefined ? '' : ` ${row['dst']}`}`, row]],
  mdb: (row) =>
    (row['mdb'] as Row[])
      .filter(({ grp }) => !isItsOwn(grp))
      .map((one) => [`mdb ${one['port']} ${one['grp']}`, without(one, /timer/)]),
  vlan: (row) => (row['vlans'] as Row[]).map((one) => [`vlan ${row['ifname']} ${one['vlan']}`, one]),
  ntable: (row) => [[`ntable ${row['name']} ${row['dev'] ?? ''}`, { app_probes: row['app_probes'] }]],
  qdisc: (row) => (row['kind'] === 'noqueue' ? [] : [[`qdisc ${row['dev']} ${row['kind']}`, without(row, volatile)]]),
}

function* named(kind: string, rows: readonly Row[]): Generator<Named> {
  const name = own[kind]
  if (name === undefined) throw new Error(`nobody knows ${kind}`)
  for (const row of rows) yield* name(row)
}

function* ruleset(objects: readonly Row[]): Generator<Named> {
  for (const object of objects) {
    const [[kind = '', body] = ['', {}]] = Object.entries(object) as [string, Row][]
    if (kind === 'metainfo') continue
    const { elem, handle: _, index: __, packets: ___, bytes: ____, ...row } = body as Row & { elem?: unknown[] }
    const place = kind === 'table' ? `${row['family']} ${row['name']}` : `${row['family']} ${row['table']}`
    const name = kind === 'rule' ? row['chain'] : row['name']
    yield [kind === 'table' ? `table ${place}` : `${kind} ${place} ${name}`, row]
    for (const one of elem ?? []) {
      const [key, ...data] = Array.isArray(one) ? one : [one]
      yield [`element ${name} ${words(key)}`, { key, data }]
    }
  }
}

/** tc lists the priorities and the hash tables of u32 among them. */
const isFilter = ({ kind, options }: Row): boolean => isRow(options) && (kind !== 'u32' || /::/.test(String(options['fh'])))

function* read(printed: string): Generator<Named> {
  const rows: string[][] = [[], []]
  for (const line of printed.split('\n').filter(Boolean)) rows[line.startsWith('[') || line.startsWith('{') ? 0 : 1]?.push(line)
  const kinds = [
    'link',
    'address',
    'route',
    'rule',
    'neighbor',
    'proxy',
    'nexthop',
    'route',
    'rule',
    'fdb',
    'mdb',
    'vlan',
    'qdisc',
    'ntable',
  ]
  const [listed = [], lines = []] = rows
  if (listed.length !== kinds.length + 1) throw new Error(`${listed.length} answers: ${printed}`)
  for (const [at, kind] of kinds.entries()) yield* named(kind, JSON.parse(listed[at] ?? '') as Row[])
  yield* ruleset((JSON.parse(listed.at(-1) ?? '') as { nftables: Row[] }).nftables)
  for (const line of lines) {
    const [kind = '', name = '', ...rest] = line.split(' ')
    const value = rest.join(' ')
    if (kind === 'class') {
      // `class htb 1:10 root …`: this tc has no JSON for it. Those of other disciplines are not made by anybody.
      const [, type, id, ...settings] = rest
      if (type === 'htb') yield [`class ${name} ${id}`, { settings: settings.join(' ') }]
    } else if (kind === 'filter') {
      for (const row of JSON.parse(value) as Row[])
        if (isFilter(row)) yield [`filter ${name} ${row['protocol']} ${row['pref']}`, without(row, /^(fh|order)$/)]
    } else if (kind === 'nsids') {
      // Others come and go with namespaces that nobody named.
      for (const { nsid, name: known } of JSON.parse(value) as Row[]) if (known !== undefined) yield [`nsid ${nsid}`, {}]
    } else if (kind === 'sysctl') yield [`sysctl ${name}`, { value }]
    else yield [line, {}]
  }
}

/** Reads a namespace with `ip`, `bridge`, `tc`, `nft`, `conntrack` and `grep`. */
export async function factsOf(netns: string): Promise<Facts> {
  const facts = new Map<string, Row>()
  for (const [name, row] of read(await output('sh', ['-c', script], { netns, limit: 60_000 }))) {
    let key = name
    for (let again = 2; facts.has(key); again++) key = `${name} #${again}`
    facts.set(key, row)
  }
  return facts
}

/** What goes without saying: the parts of a table that came or went as a whole, and the settings of such a device. */
function isPart(name: string, sign: string, lines: ReadonlySet<string>): boolean {
  const [, family, table] = /^(?:chain|set|map|rule|counter) (\S+) (\S+)/.exec(name) ?? []
  if (family !== undefined) return lines.has(`${sign} table ${family} ${table}`)
  const [, device] =
    /^(?:sysctl \S+\/conf\/([^/]+)\/|(?:fdb|vlan|qdisc|ntable \S+|class|filter) (\S+)(?: |$))/.exec(name)?.filter(Boolean) ?? []
  return device !== undefined && lines.has(`${sign} link ${device}`)
}

/** `+ address v0 10.0.0.1/24`, `- link v0`, `~ link v0 /mtu: 1500 → 1400`. */
export function differences(before: Facts, after: Facts): string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])]
  const signOf = (name: string): string => (before.has(name) ? (after.has(name) ? '~' : '-') : '+')
  const isTurned = before.get('sysctl ipv4/ip_forward')?.['value'] !== after.get('sysctl ipv4/ip_forward')?.['value']
  const all = new Set(names.map((name) => `${signOf(name)} ${name}`))
  return names.flatMap((name) => {
    const sign = signOf(name)
    // The switch of all devices was turned.
    if (/^sysctl ipv4\/conf\/.*\/forwarding$/.test(name) && isTurned) return []
    if (sign === '~') return changes(before.get(name), after.get(name)).map((change) => `~ ${name} ${change}`)
    return isPart(name, sign, all) ? [] : [`${sign} ${name}`]
  })
}
