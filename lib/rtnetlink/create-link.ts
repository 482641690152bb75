// Making a link of any kind but veth, complete: its options, its master, its addresses, up.

import { fields, integer, invalidType, oneOf } from '../invalid.ts'
import { interfaceName, macAddress } from '../names.ts'
import { type Body, type Message, type NamespaceHandle, native } from '../native.ts'
import { addressMessage } from './address.ts'
import * as c from './constants.ts'
import { send } from './exchange.ts'
import { type KindSpec, kinds } from './kind/kinds.ts'
import {
  altname,
  checkAlias,
  deleteLink,
  getLinkMessage,
  indexOf,
  type Link,
  type LinkRef,
  linkFrom,
  mtuOf,
  refBody,
} from './link.ts'
import type { Operation } from './operation.ts'
import { rolledBack } from './roll-back.ts'

/** How the kernel makes a link's IPv6 addresses; see ip-link(8), `addrgenmode`. */
export type AddressGeneration = 'eui64' | 'none' | 'stable_secret' | 'random'
const generations: readonly AddressGeneration[] = ['eui64', 'none', 'stable_secret', 'random']

/** What every kind takes. */
export interface CommonLinkSpec<Place> {
  readonly name: string
  /** The device that it stands on: of a vlan, macvlan, ipvlan, vxlan. */
  readonly link?: LinkRef
  /** Where it is born, while `link` is in the namespace that the verb belongs to. Never moved. @defaultValue the verb's namespace */
  readonly netns?: Place
  /** Chosen by the caller. EEXIST when it is taken. @defaultValue the kernel's next */
  readonly index?: number
  readonly mac?: string
  readonly mtu?: number
  readonly txqlen?: number
  readonly txQueues?: number
  readonly rxQueues?: number
  readonly group?: number
  readonly master?: LinkRef
  readonly alias?: string
  readonly altnames?: readonly string[]
  readonly addressGeneration?: AddressGeneration
  /** `172.18.0.1/16`, … */
  readonly addresses?: readonly string[]
  /** @defaultValue false */
  readonly up?: boolean
}

export type LinkSpec<Place> = CommonLinkSpec<Place> & KindSpec

const common = [
  ...['kind', 'name', 'link', 'netns', 'index', 'mac', 'mtu', 'txqlen', 'txQueues', 'rxQueues', 'group', 'master', 'alias'],
  ...['altnames', 'addressGeneration', 'addresses', 'up'],
]

const optional = (value: unknown, path: string, from: number, to: number): number | undefined =>
  value === undefined ? undefined : integer(value, path, from, to)

function infoOf(spec: LinkSpec<unknown>, path: string): Body {
  oneOf(spec.kind, `${path}.kind`, [...(Object.keys(kinds) as (keyof typeof kinds)[]), 'other'] as const)
  if (spec.kind === 'other') {
    fields(spec, path, [...common, 'type', 'data'])
    if (typeof spec.type !== 'string' || spec.type === '') throw invalidType(`${path}.type`, 'the name of a kind', spec.type)
    if (spec.data !== undefined && !(spec.data instanceof Uint8Array))
      throw invalidType(`${path}.data`, 'a Uint8Array', spec.data)
    return { kind: spec.type, data: spec.data }
  }
  const { names, data } = kinds[spec.kind]
  fields(spec, path, [...common, ...names])
  return { kind: spec.kind, data: (data as (options: unknown, path: string) => Body | undefined)(spec, path) }
}

function createBody(spec: LinkSpec<unknown>, path: string): Body {
  const info = infoOf(spec, path)
  interfaceName(spec.name, `${path}.name`)
  if (spec.up !== undefined && typeof spec.up !== 'boolean') throw invalidType(`${path}.up`, 'a boolean', spec.up)
  return {
    index: optional(spec.index, `${path}.index`, 1, 0x7fffffff),
    name: spec.name,
    mac: spec.mac === undefined ? undefined : macAddress(spec.mac, `${path}.mac`),
    mtu: spec.mtu === undefined ? undefined : mtuOf(spec.mtu, `${path}.mtu`),
    txqlen: optional(spec.txqlen, `${path}.txqlen`, 0, 0xffffffff),
    txQueues: optional(spec.txQueues, `${path}.txQueues`, 1, 4096),
    rxQueues: optional(spec.rxQueues, `${path}.rxQueues`, 1, 4096),
    group: optional(spec.group, `${path}.group`, 0, 0xffffffff),
    info,
  }
}

