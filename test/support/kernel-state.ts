// What the kernel holds of one network namespace, in a form that is equal before and after something that left nothing behind.

import { readdirSync } from 'node:fs'
import { json, type NetnsRef, output } from './command.ts'

export interface KernelState {
  /** By name. Without what changes by itself: carrier, operational state, timers, counters. */
  links: Record<string, unknown>
  addresses: string[]
  /** Of all tables, both families. */
  routes: string[]
  rules: string[]
  /** The names under /run/netns, whatever namespace is read. */
  namespaces: string[]
  /** `nft list ruleset` without handles, counters and times; the elements of each set sorted. */
  ruleset: string
  sysctls: Record<string, string>
}

type Row = Record<string, unknown>

const sysctlFiles = [
  'ipv4/ip_forward',
  ...['forwarding', 'route_localnet', 'rp_filter', 'proxy_arp', 'arp_ignore', 'arp_announce', 'accept_local'].map(
    (name) => `ipv4/conf/*/${name}`,
  ),
  ...['forwarding', 'disable_ipv6', 'accept_ra', 'proxy_ndp', 'addr_gen_mode'].map((name) => `ipv6/conf/*/${name}`),
  'bridge/bridge-nf-call-*',
]

/** IPv6 gives every link that gets a carrier a link-local address and its routes, in its own time. */
const isLinkLocal = (address: unknown): boolean => /^(fe80:|ff00::|multicast ff00)/.test(String(address))

const withoutKeys = (row: Row, keys: RegExp): Row =>
  Object.fromEntries(
    Object.entries(row)
      .filter(([key]) => !keys.test(key))
      .map(([key, value]) => [
        key,
        typeof value === 'object' && value !== null && !Array.isArray(value) ? withoutKeys(value as Row, keys) : value,
      ]),
  )

const lines = (rows: Row[]): string[] => rows.map((row) => JSON.stringify(row)).sort()

function link(row: Row): unknown {
  const flags = (row['flags'] as string[]).filter((flag) => !['LOWER_UP', 'NO-CARRIER', 'RUNNING'].includes(flag))
  return { ...withoutKeys(row, /^(operstate|.*timer|topology_change.*|state|stats.*)$/), flags }
}

function addresses(rows: Row[]): Row[] {
  return rows.flatMap((row) =>
    (row['addr_info'] as Row[])
      .filter((address) => !isLinkLocal(address['local']))
      .map((address) => ({ dev: row['ifname'], ...withoutKeys(address, /^(tentative|.*_life_time)$/) })),
  )
}

const routes = (rows: Row[]): Row[] =>
  rows.filter((row) => !isLinkLocal(row['dst'])).map((row) => withoutKeys(row, /^(flags|expires|cache|used|age)$/))

/** Of intervals of concatenations nft prints them in the order in which they came. */
const withSortedElements = (ruleset: string): string =>
  ruleset.replace(/elements = \{([^}]*)\}/g, (_, elements: string) => {
    const sorted = elements
      .split(',')
      .map((element) => element.trim())
      .sort()
    return `elements = { ${sorted.join(', ')} }`
  })

/** Reads all of it with the outside tools. */
export async function kernelState(netns?: NetnsRef): Promise<KernelState> {
  const list = (...args: string[]): Promise<Row[]> => json('ip', args, { netns })
  const [links, addressRows, routes4, routes6, rules4, rules6, ruleset, sysctls] = await Promise.all([
    list('-d', 'link'),
    list('address'),
    list('-4', 'route', 'show', 'table', 'all'),
    list('-6', 'route', 'show', 'table', 'all'),
    list('-4', 'rule'),
    list('-6', 'rule'),
    output('nft', ['--stateless', 'list', 'ruleset'], { netns }),
    // A pattern without a match and a file that cannot be read are no errors.
    output('sh', ['-c', `cd /proc/sys/net && grep -s "" ${sysctlFiles.join(' ')} || :`], { netns }),
  ])
  return {
    links: Object.fromEntries(links.map((row) => [String(row['ifname']), link(row)])),
    addresses: lines(addresses(addressRows)),
    routes: lines([...routes(routes4), ...routes(routes6)]),
    rules: lines([...rules4, ...rules6]),
    namespaces: readdirSync('/run/netns').sort(),
    ruleset: withSortedElements(ruleset),
    sysctls: Object.fromEntries(
      sysctls
        .split('\n')
        .filter(Boolean)
        .sort()
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
    ),
  }
}
