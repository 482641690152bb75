// [ notrack ]

import { nothing } from '../../../invalid.ts'
import type { Program } from '../program.ts'

export function notrack(program: Program, value: unknown, path: string): void {
  nothing(value, path)
  program.emit('notrack', {})
}
