// A container's device on the wire of the parent: made from the host, at once in the namespace where it stays.

import { randomInt } from 'node:crypto'
import { constants } from 'node:os'
import { NetlinkError } from '../../errors.ts'
import { send } from '../../exchange.ts'
import { type Message, native } from '../../native.ts'
import { Netns } from '../../netns/netns.ts'
import * as c from '../../rtnetlink/constants.ts'
import type { Link } from '../../rtnetlink/link/link.ts'
import { NetworkError } from '../errors.ts'
import { groupOf } from '../group.ts'
import { deviceData, type LanDeviceOptions, type LanDriver, type LanMode } from './lan-label.ts'

export interface LanDevice {
  readonly driver: LanDriver
  readonly mode: LanMode
  readonly options: LanDeviceOptions
  readonly parent: Link
  readonly ifname: string
  /** Absent: the parent's. */
  readonly mac: string | undefined
  readonly mtu: number
  /** In which it is until it is complete; see unfinishedGroup. */
  readonly group: number
}

/** The kernel counts its own indexes up from 1. */
const firstIndex = 2 ** 30
const mostIndexClashes = 8

const isCode = (error: unknown, code: string): error is NetlinkError => error instanceof NetlinkError && error.code === code

/**
 * By it a device is known as one that an attach has made and not leased yet: the kernel takes no alias and no other name with the message
 * that makes it. See unleasedDevices.
 */
export const unfinishedGroup = (network: string): number => groupOf(network, 0)

/** `fd`: of the namespace where it is made. */
export function creation(
  { driver, mode, options, parent, ifname, mac, mtu, group }: LanDevice,
  index: number,
  fd: number,
): Message {
  const data = deviceData(driver, mode, options, 'network')
  return {
    type: 'RTM_NEWLINK',
    flags: c.NLM_F_CREATE | c.NLM_F_EXCL,
    body: { index, name: ifname, link: parent.index, mac, mtu, group, netnsFd: fd, info: { kind: driver, data } },
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

/** The host's own addresses on the parent, which no container may get. */
export async function hostAddresses(host: Netns, parent: Link): Promise<string[]> {
  return (await host.listAddresses({ link: parent.index })).map(({ address }) => address.split('/')[0] ?? '')
}
