// A container's device on the wire of the parent: made from the host, at once in the namespace where it stays.

import { randomInt } from 'node:crypto'
import { constants } from 'node:os'
import { NetlinkError } from '../../errors.ts'
import { send } from '../../exchange.ts'
import { type Message, native } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import { rolledBack } from '../../roll-back.ts'
import { addressMessage } from '../../rtnetlink/address.ts'
import * as c from '../../rtnetlink/constants.ts'
import { ipvlan } from '../../rtnetlink/link/kind/ipvlan.ts'
import { macvlan } from '../../rtnetlink/link/kind/macvlan.ts'
import type { Link } from '../../rtnetlink/link/link.ts'
import { routeChange } from '../../rtnetlink/route/route.ts'
import { NetworkError } from '../errors.ts'
import { announceSysctls } from '../finish.ts'
import type { PlanSysctls } from '../inside.ts'
import type { LanDriver, LanMode } from './lan-label.ts'

export interface LanDevice {
  readonly driver: LanDriver
  readonly mode: LanMode
  readonly parent: Link
  readonly ifname: string
  /** Absent: the parent's. */
  readonly mac: string | undefined
  readonly mtu: number
}

const loopback = 1
/** The kernel counts its own indexes up from 1. */
const firstIndex = 2 ** 30
const mostIndexClashes = 8

const isCode = (error: unknown, code: string): error is NetlinkError => error instanceof NetlinkError && error.code === code

/** `fd`: of the namespace where it is made. */
export function creation({ driver, mode, parent, ifname, mac, mtu }: LanDevice, index: number, fd: number): Message {
  const data = { macvlan, ipvlan }[driver].data({ mode } as never, 'network')
  return {
    type: 'RTM_NEWLINK',
    flags: c.NLM_F_CREATE | c.NLM_F_EXCL,
    body: { index, name: ifname, link: parent.index, mac, mtu, netnsFd: fd, info: { kind: driver, data } },
    step: `make the ${driver} ${ifname} on ${parent.name}`,
  }
}

/** Down, and without an address. Resolves to its index, a random one, by which it is known from all that were there before. */
export async function makeDevice(host: Netns, netns: Netns, device: LanDevice): Promise<number> {
  const { fd } = native.describe(Netns.handleOf(netns))
  for (let clash = 0; ; clash++) {
    const index = randomInt(firstIndex, 2 ** 31 - 1)
    try {
      await send(Netns.handleOf(host), [creation(device, index, fd)])
      return index
    } catch (error) {
      if (isCode(error, 'EEXIST')) {
        if (await hasLink(netns, device.ifname)) throw nameTaken(device.ifname)
        if (clash < mostIndexClashes) continue
      }
      throw explained(error, device)
    }
  }
}

async function hasLink(netns: Netns, ref: string | number): Promise<boolean> {
  try {
    await netns.getLink(ref)
    return true
  } catch (error) {
    if (isCode(error, 'ENODEV')) return false
    throw error
  }
}

const nameTaken = (ifname: string): NetlinkError =>
  new NetlinkError({ errno: constants.errno.EEXIST, syscall: 'RTM_NEWLINK', step: `name the interface ${ifname} inside` })

/** What the kernel's few words mean here. */
function explained(error: unknown, { driver, mode, parent, mtu }: LanDevice): unknown {
  if (!(error instanceof NetlinkError)) return error
  const told = (code: 'PARENT_NOT_FOUND' | 'PARENT_IN_USE', why: string): NetworkError =>
    new NetworkError(code, `${why}: ${error.message}`, { cause: error })
  if (error.code === 'ENODEV') return told('PARENT_NOT_FOUND', `the parent ${parent.name} is gone`)
  if (error.code === 'EBUSY') {
    const other = driver === 'macvlan' ? 'ipvlan' : 'macvlan'
    return told('PARENT_IN_USE', `${parent.name} takes no ${driver}: it is a port of a bridge or a bond, or has ${other} devices`)
  }
  if (error.code !== 'EINVAL') return error
  if (mtu > parent.mtu) return told('PARENT_IN_USE', `the network's MTU is ${mtu}, that of ${parent.name} only ${parent.mtu}`)
  if (driver === 'ipvlan') return error
  if (mode === 'passthru')
    return told('PARENT_IN_USE', `passthru is for one device that has the parent to itself, and ${parent.name} may have one`)
  return told(
    'PARENT_IN_USE',
    `${parent.name} takes no macvlan: another has it to itself (passthru), or it is no Ethernet device`,
  )
}

export interface LanConfiguration {
  readonly index: number
  readonly ifname: string
  readonly alias: string
  /** In CIDR. */
  readonly addresses: readonly string[]
  /** Of each family that has a default route: its gateway, or undefined for the device itself. */
  readonly ways: readonly { readonly family: 2 | 10; readonly gateway: string | undefined }[]
  /** Of the default routes; 0: the kernel's. */
  readonly metric: number
  /** Of the device. */
  readonly sysctls: PlanSysctls
  /** Whether the wire is told of its addresses as it comes up: they may have been another machine's. */
  readonly announce: boolean
}

/** Settings, addresses, up, default routes. */
export async function configure(netns: Netns, configuration: LanConfiguration): Promise<void> {
  const { index, alias, addresses, ways, metric } = configuration
  await writeSettings(netns, configuration)
  const up = (which: number, step: string): Message => ({
    type: 'RTM_SETLINK',
    flags: 0,
    body: { index: which, flags: c.IFF_UP, change: c.IFF_UP },
    step,
  })
  const wasUp = (await netns.getLink(loopback)).up
  await rolledBack(
    () =>
      send(Netns.handleOf(netns), [
        { type: 'RTM_SETLINK', flags: 0, body: { index, alias }, step: "write the endpoint's alias" },
        ...addresses.map((address) => addressMessage(index, address, address.includes(':') ? { nodad: true } : {}, 'address')),
        up(loopback, 'set the loopback inside up'),
        up(index, 'set the device inside up'),
        ...ways.flatMap(({ family, gateway }) => {
          const to = family === 2 ? '0.0.0.0/0' : '::/0'
          const route = {
            to,
            dev: index,
            ...(gateway === undefined ? {} : { via: gateway }),
            ...(metric === 0 ? {} : { metric }),
          }
          return routeChange('add', route)
            .build(() => index)
            .map((message) => ({ ...message, step: 'add the default route inside' }))
        }),
      ]),
    async () => {
      if (!wasUp) await netns.setLink(loopback, { up: false })
    },
  )
}

async function writeSettings(netns: Netns, { ifname, addresses, sysctls, announce }: LanConfiguration): Promise<void> {
  const ipv6 = addresses.some((address) => address.includes(':'))
  // Before it comes up: of a device without IPv6 nothing of it is heard.
  const settings = ipv6 ? { accept_ra: 0, accept_dad: 0, disable_ipv6: 0 } : { disable_ipv6: 1 }
  for (const [key, value] of Object.entries(settings)) {
    try {
      await netns.setSysctl(`net/ipv6/conf/${ifname}/${key}`, value)
    } catch (error) {
      // A kernel without IPv6 has nothing to turn off.
      if (ipv6 || !isCode(error, 'ENOENT')) throw error
    }
  }
  for (const { path, value } of [...(announce ? announceSysctls(ifname, ipv6) : []), ...sysctls])
    await netns.setSysctl(`net/${path}`, value)
}

/** The host's own addresses on the parent, which no container may get. */
export async function hostAddresses(host: Netns, parent: Link): Promise<string[]> {
  return (await host.listAddresses({ link: parent.index })).map(({ address }) => address.split('/')[0] ?? '')
}
