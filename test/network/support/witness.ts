// What the outside tools say of a network.

import { json, type NetnsRef, run } from '../../support/command.ts'

type Row = Readonly<Record<string, unknown>>

export interface LinkRow extends Row {
  readonly ifindex: number
  readonly ifname: string
  readonly address: string
  readonly mtu: number
  readonly flags: readonly string[]
  readonly master?: string
  readonly ifalias?: string
  readonly altnames?: readonly string[]
  readonly group?: string
  readonly inet6_addr_gen_mode?: string
  readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: Row; readonly info_slave_data?: Row }
}

/** `ip -d link show dev NAME`; undefined when there is none. */
export async function linkShown(name: string, netns?: NetnsRef): Promise<LinkRow | undefined> {
  const { code, stdout } = await run('ip', ['-j', '-d', 'link', 'show', 'dev', name], { netns })
  return code === 0 ? (JSON.parse(stdout) as LinkRow[])[0] : undefined
}

export const linksShown = async (netns?: NetnsRef): Promise<LinkRow[]> => json('ip', ['-d', 'link'], { netns })

interface AddressRow {
  readonly ifname: string
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number; readonly broadcast?: string }[]
}

/** `eth0 10.9.0.2/24`; of IPv6 without the links' own. */
export async function addressesShown(netns?: NetnsRef, family: 4 | 6 = 4): Promise<string[]> {
  const rows = await json<AddressRow[]>('ip', [`-${family}`, 'address'], { netns })
  return rows.flatMap(({ ifname, addr_info }) =>
    addr_info.filter(({ local }) => !local.startsWith('fe80:')).map(({ local, prefixlen }) => `${ifname} ${local}/${prefixlen}`),
  )
}

/** `default via 10.9.0.1 dev eth0`, of the main table; of IPv6 without the links' own. */
export async function routesShown(netns?: NetnsRef, family: 4 | 6 = 4): Promise<string[]> {
  const all = await json<{ dst: string; gateway?: string; dev: string }[]>('ip', [`-${family}`, 'route'], { netns })
  const rows = all.filter(({ dst }) => !dst.startsWith('fe80:'))
  return rows.map(({ dst, gateway, dev }) => `${dst}${gateway === undefined ? '' : ` via ${gateway}`} dev ${dev}`)
}

type Word = string | number | { readonly concat: readonly Word[] } | { readonly elem: { val: Word; comment?: string } } | Row

function words(value: Word): string {
  if (typeof value !== 'object') return String(value)
  if ('concat' in value) return (value.concat as Word[]).map(words).join(' . ')
  if ('elem' in value) {
    const { val, comment } = value.elem as { val: Word; comment?: string }
    return comment === undefined ? words(val) : `${words(val)} comment ${comment}`
  }
  if ('prefix' in value) {
    const { addr, len } = value['prefix'] as { addr: string; len: number }
    return `${addr}/${len}`
  }
  if ('goto' in value) return `goto ${(value['goto'] as { target: string }).target}`
  return JSON.stringify(value)
}

/**
 * The elements of a set or map of our table as nft lists them, sorted: `tcp . 8080 comment lab/web : 10.9.0.2 . 80`. Empty when there is
 * no table.
 */
export async function elementsShown(name: string): Promise<string[]> {
  const { code, stdout } = await run('nft', ['-j', 'list', 'table', 'inet', 'netlink-ct'])
  if (code !== 0) return []
  const { nftables } = JSON.parse(stdout) as { nftables: Readonly<Record<string, { name?: string; elem?: unknown[] }>>[] }
  const found = nftables.map((object) => object['set'] ?? object['map']).find((set) => set?.name === name)
  return (found?.elem ?? [])
    .map((one) => (Array.isArray(one) ? (one as Word[]).map(words).join(' : ') : words(one as Word)))
    .sort()
}
