// Builds build/Release/netlink_ct.node with node-gyp. `--if-stale` does nothing when the addon is newer than all that it is made of.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs'
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

/**
 * What the addon is made of. The folders stand for the files that were removed from them.
 * @returns {string[]}
 */
function inputs() {
  const native = ['native/core', 'native/node'].flatMap((folder) => [
    folder,
    ...readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  ])
  return [...native, 'binding.gyp', 'scripts/native-sources.mjs']
}

/**
 * @param {string} [file] the addon that node-gyp builds, or another made of the same
 * @returns {boolean} whether it is missing or older than something that it is made of
 */
export function isNativeStale(file = addon) {
  const built = statSync(file, { throwIfNoEntry: false })?.mtimeMs
  return built === undefined || inputs().some((input) => statSync(join(root, input)).mtimeMs > built)
}

/** @returns {boolean} whether node-gyp was content */
export function buildNative() {
  const headers = nodedir()
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/node-gyp/bin/node-gyp.js'),
      // Not `rebuild`: that would take the addon away from whoever is about to load it. make replaces it when the new one is whole.
      ...['configure', 'build', '--jobs=max', '--loglevel=warn'],
      ...(headers === undefined ? [] : [`--nodedir=${headers}`]),
    ],
    { cwd: root, stdio: ['ignore', process.stderr, process.stderr] },
  )
  if (status !== 0) return false
  // make leaves the file alone when nothing that it looks at has changed: without this it would stay older than its sources.
  const now = new Date()
  utimesSync(addon, now, now)
  return true
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv.includes('--if-stale') || isNativeStale()) process.exitCode = buildNative() ? 0 : 1
}
