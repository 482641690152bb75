// Tun and tap devices: made by an ioctl, completed as every other link.

import { closeSync } from 'node:fs'
import { kernel } from '../../errors.ts'
import { present, send } from '../../exchange.ts'
import { fields, integer, invalidValue, oneOf } from '../../invalid.ts'
import { interfaceName } from '../../names.ts'
import { type Message, type NamespaceHandle, native, type TunRequest } from '../../native.ts'
import { rolledBack } from '../../roll-back.ts'
import { backupResolver } from '../bridge/new-port.ts'
import { completion, type NewLink } from './completion.ts'
import { deleteLink, getLink, getLinkMessage, indexOf, type Link, type LinkRef, linkFrom, refBody } from './link.ts'
import { optional, optionalBoolean, settingNames, settingsBody } from './settings.ts'

interface TunOptions {
  /** Chosen by the caller. EBUSY when it is taken. @defaultValue the kernel's next */
  readonly index?: number
  /** The user, by number, who may attach to it without CAP_NET_ADMIN. With neither owner nor group, everybody who opens /dev/net/tun may. */
  readonly owner?: number
  /** The group whose members may; with an owner too, only the owner who is in the group. */
  readonly ownerGroup?: number
  /** Takes more than one descriptor at a time, each with packets of its own flows. @defaultValue false */
  readonly multiQueue?: boolean
  /** Four bytes before each packet: flags and EtherType (`struct tun_pi`). @defaultValue false */
  readonly packetInformation?: boolean
  /** A `struct virtio_net_hdr` before each packet (IFF_VNET_HDR). @defaultValue false */
  readonly vnetHeader?: boolean
}

/** `tun` carries IP packets, `tap` Ethernet frames; only a tap device has a `mac`. */
export type TunSpec = TunOptions &
  (({ readonly mode: 'tun'; readonly mac?: never } & Omit<NewLink, 'mac'>) | ({ readonly mode: 'tap' } & NewLink))

const names: readonly string[] = [
  ...['name', 'mode', 'index', 'owner', 'ownerGroup', 'multiQueue', 'packetInformation', 'vnetHeader'],
  ...settingNames,
  ...['altnames', 'addresses', 'up', 'master', 'bridgePort'],
]

/**
 * One queue of a tun or tap device: whoever has the descriptor is the device's wire. It belongs to this object, and is closed by `close()`
 * and by nothing else; as the standard input or output of a child (`spawn`, `stdio`) it is duplicated.
 */
export class Tun implements AsyncDisposable {
  /** The device as it was when it was opened. */
  readonly link: Link
  #fd: number

  /** @internal use openTun or attachTun */
  constructor(fd: number, link: Link) {
    this.#fd = fd
    this.link = link
  }

  /**
   * Non-blocking and close-on-exec. Each read(2) takes one packet that the device sent (EAGAIN: there is none), each write(2) gives it one to
   * receive (EIO: it is down). -1 after `close()`.
   */
  get fd(): number {
    return this.#fd
  }

  /** The device goes with its last descriptor, unless it is persistent. Twice is no error. */
  async close(): Promise<void> {
    const fd = this.#fd
    this.#fd = -1
    if (fd !== -1) closeSync(fd)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function requestOf(spec: TunSpec, persistent: boolean): TunRequest {
  fields(spec, 'tun', names)
  const mode = oneOf(spec.mode, 'tun.mode', ['tun', 'tap'] as const)
  const mac: unknown = spec.mac
  if (mac !== undefined && mode === 'tun') throw invalidValue('tun.mac', "is for the mode 'tap'", mac)
  return present({
    name: interfaceName(spec.name, 'tun.name'),
    mode,
    index: optional(spec.index, 'tun.index', 1, 0x7fffffff) ?? 0,
    attach: false,
    multiQueue: optionalBoolean(spec.multiQueue, 'tun.multiQueue') ?? false,
    packetInformation: optionalBoolean(spec.packetInformation, 'tun.packetInformation') ?? false,
    vnetHeader: optionalBoolean(spec.vnetHeader, 'tun.vnetHeader') ?? false,
    owner: spec.owner === undefined ? undefined : integer(spec.owner, 'tun.owner', 0, 0xfffffffe),
    ownerGroup: spec.ownerGroup === undefined ? undefined : integer(spec.ownerGroup, 'tun.ownerGroup', 0, 0xfffffffe),
    persistent,
  })
}

/** Makes the device, then completes it; `undo` when that fails. */
async function make<T>(
  handle: NamespaceHandle,
  spec: TunSpec,
  persistent: boolean,
  result: (fd: number, link: Link) => T,
  undo: (made: { readonly fd: number; readonly index: number }) => Promise<void>,
): Promise<T> {
  const request = requestOf(spec, persistent)
  const settings = settingsBody(spec, 'tun')
  completion(spec, 1, 'tun', settings) // every argument is checked before the first system call
  if (spec.master !== undefined) refBody(spec.master, 'tun.master')
  const backup = await backupResolver(handle, spec.bridgePort, 'tun.bridgePort')
  const master = spec.master === undefined ? {} : { master: await indexOf(handle, spec.master, 'tun.master') }
  const made = await kernel(native.openTun(handle, request))
  return rolledBack(
    async () => {
      const messages: Message[] = completion(spec, made.index, 'tun', { ...settings, ...master }, backup)
      const outcomes = await send(handle, [...messages, getLinkMessage(made.index, 'tun')])
      return result(made.fd, linkFrom(outcomes.at(-1)?.replies[0] ?? {}))
    },
    () => undo(made),
  )
}

export async function createTun(handle: NamespaceHandle, spec: TunSpec): Promise<Link> {
  return make(
    handle,
    spec,
    true,
    (_, link) => link,
    ({ index }) => deleteLink(handle, index),
  )
}

export async function openTun(handle: NamespaceHandle, spec: TunSpec): Promise<Tun> {
  return make(
    handle,
    spec,
    false,
    (fd, link) => new Tun(fd, link),
    async ({ fd }) => closeSync(fd),
  )
}

export async function attachTun(handle: NamespaceHandle, ref: LinkRef): Promise<Tun> {
  const { name, index, tun } = await getLink(handle, ref)
  // The kernel takes the headers from whoever attaches first.
  const { mode = 'tun', multiQueue = false, packetInformation = false, vnetHeader = false } = tun ?? {}
  const request = { name, index, mode, multiQueue, packetInformation, vnetHeader, attach: true, persistent: false }
  const { fd } = await kernel(native.openTun(handle, request))
  return rolledBack(
    async () => new Tun(fd, await getLink(handle, index)),
    async () => closeSync(fd),
  )
}
