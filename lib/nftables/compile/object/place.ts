// Where an object is: the family and name of its table.

import { type Fields, name, oneOf } from '../../../invalid.ts'
import { families } from '../../message.ts'
import type { Family } from '../../schema.ts'

export function family(value: unknown, path: string): { word: Family; number: number } {
  const word = oneOf(value, path, ['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'])
  return { word, number: families[word] }
}

export interface Place {
  readonly family: Family
  readonly table: string
  /** The same, as the kernel has it. */
  readonly body: { readonly family: number; readonly table: string }
}

export function place(given: Fields, path: string): Place {
  const { word, number } = family(given['family'], `${path}.family`)
  const table = name(given['table'], `${path}.table`)
  return { family: word, table, body: { family: number, table } }
}
