// What `ip -j` says of a namespace, with types for the parts that tests look at.

import { json, type NetnsRef } from './command.ts'

export interface IpLink {
  ifindex: number
  ifname: string
  link_index?: number
  link?: string | null
  link_netnsid?: number
  flags: string[]
  mtu: number
  qdisc?: string
  operstate: string
  group: string
  txqlen?: number
  address: string
  ifalias?: string
  altnames?: string[]
  master?: string
  num_tx_queues: number
  num_rx_queues: number
  promiscuity: number
  allmulti: number
  min_mtu: number
  max_mtu: number
  linkmode: string
  proto_down?: boolean
  inet6_addr_gen_mode?: string
  gso_max_size: number
  gso_max_segs: number
  gro_max_size: number
  linkinfo?: {
    info_kind?: string
    info_data?: Record<string, number | string>
    info_slave_kind?: string
    info_slave_data?: Record<string, number | string | boolean>
  }
}

export interface IpAddress {
  family: 'inet' | 'inet6'
  local: string
  address?: string
  prefixlen: number
  broadcast?: string
  scope: string
  label?: string
  metric?: number
  nodad?: boolean
  noprefixroute?: boolean
  home?: boolean
  mngtmpaddr?: boolean
  autojoin?: boolean
  tentative?: boolean
  temporary?: boolean
  deprecated?: boolean
  dynamic?: boolean
  valid_life_time?: number
  preferred_life_time?: number
}

export interface IpRoute {
  type?: string
  dst: string
  gateway?: string
  dev?: string
  protocol: string
  scope?: string
  prefsrc?: string
  metric?: number
  flags: string[]
  table?: string
  metrics?: { mtu?: number }[]
}

export const ipLinks = (netns: NetnsRef | undefined, ...args: string[]): Promise<IpLink[]> =>
  json('ip', ['-d', 'link', 'show', ...args], { netns })

export async function ipLink(netns: NetnsRef | undefined, name: string): Promise<IpLink> {
  const [link] = await ipLinks(netns, 'dev', name)
  if (link === undefined) throw new Error(`ip shows no ${name}`)
  return link
}

export async function ipAddresses(netns: NetnsRef | undefined, name: string): Promise<IpAddress[]> {
  const rows = await json<{ addr_info: IpAddress[] }[]>('ip', ['-d', 'address', 'show', 'dev', name], { netns })
  return rows.flatMap((row) => row.addr_info)
}

/** `ip route show ARGS`, which begin with '-6' for the other family. */
export const ipRoutes = (netns: NetnsRef | undefined, ...args: string[]): Promise<IpRoute[]> => {
  const six = args[0] === '-6'
  return json('ip', [...(six ? ['-6'] : []), '-d', 'route', 'show', ...args.slice(six ? 1 : 0)], { netns })
}
