// npm run fuzz [-- libFuzzer's options]: builds native/test/fuzz with clang and lets it run, for a minute unless told otherwise.
// It begins with the recordings of test/golden; what it finds interesting is kept in build-fuzz/corpus for the next time.

import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './native-build.mjs'
import { endLike } from './sandbox.mjs'
import { ensureOrExit } from './setup.mjs'

const folder = join(root, 'build-fuzz')
const compiler = ['clang++-19', 'clang++'].find((name) => spawnSync(name, ['--version']).status === 0)
if (compiler === undefined) {
  console.error('netlink-ct: fuzzing needs clang with its libFuzzer: apt-get install clang-19')
  process.exit(1)
}
await ensureOrExit({ system: ['build', 'cmake'] })

/**
 * Runs a command; ends this process with its exit code when it fails.
 * @param {string} command
 * @param {readonly string[]} args
 */
function must(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, CXX: compiler } })
  if (status !== 0) process.exit(status ?? 1)
}

must('cmake', ['-S', root, '-B', folder, '-DCMAKE_BUILD_TYPE=RelWithDebInfo', '-DFUZZ=ON'])
must('cmake', ['--build', folder, '--target', 'decode_fuzz', 'seeds', '--parallel'])
const corpus = join(folder, 'corpus')
const seeds = join(folder, 'golden')
for (const path of [corpus, seeds]) mkdirSync(path, { recursive: true })
must(join(folder, 'seeds'), [seeds])
const given = process.argv.slice(2)
const time = given.some((option) => option.startsWith('-max_total_time')) ? [] : ['-max_total_time=60']
const { status, signal } = spawnSync(join(folder, 'decode_fuzz'), [...time, '-max_len=4096', ...given, corpus, seeds], {
  cwd: folder, // where it leaves what crashed it
  stdio: 'inherit',
})
endLike({ code: status, signal })
