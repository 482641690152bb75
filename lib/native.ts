// The only file that loads the addon, and the declaration of its surface: flat functions over handles, plain data in and out.
// A promise rejects with a KernelRefusal, never with an Error: errors.ts makes one where the caller's stack is at hand.

import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { type Addon, unpacking } from './addon.ts'
import { traced } from './diagnostics/trace.ts'

/** A network namespace held open. Opaque; see `close`. */
export interface NamespaceHandle {
  readonly __namespace: unique symbol
}

/** What the kernel (or the codec) said no to. NetlinkError says what the members are; `step` is its `operation`. */
export interface KernelRefusal {
  readonly errno: number
  readonly syscall: string
  readonly step?: string
  readonly extack?: string
  readonly attribute?: string
  readonly policy?: AttributePolicy
  readonly missing?: string
  readonly note?: string
  readonly index?: number
}

/** What the kernel takes for an attribute, as much of it as it told. 64-bit attributes have bigint limits, the others numbers. */
export interface AttributePolicy {
  /** `u32`, `string`, `nest`: an NL_ATTR_TYPE_*. */
  readonly type: string
  readonly min?: number | bigint
  readonly max?: number | bigint
  /** Bytes. */
  readonly minLength?: number
  readonly maxLength?: number
  /** The bits that may be set. */
  readonly mask?: number | bigint
}

/** Text that the kernel attached to a success. */
export interface KernelWarning {
  readonly message: string
  readonly attribute?: string
}

/** A message body: the schema's names and values. 64-bit numbers are bigint, addresses and names strings, the rest as it says. */
export type Field =
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Field[]
  | { readonly [name: string]: Field }
export type Body = { readonly [name: string]: Field }

export interface Message {
  readonly type: string
  /** NLM_F_*, without NLM_F_REQUEST and NLM_F_ACK. */
  readonly flags: number
  readonly body: Body
  /** What it is for, in words; part of the error's text. */
  readonly step?: string
  /** Fields of what comes back that are left out unless they are named here: `statistics` and `conf` of links. */
  readonly want?: readonly string[]
}

export interface Outcome {
  readonly error?: KernelRefusal
  readonly warning?: KernelWarning
  readonly replies: readonly Body[]
}

/** The objects of a dump, still outside of JavaScript. Opaque; see `takeObjects`. */
export interface Found {
  readonly __found: unique symbol
}

export interface DumpResult {
  readonly found: Found
  /** The kernel changed while it was read, each time. */
  readonly torn: boolean
  /** How often it was read: a torn reading is repeated, five times and for 200 ms at least. */
  readonly readings: number
  readonly warning?: KernelWarning
}

/** An element of the firewall table in the kernel's encoding. `data` is empty in a set. */
export interface PlanElement {
  /** Of its table: NFPROTO_INET or NFPROTO_BRIDGE. */
  readonly family: number
  readonly set: string
  readonly key: Uint8Array
  /** Empty where the set holds no intervals. */
  readonly keyEnd: Uint8Array
  readonly data: Uint8Array
  readonly comment: string
  /** Refuse with EEXIST when the key is there already. */
  readonly exclusive: boolean
}

/** A conntrack flow to forget; `address` empty for any original destination. */
export interface PlanFlow {
  /** AF_INET or AF_INET6. */
  readonly family: number
  readonly protocol: number
  readonly address: Uint8Array
  readonly port: number
}

/** Of the host, that no process may have: EADDRINUSE of `bind`, with the position. `address`: all zero for any. */
export interface PlanHostPort {
  readonly protocol: number
  readonly address: Uint8Array
  readonly port: number
}

export interface PlanTable {
  readonly family: number
  readonly name: string
}

export interface PlanSenderSets {
  /** Of their table. */
  readonly family: number
  /** Has the group, or the attach is refused as for `networksSet`; empty: the network does not ask. */
  readonly networks: string
  /** Has the host end's name where its elements do not follow from that. */
  readonly chosen: string
  /** Whose keys start with such a name. */
  readonly sets: readonly string[]
}

