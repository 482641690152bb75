// The developers' build: the addon, the core library and the native tests, in a folder per kind of build. `<folder>` is laid out as
// node-gyp-build wants it, so NETLINK_CT_PREBUILD=<folder> makes the library load what was built there.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './native-build.mjs'
import { SetupError } from './setup.mjs'

/**
 * @param {string} name a folder in the repository
 * @param {Record<string, string>} [options] variables for CMake
 * @returns {string} the folder
 */
export function cmakeBuild(name, options = {}) {
  const folder = join(root, name)
  const cmakeJs = [
    process.execPath,
    join(root, 'node_modules/cmake-js/bin/cmake-js'),
    'compile',
    '-D',
    '-O',
    join(folder, 'build'),
  ]
  const definitions = Object.entries(options).map(([key, value]) => `--CD${key}=${value}`)
  // Two builds at once in one folder would spoil it.
  const { status } = spawnSync('flock', [join(root, 'CMakeLists.txt'), ...cmakeJs, ...definitions], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
  })
  if (status !== 0) throw new SetupError(`${name} could not be built`)
  return folder
}

/** @type {readonly string[]} the command that runs the native tests of a folder built so, to be completed with it */
export const ctest = ['ctest', '--output-on-failure', '--no-tests=error', '--parallel', '2', '--test-dir']
