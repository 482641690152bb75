// [ log prefix dropped level 4 ], [ log prefix dropped group 2 snaplen 64 qthreshold 0 ]

import { fields, integer, invalidType, invalidValue, oneOf } from '../../../invalid.ts'
import type { KernelObject } from '../../message.ts'
import type { Program } from '../program.ts'

/** enum nft_log_level. */
export const levels = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug', 'audit'] as const
/** NF_LOG_PREFIXLEN, the NUL included. */
const LONGEST_PREFIX = 128

export function log(program: Program, value: unknown, path: string): void {
  const given = value === null ? {} : fields(value, path, ['prefix', 'level', 'group', 'snaplen', 'queue-threshold'])
  const group = given['group']
  for (const key of ['snaplen', 'queue-threshold']) {
    if (given[key] !== undefined && group === undefined) throw invalidValue(`${path}.${key}`, 'needs a group', given[key])
  }
  if (group !== undefined && given['level'] !== undefined) {
    throw invalidValue(`${path}.level`, 'cannot be had with a group', given['level'])
  }
  program.emit('log', { ...prefix(given['prefix'], `${path}.prefix`), ...target(given, group, path) })
}

function target(given: Readonly<Record<string, unknown>>, group: unknown, path: string): KernelObject {
  const level = given['level']
  if (group === undefined) return level === undefined ? {} : { level: levels.indexOf(oneOf(level, `${path}.level`, levels)) }
  return {
    group: integer(group, `${path}.group`, 0, 65_535),
    ...(given['snaplen'] !== undefined && { snaplen: integer(given['snaplen'], `${path}.snaplen`, 0, 2 ** 32 - 1) }),
    ...(given['queue-threshold'] !== undefined && {
      qthreshold: integer(given['queue-threshold'], `${path}.queue-threshold`, 0, 65_535),
    }),
  }
}

function prefix(value: unknown, path: string): KernelObject {
  if (value === undefined) return {}
  if (typeof value !== 'string') throw invalidType(path, 'a string', value)
  if (Buffer.byteLength(value) >= LONGEST_PREFIX || value.includes('\0'))
    throw invalidValue(path, 'must have at most 127 bytes', value)
  return { prefix: value }
}
