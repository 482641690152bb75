// What keeps, or soon will keep, the networks of a host from working, where no call of this library is refused for it.

import { signalOf, throwIfAborted } from '../../abort.ts'
import { NetlinkError, TornDumpError } from '../../errors.ts'
import type { Netns } from '../../netns/netns.ts'
import type { Chain, Listed, Rule, Statement } from '../../nftables/schema.ts'
import { TABLE_NAME } from '../firewall/index.ts'
import { type HostOptions, hostOf, listNetworks } from '../list.ts'
import type { Network } from '../network.ts'
import { forwardingKeys } from './forwarding.ts'
import { type NeighborTable, neighborTables } from './neighbor-table.ts'

/** One thing that somebody should know. */
export type Finding = { readonly message: string } & (
  | { readonly code: 'FORWARDING_OFF'; readonly network: string; readonly family: 'inet' | 'inet6' }
  /** Somebody else's chain drops or rejects what it does not accept: what our table accepts has to pass it, too. */
  | { readonly code: 'FOREIGN_CHAIN'; readonly family: string; readonly table: string; readonly chain: string }
  | { readonly code: 'BRIDGE_NEARLY_FULL'; readonly network: string; readonly ports: number }
  | {
      readonly code: 'NEIGHBORS_NEARLY_FULL'
      readonly family: 'inet' | 'inet6'
      readonly entries: number
      readonly limit: number
    }
)

/** BR_MAX_PORTS - 1. */
export const mostBridgePorts = 1023

/** From which part of a limit on it is worth a word. */
const nearly = 0.9

const hooks: readonly string[] = ['prerouting', 'forward', 'postrouting']

async function listed(host: Netns, filter: Parameters<Netns['nftables']['list']>[0]): Promise<Listed[]> {
  try {
    return await host.nftables.list(filter)
  } catch (error) {
    // Somebody changed it during each of five readings: what the last one gave will do.
    if (error instanceof TornDumpError) return error.data as Listed[]
    throw error
  }
}

const isPassed = (statement: Statement): boolean => 'counter' in statement || 'log' in statement
const isRefusal = (statement: Statement): boolean => 'drop' in statement || 'reject' in statement

/** A rule that asks nothing and lets nothing pass, such as the last one of firewalld's filter_FORWARD. */
function refusesAll({ expr }: Rule): boolean {
  const last = expr.at(-1)
  return last !== undefined && isRefusal(last) && expr.slice(0, -1).every(isPassed)
}

/** Chains of others that a packet to or from a container passes, and that let through only what they know. */
export async function foreignChains(host: Netns, signal?: AbortSignal): Promise<Finding[]> {
  const chains = (await listed(host, { kind: 'chain', signal })).flatMap((object) => ('chain' in object ? [object.chain] : []))
  const inTheWay = chains.filter(
    ({ family, table, hook }) =>
      ['ip', 'ip6', 'inet', 'bridge'].includes(family) &&
      !(['inet', 'bridge'].includes(family) && table === TABLE_NAME) &&
      hook !== undefined &&
      hooks.includes(hook),
  )
  const findings: Finding[] = []
  for (const chain of inTheWay) {
    const how = chain.policy === 'drop' ? 'its policy is drop' : await lastWord(host, chain, signal)
    if (how === undefined) continue
    const { family, table, name, hook, prio } = chain
    const message =
      `table ${family} ${table}, chain ${name} (hook ${hook}, priority ${prio}): ${how}, so containers get and send only what its own ` +
      'rules accept, whatever was published'
    findings.push({ code: 'FOREIGN_CHAIN', family, table, chain: name, message })
  }
  return findings
}

async function lastWord(
  host: Netns,
  { family, table, name }: Chain,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const rules = (await listed(host, { family, table, kind: 'rule', signal })).flatMap((object) =>
    'rule' in object ? [object.rule] : [],
  )
  return rules.some((rule) => rule.chain === name && refusesAll(rule)) ? 'a rule of it refuses all that came so far' : undefined
}

/**
 * The kernel counts neighbors of all its namespaces together. Permanent ones are in its number and do not count against the limit: those
 * of the driver ptp, one on the host and one inside. `proc` is for tests.
 */
export async function fullNeighborTables(host: Netns, proc?: string): Promise<Finding[]> {
  const tables: NeighborTable[] = []
  for (const table of await neighborTables(proc)) {
    if (table.entries < table.limit * nearly) continue
    const exempt = 2 * (await host.listNeighbors({ family: table.family, states: ['permanent'] })).length
    tables.push({ ...table, entries: Math.max(table.entries - exempt, 0) })
  }
  return tables
    .filter(({ entries, limit }) => entries >= limit * nearly)
    .map(({ family, entries, limit }): Finding => {
      const key = `net.ipv${family === 'inet' ? 4 : 6}.neigh.default.gc_thresh3`
      const message =
        `the neighbor table of ${family === 'inet' ? 'IPv4' : 'IPv6'}, which all namespaces share, has ${entries} entries; beyond ${limit} ` +
        `(${key}) nobody finds a new neighbor: sysctl -w ${key}=${limit * 8}`
      return { code: 'NEIGHBORS_NEARLY_FULL', family, entries, limit, message }
    })
}

async function forwardingOf(host: Netns, network: Network): Promise<Finding[]> {
  const findings: Finding[] = []
  if (!network.forwards) return []
  for (const family of [2, 10] as const) {
    if (!network.subnets.some((subnet) => subnet.includes(':') === (family === 10))) continue
    const key = forwardingKeys[family]
    if ((await host.getSysctl(key)) !== '0') continue
    const message = `${key} is 0: the containers of '${network.name}' reach nobody but each other`
    findings.push({ code: 'FORWARDING_OFF', network: network.name, family: family === 2 ? 'inet' : 'inet6', message })
  }
  return findings
}

async function fullBridge(host: Netns, network: Network): Promise<Finding[]> {
  if (network.driver !== 'bridge') return []
  let ports: number
  try {
    ports = (await host.listLinks({ master: network.bridge })).length
  } catch (error) {
    // Deleted meanwhile.
    if (error instanceof NetlinkError && error.code === 'ENODEV') return []
    throw error
  }
  if (ports < mostBridgePorts * nearly) return []
  const message = `the bridge of '${network.name}' has ${ports} of at most ${mostBridgePorts} ports: a network of the driver ptp has no such limit`
  return [{ code: 'BRIDGE_NEARLY_FULL', network: network.name, ports, message }]
}

/**
 * Looks for what keeps the networks of a host from working, or soon will: forwarding that somebody turned off, chains of other tables that
 * drop, bridges and neighbor tables that are nearly full. It changes nothing, and finds nothing wrong as an empty list.
 *
 * Not seen: rules of legacy iptables, which are no part of nf_tables; and whether another chain has a rule that accepts a container's
 * packets after all. The neighbor tables are seen only from the initial network namespace.
 */
export async function diagnose(options: HostOptions = {}): Promise<Finding[]> {
  const host = hostOf(options)
  const networks = await listNetworks(options)
  const signal = signalOf(options, 'options')
  const findings = await foreignChains(host, signal)
  throwIfAborted(signal)
  findings.push(...(await fullNeighborTables(host)))
  for (const network of networks) {
    throwIfAborted(signal)
    findings.push(...(await forwardingOf(host, network)), ...(await fullBridge(host, network)))
  }
  throwIfAborted(signal)
  return findings
}
