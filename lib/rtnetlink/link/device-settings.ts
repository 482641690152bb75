// The IPv4 and IPv6 settings of a device, of `all` and of `default`: one call, whichever way the kernel takes each.

import { kernel } from '../../errors.ts'
import { nested, number, optionalText, send } from '../../exchange.ts'
import { fields, integer, invalidType, invalidValue, oneOf } from '../../invalid.ts'
import { type Body, type Field, type Message, type NamespaceHandle, native } from '../../native.ts'
import {
  type Ipv4Settings,
  type Ipv6Settings,
  ipv4Settings,
  ipv6Settings,
  type Setting,
  type Settings,
} from './device-settings-table.ts'
import { called, getLinkMessage, type LinkRef, refBody } from './ref.ts'
import { generations } from './settings.ts'

export interface DeviceSettings {
  /** Absent where the device has no IPv4. */
  readonly ipv4?: Ipv4Settings
  /** Absent where the device, or the kernel, has no IPv6. */
  readonly ipv6?: Ipv6Settings
}

/** A device; `'all'`, which the kernel counts together with each; `'default'`, from which new devices start. */
export type SettingsRef = LinkRef | 'all' | 'default'

type Value = boolean | number | string

const tables = { ipv4: ipv4Settings, ipv6: ipv6Settings } as const satisfies Readonly<Record<string, Settings>>
type FamilyName = keyof typeof tables
const families = Object.keys(tables) as FamilyName[]

const isShared = (ref: SettingsRef): ref is 'all' | 'default' => ref === 'all' || ref === 'default'

/** A change as the kernel takes it. */
interface Change {
  readonly family: FamilyName
  readonly name: string
  readonly number: number
}

const settingOf = ({ family, name }: Pick<Change, 'family' | 'name'>): Setting => (tables[family] as Settings)[name] as Setting

function numberOf(value: unknown, kind: Setting[2], path: string): number {
  if (kind === 'flag') {
    if (typeof value !== 'boolean') throw invalidType(path, 'a boolean', value)
    return value ? 1 : 0
  }
  if (kind === 'generation') return generations.indexOf(oneOf(value, path, generations))
  return integer(value, path, -0x80000000, 0x7fffffff)
}

/** In the order of the tables. */
function changesOf(settings: DeviceSettings): Change[] {
  fields(settings, 'settings', families)
  return families.flatMap((family) => {
    const asked = settings[family]
    if (asked === undefined) return []
    const table: Settings = tables[family]
    const values = fields(asked, `settings.${family}`, Object.keys(table))
    return Object.entries(table).flatMap(([name, [, , kind, by]]) => {
      if (values[name] === undefined) return []
      const path = `settings.${family}.${name}`
      if (by === 'none') throw invalidValue(path, 'is only read', values[name])
      return [{ family, name, number: numberOf(values[name], kind, path) }]
    })
  })
}

const fromNumber = (raw: number, kind: Setting[2]): Value => {
  if (kind === 'flag') return raw !== 0
  return kind === 'generation' ? (generations[raw] ?? 'eui64') : raw
}

/** Of the arrays in a device's IFLA_AF_SPEC; a kernel knows only the first part of the table. */
function fromArray(table: Settings, conf: Field | undefined, first: number): Record<string, Value> | undefined {
  if (!Array.isArray(conf)) return undefined
  const found: [string, Value][] = []
  for (const [name, [, at, kind]] of Object.entries(table)) {
    const raw: unknown = conf[at - first]
    // The kernel's numbers have signs.
    if (typeof raw === 'number') found.push([name, fromNumber(kind === 'seconds' ? (raw | 0) / 1000 : raw | 0, kind)])
  }
  return Object.fromEntries(found)
}

const pathOf = (family: FamilyName, device: string, sysctl: string): string => `${family}/conf/${device}/${sysctl}`

async function fromFiles(
  handle: NamespaceHandle,
  family: FamilyName,
  device: string,
): Promise<Record<string, Value> | undefined> {
  const read = await Promise.all(
    Object.entries(tables[family] as Settings).map(async ([name, [sysctl, , kind]]): Promise<[string, Value][]> => {
      try {
        return [[name, fromNumber(Number(await kernel(native.getSysctl(handle, pathOf(family, device, sysctl)))), kind)]]
      } catch (error) {
        if ((error as { code?: unknown }).code === 'ENOENT') return []
        throw error
      }
    }),
  )
  const found = read.flat()
  return found.length === 0 ? undefined : Object.fromEntries(found)
}

async function ask(handle: NamespaceHandle, ref: LinkRef, want: readonly string[] = []): Promise<Body> {
  const [outcome] = await send(handle, [{ ...getLinkMessage(ref, 'link'), want }])
  return outcome?.replies[0] ?? {}
}

export async function getDeviceSettings(handle: NamespaceHandle, ref: SettingsRef): Promise<DeviceSettings> {
  let [ipv4, ipv6]: (Record<string, Value> | undefined)[] = []
  if (isShared(ref)) {
    ;[ipv4, ipv6] = await Promise.all([fromFiles(handle, 'ipv4', ref), fromFiles(handle, 'ipv6', ref)])
  } else {
    const spec = nested((await ask(handle, ref, ['conf']))['afSpec']) ?? {}
    ipv4 = fromArray(ipv4Settings, nested(spec['inet'])?.['conf'], 1)
    ipv6 = fromArray(ipv6Settings, nested(spec['inet6'])?.['conf'], 0)
  }
  return { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) }
}

/** One message for all that netlink takes, of both families; undefined when there is none. */
function settingsMessage(ref: LinkRef, index: number, changes: readonly Change[]): Message | undefined {
  if (changes.length === 0) return undefined
  const conf: (number | undefined)[] = []
  for (const change of changes) if (change.family === 'ipv4') conf[settingOf(change)[1] - 1] = change.number >>> 0
  const mode = changes.find(({ family }) => family === 'ipv6')
  const afSpec = {
    inet: conf.length === 0 ? undefined : { conf: Array.from(conf) },
    inet6: mode === undefined ? undefined : { addrGenMode: mode.number },
  }
  return { type: 'RTM_SETLINK', flags: 0, body: { index, afSpec }, step: `change the settings of ${called(ref)}` }
}

export async function setDeviceSettings(handle: NamespaceHandle, ref: SettingsRef, settings: DeviceSettings): Promise<void> {
  if (!isShared(ref)) refBody(ref, 'link')
  const changes = changesOf(settings)
  const byNetlink = isShared(ref) ? [] : changes.filter((change) => settingOf(change)[3] === 'netlink')
  let device: string = isShared(ref) ? ref : ''
  if (!isShared(ref)) {
    const link = await ask(handle, ref)
    device = optionalText(link['name']) ?? ''
    const message = settingsMessage(ref, number(link['index']), byNetlink)
    if (message !== undefined) await send(handle, [message])
  }
  for (const change of changes) {
    if (byNetlink.includes(change)) continue
    const path = pathOf(change.family, device, settingOf(change)[0])
    await kernel(native.setSysctl(handle, path, String(change.number)))
  }
}
