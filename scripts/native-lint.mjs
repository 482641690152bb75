// Checks (`--fix`: mends) the layout of the C++ sources with clang-format, one version of it, since each lays out differently.
// With `--tidy` runs clang-tidy over them instead, on the compile commands of the developers' build.

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { cmakeBuild } from './cmake-build.mjs'
import { root } from './native-build.mjs'
import { sources } from './native-sources.mjs'
import { ensureOrExit, orExit } from './setup.mjs'

/** @returns {string[]} */
const headers = () =>
  readdirSync(join(root, 'native'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.h'))
    .map((name) => join('native', name))

if (process.argv.includes('--tidy')) {
  await ensureOrExit({ system: ['build', 'sandbox', 'cmake', 'clang-tidy'], npm: true })
  const folder = await orExit(() => cmakeBuild('build-cmake'))
  const args = ['-quiet', '-p', join(folder, 'build'), ...process.argv.slice(2).filter((argument) => !argument.startsWith('--'))]
  process.exitCode = spawnSync('run-clang-tidy-19', args, { cwd: root, stdio: 'inherit' }).status ?? 1
} else {
  await ensureOrExit({ system: ['clang-format'] })
  const mode = process.argv.includes('--fix') ? ['-i'] : ['--dry-run', '--Werror']
  const files = [...sources('native'), ...headers()]
  process.exitCode = spawnSync('clang-format-19', [...mode, ...files], { cwd: root, stdio: 'inherit' }).status ?? 1
}
