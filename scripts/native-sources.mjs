// What both native builds are made of. binding.gyp and CMakeLists.txt each call this file, so that the list of sources, the warnings
// and the defines cannot drift apart.
//
//   node scripts/native-sources.mjs [sources|core|node|cflags|defines|ldflags|libraries]     one item per line

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/**
 * Every C++ source under `folder`, relative to the repository, in one order on every machine.
 * @param {string} folder
 * @returns {string[]}
 */
export function sources(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.cc'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort()
}

const cflags = [
  '-std=c++20',
  '-fexceptions',
  '-fvisibility=hidden',
  '-fvisibility-inlines-hidden',
  '-Wall',
  '-Wextra',
  '-Wshadow',
  '-Wconversion',
  '-Wnon-virtual-dtor',
  '-Woverloaded-virtual',
  '-Werror',
  // g++ 12 sees an overlap in "literal" + std::string (gcc bug 105651). clang does not know that warning, nor g++ the other.
  '-Wno-unknown-warning-option',
  '-Wno-restrict',
]

const defines = [
  'NAPI_VERSION=9',
  'NODE_ADDON_API_CPP_EXCEPTIONS',
  // Without it `worker.terminate()` with a job in flight aborts the process.
  'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
]

const ldflags = [
  // The addon may be unloaded with the worker that loaded it while one of its threads still returns: keep it mapped.
  '-Wl,-z,nodelete',
  '-Wl,-z,relro,-z,now',
]

/** @returns {string[]} */
function libraries() {
  const probe = spawnSync(process.env['CXX'] ?? 'c++', ['-E', '-x', 'c++', '-o', '/dev/null', '-'], {
    input: '#include <libmnl/libmnl.h>\n',
    encoding: 'utf8',
    shell: true, // CXX may carry arguments, as in CXX="ccache g++"
  })
  if (probe.status !== 0) {
    throw new Error(
      `libmnl's headers are missing: apt-get install libmnl-dev (dnf install libmnl-devel, apk add libmnl-dev)\n${probe.stderr ?? probe.error}`,
    )
  }
  return ['-lmnl', '-lpthread']
}

/** @type {Record<string, () => string[]>} */
const questions = {
  sources: () => [...sources('native/core'), ...sources('native/node')],
  core: () => sources('native/core'),
  node: () => sources('native/node'),
  cflags: () => cflags,
  defines: () => defines,
  ldflags: () => ldflags,
  libraries,
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const answer = questions[process.argv[2] ?? 'sources']
  if (answer === undefined) {
    console.error(`usage: node scripts/native-sources.mjs [${Object.keys(questions).join('|')}]`)
    process.exit(2)
  }
  try {
    console.log(answer().join('\n'))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }
}
