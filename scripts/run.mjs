// Sets up, then runs a TypeScript program in a sandbox: node scripts/run.mjs examples/demo/index.ts [arguments]

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './native-build.mjs'
import { endLike, runInSandbox } from './sandbox.mjs'
import { ensureOrExit } from './setup.mjs'

const [program, ...args] = process.argv.slice(2)
if (program === undefined) {
  console.error('usage: node scripts/run.mjs PROGRAM.ts [arguments]')
  process.exit(2)
}
// The demo needs nothing but the library; the examples look with ip, ping and curl, the benchmarks compare with ip and nft.
const tools = program.startsWith('examples/demo/') ? [] : ['witnesses']
await ensureOrExit({ system: ['build', 'sandbox', ...tools], npm: true, native: true })
if (program.startsWith('benchmarks/')) {
  // What is measured is what is published. tsx names every function as it is made, which costs more than many of them do.
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', root], {
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) process.exit(1)
} else {
  // tsx takes "netlink-ct" for the sources by the paths of this file.
  process.env['TSX_TSCONFIG_PATH'] = join(root, 'tsconfig.check.json')
}
endLike(await runInSandbox(process.execPath, ['--import', 'tsx', join(root, program), ...args]))
