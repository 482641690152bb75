// Making a link of any kind but veth, complete: its options, its master, its addresses, up.

import { send } from '../../exchange.ts'
import { fields, invalidType, oneOf } from '../../invalid.ts'
import { interfaceName } from '../../names.ts'
import { type Body, type Message, type NamespaceHandle, native } from '../../native.ts'
import { rolledBack } from '../../roll-back.ts'
import { backupResolver } from '../bridge/new-port.ts'
import { backupOf } from '../bridge/port-options.ts'
import * as c from '../constants.ts'
import type { Operation } from '../operation.ts'
import { completion, type NewLink } from './completion.ts'
import { type KindSpec, kinds } from './kind/kinds.ts'
import { deleteLink, getLinkMessage, indexOf, type Link, type LinkRef, linkFrom, refBody } from './link.ts'
import { optional, settingNames, settingsBody } from './settings.ts'

/** What every kind takes. */
export interface CommonLinkSpec<Place> extends NewLink {
  /** The device that it stands on: of a vlan, macvlan, ipvlan, vxlan. */
  readonly link?: LinkRef
  /** Where it is born, while `link` is in the namespace that the verb belongs to. Never moved. @defaultValue the verb's namespace */
  readonly netns?: Place
  /** Chosen by the caller. EEXIST when it is taken. @defaultValue the kernel's next */
  readonly index?: number
  readonly txQueues?: number
  readonly rxQueues?: number
}

export type LinkSpec<Place> = CommonLinkSpec<Place> & KindSpec

export const commonNames: readonly string[] = [
  'name',
  ...settingNames,
  ...['altnames', 'addresses', 'up', 'link', 'netns', 'index', 'txQueues', 'rxQueues', 'master', 'bridgePort'],
]

function infoOf(spec: LinkSpec<unknown>, path: string): Body {
  oneOf(spec.kind, `${path}.kind`, [...(Object.keys(kinds) as (keyof typeof kinds)[]), 'other'] as const)
  if (spec.kind === 'other') {
    fields(spec, path, ['kind', ...commonNames, 'type', 'data'])
    if (typeof spec.type !== 'string' || spec.type === '') throw invalidType(`${path}.type`, 'the name of a kind', spec.type)
    if (spec.data !== undefined && !(spec.data instanceof Uint8Array))
      throw invalidType(`${path}.data`, 'a Uint8Array', spec.data)
    return { kind: spec.type, data: spec.data }
  }
  const { names, data } = kinds[spec.kind]
  fields(spec, path, ['kind', ...commonNames, ...names])
  return { kind: spec.kind, data: (data as (options: unknown, path: string) => Body | undefined)(spec, path) }
}

function createBody(spec: LinkSpec<unknown>, path: string): Body {
  const info = infoOf(spec, path)
  interfaceName(spec.name, `${path}.name`)
  return {
    index: optional(spec.index, `${path}.index`, 1, 0x7fffffff),
    name: spec.name,
    ...settingsBody(spec, path),
    txQueues: optional(spec.txQueues, `${path}.txQueues`, 1, 4096),
    rxQueues: optional(spec.rxQueues, `${path}.rxQueues`, 1, 4096),
    info,
  }
}

/** For a batch: creation and completion together, by the index that `spec` names; the device's own namespace. */
export function linkCreation(spec: LinkSpec<unknown> & { readonly index: number }): Operation {
  const body = createBody(spec, 'link')
  const devices = (['link', 'master'] as const).flatMap((name) => {
    const ref = spec[name]
    return ref === undefined ? [] : [{ ref, path: `link.${name}` }]
  })
  return {
    devices: [...devices, ...backupOf(spec.bridgePort, 'link.bridgePort')],
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
      ...completion(spec, spec.index, 'link', {}, resolve),
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
  const backup = await backupResolver(birth, spec.bridgePort, `${path}.bridgePort`)
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
        (await send(birth, [...completion(spec, made.index, path, {}, backup), getLinkMessage(made.index, 'link')])).at(-1)
          ?.replies[0] ?? {},
      ),
    () => deleteLink(birth, made),
  )
}
