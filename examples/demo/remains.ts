// What the host's network stack holds, to be compared before and after.

import { spawnSync } from 'node:child_process'
import { host, listNetns } from 'netlink-ct'

export interface Remains {
  readonly links: string
  readonly addresses: string
  readonly routes: string
  readonly namespaces: string
  readonly forwarding: string
  /** From `nft`, the only one that is not the library's word; absent where nft is not installed. */
  readonly 'firewall tables'?: string
}

const listed = (things: readonly string[]): string => (things.length === 0 ? 'none' : [...things].sort().join(', '))

function tables(): { 'firewall tables'?: string } {
  const { error, stdout } = spawnSync('nft', ['list', 'tables'], { encoding: 'utf8' })
  return error === undefined ? { 'firewall tables': listed(stdout.split('\n').filter(Boolean)) } : {}
}

/** IPv6 gives every link that gets a carrier a link-local address in its own time: those are left out. */
export async function remains(): Promise<Remains> {
  const [links, addresses, routes, namespaces, forwarding] = await Promise.all([
    host.listLinks(),
    host.listAddresses(),
    host.listRoutes(),
    listNetns(),
    host.getSysctl('net.ipv4.ip_forward'),
  ])
  return {
    links: listed(links.map((link) => `${link.name} ${link.up ? 'up' : 'down'}`)),
    addresses: listed(addresses.filter(({ scope }) => scope !== 'link').map(({ address }) => address)),
    routes: listed(
      routes.filter(({ to }) => !to.startsWith('fe80:')).map(({ to, via }) => (via === undefined ? to : `${to} via ${via}`)),
    ),
    namespaces: listed(namespaces.map(({ name }) => name)),
    forwarding,
    ...tables(),
  }
}
