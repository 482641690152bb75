// [ queue num 0-3 bypass ]

import { fields, integer, invalidValue, list, words } from '../../../invalid.ts'
import { isRange } from '../expression/value.ts'
import type { Program } from '../program.ts'

export const queueFlags = { bypass: 1, fanout: 2 } as const

export function queue(program: Program, value: unknown, path: string): void {
  const given = value === null ? {} : fields(value, path, ['num', 'flags'])
  const [first, last] = numbers(given['num'] ?? 0, `${path}.num`)
  const named = given['flags'] === undefined ? [] : words(given['flags'], `${path}.flags`, ['bypass', 'fanout'])
  const flags = named.reduce((sum, flag) => sum | queueFlags[flag], 0)
  program.emit('queue', { num: first, total: last - first + 1, flags })
}

function numbers(value: unknown, path: string): [first: number, last: number] {
  if (!isRange(value)) {
    const number = integer(value, path, 0, 65_535)
    return [number, number]
  }
  const ends = list(fields(value, path, ['range'])['range'], `${path}.range`)
  if (ends.length !== 2) throw invalidValue(`${path}.range`, 'must have two ends', ends)
  const first = integer(ends[0], `${path}.range[0]`, 0, 65_535)
  return [first, integer(ends[1], `${path}.range[1]`, first, 65_535)]
}
