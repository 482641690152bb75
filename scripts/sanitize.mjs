// npm run test:asan, npm run test:tsan [-- PATTERN]: builds with a sanitizer, then runs the native tests and the test files with it.
//
// The address sanitizer (with those for undefined behaviour and leaks) sees all test files. The thread sanitizer sees those in which
// threads meet: the others would only run slower.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { cmakeBuild, ctest } from './cmake-build.mjs'
import { root } from './native-build.mjs'
import { endLike, runInSandbox } from './sandbox.mjs'
import { ensureOrExit, orExit } from './setup.mjs'

/** @type {Record<string, { build: string, flag: string, libraries: string[], files: string[] }>} */
const kinds = {
  address: { build: 'build-asan', flag: 'address,undefined', libraries: ['libasan.so', 'libubsan.so'], files: [] },
  thread: { build: 'build-tsan', flag: 'thread', libraries: ['libtsan.so'], files: ['teardown', 'concurrency', 'event-loop'] },
}

const [name = '', ...patterns] = process.argv.slice(2)
const kind = kinds[name]
if (kind === undefined) {
  console.error(`usage: node scripts/sanitize.mjs ${Object.keys(kinds).join('|')} [PATTERN]`)
  process.exit(2)
}

await ensureOrExit({ system: ['build', 'sandbox', 'witnesses', 'cmake'], npm: true })
const folder = await orExit(() => cmakeBuild(kind.build, { SANITIZE: kind.flag }))

/**
 * @param {string} library
 * @returns {string} where the compiler that built the addon has its run-time library
 */
const locate = (library) =>
  spawnSync(`${process.env['CXX'] ?? 'c++'} -print-file-name=${library}`, { shell: true, encoding: 'utf8' }).stdout.trim()

const env = {
  ...process.env,
  NETLINK_CT_PREBUILD: folder,
  // Node is not built with the sanitizer, so its library must be loaded first. The runner gives it to the test files only. The addon
  // follows at once: what is loaded after the first report has no names in the next one.
  NETLINK_CT_TEST_PRELOAD: [...kind.libraries.map(locate), join(folder, 'build/Debug/netlink_ct.node')].join(' '),
  // An exit code that nothing else uses.
  ASAN_OPTIONS: 'exitcode=99:detect_leaks=1',
  UBSAN_OPTIONS: 'exitcode=99:print_stacktrace=1',
  LSAN_OPTIONS: `exitcode=99:print_suppressions=0:suppressions=${join(root, 'test/support/leak-suppressions.txt')}`,
  TSAN_OPTIONS: `exitcode=99:suppressions=${join(root, 'test/support/thread-suppressions.txt')}`,
}

const [command = '', ...args] = ctest
const native =
  patterns.length > 0 ? { code: 0, signal: null } : await runInSandbox(command, [...args, join(folder, 'build')], env)
const runner = ['--import', 'tsx', join(root, 'test/support/runner.ts'), ...(patterns.length > 0 ? patterns : kind.files)]
const javascript = await runInSandbox(process.execPath, runner, env)
endLike(native.code === 0 ? javascript : native)
