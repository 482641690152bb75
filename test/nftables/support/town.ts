// Containers made with the outside tools only, under the table of this library: what the firewall does with real packets, apart from
// everything else that the library does.
//
//   a1 a2 ── br-a 10.1.0.1      b1 ── br-b 10.2.0.1      i1 ── br-i 10.3.0.1 (internal)      n1 n2 ── br-n 10.4.0.1 (icc: false)

import { kernel } from '../../../lib/errors.ts'
import { native } from '../../../lib/native.ts'
import {
  compiledTable,
  elementsAdded,
  type FirewalledNetwork,
  networkAdded,
  type PublishedPort,
  portElement,
  publishedElement,
} from '../../../lib/network/firewall/index.ts'
import type { KernelMessage } from '../../../lib/nftables/message.ts'
import { createLab, type Lab, output, run, writeSysctl } from '../../support/lab.ts'

interface Block extends FirewalledNetwork {
  readonly number: number
  readonly bridge: string
  readonly containers: readonly string[]
}

const block = (letter: string, number: number, containers: string[], options: Partial<FirewalledNetwork> = {}): Block => ({
  name: letter,
  bridge: `br-${letter}`,
  group: 100 + number,
  subnets: [`10.${number}.0.0/24`],
  driver: 'bridge',
  adopted: false,
  reserved: [],
  gateways: [`10.${number}.0.1`],
  internal: false,
  icc: true,
  masquerade: true,
  gatewayMode: { ipv4: 'nat' },
  trusted: [],
  antiSpoofing: false,
  number,
  containers,
  ...options,
})

const blocks = [
  block('a', 1, ['a1', 'a2']),
  block('b', 2, ['b1']),
  block('i', 3, ['i1'], { internal: true }),
  block('n', 4, ['n1', 'n2'], { icc: false }),
]

const host = native.home()
const transact = (messages: readonly KernelMessage[]): Promise<unknown> => kernel(native.transact(host, messages))

/** 'a1' → 10.1.0.2 */
export function addressOf(container: string): string {
  const home = blocks.find(({ containers }) => containers.includes(container))
  return `10.${home?.number}.0.${2 + (home?.containers.indexOf(container) ?? 0)}`
}

const bytes = (address: string): Uint8Array => Uint8Array.from(address.split('.'), Number)

async function build({ number, bridge, group, containers, icc }: Block, bridgeNetfilter: 0 | 1): Promise<void> {
  // Where the firewall sees what goes from port to port it decides; isolated ports would also lose what was published.
  const isolated = icc || bridgeNetfilter === 1 ? 'off' : 'on'
  const outside = [
    `link add ${bridge} group ${group} type bridge`,
    `address add 10.${number}.0.1/24 dev ${bridge}`,
    `link set ${bridge} up`,
  ]
  for (const name of containers) {
    outside.push(
      `netns add ${name}`,
      `link add v${name} type veth peer name eth0 netns ${name}`,
      `link set v${name} master ${bridge} up`,
    )
    outside.push(`link set v${name} type bridge_slave hairpin on isolated ${isolated}`)
  }
  await output('ip', ['-batch', '-'], { input: outside.join('\n') })
  await writeSysctl(`net/ipv4/conf/${bridge}/route_localnet`, 1)
  for (const name of containers) {
    const inside = [
      'link set lo up',
      `address add ${addressOf(name)}/24 dev eth0`,
      'link set eth0 up',
      `route add default via 10.${number}.0.1`,
    ]
    await output('ip', ['-batch', '-'], { netns: name, input: inside.join('\n') })
  }
}

export interface Town extends AsyncDisposable {
  readonly lab: Lab
  publish(port: PublishedPort & { hostAddress?: Uint8Array | undefined }, container: string): Promise<void>
}

/** `bridgeNetfilter`: whether packets between the ports of a bridge pass the firewall (bridge-nf-call-iptables). */
export async function createTown(bridgeNetfilter: 0 | 1): Promise<Town> {
  const lab = await createLab()
  await writeSysctl('net.ipv4.ip_forward', 1)
  await writeSysctl('net.bridge.bridge-nf-call-iptables', bridgeNetfilter)
  for (const one of blocks) await build(one, bridgeNetfilter)
  await transact(compiledTable().messages)
  for (const one of blocks) await transact(networkAdded(one, { exclusive: true }))
  return {
    lab,
    async publish(port, container) {
      const address = bytes(addressOf(container))
      await transact(elementsAdded([portElement(port, address, container), publishedElement(address, container)]))
    },
    async [Symbol.asyncDispose]() {
      await run('nft', ['flush', 'ruleset'])
      const names = blocks.flatMap(({ containers }) => containers)
      const links = [...names.map((name) => `v${name}`), ...blocks.map(({ bridge }) => bridge)]
      await run('ip', ['-force', '-batch', '-'], { input: links.map((link) => `link delete ${link}`).join('\n') })
      await run('ip', ['-force', '-batch', '-'], { input: names.map((name) => `netns delete ${name}`).join('\n') })
      await lab[Symbol.asyncDispose]()
      await writeSysctl('net.ipv4.ip_forward', 0)
    },
  }
}

/** Lets a namespace send packets for 127.0.0.1 to its gateway, as an attacker would. */
export async function sendLoopbackOut(netns: string, gateway: string): Promise<void> {
  await output('ip', ['-batch', '-'], {
    netns,
    input: [
      'route delete local 127.0.0.0/8 dev lo table local',
      'route delete local 127.0.0.1 dev lo table local',
      `route add 127.0.0.1/32 via ${gateway}`,
    ].join('\n'),
  })
  // Else its own kernel drops the answers, and the attack fails for no merit of the firewall.
  await writeSysctl('net/ipv4/conf/all/route_localnet', 1, netns)
  await writeSysctl('net/ipv4/conf/eth0/accept_local', 1, netns)
  for (const device of ['all', 'eth0']) await writeSysctl(`net/ipv4/conf/${device}/rp_filter`, 0, netns)
}