export interface PlanLease {
  readonly hostIfname: string
  /** Another lease's name that the host end takes, too; empty for none. */
  readonly claim: string
  /** One for each of the plan's families. */
  readonly addresses: readonly Uint8Array[]
  readonly mac: Uint8Array
  /** What its device may send as, where the network asks who sends. They take the place of those of their keys. */
  readonly senders: readonly PlanElement[]
}

export interface AttachPlan {
  readonly ipv6: boolean
  /** 0: no bridge, the host routes to the container. */
  readonly master: number
  /** Of a host end without a bridge; empty on one. */
  readonly hostMac: Uint8Array
  /** 0: the kernel's default. */
  readonly mtu: number
  readonly group: number
  /** The container takes what it would answer through another network: rp_filter 2. */
  readonly loose: boolean
  /** The bridge keeps the port from other isolated ones. */
  readonly isolated: boolean
  /** Of the host end; 0: the next of the private range, from a random start on. */
  readonly index: number
  readonly ifname: string
  readonly alias: string
  readonly altname: string
  readonly families: readonly {
    readonly prefixLength: number
    readonly ports: {
      /** Of the sets' table. */
      readonly family: number
      /** Has the addresses that have ports. */
      readonly published: string
      /** Whose data start with such an address, with the sets that say who may ask: their keys, and those that start with theirs. */
      readonly maps: readonly { readonly map: string; readonly limited: string; readonly allowed: string }[]
      /** Whose keys start with such an address. */
      readonly open: readonly string[]
    }
    readonly gateway: Uint8Array
  }[]
  /** Tried in order; whoever creates the device has the lease. */
  readonly leases: readonly PlanLease[]
  readonly routes: readonly {
    readonly to: Uint8Array
    readonly prefixLength: number
    readonly gateway: Uint8Array
    /** The gateway is a neighbor, whatever the addresses say. */
    readonly onlink: boolean
    /** 0: the kernel's default. */
    readonly metric: number
    /** RTN_UNICAST, or a refusal, which has no gateway and stays when the device goes. */
    readonly type: number
  }[]
  /** Written inside, in this order, before the link comes up. `path` is below /proc/sys/net. */
  readonly sysctls: readonly (PlanSysctl & {
    /** Goes with the device. */
    readonly ofDevice: boolean
  })[]
  readonly hostPorts: readonly PlanHostPort[]
  /** One of the leased addresses, by its position, is put in front of the key or the data of each, or nowhere. */
  readonly elements: readonly (PlanElement & { readonly address: number; readonly addressIn: 'key' | 'data' | 'neither' })[]
  readonly flows: readonly PlanFlow[]
  readonly table: PlanTable
  /** Where a network that asks who sends has that. */
  readonly senders: PlanSenderSets
  /** Has the group, or the attach is refused (ENOENT, 'find the network in the firewall'); empty: not to be asked for. */
  readonly networksSet: string
  /** Of that element; another means ESTALE, 'find the policies of the network as they were'. */
  readonly networksComment: string
  /** Of sets of policies, as `elements`. The index of the host end is put behind the comment. */
  readonly members: readonly (PlanElement & {
    readonly address: number
    readonly addressIn: 'key' | 'data' | 'neither'
    readonly isMember: boolean
  })[]
}

export interface PlanSysctl {
  readonly path: string
  readonly value: string
}

export interface Attached {
  readonly inside: NamespaceHandle
  /** Position in `leases`. */
  readonly lease: number
  readonly hostIndex: number
  readonly index: number
  /** What an undo gives back to a namespace that was there before. */
  readonly loopbackWasDown: boolean
  readonly sysctlsBefore: readonly PlanSysctl[]
}

