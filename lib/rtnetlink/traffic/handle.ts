// Handles and parents in tc's spelling: `1:` is a queueing discipline, `1:10` a class of it, both numbers hexadecimal.

import { invalidType, invalidValue } from '../../invalid.ts'

/** Where a queueing discipline hangs when it is no class's: TC_H_ROOT, TC_H_INGRESS, TC_H_CLSACT. */
export const root = 0xffffffff
export const ingress = 0xfffffff1
/** The major number that ingress and clsact always have. */
export const ingressHandle = 0xffff0000

/** The two hooks of clsact, the first of which ingress has too. */
const hooks: Readonly<Record<string, number>> = { ingress: 0xfffffff2, egress: 0xfffffff3 }

export const majorOf = (handle: number): number => (handle & 0xffff0000) >>> 0
export const minorOf = (handle: number): number => handle & 0xffff

function parse(value: unknown, path: string, pattern: RegExp, expected: string): number {
  if (typeof value !== 'string') throw invalidType(path, expected, value)
  const [, major, minor] = pattern.exec(value) ?? []
  if (major === undefined) throw invalidValue(path, `must be ${expected}`, value)
  return ((Number.parseInt(major, 16) << 16) | (minor ? Number.parseInt(minor, 16) : 0)) >>> 0
}

/** The handle of a queueing discipline. */
export const qdiscHandle = (value: unknown, path: string): number =>
  parse(value, path, /^([0-9a-f]{1,4}):(?:0{1,4})?$/i, "a handle such as '1:'")

/** The id of a class. */
export const classId = (value: unknown, path: string): number =>
  parse(value, path, /^([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i, "a class such as '1:10'")

/** `1:` or `1:10`. */
export const eitherHandle = (value: unknown, path: string): number =>
  parse(value, path, /^([0-9a-f]{1,4}):([0-9a-f]{0,4})$/i, "a handle such as '1:' or a class such as '1:10'")

/** The parent of a queueing discipline. */
export const qdiscParent = (value: unknown, path: string): number =>
  value === 'root' ? root : value === 'ingress' || value === 'clsact' ? ingress : eitherHandle(value, path)

/** The parent of a filter. The kernel takes 0 for whatever is at the root, and TC_H_ROOT for nothing. */
export const filterParent = (value: unknown, path: string): number =>
  value === 'root' ? 0 : typeof value === 'string' && value in hooks ? (hooks[value] as number) : eitherHandle(value, path)

export const formatHandle = (handle: number): string =>
  `${(handle >>> 16).toString(16)}:${minorOf(handle) === 0 ? '' : minorOf(handle).toString(16)}`

export function formatParent(parent: number, kind: string): string {
  if (parent === root) return 'root'
  if (parent === ingress) return kind
  return Object.entries(hooks).find(([, number]) => number === parent)?.[0] ?? formatHandle(parent)
}
