// benchmarks/recipe.sh: what a tutorial tells to type. One shell runs all of it, so that no start of a shell is counted against it.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Churn, Contender, Laps } from './contender.ts'

const recipe = join(import.meta.dirname, '../recipe.sh')

async function run(...args: string[]): Promise<number> {
  const start = performance.now()
  await promisify(execFile)('sh', [recipe, ...args])
  return (performance.now() - start) * 1000
}

async function churn({ containers, attach = 1, ports, detach }: Churn): Promise<Laps> {
  const all = String(containers)
  await run('network')
  const attached = await run(attach === 1 ? 'attach' : 'attach-at-once', all, ports ? 'publish' : '')
  const detached = detach === undefined ? [] : [await run(detach === 1 ? 'detach' : 'detach-at-once', all)]
  return { attach: [attached / containers], detach: detached.map((time) => time / containers) }
}

export const shell: Contender = { churn }