export interface PortChange {
  readonly table: PlanTable
  readonly publish: boolean
  readonly hostPorts: readonly PlanHostPort[]
  readonly elements: readonly PlanElement[]
  /** Of addresses that have no port any more: withdrawn last, when nothing leads there. */
  readonly marks: readonly PlanElement[]
  readonly flows: readonly PlanFlow[]
}

export interface DetachPlan {
  readonly hostIndexes: readonly number[]
  readonly elements: readonly PlanElement[]
  /** As with {@link PortChange}. */
  readonly marks: readonly PlanElement[]
  /** Of those that published anything: the connections that they answer are forgotten. */
  readonly addresses: readonly Uint8Array[]
  /** In sets of policies: removed when the links are gone, unless they are another's by then. */
  readonly members: readonly PlanElement[]
  readonly table: PlanTable
}

export interface TunRequest {
  readonly name: string
  readonly mode: 'tun' | 'tap'
  /** To make: 0 for the kernel's next. To attach: the device that must have the name. */
  readonly index: number
  readonly attach: boolean
  readonly multiQueue: boolean
  readonly packetInformation: boolean
  readonly vnetHeader: boolean
  readonly owner?: number
  readonly ownerGroup?: number
  readonly persistent: boolean
}

export interface WatchOptions {
  /** News of NETLINK_NETFILTER, and not of NETLINK_ROUTE. */
  readonly netfilter: boolean
  /** RTNLGRP_*, NFNLGRP_*. */
  readonly groups: readonly number[]
  readonly allNamespaces: boolean
  /** Bytes. */
  readonly receiveBuffer: number
  /** Messages that may wait to be taken. */
  readonly maxQueue: number
}

/** One message that the kernel sent to everybody who listens. */
export interface News {
  readonly type: string
  readonly flags: number
  /** The namespace it comes from, when that is another one. */
  readonly nsid?: number
  readonly body: Body
}

export interface Taken {
  readonly news: readonly News[]
  /** Messages are missing behind the last of `news`. */
  readonly lost: boolean
  /** The watcher has failed and says nothing more. */
  readonly error?: KernelRefusal
}

/** What a composed operation sent: a message, or with an empty `type` a setting, whose path is `step` and whose value is `bytes`. */
export interface Transcribed {
  readonly netns: bigint
  readonly type: string
  readonly flags: number
  /** Behind the nlmsghdr. */
  readonly bytes: Uint8Array
  readonly step: string
}

/** Called before the operation settles, whether it succeeded or not. */
export type Tell = (sent: readonly Transcribed[]) => void

