// [ immediate reg 0 drop ]

import { fields, name, nothing, onlyKey } from '../../../invalid.ts'
import type { KernelObject } from '../../message.ts'
import type { Program } from '../program.ts'

/** enum nft_verdicts, and NF_ACCEPT and NF_DROP. */
const codes = { accept: 1, drop: 0, continue: -1, return: -5, jump: -3, goto: -4 } as const
const NFT_REG_VERDICT = 0

export type VerdictName = keyof typeof codes
export const verdictNames: readonly VerdictName[] = ['accept', 'drop', 'continue', 'return', 'jump', 'goto']

export function parseVerdict(value: unknown, path: string): KernelObject {
  const verdict = onlyKey(value, path, verdictNames)
  const argument = (value as Record<string, unknown>)[verdict]
  const code = codes[verdict]
  if (verdict === 'jump' || verdict === 'goto') {
    const target = fields(argument, `${path}.${verdict}`, ['target'])['target']
    return { code, chain: name(target, `${path}.${verdict}.target`) }
  }
  nothing(argument, `${path}.${verdict}`)
  return { code }
}

export function verdict(program: Program, value: unknown, path: string): void {
  program.emit('immediate', { dreg: NFT_REG_VERDICT, data: { verdict: parseVerdict(value, path) } })
}
