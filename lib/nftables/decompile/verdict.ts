// accept, jump to a chain: what stands in the verdict register, or in a map of verdicts.

import type { Body } from '../../native.ts'
import type { Verdict } from '../schema.ts'
import { number, text } from './body.ts'

/** Nothing for a code that has no word. */
export function formatVerdict(verdict: Body): Verdict | undefined {
  const target = text(verdict['chain'])
  switch (number(verdict['code'])) {
    case 1:
      return { accept: null }
    case 0:
      return { drop: null }
    case -1:
      return { continue: null }
    case -5:
      return { return: null }
    case -3:
      return { jump: { target } }
    case -4:
      return { goto: { target } }
    default:
      return undefined
  }
}
