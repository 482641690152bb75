// Builds build/Release/netlink_ct.node with node-gyp. `--if-stale` does nothing when the addon is newer than all that it is made of.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const addon = join(root, 'build/Release/netlink_ct.node')

/**
 * Where Node's own headers lie, if its distribution brought them: node-gyp then downloads nothing.
 * @returns {string | undefined}
 */
export function nodedir() {
  const prefix = resolve(process.execPath, '../..')
  return existsSync(join(prefix, 'include/node/node_api.h')) ? prefix : undefined
}

/** @returns {boolean} whether the addon is missing or older than a file that it is made of */
export function isNativeStale() {
  const built = statSync(addon, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (built === 0) return true
  const native = readdirSync(join(root, 'native'), { recursive: true, withFileTypes: true })
    // A folder's own time tells of files removed.
    .filter((entry) => !entry.parentPath.startsWith(join(root, 'native/test')) && entry.name !== 'test')
    .map((entry) => join(entry.parentPath, entry.name))
  const inputs = [...native, join(root, 'binding.gyp'), join(root, 'scripts/native-sources.mjs')]
  return inputs.some((file) => statSync(file).mtimeMs > built)
}

/** @returns {number} node-gyp's exit code */
function build() {
  const directory = nodedir()
  const args = [join(root, 'node_modules/node-gyp/bin/node-gyp.js'), 'configure', 'build', '--jobs=max', '--loglevel=warn']
  // A process that has the old addon loaded keeps it: make replaces the file, it does not write into it.
  return (
    spawnSync(process.execPath, directory === undefined ? args : [...args, `--nodedir=${directory}`], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    }).status ?? 1
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv.includes('--if-stale') || isNativeStale()) process.exitCode = build()
}
