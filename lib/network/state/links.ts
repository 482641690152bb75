// The devices, addresses, routes and settings of networks: what differs from what their aliases say, and how it is mended.

import { NetlinkError } from '../../errors.ts'
import { send } from '../../exchange.ts'
import { Netns } from '../../netns/netns.ts'
import { keepsView, lacksView, showFirewall } from '../../policy/bridge.ts'
import { opensNetwork } from '../../policy/firewall.ts'
import type { Policy } from '../../policy/policy.ts'
import { syncPolicies } from '../../policy/sync.ts'
import { unfinishedOn } from '../../policy/text.ts'
import type { AddressInfo } from '../../rtnetlink/address.ts'
import type { Link } from '../../rtnetlink/link/link.ts'
import type { Neighbor } from '../../rtnetlink/neighbor/neighbor.ts'
import type { Route } from '../../rtnetlink/route/route.ts'
import { addressesOf, type Setting, settingsOf } from '../create/device.ts'
import { groupOn } from '../group.ts'
import { enableForwarding, forwardingKeys, sysctlOf } from '../host/forwarding.ts'
import { endpointAltname, networkAltname, networkLabelOf } from '../label.ts'
import { type Finding, type FindingKind, type Flaw, finding } from './finding.ts'
import type { SeenEnd, SeenNetwork, Survey } from './survey.ts'

interface Stack {
  readonly addresses: readonly AddressInfo[]
  readonly routes: readonly Route[]
  readonly neighbors: readonly Neighbor[]
}

const flaw = (what: Finding, mend: () => Promise<unknown>): Flaw => ({ finding: what, mend })

/** It is as wanted already: somebody else mended it, or the kernel did as it took another change. */
async function unlessThere(change: Promise<unknown>): Promise<void> {
  try {
    await change
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === 'EEXIST')) throw error
  }
}

const rename = (host: Netns, link: Link, altname: string): Promise<unknown> =>
  unlessThere(host.setLink(link.index, { addAltnames: [altname] }))

/** What is to be done about a device or an address that was there before the network is for whose it is to say. */
const foreignFlaw = (kind: FindingKind, what: string, network: string): Flaw => ({
  finding: finding(kind, what, { network }, false),
})

function upFlaw(host: Netns, link: Link, where: { network: string; endpoint?: string }): Flaw[] {
  if (link.up) return []
  return [flaw(finding('link-down', `the device ${link.name} is down`, where), () => host.setLink(link.index, { up: true }))]
}

/** The firewall knows a network by its group. */
function groupFlaw(host: Netns, link: Link, group: number, where: { network: string; endpoint?: string }): Flaw[] {
  if (link.group === group) return []
  return [
    flaw(finding('group-different', `the device ${link.name} is in the group ${link.group}, not ${group}`, where), () =>
      host.setLink(link.index, { group }),
    ),
  ]
}

/** The group that the network's device had, as the firewall remembers it. */
function rememberedGroup({ network, link }: SeenNetwork, groups: ReadonlyMap<string, number>): number {
  return groups.get(network.name) ?? groupOn(network.name, link)
}

/** A bridge would learn a MAC from what no hook sees. */
function learningFlaws(host: Netns, { network, link }: SeenNetwork): Flaw[] {
  if (!network.antiSpoofing || network.driver !== 'bridge' || link.bridge?.noLinkLocalLearn) return []
  const what = finding('bridge-different', `the bridge ${link.name} learns from link-local frames`, { network: network.name })
  return [flaw(what, () => host.setBridge(link.index, { noLinkLocalLearn: true }))]
}

function addressFlaws(host: Netns, { network, link }: SeenNetwork, { addresses }: Stack): Flaw[] {
  const own = addresses.filter((address) => address.link === link.index).map(({ address }) => address)
  return addressesOf(network)
    .filter(({ address }) => !own.includes(address))
    .map(({ address, options, isForeign }) => {
      const what = `${address} on ${link.name}`
      if (isForeign) return foreignFlaw('address-missing', what, network.name)
      return flaw(finding('address-missing', what, { network: network.name }), () =>
        unlessThere(host.addAddress(link.index, address, options)),
      )
    })
}

/** A network is routed through its device: the kernel makes that route with the address. */
function routeFlaws(host: Netns, { network, link }: SeenNetwork, { addresses, routes }: Stack): Flaw[] {
  if (!link.up) return []
  const own = addresses.filter((address) => address.link === link.index).map(({ address }) => address)
  return network.subnets.flatMap((subnet, at) => {
    const gateway = network.gateways[at] ?? ''
    const hasAddress = own.includes(`${gateway}/${subnet.split('/')[1]}`)
    if (!hasAddress || routes.some((route) => route.to === subnet && route.dev === link.index)) return []
    const isForeign = addressesOf(network).some(({ address, isForeign }) => isForeign && address.startsWith(`${gateway}/`))
    if (isForeign) return [foreignFlaw('route-missing', `the route to ${subnet} through ${link.name}`, network.name)]
    const [scope, metric] = subnet.includes(':') ? ([undefined, 256] as const) : (['link', undefined] as const)
    const route = {
      to: subnet,
      dev: link.index,
      protocol: 'kernel' as const,
      ...(scope === undefined ? { metric } : { scope, source: gateway }),
    }
    return [
      flaw(finding('route-missing', `the route to ${subnet} through ${link.name}`, { network: network.name }), () =>
        unlessThere(host.addRoute(route)),
      ),
    ]
  })
}

