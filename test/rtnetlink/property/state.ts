// The part of a namespace's state that the model tells: as the model has it, and as ip(8) prints it.

import { json, type NetnsRef } from '../../support/command.ts'
import { type IpAddress, type IpLink, ipLinks } from '../../support/witness.ts'

export interface LinkState {
  readonly kind: string
  readonly up: boolean
  readonly mtu: number
  readonly group: number
  readonly alias: string
  readonly altnames: readonly string[]
  readonly master: string
  /** The device that it stands on, or the other end of a veth. */
  readonly link: string
}

export interface State {
  readonly links: Readonly<Record<string, LinkState>>
  readonly addresses: readonly string[]
  readonly routes: readonly string[]
  readonly rules: readonly string[]
  readonly neighbors: readonly string[]
}

export interface RouteRow {
  readonly table: number
  readonly to: string
  readonly dev: string
  readonly via: string
  readonly metric: number
  readonly source: string
}

export const routeLine = ({ table, to, dev, via, metric, source }: RouteRow): string =>
  `${to} table ${table} dev ${dev || '-'} via ${via || '-'} metric ${metric} src ${source || '-'}`
export const ruleLine = (priority: number, from: string, table: number): string => `${priority}: from ${from} lookup ${table}`
export const neighborLine = (dev: string, address: string, mac: string): string => `${dev} ${address} ${mac}`
export const addressLine = (dev: string, address: string, secondary: boolean): string =>
  `${dev} ${address}${secondary ? ' secondary' : ''}`

const linkState = (link: IpLink): LinkState => ({
  kind: link.linkinfo?.info_kind ?? '',
  up: link.flags.includes('UP'),
  mtu: link.mtu,
  group: link.group === 'default' ? 0 : Number(link.group),
  alias: link.ifalias ?? '',
  altnames: [...(link.altnames ?? [])].sort(),
  master: link.master ?? '',
  link: link.link ?? '',
})

const tableOf = (table: string): number => (table === 'main' ? 254 : Number(table))

interface IpRule {
  priority: number
  src: string
  srclen?: number
  table: string
}

const ruleLines = (rules: readonly IpRule[]): string[] =>
  rules
    .filter(({ priority }) => priority > 0 && priority < 32766)
    .map(({ priority, src, srclen, table }) =>
      ruleLine(priority, srclen === undefined ? src : `${src}/${srclen}`, tableOf(table)),
    )

/** Link-local addresses and their routes come and go with the carrier, in the kernel's own time. */
export async function observe(netns: NetnsRef): Promise<State> {
  const ip = <T>(...args: string[]): Promise<T[]> => json<T[]>('ip', args, { netns })
  const [links, addresses, routes, rules4, rules6, neighbors] = await Promise.all([
    ipLinks(netns),
    ip<{ ifname: string; addr_info: (IpAddress & { secondary?: boolean })[] }>('-d', 'address'),
    ip<{ dst: string; dev?: string; gateway?: string; metric?: number; table?: string; prefsrc?: string }>(
      ...['-4', '-d', 'route', 'show', 'table', 'all'],
    ),
    ip<IpRule>('-4', 'rule'),
    ip<IpRule>('-6', 'rule'),
    ip<{ dst: string; dev: string; lladdr: string }>('neighbor', 'show', 'nud', 'permanent'),
  ])
  return {
    links: Object.fromEntries(links.filter(({ ifname }) => ifname !== 'lo').map((link) => [link.ifname, linkState(link)])),
    addresses: addresses
      .flatMap(({ ifname, addr_info }) =>
        addr_info
          .filter(({ scope }) => scope === 'global')
          .map(({ local, prefixlen, secondary }) => addressLine(ifname, `${local}/${prefixlen}`, secondary === true)),
      )
      .sort(),
    routes: routes
      .filter(({ table }) => table !== 'local')
      .map(({ dst, dev = '', gateway = '', metric = 0, table = 'main', prefsrc = '' }) =>
        routeLine({ to: dst, dev, via: gateway, metric, table: tableOf(table), source: prefsrc }),
      )
      .sort(),
    rules: [...ruleLines(rules4), ...ruleLines(rules6)].sort(),
    neighbors: neighbors.map(({ dev, dst, lladdr }) => neighborLine(dev, dst, lladdr)).sort(),
  }
}