/** What the kernel takes only once the link is there. */
function completion(spec: LinkSpec<unknown>, index: number, path: string): Message[] {
  const messages: Message[] = []
  const set = (body: Body, step: string): void =>
    void messages.push({ type: 'RTM_SETLINK', flags: 0, body: { index, ...body }, step })
  if (spec.alias !== undefined) set({ alias: checkAlias(spec.alias, `${path}.alias`) }, 'write the alias')
  if (spec.altnames !== undefined) {
    if (!Array.isArray(spec.altnames)) throw invalidType(`${path}.altnames`, 'an array', spec.altnames)
    messages.push({
      type: 'RTM_NEWLINKPROP',
      flags: c.NLM_F_CREATE | c.NLM_F_EXCL | c.NLM_F_APPEND,
      body: { index, altnames: spec.altnames.map((name, at) => altname(name, `${path}.altnames[${at}]`)) },
      step: 'add alternative names',
    })
  }
  if (spec.addressGeneration !== undefined) {
    const mode = generations.indexOf(oneOf(spec.addressGeneration, `${path}.addressGeneration`, generations))
    set({ afSpec: { inet6: { addrGenMode: mode } } }, 'set how IPv6 addresses are made')
  }
  if (spec.addresses !== undefined) {
    if (!Array.isArray(spec.addresses)) throw invalidType(`${path}.addresses`, 'an array', spec.addresses)
    messages.push(...spec.addresses.map((address, at) => addressMessage(index, address, {}, `${path}.addresses[${at}]`)))
  }
  if (spec.up) set({ flags: c.IFF_UP, change: c.IFF_UP }, `set ${spec.name} up`)
  return messages
}

/** For a batch: creation and completion together, by the index that `spec` names; the device's own namespace. */
export function linkCreation(spec: LinkSpec<unknown> & { readonly index: number }): Operation {
  const body = createBody(spec, 'link')
  const devices = (['link', 'master'] as const).flatMap((name) => {
    const ref = spec[name]
    return ref === undefined ? [] : [{ ref, path: `link.${name}` }]
  })
  return {
    devices,
    build: (resolve) => [
      {
        type: 'RTM_NEWLINK',
        flags: c.NLM_F_CREATE | c.NLM_F_EXCL,
        step: stepOf(spec),
        body: {
          ...body,
          link: spec.link === undefined ? undefined : resolve(spec.link),
          master: spec.master === undefined ? undefined : resolve(spec.master),
        },
      },
      ...completion(spec, spec.index, 'link'),
    ],
  }
}

const stepOf = (spec: LinkSpec<unknown>): string => `make the ${spec.kind === 'other' ? spec.type : spec.kind} ${spec.name}`

/** EEXIST when the name or the index is taken, in the namespace where it is born. On any error nothing is left of it. */
export async function createLink(
  handle: NamespaceHandle,
  birth: NamespaceHandle,
  spec: LinkSpec<unknown>,
  path = 'link',
): Promise<Link> {
  const body = createBody(spec, path)
  completion(spec, 1, path) // every argument is checked before the first message
  for (const name of ['link', 'master'] as const) if (spec[name] !== undefined) refBody(spec[name], `${path}.${name}`)
  const elsewhere = birth !== handle
  const create: Message = {
    type: 'RTM_NEWLINK',
    flags: c.NLM_F_CREATE | c.NLM_F_EXCL,
    step: stepOf(spec),
    body: {
      ...body,
      link: spec.link === undefined ? undefined : await indexOf(handle, spec.link, `${path}.link`),
      master: spec.master === undefined ? undefined : await indexOf(birth, spec.master, `${path}.master`),
      netnsFd: elsewhere ? native.describe(birth).fd : undefined,
    },
  }
  const look = getLinkMessage(spec.name, `${path}.name`)
  const outcomes = elsewhere
    ? [...(await send(handle, [create])), ...(await send(birth, [look]))]
    : await send(handle, [create, look])
  const made = linkFrom(outcomes[1]?.replies[0] ?? {})
  return rolledBack(
    async () =>
      linkFrom(
        (await send(birth, [...completion(spec, made.index, path), getLinkMessage(made.index, 'link')])).at(-1)?.replies[0] ?? {},
      ),
    () => deleteLink(birth, made),
  )
}
