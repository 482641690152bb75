// The container network of the tutorials: a bridge with a gateway and a way out, two containers, one published port.

import { createNetwork, type Endpoint, type Network } from 'netlink-ct'
import type { Narrator } from './narrator.ts'
import type { Undo } from './undo.ts'

export interface Containers {
  readonly network: Network
  readonly web: Endpoint
  readonly app: Endpoint
}

export const subnet = '172.18.0.0/16'
export const published = 8080
/** Of the web server; the second one is published later, and only for a while. */
export const webPorts = [80, 9000] as const

/** What the whole network takes by hand: as much of it as the tutorials show, and what they leave open to the neighbors. */
const networkByHand = (bridge: string, gateway: string): string[] => [
  `ip link add ${bridge} type bridge mcast_snooping 0`,
  `echo 1 >/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`,
  `ip address add ${gateway}/16 dev ${bridge}`,
  `ip link set ${bridge} up`,
  `echo 1 >/proc/sys/net/ipv4/conf/${bridge}/route_localnet`,
  'echo 1 >/proc/sys/net/ipv4/ip_forward',
  'nft add table ip lab',
  `nft add chain ip lab prerouting '{ type nat hook prerouting priority dstnat; }'`,
  `nft add chain ip lab output '{ type nat hook output priority -100; }'`,
  `nft add chain ip lab forward '{ type filter hook forward priority filter; }'`,
  `nft add chain ip lab postrouting '{ type nat hook postrouting priority srcnat; }'`,
  'nft add rule ip lab prerouting iifname != lo ip daddr 127.0.0.0/8 return',
  `nft add rule ip lab forward oifname != ${bridge} accept`,
  `nft add rule ip lab forward iifname ${bridge} accept`,
  'nft add rule ip lab forward ct state established,related accept',
  'nft add rule ip lab forward ct status dnat accept',
  'nft add rule ip lab forward drop',
  `nft add rule ip lab postrouting ip saddr '{ ${subnet}, 127.0.0.0/8 }' ct status dnat masquerade`,
  `nft add rule ip lab postrouting ip saddr ${subnet} oifname != ${bridge} masquerade`,
]

const publishByHand = (hostPort: number, address: string, port: number): string[] =>
  ['prerouting', 'output'].map(
    (chain) => `nft add rule ip lab ${chain} fib daddr type local tcp dport ${hostPort} dnat to ${address}:${port}`,
  )

const unpublishByHand = (hostPort: number): string[] =>
  ['prerouting', 'output'].map(
    (chain) =>
      `nft delete rule ip lab ${chain} handle $(nft -a list chain ip lab ${chain} | awk '/dport ${hostPort} / { print $NF }')`,
  )

/** Of an address with its prefix, the address. */
export const addressOf = (endpoint: Endpoint): string => endpoint.addresses[0]?.replace(/\/.*/, '') ?? ''

const containerByHand = (name: string, address: string, bridge: string, gateway: string): string[] => [
  `ip netns add ${name}`,
  `ip link add ${name}0 type veth peer name eth0 netns ${name}`,
  `ip link set ${name}0 master ${bridge} up`,
  `ip -n ${name} link set lo up`,
  `ip -n ${name} link set eth0 up`,
  `ip -n ${name} address add ${address}/16 dev eth0`,
  `ip -n ${name} route add default via ${gateway}`,
]

export async function buildNetwork(narrator: Narrator, undo: Undo): Promise<Containers> {
  narrator.heading('The container network')
  const bridge = 'br-lab'
  const gateway = '172.18.0.1'
  const network = await narrator.step(
    {
      title: 'the network: bridge, gateway, forwarding, a way out, and nothing gets in',
      code: [`const network = await createNetwork({ name: 'lab', subnets: ['${subnet}'] })`],
      shell: networkByHand(bridge, gateway),
    },
    () => createNetwork({ name: 'lab', subnets: [subnet] }),
  )
  undo.push(
    {
      title: 'the network goes, and forwarding is as before',
      code: ['await network.delete()'],
      shell: [`ip link delete ${bridge}`, 'nft delete table ip lab', 'echo 0 >/proc/sys/net/ipv4/ip_forward'],
    },
    () => network.delete(),
  )

  const attached: Endpoint[] = []
  undo.push(
    {
      title: 'the containers go, both at once',
      code: ['await Promise.all([web.detach(), app.detach()])'],
      shell: ['ip link delete web0', 'ip link delete app0', 'ip netns delete web', 'ip netns delete app'],
    },
    async () => void (await Promise.all(attached.map((endpoint) => endpoint.detach()))),
  )
  const web = await narrator.step(
    {
      title: 'a container with a published port',
      code: [`const web = await network.attach({ name: 'web', publish: ['${published}:${webPorts[0]}'] })`],
      shell: [
        ...containerByHand('web', '172.18.0.2', bridge, gateway),
        // Else the container does not reach its own published port where bridge-nf-call-iptables is on.
        'ip link set web0 type bridge_slave hairpin on',
        ...publishByHand(published, '172.18.0.2', webPorts[0]),
      ],
    },
    () => network.attach({ name: 'web', publish: [`${published}:${webPorts[0]}`] }),
  )
  attached.push(web)
  const app = await narrator.step(
    {
      title: 'another container',
      code: [`const app = await network.attach({ name: 'app' })`],
      shell: containerByHand('app', '172.18.0.3', bridge, gateway),
    },
    () => network.attach({ name: 'app' }),
  )
  attached.push(app)
  return { network, web, app }
}

/** Publishes the web server's second port; the function that it resolves to withdraws it. */
export async function publishMore(narrator: Narrator, { web }: Containers): Promise<() => Promise<void>> {
  const port = webPorts[1]
  await narrator.step(
    {
      title: 'one more port, while the container runs: one element of a map',
      code: [`await web.publish('${port}:${port}')`],
      shell: publishByHand(port, addressOf(web), port),
    },
    () => web.publish(`${port}:${port}`),
  )
  return () =>
    narrator.step(
      {
        title: 'and withdrawn',
        code: [`await web.unpublish('${port}:${port}')`],
        shell: unpublishByHand(port),
      },
      () => web.unpublish(`${port}:${port}`),
    )
}
