// Address families in words.

import { oneOf } from '../invalid.ts'
import * as c from './constants.ts'

export const familyNumber = (family: 'inet' | 'inet6' | undefined, path: string): number => {
  if (family === undefined) return c.AF_UNSPEC
  return oneOf(family, path, ['inet', 'inet6'] as const) === 'inet' ? c.AF_INET : c.AF_INET6
}

export const familyName = (family: number): 'inet' | 'inet6' => (family === c.AF_INET ? 'inet' : 'inet6')