async function settingFlaws(host: Netns, settings: readonly Setting[], network: string): Promise<Flaw[]> {
  const flaws = await Promise.all(
    settings.map(async ({ key, value }) => {
      const has = await sysctlOf(host, key)
      // A kernel without IPv6, or a device that went since.
      if (has === undefined || has === String(value)) return []
      const what = finding('sysctl-different', `${key} is ${has}, not ${value}`, { network })
      return [flaw(what, () => host.setSysctl(key, value))]
    }),
  )
  return flaws.flat()
}

async function forwardingFlaws(host: Netns, { network }: SeenNetwork): Promise<Flaw[]> {
  if (!network.forwards) return []
  const families = network.subnets.map((subnet) => (subnet.includes(':') ? 10 : 2))
  const flaws = await Promise.all(
    families.map(async (family) => {
      if ((await sysctlOf(host, forwardingKeys[family])) !== '0') return []
      const what = finding('sysctl-different', `${forwardingKeys[family]} is 0, not 1`, { network: network.name })
      return [flaw(what, () => enableForwarding(host, family))]
    }),
  )
  return flaws.flat()
}

function portFlaws(
  host: Netns,
  { network, link: bridge }: SeenNetwork,
  { link, endpoint, isLabelled }: SeenEnd,
  policies: readonly Policy[],
): Flaw[] {
  const where = { network: network.name, endpoint: endpoint.name }
  if (link.master !== bridge.index) {
    const what = finding('port-different', `the device ${link.name} is no port of ${bridge.name}`, where)
    return [flaw(what, () => host.setLink(link.index, { master: bridge.index }))]
  }
  const wanted = { isolated: !network.icc && !opensNetwork(policies, network.name), hairpin: endpoint.ports.length > 0 }
  const differs = (['isolated', 'hairpin'] as const).filter((option) => {
    // What it publishes is not known.
    if (option === 'hairpin' && !isLabelled) return false
    return link.port?.[option] !== wanted[option]
  })
  if (differs.length === 0) return []
  const portData = Object.fromEntries(differs.map((option) => [option, wanted[option] ? 1 : 0]))
  const words = differs.map((option) => `${option} ${!wanted[option]}, not ${wanted[option]}`).join(', ')
  const body = { index: link.index, info: { portKind: 'bridge', portData } }
  return [
    flaw(finding('port-different', `the device ${link.name}: ${words}`, where), () =>
      send(Netns.handleOf(host), [{ type: 'RTM_NEWLINK', flags: 0, body, step: "set the bridge port's options" }]),
    ),
  ]
}

/** What a bridge forwards is shown to the firewall only if it is told so. */
function bridgeFlaws(host: Netns, { network, link }: SeenNetwork, policies: readonly Policy[]): Flaw[] {
  const [lacks, keeps] = [lacksView(network, link, policies), keepsView(network, link, policies)]
  if (!lacks && !keeps) return []
  const why = lacks ? 'does not show the firewall what it forwards' : 'shows the firewall what it forwards, for no policy'
  const what = finding('bridge-different', `the bridge ${link.name} ${why}`, { network: network.name })
  return [flaw(what, () => (lacks ? showFirewall(host, link) : syncPolicies(host)))]
}

/** Whoever changes policies next finishes it, too. */
const unfinishedFlaws = (host: Netns, { network, link }: SeenNetwork): Flaw[] =>
  unfinishedOn(link).map(({ names: [instance = ''] }) => {
    const what = finding('policy-unfinished', `a change of policies that '${network.name}' remembers`, { network: network.name })
    return { ...flaw(what, () => syncPolicies(host)), instance }
  })

/** Without a bridge the host routes to each container, and knows it as a neighbor. */
function wayFlaws(host: Netns, { network }: SeenNetwork, { link, endpoint }: SeenEnd, { routes, neighbors }: Stack): Flaw[] {
  const where = { network: network.name, endpoint: endpoint.name }
  return endpoint.addresses.flatMap((cidr, at) => {
    const [address = ''] = cidr.split('/')
    const gateway = network.gateways[at] ?? ''
    const six = address.includes(':')
    // The kernel takes the source from IPv6 routes, with the address that it was.
    const isWay = ({ dev, to, source }: Route): boolean =>
      dev === link.index && [address, cidr].includes(to) && source === gateway
    const flaws: Flaw[] = []
    if (link.up && !routes.some(isWay)) {
      const route = { to: cidr, dev: link.index, source: gateway, ...(six ? {} : { scope: 'link' as const }) }
      flaws.push(
        flaw(finding('route-missing', `the route to ${address} through ${link.name}`, where), () => host.replaceRoute(route)),
      )
    }
    const known = neighbors.find((one) => one.link === link.index && one.address === address)
    if (link.up && (known?.state !== 'permanent' || known.mac !== endpoint.mac)) {
      flaws.push(
        flaw(finding('neighbor-missing', `${address} as a neighbor on ${link.name}`, where), () =>
          host.replaceNeighbor({ address, link: link.index, mac: endpoint.mac }),
        ),
      )
    }
    return flaws
  })
}

