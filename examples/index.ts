// npm run examples [-- PATTERN…]: runs the examples whose names hold a PATTERN, one after the other, in a sandbox. Exit code 0 when all
// went as they say and left nothing behind.

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { host } from 'netlink-ct'
import { inSandbox } from '../scripts/sandbox.mjs'
import { remains } from './demo/remains.ts'

if (!inSandbox()) {
  console.error('netlink-ct: the examples run in a sandbox only: npm run examples')
  process.exit(1)
}
const patterns = process.argv.slice(2)
const files = readdirSync(import.meta.dirname)
  .filter((name) => /^s\d\d-.*\.ts$/.test(name))
  .filter((name) => patterns.length === 0 || patterns.some((pattern) => name.includes(pattern)))
  .sort()
if (files.length === 0) {
  console.error(`netlink-ct: no example is called ${patterns.join(' or ')}`)
  process.exit(2)
}

// As on any host. In a new namespace, such as the sandbox, it is down.
await host.setLink('lo', { up: true })

/** What there is now and was not so before, in words. */
async function leftovers(before: Awaited<ReturnType<typeof remains>>): Promise<string[]> {
  const after = await remains()
  const changed = Object.entries(after).filter(([what, is]) => is !== before[what as keyof typeof before])
  return changed.map(([what, is]) => `left behind: ${what}: ${is}`)
}

const lines: string[] = []
let failed = 0
for (const file of files) {
  const before = await remains()
  const begin = performance.now()
  const { status, signal } = spawnSync(process.execPath, [...process.execArgv, join(import.meta.dirname, file)], {
    stdio: 'inherit',
  })
  const wrong = status === 0 ? [] : [`ended with ${signal ?? `exit code ${status}`}`]
  wrong.push(...(await leftovers(before)))
  if (wrong.length > 0) failed++
  const seconds = ((performance.now() - begin) / 1000).toFixed(1)
  lines.push(`  ${wrong.length === 0 ? 'ok    ' : 'FAILED'}  ${basename(file, '.ts')} (${[`${seconds} s`, ...wrong].join('; ')})`)
}
console.log(`\n${lines.join('\n')}\n\n${files.length - failed} of ${files.length} examples went as they say`)
if (failed > 0) process.exitCode = 1
