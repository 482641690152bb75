// An expression of the kernel's that has no words in libnftables-json(5): as list() shows it.

import { fields, invalidType, name } from '../../../invalid.ts'
import type { KernelObject } from '../../message.ts'
import type { Program } from '../program.ts'

export function other(program: Program, value: unknown, path: string): void {
  const given = fields(value, path, ['name', 'data'])
  const data = given['data']
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw invalidType(`${path}.data`, 'an object', data)
  // Bytes are what an expression holds that the addon has no names for, and it could not be told them.
  if (data instanceof Uint8Array) throw invalidType(`${path}.data`, 'an object of named attributes', data)
  program.emit(name(given['name'], `${path}.name`), data as KernelObject)
}