function endFlaws(
  host: Netns,
  seen: SeenNetwork,
  end: SeenEnd,
  { stack, group, policies }: { readonly stack: Stack; readonly group: number; readonly policies: readonly Policy[] },
): Flaw[] {
  const where = { network: seen.network.name, endpoint: end.endpoint.name }
  const lost = finding(
    'alias-lost',
    `the device ${end.link.name} does not tell the ports of '${end.endpoint.name}': detach it`,
    where,
    false,
  )
  return [
    ...(end.isLabelled ? [] : [{ finding: lost }]),
    ...upFlaw(host, end.link, where),
    ...groupFlaw(host, end.link, group, where),
    ...(seen.network.driver === 'bridge' ? portFlaws(host, seen, end, policies) : wayFlaws(host, seen, end, stack)),
  ]
}

/** Devices that still say what they are, but are not called so any more. */
function namelessFlaws(host: Netns, { nameless, unnamed }: Survey): Flaw[] {
  const networks = nameless.flatMap((link): Flaw[] => {
    const label = networkLabelOf(link)
    if (label === undefined) return []
    const what = finding('name-missing', `the name of the network's device ${link.name}`, { network: label.name })
    return [flaw(what, () => rename(host, link, networkAltname(label.name)))]
  })
  const ends = unnamed.map(({ link, network, endpoint }) =>
    flaw(finding('name-missing', `the name of the device ${link.name}`, { network, endpoint }), () =>
      rename(host, link, endpointAltname(network, endpoint)),
    ),
  )
  return [...networks, ...ends]
}

/** What nobody can tell any more. */
function lostFlaws({ mute, strays, nameless, forgotten }: Survey): Flaw[] {
  const names = [...new Set(strays.map(({ network }) => network))]
  const count = (name: string): number => strays.filter(({ network }) => network === name).length
  return [
    ...forgotten.map(({ network, policy }) => ({
      finding: finding(
        'policy-lost',
        `the device of '${network}' does not tell what the policy '${policy}' is`,
        { network },
        false,
      ),
    })),
    ...names.map((network) => ({
      finding: finding(
        'network-lost',
        `the device of '${network}' is gone; ${count(network)} host ends are left`,
        { network },
        false,
      ),
    })),
    ...Array.from(mute)
      .filter(([, link]) => !nameless.includes(link))
      .map(([network, link]) => ({
        finding: finding('alias-lost', `the device ${link.name} does not tell what network '${network}' is`, { network }, false),
      })),
  ]
}

/** `groups`: those of the networks by what the firewall remembers. */
export async function linkFlaws(host: Netns, seen: Survey, groups: ReadonlyMap<string, number>): Promise<Flaw[]> {
  const networks = [...seen.networks.values()]
  const isRouted = networks.some(({ network }) => network.driver === 'ptp')
  const [addresses, routes, neighbors] = await Promise.all([
    host.listAddresses(),
    host.listRoutes(),
    isRouted ? host.listNeighbors() : [],
  ])
  const stack: Stack = { addresses, routes, neighbors }
  const flaws = await Promise.all(
    networks.map(async (one) => {
      const { network, link, ends } = one
      const where = { network: network.name }
      const group = rememberedGroup(one, groups)
      const settings = [...settingsOf(network), ...ends.flatMap(({ endpoint }) => settingsOf(network, endpoint.hostIfname))]
      return [
        ...(await settingFlaws(host, settings, network.name)),
        ...learningFlaws(host, one),
        ...groupFlaw(host, link, group, where),
        ...(await forwardingFlaws(host, one)),
        ...addressFlaws(host, one, stack),
        // With its settings: what the kernel does by itself as it comes up would stay.
        ...(network.adopted && !link.up
          ? [foreignFlaw('link-down', `the device ${link.name} is down`, network.name)]
          : upFlaw(host, link, where)),
        ...routeFlaws(host, one, stack),
        ...bridgeFlaws(host, one, seen.policies),
        ...unfinishedFlaws(host, one),
        ...ends.flatMap((end) => endFlaws(host, one, end, { stack, group, policies: seen.policies })),
      ]
    }),
  )
  return [...lostFlaws(seen), ...namelessFlaws(host, seen), ...flaws.flat()]
}
