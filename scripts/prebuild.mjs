// npm run prebuild: the addon that the package ships, at prebuilds/<platform>-<arch>/netlink-ct.<libc>.node. With `--if-stale` only when
// something that it is made of is newer.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isNativeStale, nodedir, root } from './native-build.mjs'
import { ensureOrExit } from './setup.mjs'

const folder = join(root, 'prebuilds', `${process.platform}-${process.arch}`)

/** @returns {boolean} whether prebuildify was content */
function prebuild() {
  // prebuildify begins with wiping the build folder. It works on a copy of the sources, so that nobody loses an addon in use.
  const copy = join(root, 'build-prebuild')
  rmSync(copy, { recursive: true, force: true })
  for (const path of ['package.json', 'binding.gyp', 'scripts/native-sources.mjs', 'native/core', 'native/node']) {
    cpSync(join(root, path), join(copy, path), { recursive: true })
  }
  rmSync(folder, { recursive: true, force: true })

  const headers = nodedir()
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/prebuildify/bin.js'),
      ...['--napi', '--strip', '--tag-libc', '--cwd', copy, '--out', root],
      // Its default is the newest Node that it has heard of, whose headers it would download.
      ...['--target', process.versions.node],
    ],
    {
      cwd: root,
      stdio: ['ignore', process.stderr, process.stderr],
      env: { ...process.env, ...(headers === undefined ? {} : { npm_config_nodedir: headers }) },
    },
  )
  return status === 0
}

await ensureOrExit({ system: ['build', 'sandbox'], npm: true })
const built = existsSync(folder) ? readdirSync(folder) : []
const isStale = built.length === 0 || built.some((name) => isNativeStale(join(folder, name)))
if (isStale || !process.argv.includes('--if-stale')) process.exitCode = prebuild() ? 0 : 1