export interface Native {
  /** The namespace of the calling thread. */
  home(): NamespaceHandle
  /** Copies the descriptor at once; the caller keeps its own. */
  adopt(fd: number): NamespaceHandle
  open(path: string): Promise<NamespaceHandle>
  /** With a name, bound at /run/netns/<name>: EEXIST when it is taken, and nothing is left. */
  create(name?: string): Promise<NamespaceHandle>
  bind(handle: NamespaceHandle, name: string): Promise<void>
  unbind(name: string): Promise<void>
  describe(handle: NamespaceHandle): { readonly inode: bigint; readonly fd: number }
  /** Lets go; jobs in flight finish first. The handle is refused from then on. */
  close(handle: NamespaceHandle): void
  getSysctl(handle: NamespaceHandle, path: string): Promise<string>
  setSysctl(handle: NamespaceHandle, path: string, value: string): Promise<void>
  /** A non-blocking TCP or UDP socket inside; its descriptor is the caller's to close. `address`: 4 or 16 bytes, also when not `bound`. */
  socket(
    handle: NamespaceHandle,
    request: {
      readonly transport: 'tcp' | 'udp'
      readonly address: Uint8Array
      readonly port: number
      readonly bound: boolean
      readonly dual: boolean
      /** In bytes; 0 for the kernel's usual one. */
      readonly receiveBuffer: number
    },
  ): Promise<number>
  /** A queue of a tun or tap device inside; its descriptor is the caller's to close, and -1 for a persistent one. */
  openTun(handle: NamespaceHandle, request: TunRequest): Promise<{ readonly fd: number; readonly index: number }>
  /** Runs `body` with the JavaScript thread inside; throws a KernelRefusal when it cannot enter or could not return. */
  inside<T>(handle: NamespaceHandle, body: () => T): T
  /** In order, each message with its own outcome; the kernel goes on after a refusal. */
  submit(handle: NamespaceHandle, messages: readonly Message[]): Promise<readonly Outcome[]>
  /** One nf_tables transaction; rejects with the first refusal. `generation`: ERESTART unless the ruleset is still at it. */
  transact(handle: NamespaceHandle, messages: readonly Message[], generation?: number): Promise<readonly Outcome[]>
  dump(handle: NamespaceHandle, message: Message): Promise<DumpResult>
  /** The next of them, `count` at most; none when all are taken. To make 10 000 at once would hold the event loop for long. */
  takeObjects(found: Found, count: number): readonly Body[]
  /** `inside` undefined: into a new namespace. */
  attach(host: NamespaceHandle, inside: NamespaceHandle | undefined, plan: AttachPlan, tell?: Tell): Promise<Attached>
  detach(host: NamespaceHandle, plan: DetachPlan, tell?: Tell): Promise<void>
  changePorts(host: NamespaceHandle, change: PortChange, tell?: Tell): Promise<void>
  /**
   * Listens in the namespace, from the moment it resolves. `wake` is called when there is something to take, and not again before it
   * is taken. Keeps the process alive until `keepAlive(…, false)` or `unwatch`. Resolves to a refusal when it could not.
   */
  watch(handle: NamespaceHandle, options: WatchOptions, wake: () => void): Promise<number | KernelRefusal>
  take(watcher: number): Taken
  keepAlive(watcher: number, on: boolean): void
  /** Closes the socket. Twice is no error. */
  unwatch(watcher: number): void
  /** Watchers and their losses in this thread, and the netlink sockets of its requests. */
  listening(): { readonly watchers: number; readonly losses: number; readonly sockets: number }
  /** The bytes of a message as it is sent, but for its sequence number; undefined when it cannot be encoded. */
  encoded(message: Message): Uint8Array | undefined
  /** What the bytes behind an nlmsghdr say; unknown attributes are in `other`. Throws when they say nothing. */
  decoded(type: string, bytes: Uint8Array): Body
  statistics(): { readonly queued: number; readonly pending: number }
}

function load(): Addon {
  const require = createRequire(import.meta.url)
  const loader = require('node-gyp-build') as (folder: string) => Addon
  try {
    return loader(fileURLToPath(new URL('..', import.meta.url)))
  } catch (cause) {
    throw new Error(loadHelp(cause), { cause })
  }
}

function loadHelp(cause: unknown): string {
  const why = cause instanceof Error ? cause.message : String(cause)
  const lines = [
    `netlink-ct could not load its native addon on ${process.platform}-${process.arch}: ${why}`,
    'Possible solutions:',
  ]
  if (process.platform !== 'linux') lines.push('- netlink-ct speaks to the Linux kernel: run it there')
  else if (/libmnl/.test(why)) {
    lines.push(
      '- install libmnl: apt-get install libmnl0, dnf install libmnl, apk add libmnl, pacman -S libmnl, zypper install libmnl0',
    )
  } else if (/ERR_DLOPEN_DISABLED|--no-addons/.test(`${why} ${(cause as { code?: unknown } | null)?.code}`)) {
    lines.push('- start node without --no-addons')
  } else if (/GLIBC|ld-musl|ld-linux/.test(why)) {
    lines.push('- the prebuilt addon was made for another C library: build from a checkout (npm run build)')
  } else {
    lines.push('- there is no prebuilt addon for this platform: build one in a checkout of netlink-ct with `npm run build`')
    lines.push('  and point NETLINK_CT_PREBUILD at the checkout')
  }
  return lines.join('\n')
}

export const native: Native = traced(unpacking(load()))
